import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { Cancellation } from "../../agent/loop/cancellation.ts";
import { roomIn } from "../../agent/loop/conversation.ts";
import type { Brief } from "../../src/contracts/brief.ts";
import { type Checkout, JOB_ID, makeCheckout, runAgent } from "./agent-job.ts";
import { bash, finish, type ScriptedModel, scriptedModel, type Turn, use } from "./scripted-model.ts";

const EDITOR = "str_replace_based_edit_tool";
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function play(
  script: readonly Turn[],
  brief: Partial<Brief> = {},
  environment: Record<string, string> = {},
  list: object | null = null,
) {
  const model: ScriptedModel = await scriptedModel(script, list);
  const checkout: Checkout = makeCheckout(brief);
  closing.push(model.close, checkout.remove);
  const ran = await runAgent(checkout, { ANTHROPIC_BASE_URL: model.url, ...environment });
  return { model, checkout, ...ran, result: checkout.result() };
}

/** The blocks that the agent sent back in its request number `at` (from 0). */
const repliesOf = (model: ScriptedModel, at: number) => model.requests[at]?.messages.at(-1)?.content ?? [];

describe("the model", () => {
  const NAMES = { active: "claude-sonnet-5-5", retired: "claude-sonnet-4-20250514" };
  const llm = (model: string, max_tokens: number | null = null) => ({
    llm: { provider: "anthropic", model, max_tokens, notes: [] },
  });
  const entry = (id: string, more: object) => ({ id, type: "model", lifecycle: "active", retires_at: null, ...more });

  test("of an old brief is replaced once it is retired, and result and log say so", async () => {
    const { model, result, checkout } = await play([finish()], llm(NAMES.retired));
    expect(model.requests[0]).toMatchObject({ model: NAMES.active, max_tokens: 32_000 });
    expect(result).toMatchObject({ outcome: "done", model: NAMES.active });
    expect(result.cost_cents).toBeCloseTo(0.03);
    const said = expect.stringContaining(`\`${NAMES.retired}\` is retired since 2026-06-15, so \`${NAMES.active}\``);
    expect(result.notes).toEqual([said]);
    expect(checkout.log()).toContainEqual(expect.objectContaining({ level: "warn", text: said }));
  });

  test("has the limits that its provider tells, whose word on a retirement counts as well", async () => {
    const data = [
      entry(NAMES.active, { max_tokens: 6_000, max_input_tokens: 90_000 }),
      entry("claude-opus-4-8", { lifecycle: "retired", retires_at: "2026-11-01T00:00:00Z" }),
      entry("claude-opus-5-5", { lifecycle: "deprecated", retires_at: "2999-01-01T00:00:00Z" }),
    ];
    const lowered = await play([finish()], llm(NAMES.active, 7_000), {}, { data });
    expect(lowered.model.requests[0]).toMatchObject({ max_tokens: 6_000 });
    expect(lowered.result.notes).toEqual([expect.stringContaining("at most 6000 tokens")]);
    const replaced = await play([finish()], llm("claude-opus-4-8"), {}, { data });
    expect(replaced.model.requests[0]).toMatchObject({ model: "claude-opus-5-5" });
    expect(replaced.result.notes).toEqual([
      expect.stringContaining("is retired since 2026-11-01"),
      expect.stringContaining("is deprecated and will be retired on 2999-01-01"),
    ]);
  });

  test("is the one that was asked for, with what the brief says of it, where its provider says nothing of use", async () => {
    for (const list of [null, { data: "none" }, { data: [{ id: 5 }] }]) {
      const brief = { llm: { ...llm(NAMES.active, 2_048).llm, notes: ["As the server said."] } };
      const { model, result } = await play([finish()], brief, {}, list);
      expect(model.requests[0]).toMatchObject({ model: NAMES.active, max_tokens: 2_048 });
      expect(result.notes).toEqual(["As the server said."]);
    }
  });

  test("of a gateway of one's own keeps its name; without an address there is none", async () => {
    const own = { llm: { provider: "anthropic-compatible", model: NAMES.retired, max_tokens: null, notes: [] } };
    const { model, result } = await play([finish()], own);
    expect(model.requests[0]).toMatchObject({ model: NAMES.retired });
    expect(result.notes).toEqual([]);
    const lost = await play([finish()], own, { ANTHROPIC_BASE_URL: "" });
    expect(lost.result.reason).toContain("set the variable ANTHROPIC_BASE_URL");
  });

  test("leaves room in its window for the answer, and never more than pays", () => {
    expect(roomIn(1_000_000, 32_000)).toEqual({ most: 140_000, enough: 98_000 });
    expect(roomIn(200_000, 64_000)).toEqual({ most: 116_000, enough: 81_200 });
    expect(roomIn(32_000, 30_000)).toEqual({ most: 16_000, enough: 11_200 });
    expect(roomIn(null, 8_192).most).toBe(140_000);
  });
});

describe("a run that goes well", () => {
  test("does the work with the shell and the editor and says what was done", async () => {
    const { checkout, code, result, model } = await play([
      bash("printf hello > HELLO.md"),
      { content: [use(EDITOR, { command: "str_replace", path: "README.md", old_str: "Shop", new_str: "Store" })] },
      finish("done", "Say hello", "Wrote HELLO.md."),
    ]);
    expect(code).toBe(0);
    expect(checkout.file("HELLO.md")).toBe("hello");
    expect(checkout.file("README.md")).toBe("# Store\n");
    expect(result).toMatchObject({ version: 1, outcome: "done", title: "Say hello", body: "Wrote HELLO.md." });
    expect(result.usage).toEqual({
      turns: 3,
      input_tokens: 300,
      output_tokens: 30,
      cache_read_tokens: 0,
      cache_write_tokens: 0,
    });
    expect(result.cost_cents).toBeCloseTo(0.09);
    expect(result.reason).toBeUndefined();
    expect(model.headers.map(({ authorization }) => authorization)).toEqual(Array(3).fill("Bearer test-key-123456"));
  });

  test("answers all calls of one answer together and in order", async () => {
    const { model } = await play([
      {
        content: [
          use("bash", { command: "echo one; X=1; export Y=2; cd /" }),
          use("bash", { command: "pwd; echo $Y" }),
        ],
      },
      finish(),
    ]);
    const replies = repliesOf(model, 1);
    expect(replies.map((one) => one.content)).toEqual(["one", "/\n2"]);
  });

  test("marks the stable beginning and the end of the conversation for the cache", async () => {
    const { model } = await play([bash("true"), finish()]);
    const marked = JSON.stringify(model.requests[1]).match(/cache_control/g);
    expect(marked).toHaveLength(2);
    expect(model.requests[1]?.system[0]?.cache_control).toEqual({ type: "ephemeral" });
    expect(repliesOf(model, 1).at(-1)?.cache_control).toEqual({ type: "ephemeral" });
    expect(model.requests[1]?.system).toEqual(model.requests[0]?.system);
  });

  test("counts cached tokens apart", async () => {
    const usage = { input_tokens: 1, output_tokens: 2, cache_read_input_tokens: 30, cache_creation_input_tokens: 4 };
    const { result } = await play([{ content: [use("finish", { outcome: "done", title: "t", body: "" })], usage }]);
    expect(result.usage).toMatchObject({ cache_read_tokens: 30, cache_write_tokens: 4 });
  });

  test.each(["nothing_to_do", "question", "refused"])("passes on the outcome %s with exit code 0", async (outcome) => {
    const { code, result } = await play([finish(outcome, "About it", "Why so.")]);
    expect(code).toBe(0);
    expect(result).toMatchObject({ outcome, title: "About it", body: "Why so." });
  });

  test("streams every answer, so that no connection is idle for long", async () => {
    const { checkout, model, result } = await play([bash("echo streamed > s.txt"), finish()]);
    expect(model.requests.map((one) => one.stream)).toEqual([true, true]);
    expect(checkout.file("s.txt")).toBe("streamed\n");
    expect(result).toMatchObject({ outcome: "done", usage: { turns: 2, input_tokens: 200, output_tokens: 20 } });
  });
});

describe("limits", () => {
  test("turns: the work is kept and the call beyond the limit is not made", async () => {
    const { checkout, code, result, model } = await play([bash("echo x >> work.txt")], {
      limits: { minutes: 5, turns: 2, cost_cents: 500 },
    });
    expect(code).toBe(0);
    expect(result).toMatchObject({ outcome: "limit", title: "Say hello" });
    expect(result.reason).toContain("2 turns");
    expect(model.requests).toHaveLength(2);
    expect(checkout.file("work.txt")).toBe("x\nx\n");
  });

  test("money: nothing is asked when the first call alone could pass the limit", async () => {
    const { result, model } = await play([finish()], { limits: { minutes: 5, turns: 9, cost_cents: 0.5 } });
    expect(result.outcome).toBe("limit");
    expect(result.reason).toContain("0.5 cents");
    expect(model.requests).toHaveLength(0);
  });

  test("money: a model without a price runs on, bound by turns, and its cost is unknown", async () => {
    const { result, checkout } = await play([finish()], {
      llm: { provider: "anthropic", model: "local-llama", max_tokens: 1024, notes: [] },
      limits: { minutes: 5, turns: 9, cost_cents: 0.001 },
    });
    expect(result).toMatchObject({
      outcome: "done",
      cost_cents: null,
      usage: { input_tokens: 100, output_tokens: 10 },
    });
    expect(checkout.log().map((line) => line.text)).toContainEqual(expect.stringContaining("local-llama has no price"));
  });

  test("time: a command under way is killed and the run ends as a limit", async () => {
    const { code, result } = await play([bash("sleep 600")], { limits: { minutes: 0.02, turns: 9, cost_cents: 500 } });
    expect(code).toBe(0);
    expect(result).toMatchObject({ outcome: "limit" });
    expect(result.reason).toContain("0.02 minutes");
  });

  test("time: a provider that does not answer is not waited for beyond it", async () => {
    const { result } = await play([{ hang: true }], { limits: { minutes: 0.02, turns: 9, cost_cents: 500 } });
    expect(result.outcome).toBe("limit");
  });
});

describe("answers that cannot be used", () => {
  test("a malformed input is explained to the model, which may go on", async () => {
    const { model, result } = await play([
      { content: [use("bash", { cmd: "ls" })] },
      { content: [use(EDITOR, { command: "undo_edit", path: "x" })] },
      bash("true"),
      { content: [use("teleport", {})] },
      finish(),
    ]);
    expect(repliesOf(model, 1)[0]).toMatchObject({ is_error: true });
    expect(String(repliesOf(model, 1)[0]?.content)).toContain("command is missing");
    expect(String(repliesOf(model, 4)[0]?.content)).toContain("no tool teleport");
    expect(result.outcome).toBe("done");
  });

  test("three in a row end the run as failed", async () => {
    const { code, result, model } = await play([{ content: [{ type: "text", text: "I am thinking." }] }]);
    expect(code).toBe(1);
    expect(result).toMatchObject({ outcome: "failed", body: "I am thinking." });
    expect(result.reason).toContain("3 answers in a row");
    expect(model.requests).toHaveLength(3);
  });

  test("an answer cut at the token limit is not half run", async () => {
    const torn = { content: [use("bash", { command: "touch torn" })], stop_reason: "max_tokens" };
    const { checkout, model, result } = await play([torn, finish()]);
    expect(existsSync(join(checkout.folder, "torn"))).toBe(false);
    expect(repliesOf(model, 1)[0]).toMatchObject({ type: "tool_result", is_error: true });
    expect(result.outcome).toBe("done");
  });

  test("an empty answer is asked for again", async () => {
    const { result } = await play([{ content: [] }, finish()]);
    expect(result.outcome).toBe("done");
  });
});

describe("the provider", () => {
  const soon = { "retry-after-ms": "1" };

  test("a passing overload is retried", async () => {
    const { result, model } = await play([
      { status: 529, headers: soon },
      { status: 500, headers: soon },
      { status: 429, headers: soon },
      finish(),
    ]);
    expect(result.outcome).toBe("done");
    expect(model.requests).toHaveLength(4);
  });

  test("one that stays down fails the run with the work kept", async () => {
    const { checkout, code, result } = await play([
      bash("echo kept > kept.txt"),
      { status: 503, error: "all is lost", headers: soon },
    ]);
    expect(code).toBe(1);
    expect(result.outcome).toBe("failed");
    expect(result.reason).toContain("all is lost");
    expect(result.usage.turns).toBe(1);
    expect(checkout.file("kept.txt")).toBe("kept\n");
  });

  test.each([
    [{ status: 401 }, "ANTHROPIC_API_KEY", "key_refused"],
    [{ status: 403 }, "ANTHROPIC_API_KEY", "key_refused"],
    [{ status: 403, html: "<h1>Blocked</h1>" }, "ANTHROPIC_API_KEY", null],
    [{ status: 404, error: "model: x" }, "Change the name where it is set: `--model` of the job", "unknown_model"],
    [{ status: 404, html: "<h1>No such page</h1>" }, "does not know the model", null],
    [{ status: 400, error: "Your credit balance is too low to access the API." }, "add some", "no_credit"],
    [{ status: 402, error: "pay first" }, "pay first", "no_credit"],
    [{ status: 400, error: "tools: bad" }, "tools: bad", null],
    [{ raw: '"<html>login</html>"' }, "not a message", null],
  ] as const)("%j is told in words, and whether another attempt may work", async (turn, words, permanent_error) => {
    const { code, result, model } = await play([turn]);
    expect(code).toBe(1);
    expect(result).toMatchObject({ reason: expect.stringContaining(words), permanent_error });
    expect(result.reason).not.toContain('{"');
    expect(model.requests).toHaveLength(1);
  });

  test("a full window is a limit", async () => {
    const { result } = await play([{ status: 400, error: "prompt is too long: 210000 tokens > 200000 maximum" }]);
    expect(result.outcome).toBe("limit");
  });

  test("its own refusal is a refusal", async () => {
    const { code, result } = await play([{ content: [{ type: "text", text: "No." }], stop_reason: "refusal" }]);
    expect(code).toBe(0);
    expect(result).toMatchObject({ outcome: "refused", body: "No." });
  });

  test("a missing key and an unknown provider are told before anything is asked", async () => {
    const missing = await play([finish()], {}, { ANTHROPIC_API_KEY: "", ANTHROPIC_BASE_URL: "" });
    expect(missing.result.reason).toContain("ANTHROPIC_API_KEY is not set");
    expect(missing.result.permanent_error).toBe("key_missing");
    const strange = await play([finish()], {}, { ANTHROPIC_API_KEY: "two\nlines" });
    expect(strange.result).toMatchObject({
      ...{ permanent_error: "key_refused", reason: expect.stringContaining("invalid characters") },
    });
    const unknown = await play([finish()], { llm: { provider: "acme", model: "m", max_tokens: 100, notes: [] } });
    expect(unknown.result.reason).toContain('"acme"');
    expect(unknown.result.permanent_error).toBe("misconfigured");
    expect(unknown.code).toBe(1);
  });
});

describe("what ends it from outside", () => {
  test("a cancel aborts the call under way and leaves a result", async () => {
    const model = await scriptedModel([{ hang: true }]);
    const checkout = makeCheckout();
    closing.push(model.close, checkout.remove);
    const cancellation = new Cancellation();
    const running = runAgent(checkout, { ANTHROPIC_BASE_URL: model.url }, cancellation);
    await model.reached(1);
    cancellation.interrupt({ kind: "cancelled", by: "SIGTERM" });
    expect((await running).code).toBe(1);
    expect(checkout.result()).toMatchObject({ outcome: "failed", reason: "Cancelled while it ran (SIGTERM)." });
  });
});

describe("secrets", () => {
  test("neither the shell nor the log nor the result sees the key; AGENT_LLM_ ones reach the shell alone", async () => {
    const { checkout, model, printed } = await play(
      [
        bash("env; echo $AGENT_LLM_TOKEN | base64"),
        {
          content: [
            { type: "text", text: "The token is llm-secret-9876 or bGxtLXNlY3JldC05ODc2" },
            use("bash", { command: "ls" }),
          ],
        },
        finish("done", "Use llm-secret-9876", "With test-key-123456 and ghp_abcdefghijklmnopqrstuvwxyz0123456789"),
      ],
      {},
      { AGENT_LLM_TOKEN: "llm-secret-9876", AGENT_OTHER: "other-secret-1234" },
    );
    const seen = String(repliesOf(model, 1)[0]?.content);
    expect(seen).toContain("AGENT_LLM_TOKEN=llm-secret-9876");
    expect(seen).not.toContain("test-key-123456");
    expect(seen).not.toContain("other-secret-1234");
    const left = checkout.file(`.jobs/${JOB_ID}/log.jsonl`) + checkout.file(`.jobs/${JOB_ID}/result.json`) + printed;
    for (const secret of ["llm-secret-9876", "bGxtLXNlY3JldC05ODc2", "test-key-123456", "ghp_abcdef"]) {
      expect(left).not.toContain(secret);
    }
    expect(left).toContain("[secret]");
  });
});

describe("what it leaves", () => {
  test("holds no secret that it was given, in whatever spelling, and the result says so", async () => {
    const { checkout, result } = await play(
      [
        bash(
          `printf 'a\\377 %s\\n' $AGENT_LLM_TOKEN > raw.bin; printf %s $AGENT_LLM_TOKEN | base64 > .env; echo fine > fine.txt; ln -s raw.bin link`,
        ),
        finish(),
      ],
      {},
      { AGENT_LLM_TOKEN: "llm-secret-9876" },
    );
    expect(readFileSync(join(checkout.folder, "raw.bin"), "latin1")).toBe("a\xff [secret]\n");
    expect(checkout.file(".env")).toMatch(/^\[secret\]=*\n$/);
    expect(checkout.file("fine.txt")).toBe("fine\n");
    expect(result.body).toBe("Added it.\n\nA secret of this run was removed from `.env`, `raw.bin`.");
  });

  test("log and result survive a model that throws the job's folder away", async () => {
    const { checkout, result } = await play([bash("rm -rf .jobs && git clean -fdxq"), finish()]);
    expect(result.outcome).toBe("done");
    expect(checkout.log().map((line) => line.seq)).toEqual(checkout.log().map((_, at) => at + 1));
    expect(checkout.log().some((line) => line.text.includes("$ rm -rf .jobs"))).toBe(true);
  });

  test("the log names the changed files, commits of the model included", async () => {
    const commit = "git -c user.name=x -c user.email=x@y.z commit -qam wip";
    const { checkout } = await play([bash(`echo a >> README.md; ${commit}; echo b > new.txt`), finish()]);
    expect(checkout.log().map((line) => line.text)).toContain("Changed: README.md, new.txt");
  });

  test("no line on stdout can speak a workflow command", async () => {
    const { printed } = await play([
      {
        content: [
          { type: "text", text: "x\n::set-env name=A::b\n  ::error::c ##[add-mask]d" },
          use("bash", { command: "ls" }),
        ],
      },
      finish(),
    ]);
    expect(printed).toContain("set-env");
    for (const line of printed.split("\n")) expect(line).not.toMatch(/^\s*::|##\[/);
  });
});
