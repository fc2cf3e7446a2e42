import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { JOB_ID, makeCheckout } from "../unit/agent-job.ts";
import { bash, finish, scriptedModel, type Turn } from "../unit/scripted-model.ts";
import { startProgram } from "./agent-program.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const start = (folder: string, environment: Record<string, string>) =>
  startProgram("agent/main.ts", environment, folder);

async function open(script: readonly Turn[]) {
  const model = await scriptedModel(script);
  const checkout = makeCheckout();
  closing.push(model.close, checkout.remove);
  const environment = { JOB_ID, ANTHROPIC_API_KEY: "test-key-123456", ANTHROPIC_BASE_URL: model.url };
  return { model, checkout, agent: start(checkout.folder, environment) };
}

test("a whole run in a process of its own ends with exit code 0 and a result", async () => {
  const { checkout, agent } = await open([bash("echo hello > HELLO.md"), finish("done", "Say hello")]);
  expect(await agent.ended).toBe(0);
  expect(checkout.file("HELLO.md")).toBe("hello\n");
  expect(checkout.result()).toMatchObject({ outcome: "done", title: "Say hello" });
  expect(agent.output()).toContain("Ended: done.");
});

test("told so, it prints its log as the lines of the file, for the log uploader", async () => {
  const model = await scriptedModel([bash("echo ::error::hello"), finish("done", "Say hello")]);
  const checkout = makeCheckout();
  closing.push(model.close, checkout.remove);
  const access = { ANTHROPIC_API_KEY: "test-key-123456", ANTHROPIC_BASE_URL: model.url };
  const agent = start(checkout.folder, { JOB_ID, LOG_FORMAT: "json", ...access });
  expect(await agent.ended).toBe(0);
  expect(agent.output()).toBe(checkout.file(`.jobs/${JOB_ID}/log.jsonl`));
  expect(checkout.log().length).toBeGreaterThan(2);
});

test.each(["SIGTERM", "SIGINT"] as const)(
  "%s ends a running command with all its processes and leaves a result",
  async (signal) => {
    const { checkout, agent } = await open([bash("echo kept > kept.txt; sleep 600")]);
    await vi.waitFor(() => expect(existsSync(join(checkout.folder, "kept.txt"))).toBe(true), { timeout: 60_000 });
    agent.child.kill(signal);
    expect(await agent.ended).toBe(1);
    expect(checkout.result()).toMatchObject({ outcome: "failed", reason: `Cancelled while it ran (${signal}).` });
    expect(checkout.log().at(-1)?.text).toContain("Ended: failed.");
  },
);

test("a background process of the model does not keep the agent from ending", async () => {
  const { agent } = await open([bash("setsid sleep 5 & echo on"), finish()]);
  expect(await agent.ended).toBe(0);
});

test("a branch without a brief fails with a result that says so", async () => {
  const checkout = makeCheckout();
  closing.push(checkout.remove);
  const agent = start(checkout.folder, { JOB_ID: "zz99zz99", ANTHROPIC_API_KEY: "x" });
  expect(await agent.ended).toBe(1);
  expect(checkout.file(".jobs/zz99zz99/result.json")).toContain(".jobs/zz99zz99/job.config.json is missing");
});

test("without a job it does not start and says why", async () => {
  const checkout = makeCheckout();
  closing.push(checkout.remove);
  const agent = start(checkout.folder, {});
  expect(await agent.ended).toBe(2);
  expect(agent.output()).toContain("JOB_ID is not set");
});

test("a checkout that cannot be written ends with a word and not with a stack", async () => {
  const agent = start("/", { JOB_ID, WORKSPACE: "/dev/null", ANTHROPIC_API_KEY: "x" });
  expect(await agent.ended).toBe(1);
  expect(agent.output()).toMatch(/^The agent could not write its result: .+\n$/);
});
