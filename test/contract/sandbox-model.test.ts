import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Anthropic from "@anthropic-ai/sdk";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { apiError } from "../sandbox/model/protocol.ts";
import { type Model, startModel } from "../sandbox/model/server.ts";
import { KNOWN_TASKS, readTask } from "../sandbox/model/task.ts";

let model: Model;
let client: Anthropic;
let folder: string;

beforeEach(async () => {
  model = await startModel();
  client = new Anthropic({ apiKey: "sk-test", baseURL: model.url, maxRetries: 0 });
  folder = mkdtempSync(join(tmpdir(), "sandbox-model-"));
});

afterEach(async () => {
  await model.close();
  rmSync(folder, { recursive: true, force: true });
});

const TOOLS: Anthropic.ToolUnion[] = [
  { type: "bash_20250124", name: "bash" },
  { type: "text_editor_20250728", name: "str_replace_based_edit_tool" },
  { name: "finish", input_schema: { type: "object" } },
];
const BASE = { model: "claude-sonnet-5-5", max_tokens: 1000, tools: TOOLS };

type Input = Readonly<Record<string, string | number>>;

const EDITS: Readonly<Record<string, (file: string, input: Input) => string>> = {
  create: (_file, input) => String(input.file_text),
  str_replace: (file, input) => {
    const text = readFileSync(file, "utf8");
    if (!text.includes(String(input.old_str))) throw new Error("No match found for replacement.");
    return text.replace(String(input.old_str), String(input.new_str));
  },
  insert: (file, input) => {
    const lines = readFileSync(file, "utf8").split("\n");
    lines.splice(Number(input.insert_line), 0, String(input.insert_text).replace(/\n$/, ""));
    return lines.join("\n");
  },
};

const act = (name: string, input: Input): string => {
  if (name === "bash")
    return execFileSync("bash", ["-c", String(input.command)], { cwd: folder, encoding: "utf8", stdio: "pipe" });
  const file = join(folder, String(input.path));
  writeFileSync(file, EDITS[String(input.command)]?.(file, input) ?? "");
  return "ok";
};

interface Talk {
  readonly calls: readonly string[];
  readonly finish: Record<string, string> | undefined;
}

/** Plays the agent: obeys tool uses in a real folder until `finish`. */
async function talk(task: string): Promise<Talk> {
  const messages: Anthropic.MessageParam[] = [
    { role: "user", content: `Do the task in <task>.\n<task>\n${task}\n</task>\nGo.` },
  ];
  const calls: string[] = [];
  for (let turn = 0; turn < 20; turn += 1) {
    const reply = await client.messages.create({ ...BASE, messages });
    messages.push({ role: "assistant", content: reply.content });
    const results: Anthropic.ToolResultBlockParam[] = [];
    for (const block of reply.content) {
      if (block.type !== "tool_use") continue;
      const input = block.input as Record<string, string>;
      if (block.name === "finish") return { calls, finish: input };
      calls.push(`${block.name}: ${input.command}`);
      try {
        results.push({ type: "tool_result", tool_use_id: block.id, content: act(block.name, input) });
      } catch (error) {
        results.push({ type: "tool_result", tool_use_id: block.id, content: String(error), is_error: true });
      }
    }
    if (results.length === 0) return { calls, finish: undefined };
    messages.push({ role: "user", content: results });
  }
  throw new Error("the model did not finish");
}

const file = (name: string): string => readFileSync(join(folder, name), "utf8");

describe("the default script", () => {
  test("looks, creates the file through the editor, checks it and finishes", async () => {
    const { calls, finish } = await talk("create HELLO.md that says hello");
    expect(file("HELLO.md")).toBe("hello\n");
    expect(calls).toEqual(["bash: ls -la", "str_replace_based_edit_tool: create", "bash: cat -- 'HELLO.md'"]);
    expect(finish).toEqual({ outcome: "done", title: "Create HELLO.md", body: "- create HELLO.md" });
  });

  test("does several steps in their order", async () => {
    writeFileSync(join(folder, "old.txt"), "old");
    const { finish } = await talk(
      'Create a file a.txt that says "it\'s one" then append two to a.txt, then replace one with 1 in a.txt and then delete old.txt then append x to new.txt then run touch ran',
    );
    expect(file("a.txt")).toBe("it's 1\ntwo\n");
    expect(file("new.txt")).toBe("x\n");
    expect(execFileSync("ls", [folder], { encoding: "utf8" })).toBe("a.txt\nnew.txt\nran\n");
    expect(finish?.outcome).toBe("done");
  });

  test("fails on a task that it does not understand, names those that it knows, and touches nothing", async () => {
    const told = await talk("Improve the documentation of everything.").catch(String);
    for (const known of ["does not understand this task", ...KNOWN_TASKS]) expect(told).toContain(known);
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each(KNOWN_TASKS)("understands its own example: %s", (task) => {
    expect(readTask(task)).toMatchObject({ actions: [{}], unclear: [] });
  });

  test("does not take for a task what says where it was asked for", async () => {
    const { finish } = await talk("create A.md that says a\n\n---\nAsked for in #1: Improve everything");
    expect(finish?.body).toBe("- create A.md");
  });

  test.each([
    ["refuse", "refused"],
    ["do nothing", "nothing_to_do"],
    ["ask which colour?", "question"],
    ["replace absent with there in missing.txt", "question"],
  ])("the task %j ends as %s", async (task, outcome) => {
    expect((await talk(task)).finish?.outcome).toBe(outcome);
  });

  test("fails as an API error after the steps before it", async () => {
    await expect(talk("create half.txt that says half then fail")).rejects.toThrow(/told the scripted model to fail/);
    expect(file("half.txt")).toBe("half\n");
  });

  test("answers the same conversation with the same words and ids", async () => {
    const messages: Anthropic.MessageParam[] = [{ role: "user", content: "<task>create A.md that says a</task>" }];
    const ask = () => client.messages.create({ ...BASE, messages });
    expect(await ask()).toEqual(await ask());
  });
});

describe("the endpoint", () => {
  const messages: Anthropic.MessageParam[] = [
    { role: "user", content: "<task>create A.md that says a longer text than one piece of the stream</task>" },
  ];

  test("streams the same message that it gives as JSON", async () => {
    const whole = await client.messages.create({ ...BASE, messages });
    const streamed = await client.messages.stream({ ...BASE, messages }).finalMessage();
    expect(streamed.content).toEqual(whole.content);
    expect([streamed.stop_reason, streamed.usage]).toEqual([whole.stop_reason, whole.usage]);
  });

  test("counts tokens, and reads what was sent before from the cache once caching is asked for", async () => {
    const count = await client.messages.countTokens({ model: BASE.model, tools: TOOLS, messages });
    const first = await client.messages.create({ ...BASE, messages });
    expect(first.usage.input_tokens).toBe(count.input_tokens);
    const cached = { cache_control: { type: "ephemeral" } } as const;
    const used = first.content.find((block) => block.type === "tool_use");
    const result = { type: "tool_result", tool_use_id: used?.id ?? "", content: "README.md" } as const;
    const more: Anthropic.MessageParam[] = [
      ...messages,
      { role: "assistant", content: first.content },
      { role: "user", content: [result] },
    ];
    const system = [{ type: "text", text: "Be brief. ".repeat(50), ...cached } as const];
    const { usage } = await client.messages.create({ ...BASE, system, messages: more });
    expect(usage.cache_read_input_tokens).toBeGreaterThan(usage.cache_creation_input_tokens ?? 0);
    expect(usage.input_tokens).toBeLessThan(10);
  });

  const post = (body: unknown, headers: Record<string, string> = { authorization: "Bearer sk" }) =>
    fetch(`${model.url}/v1/messages`, { method: "POST", headers, body: JSON.stringify(body) });
  const refusal = async (answer: Response) => [
    answer.status,
    ((await answer.json()) as { error: { type: string } }).error.type,
  ];

  test("refuses a request without a key, without a limit, or with an unanswered tool use", async () => {
    expect(await refusal(await post({ ...BASE, messages }, {}))).toEqual([401, "authentication_error"]);
    expect(await refusal(await post({ model: "m", messages }))).toEqual([400, "invalid_request_error"]);
    const open = [
      ...messages,
      { role: "assistant", content: [{ type: "tool_use", id: "t1", name: "bash", input: {} }] },
      { role: "user", content: "go on" },
    ];
    expect(await refusal(await post({ ...BASE, messages: open }))).toEqual([400, "invalid_request_error"]);
    expect((await post({ ...BASE, messages })).status).toBe(200);
  });

  test("refuses a model that is retired or that there is not, and an answer longer than the model gives", async () => {
    await model.close();
    model = await startModel({ now: () => Date.UTC(2026, 10, 30) });
    const refused = async (name: string, max_tokens: number) =>
      refusal(await post({ ...BASE, messages, model: name, max_tokens }));
    expect(await refused("claude-sonnet-4-20250514", 10)).toEqual([404, "not_found_error"]);
    expect(await refused("claude-sonnet-4-5", 10)).toEqual([404, "not_found_error"]);
    expect(await refused("claude-saga-1", 10)).toEqual([404, "not_found_error"]);
    expect(await refused("claude-haiku-4-5", 64_001)).toEqual([400, "invalid_request_error"]);
    expect((await post({ ...BASE, messages, model: "claude-haiku-4-5-20251001", max_tokens: 64_000 })).status).toBe(
      200,
    );
  });

  test("lists its models with their limits and their ends, the retired ones to those who ask for them", async () => {
    await model.close();
    model = await startModel({ now: () => Date.UTC(2026, 10, 29) });
    client = new Anthropic({ apiKey: "sk-test", baseURL: model.url, maxRetries: 0 });
    const names = async (...args: Parameters<typeof client.models.list>) =>
      (await client.models.list(...args)).data.map(({ id, lifecycle }) => `${id} ${lifecycle}`);
    const open = await names({ limit: 1_000 });
    expect(open).toContain("claude-sonnet-5-5 active");
    expect(open).toContain("claude-sonnet-4-5 deprecated");
    expect(open.some((row) => row.endsWith(" retired"))).toBe(false);
    const retired = await names({ limit: 1_000, lifecycle: ["retired"] });
    expect(retired).toContain("claude-sonnet-4 retired");
    expect(retired.every((row) => row.endsWith(" retired"))).toBe(true);
    expect(await client.models.retrieve("claude-sonnet-4-5-20250929")).toMatchObject({
      max_input_tokens: 200_000,
      max_tokens: 64_000,
      retires_at: "2026-11-30T00:00:00Z",
    });
    await expect(client.models.retrieve("claude-saga-1")).rejects.toThrow(Anthropic.NotFoundError);
    const listing = async (init: RequestInit) => (await fetch(`${model.url}/v1/models`, init)).status;
    expect(await Promise.all([listing({}), listing({ method: "POST" })])).toEqual([401, 405]);
    expect(model.requests()).toEqual([]);
  });

  test("plays errors with their headers, so that a client retries them", async () => {
    let asked = 0;
    model.setScript(() => {
      asked += 1;
      if (asked === 1) return apiError(529, "overloaded_error", "Overloaded", { "retry-after-ms": "1" });
      return { content: [{ type: "text", text: "better now" }], delayMs: 5 };
    });
    const reader = new Anthropic({ apiKey: "sk-test", baseURL: model.url, maxRetries: 2 });
    const reply = await reader.messages.create({ ...BASE, messages });
    expect(reply.content).toEqual([{ type: "text", text: "better now" }]);
    expect(model.requests()).toHaveLength(2);
    expect(model.requests()[0]).toMatchObject({ path: "/v1/messages", headers: { authorization: "Bearer sk-test" } });
  });

  test("can cut an answer short and can stall until it is closed", async () => {
    model.setScript(() => ({ cut: true, content: [{ type: "text", text: "never whole" }] }));
    await expect(client.messages.create({ ...BASE, messages })).rejects.toThrow("terminated");
    model.setScript(() => ({ stall: true }));
    const waiting = client.messages.create({ ...BASE, messages });
    const failed = expect(waiting).rejects.toThrow(Anthropic.APIConnectionError);
    await expect.poll(() => model.requests().length).toBe(2);
    await model.close();
    await failed;
    model = await startModel();
  });
});
