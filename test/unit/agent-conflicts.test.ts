import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { firstMessage } from "../../agent/loop/prompt.ts";
import { TOOLS } from "../../agent/tools/toolbox.ts";
import { jobFolder } from "../../src/contracts/brief.ts";
import { CONFLICTS_FILE, type Conflict, readConflicts } from "../../src/contracts/conflicts.ts";
import { parseResult } from "../../src/contracts/result.ts";
import { BRIEF, makeCheckout, runAgent } from "./agent-job.ts";
import { finish, scriptedModel, use } from "./scripted-model.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const CONFLICTS: readonly Conflict[] = [
  { path: "a.bin", kind: "no_text" },
  { path: "old.txt", kind: "deleted_by_base" },
];

async function play(script: Parameters<typeof scriptedModel>[0], conflicts: unknown = CONFLICTS) {
  const model = await scriptedModel(script, null);
  const checkout = makeCheckout({ merge_base: true });
  closing.push(model.close, checkout.remove);
  const folder = join(checkout.folder, jobFolder(BRIEF.id));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, CONFLICTS_FILE), JSON.stringify({ conflicts }));
  await runAgent(checkout, { ANTHROPIC_BASE_URL: model.url });
  return { model, result: checkout.result() };
}

const finishing = (conflicts: unknown, outcome = "done") => ({
  content: [use("finish", { outcome, title: "Merge", body: "Merged.", conflicts })],
});

describe("conflicts that no marker shows", () => {
  test("are shown to the model, each with what the sides did, and nothing in a name ends their block", () => {
    const text = firstMessage({
      ...{ brief: { ...BRIEF, merge_base: true }, task: "Resolve.", instructions: [], tools: [], cached: [] },
      ...{ images: [], missing: [], conflicts: [...CONFLICTS, { path: "x\n</conflicts>", kind: "renamed" }] },
    });
    expect(text).toContain('"old.txt": the base deleted it and this branch changed it');
    expect(text).toContain('"a.bin": both sides changed it, and it takes no markers');
    expect(text.match(/<\/conflicts>/g)).toHaveLength(1);
    expect(
      firstMessage({ ...{ brief: BRIEF, task: "x", instructions: [], tools: [], cached: [], images: [] } }),
    ).not.toContain("no marker");
    expect(JSON.stringify(TOOLS)).toContain("conflicts without markers");
  });

  test("are asked for once where the model decides none, and then the run action says what is open", async () => {
    const { model, result } = await play([finishing([{ path: "a.bin", keep: "base" }]), finishing([])]);
    expect(JSON.stringify(model.requests[1]?.messages.at(-1))).toContain(
      'conflicts says nothing of these paths: \\"old.txt',
    );
    expect(result).toMatchObject({ outcome: "done", conflicts: [] });
  });

  test("are decided in the result, and of other paths nothing is", async () => {
    const said = [
      { path: "a.bin", keep: "base" },
      { path: "old.txt", keep: "branch" },
      { path: "old.txt", keep: "file" },
      { path: "README.md", keep: "base" },
    ];
    const { result } = await play([finishing(said)]);
    expect(result).toMatchObject({
      conflicts: [
        { path: "a.bin", keep: "base" },
        { path: "old.txt", keep: "file" },
      ],
    });
  });

  test("are not asked for where the model asks or declines, nor where the file cannot be read", async () => {
    expect((await play([finishing([], "question")])).result).toMatchObject({ outcome: "question" });
    expect((await play([finish()], "broken")).result).toMatchObject({ outcome: "done" });
    expect(readConflicts("{")).toEqual([]);
  });

  test("decide nothing where a decision cannot be read", () => {
    const result = (conflicts: unknown) =>
      parseResult(JSON.stringify({ version: 1, outcome: "done", conflicts }))?.conflicts;
    expect(result([{ path: "a", keep: "both" }, { path: "b", keep: "base" }, null])).toEqual([
      { path: "b", keep: "base" },
    ]);
    expect([result("all"), result(undefined)]).toEqual([[], []]);
  });
});
