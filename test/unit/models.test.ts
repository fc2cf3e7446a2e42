import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { chooseModel, fitToModel } from "../../src/contracts/model-choice.ts";
import { type ListedModel, readModelList } from "../../src/contracts/model-list.ts";
import { describeSource, withVariables } from "../../src/contracts/model-source.ts";
import {
  costCents,
  DEFAULT_MODEL,
  findModel,
  lineageOf,
  looksNewer,
  MODELS,
  NEWEST_MODELS,
} from "../../src/contracts/models.ts";
import { repositorySettingsSchema } from "../../src/contracts/settings.ts";
import { type ModelDefaults, modelOf } from "../../src/domain/job/model-selection.ts";

const SDK = dirname(fileURLToPath(import.meta.resolve("@anthropic-ai/sdk")));

/** The SDK's text, file by file: the type and the constant are not exported, and move from version to version. */
const texts = (folder: string, ending: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(ending) && !path.startsWith("src/"))
    .map((path) => readFileSync(join(folder, path), "utf8"));

const quotedIn = (text: string): string[] => [...text.matchAll(/'(claude-[\w-]+)'/g)].map(([, name = ""]) => name);

const NAMES = texts(join(SDK, "resources", "messages"), ".d.ts").flatMap((text) =>
  quotedIn(/export type Model =([^;]+);/.exec(text)?.[1] ?? ""),
);

const ROW = /'(claude-[\w-]+)': '(\w+) (\d+)\w*, (\d{4})'/g;
const DEPRECATED = [...texts(SDK, ".mjs").flatMap((text) => /DEPRECATED_MODELS = \{([^}]*)\}/.exec(text)?.[1] ?? [])]
  .flatMap((rows) => [...rows.matchAll(ROW)])
  .map(([, name = "", month, day, year]) => ({
    name,
    retires: new Date(`${month} ${day}, ${year} UTC`).toISOString().slice(0, 10),
  }));

describe("the models, beside what the SDK's text says of them", () => {
  test("that text is found", () => {
    expect(NAMES.length).toBeGreaterThan(10);
    expect(DEPRECATED.length).toBeGreaterThan(0);
  });

  test("every name that the SDK has is known", () => {
    expect(NAMES.filter((name) => findModel(name) === null)).toEqual([]);
  });

  test("every model that it has deprecated is retired here on the same day, and something follows it", () => {
    for (const { name, retires } of DEPRECATED) expect(findModel(name), name).toMatchObject({ retires });
    for (const { name } of DEPRECATED) expect(findModel(name)?.successor, name).not.toBeNull();
  });

  test("what the SDK does not name any more is retired, and what has no end is still named", () => {
    const named = new Set(NAMES);
    for (const [name, { retires }] of Object.entries(MODELS))
      if (!named.has(name)) expect(retires, name).not.toBeNull();
  });

  test("the default is the newest of its line, and nothing is announced against it", () => {
    expect(NAMES).toContain(DEFAULT_MODEL);
    expect(NEWEST_MODELS).toContain(DEFAULT_MODEL);
    expect(findModel(DEFAULT_MODEL)).toMatchObject({ retires: null, successor: null });
    expect(DEPRECATED.map(({ name }) => name)).not.toContain(DEFAULT_MODEL);
  });

  test("whatever follows a model is known and has no end itself", () => {
    for (const [name, { successor }] of Object.entries(MODELS))
      if (successor !== null) expect(MODELS[successor], name).toMatchObject({ retires: null });
  });
});

describe("the model that works", () => {
  const TODAY = "2026-12-01";
  const wanted = (model: string, max_tokens: number | null = null) => ({ provider: "anthropic", model, max_tokens });
  const choice = (...args: Parameters<typeof fitToModel>) => fitToModel(...args);
  const listed = (change: Partial<ListedModel> & { id: string }): ListedModel => ({
    window: null,
    output: null,
    lifecycle: "active",
    retires: null,
    ...change,
  });

  test("is the one that was asked for, with an answer long enough to write a file, and nothing is said", () => {
    expect(choice(wanted(DEFAULT_MODEL), TODAY)).toEqual({
      model: DEFAULT_MODEL,
      max_tokens: 32_000,
      window: 1_000_000,
      notes: [],
    });
  });

  test.each([
    ["claude-sonnet-4-20250514", "claude-sonnet-5-5", "2026-06-15"],
    ["claude-opus-4-0", "claude-opus-5-5", "2026-06-15"],
    ["claude-3-5-haiku-latest", "claude-haiku-5-5", "2026-02-19"],
    ["claude-sonnet-4-5-20250929", "claude-sonnet-5-5", "2026-11-30"],
  ])("%s is followed by %s, and that is said", (asked, follows, since) => {
    const { model, notes } = choice(wanted(asked), TODAY);
    expect(model).toBe(follows);
    expect(notes).toEqual([expect.stringContaining(`\`${asked}\` is retired since ${since}, so \`${follows}\``)]);
  });

  test("is replaced from the day of its retirement on, and only said to be deprecated before", () => {
    expect(choice(wanted("claude-sonnet-4-5"), "2026-11-30").model).toBe("claude-sonnet-5-5");
    const before = choice(wanted("claude-sonnet-4-5"), "2026-11-29");
    expect(before).toMatchObject({ model: "claude-sonnet-4-5", window: 200_000 });
    expect(before.notes).toEqual([expect.stringContaining("is deprecated and will be retired on 2026-11-30")]);
  });

  test("has an answer that is no longer than it can give, whatever is set, and that is said", () => {
    expect(choice(wanted("claude-haiku-4-5", 100_000), TODAY)).toMatchObject({
      max_tokens: 64_000,
      notes: ["`claude-haiku-4-5` answers with at most 64000 tokens, so `max_tokens` is lowered from 100000 to 64000."],
    });
    expect(choice(wanted("claude-haiku-4-5", 4_096), TODAY)).toMatchObject({ max_tokens: 4_096, notes: [] });
  });

  test.each(["gpt-5", "claude-sonnet-40", "claude-sonnet-5-2", "claude-saga-1", "sonnet", "constructor", "a`b\n<!--"])(
    "%j is refused in words that name some that are known, and that it cannot break out of",
    (name) => {
      const chosen = chooseModel(wanted(name), TODAY);
      if (chosen.ok) throw new Error("it was taken");
      expect(chosen.sentence).toContain(`\`${DEFAULT_MODEL}\``);
      expect(chosen.sentence).not.toMatch(/<!--|\n/);
    },
  );

  test.each(["claude-sonnet-5-6", "claude-opus-6", "claude-haiku-6-1", "claude-sonnet-6-20270101"])(
    "%s may have come out since: it is taken, and said to have no price",
    (name) => {
      expect(looksNewer(name)).toBe(true);
      expect(chooseModel(wanted(name), TODAY)).toMatchObject({
        ok: true,
        choice: { model: name, max_tokens: 32_000, notes: [expect.stringContaining("no price")] },
      });
      expect(costCents(name, { input_tokens: 1, output_tokens: 1, cache_read_tokens: 0, cache_write_tokens: 0 })).toBe(
        null,
      );
    },
  );

  test("a gateway of one's own serves whatever it likes, retired names too", () => {
    for (const own of [{ own_models: true }, { provider: "anthropic-compatible" }])
      for (const name of ["local-llama", "claude-sonnet-4-20250514"])
        expect(chooseModel({ ...wanted(name), ...own }, TODAY)).toMatchObject({
          ok: true,
          choice: { model: name, notes: [] },
        });
    expect(choice({ ...wanted("local-llama"), own_models: true }, TODAY)).toMatchObject({
      max_tokens: 8_192,
      window: null,
    });
  });

  test("the provider's own word counts before ours: on limits, on a plan put off, on a retirement, on a new name", () => {
    const old = "claude-sonnet-4-5";
    const late = [listed({ id: "claude-sonnet-4-5-20250929", lifecycle: "deprecated", retires: "2026-11-30" })];
    expect(choice(wanted(old), TODAY, late)).toMatchObject({
      model: old,
      notes: [expect.stringContaining("was to be retired on 2026-11-30")],
    });
    const gone = [listed({ id: "claude-opus-4-8", lifecycle: "retired", retires: "2026-11-01" })];
    expect(choice(wanted("claude-opus-4-8"), TODAY, gone)).toMatchObject({
      model: "claude-opus-5-5",
      notes: [expect.stringContaining("is retired since 2026-11-01")],
    });
    const limits = [listed({ id: DEFAULT_MODEL, window: 500_000, output: 16_000 })];
    expect(choice(wanted(DEFAULT_MODEL, 20_000), TODAY, limits)).toMatchObject({
      max_tokens: 16_000,
      window: 500_000,
      notes: [expect.stringContaining("at most 16000 tokens")],
    });
    expect(chooseModel(wanted("claude-saga-1"), TODAY, [listed({ id: "claude-saga-1" })])).toMatchObject({ ok: true });
  });

  test("comes from the lineage of the one that was asked for, which ends with the default", () => {
    expect(lineageOf("claude-opus-4-0")).toEqual(["claude-opus-4-0", "claude-opus-5-5", DEFAULT_MODEL]);
    expect(lineageOf("local-llama")).toEqual(["local-llama", DEFAULT_MODEL]);
    expect(lineageOf(DEFAULT_MODEL)).toEqual([DEFAULT_MODEL]);
  });

  test("is the sender's choice before the repository's before the server's, as is its provider", () => {
    const server = { provider: "anthropic", model: DEFAULT_MODEL, max_tokens: null };
    const settings = repositorySettingsSchema.parse({ llm: { model: "claude-opus-5-5", max_tokens: 9_000 } });
    const named = (model: string | null, provider: string | null = null, rest: Partial<ModelDefaults> = {}) =>
      modelOf({ model, provider }, settings, { ...server, ...rest }, Date.parse(TODAY));
    expect(named("claude-haiku-5-5")).toMatchObject({ choice: { model: "claude-haiku-5-5", max_tokens: 9_000 } });
    expect(named(null)).toMatchObject({ provider: "anthropic", choice: { model: "claude-opus-5-5" } });
    expect(modelOf({ model: null, provider: null }, null, server, 0)).toMatchObject({
      choice: { model: DEFAULT_MODEL },
    });
    expect(named("llama", "anthropic-compatible")).toMatchObject({ ok: true, provider: "anthropic-compatible" });
    expect(named("llama")).toMatchObject({ ok: false, sentence: expect.stringMatching(/^The model `llama`/) });
    const list = [listed({ id: "claude-saga-1" })];
    expect(named("claude-saga-1", null, { listed: () => list })).toMatchObject({ ok: true });
  });

  test("says who named each part of it", () => {
    const server = { provider: "anthropic", model: DEFAULT_MODEL, max_tokens: null };
    const settings = repositorySettingsSchema.parse({ llm: { model: "claude-opus-5-5" } });
    const by = (model: string | null, of: typeof settings | null) =>
      modelOf({ model, provider: null }, of, server, 0).named_by;
    expect(by("claude-haiku-5-5", settings)).toEqual({ provider: "server", model: "job", max_tokens: "server" });
    expect(by(null, settings)).toEqual({ provider: "server", model: "settings", max_tokens: "server" });
    expect(by(null, null)).toEqual({ provider: "server", model: "server", max_tokens: "server" });
  });

  test("of a run is its repository's variable where the server alone has named one, and the log says so", () => {
    const brief = (model: "job" | "settings" | "server", max_tokens: "settings" | "server" = "server") => ({
      ...{ provider: "anthropic", model: "named", max_tokens: 9_000, notes: ["Of the named one."] },
      named_by: { provider: "server" as const, model, max_tokens },
    });
    const variables = { provider: null, model: "variable", max_tokens: null };
    expect(withVariables(brief("server"), variables)).toMatchObject({ model: "variable", max_tokens: null, notes: [] });
    expect(withVariables(brief("server", "settings"), variables)).toMatchObject({
      model: "variable",
      max_tokens: 9_000,
    });
    for (const by of ["job", "settings"] as const) expect(withVariables(brief(by), variables)).toEqual(brief(by));
    const more = { provider: "anthropic-compatible", model: null, max_tokens: 100 };
    expect(withVariables(brief("server"), more)).toEqual({
      ...brief("server"),
      provider: more.provider,
      max_tokens: 100,
    });
    const { named_by: _, ...older } = brief("server");
    expect(withVariables(older, variables)).toEqual(older);
    expect(describeSource(brief("server"), variables)).toContain("variable LLM_MODEL");
    expect(describeSource(brief("server"), more)).toContain("the server");
    expect(describeSource(brief("settings"), variables)).toContain(".github/journeyman.yml");
    expect(describeSource({ ...older, named_by: undefined }, variables)).toBe("");
  });

  test("a retired default of its own is followed to one that lives", () => {
    const gone = ["claude-opus-4-8", "claude-opus-5-5"].map((id) => listed({ id, lifecycle: "retired" }));
    expect(choice(wanted("claude-opus-4-8"), TODAY, gone).model).toBe(DEFAULT_MODEL);
    const none = Object.keys(MODELS).map((id) => listed({ id, lifecycle: "retired" }));
    expect(choice(wanted(DEFAULT_MODEL), TODAY, none).model).toBe(DEFAULT_MODEL);
  });
});

describe("a provider's list", () => {
  const read = (body: string, status = 200) => readModelList(new Response(body, { status }));

  test("is read as far as it is understood", async () => {
    const full = {
      id: "claude-x",
      max_input_tokens: 9,
      max_tokens: 8,
      lifecycle: "deprecated",
      retires_at: "2027-01-22T00:00:00Z",
    };
    const odd = { id: "llama", max_tokens: "many", lifecycle: "resting", retires_at: "soon" };
    const list = await read(JSON.stringify({ data: [full, { object: "model" }, odd, 5], more: true }));
    expect(list).toEqual([
      { id: "claude-x", window: 9, output: 8, lifecycle: "deprecated", retires: "2027-01-22" },
      { id: "llama", window: null, output: null, lifecycle: null, retires: null },
    ]);
  });

  test.each([
    ["an error", '{"data":[]}', 503],
    ["no JSON", "<html>", 200],
    ["no list", '{"data":{}}', 200],
    ["more than anybody has", JSON.stringify({ data: Array.from({ length: 1_001 }, () => ({ id: "m" })) }), 200],
    ["more text than is read", JSON.stringify({ data: [{ id: "m", note: "x".repeat(1024 * 1024) }] }), 200],
    ["JSON of no end of depth", "[".repeat(900_000), 200],
  ])("%s says nothing", async (_, body, status) => {
    expect(await read(body, status)).toBeNull();
  });
});
