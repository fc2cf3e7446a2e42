import { cpSync, mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { costCents } from "../../src/contracts/models.ts";
import type { Usage } from "../../src/contracts/result.ts";
import { builtFolder } from "../build.ts";
import { BRIEF, JOB_ID, makeCheckout } from "../unit/agent-job.ts";
import { bash, finish, type ScriptedModel, scriptedModel, type Turn } from "../unit/scripted-model.ts";
import { type Program, startProgram } from "./agent-program.ts";

const KEY = "gateway-key-0123456789";
const MODEL = BRIEF.llm.model;

const cents = (usage: Partial<Usage>): number =>
  costCents(MODEL, {
    ...{ input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0 },
    ...usage,
  }) ?? 0;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

type Environment = Record<string, string>;

async function startGateway(
  model: ScriptedModel,
  environment: Environment = {},
  program: string | readonly string[] = "agent/gateway/main.ts",
): Promise<Program & { readonly url: string }> {
  const access = { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: model.url };
  const gateway = startProgram(program, { ...access, LLM_MODEL: MODEL, LLM_MAX_COST_CENTS: "500", ...environment });
  await vi.waitFor(() => expect(gateway.output()).toContain("\n"), { timeout: 60_000 });
  return { ...gateway, url: `http://127.0.0.1:${/^listening on (\d+)\n/.exec(gateway.output())?.[1]}` };
}

async function open(script: readonly Turn[], brief: object = {}) {
  const model = await scriptedModel(script);
  const checkout = makeCheckout(brief);
  closing.push(model.close, checkout.remove);
  return { model, checkout };
}

const startAgent = (folder: string, environment: Environment) =>
  startProgram("agent/main.ts", { JOB_ID, ...environment }, folder);

/** A call of the model by its own shell, which has found the gateway. */
const callFrom = (url: string, max_tokens = 100): Turn => {
  const body = JSON.stringify({
    model: MODEL,
    max_tokens,
    system: [],
    tools: [],
    messages: [{ role: "user", content: [] }],
  });
  const code = `fetch("${url}/v1/messages", { method: "POST", body: process.argv[1] }).then(async (a) => console.log(a.status, await a.text()))`;
  return bash(`node -e '${code}' '${body}' >> answers.txt`);
};

test("the agent reaches the model without a key, and what the model's shell spends is in the result", async () => {
  const turns: Turn[] = [
    bash("env > env.txt; tr '\\0' '\\n' < /proc/$PPID/environ > parent.txt"),
    finish("done", "Say hello"),
  ];
  const { model, checkout } = await open(turns);
  const gateway = await startGateway(model);
  turns.unshift(callFrom(gateway.url), { content: [], usage: { input_tokens: 1_000, output_tokens: 50 } });
  const agent = startAgent(checkout.folder, { MODEL_GATEWAY: gateway.url });
  expect(await agent.ended, agent.output()).toBe(0);
  expect(model.headers.map((headers) => headers["x-api-key"])).toEqual([KEY, KEY, KEY, KEY]);
  for (const file of ["env.txt", "parent.txt"]) {
    expect(checkout.file(file)).toContain("PATH=");
    expect(checkout.file(file)).not.toContain(KEY);
  }
  expect(checkout.file("answers.txt")).toMatch(/^200 /);
  const usage = { input_tokens: 1_300, output_tokens: 80, cache_read_tokens: 0, cache_write_tokens: 0 };
  expect(checkout.result()).toMatchObject({ outcome: "done", usage: { ...usage, turns: 3 } });
  expect(checkout.result().cost_cents).toBeCloseTo(cents(usage), 10);
  expect(gateway.output()).toBe(`listening on ${new URL(gateway.url).port}\n`);
  gateway.child.kill("SIGTERM");
  expect(await gateway.ended).toBe(0);
});

test("once the shell has spent what the run may cost, the agent ends at its limit", async () => {
  const turns: Turn[] = [];
  const shell = cents({ output_tokens: 20_000 });
  // What the shell's call may cost beside its answer fits, and an answer to the agent that is of any use does not.
  const cap = shell + cents({ output_tokens: 1_050 });
  const { model, checkout } = await open(turns, { limits: { minutes: 5, turns: 10, cost_cents: cap } });
  const gateway = await startGateway(model, { LLM_MAX_COST_CENTS: String(cap) });
  turns.push(callFrom(gateway.url, 20_000), { content: [], usage: { input_tokens: 10, output_tokens: 20_000 } });
  turns.push(callFrom(gateway.url), finish("done"));
  const agent = startAgent(checkout.folder, { MODEL_GATEWAY: gateway.url });
  expect(await agent.ended, agent.output()).toBe(0);
  const result = checkout.result();
  expect(result).toMatchObject({
    outcome: "limit",
    reason: expect.stringMatching(/^Stopped before the cost limit of [\d.]+ cents: [\d.]+ cents are spent/),
  });
  expect(result.cost_cents).toBeGreaterThan(shell);
  expect(result.cost_cents).toBeLessThanOrEqual(cap);
});

test("an agent that is there first waits for the gateway", async () => {
  const { model, checkout } = await open([finish("done", "Say hello")]);
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
  const { port } = holder.address() as AddressInfo;
  const asked = new Promise<void>((resolve) => holder.once("connection", (socket) => resolve(void socket.destroy())));
  const agent = startAgent(checkout.folder, { MODEL_GATEWAY: `http://127.0.0.1:${port}` });
  await asked;
  await new Promise((resolve) => holder.close(resolve));
  await startGateway(model, { GATEWAY_PORT: String(port) });
  expect(await agent.ended, agent.output()).toBe(0);
  expect(checkout.result().outcome).toBe("done");
});

test("an agent whose gateway has no key says which secret is missing", async () => {
  const { model, checkout } = await open([finish()]);
  const gateway = await startGateway(model, { ANTHROPIC_API_KEY: "", ANTHROPIC_BASE_URL: "" });
  const agent = startAgent(checkout.folder, { MODEL_GATEWAY: gateway.url });
  expect(await agent.ended).toBe(1);
  expect(checkout.result().reason).toContain("ANTHROPIC_API_KEY is not set. Add it to the repository's secrets");
  expect(model.requests).toEqual([]);
});

test("where the settings narrow it, the gateway is the proxy too, and the provider's host is no way around it", async () => {
  const turns: Turn[] = [];
  const { model, checkout } = await open(turns, { egress: ["known.invalid"] });
  const gateway = await startGateway(model, { EGRESS_ALLOWED: "known.invalid" });
  const git = "git ls-remote";
  // curl and git ask no proxy for this machine's own names.
  const connect =
    'const { hostname, port } = new URL(process.env.HTTPS_PROXY); require("http").request({ hostname, port, method: "CONNECT", path: process.argv[1] }).end().once("connect", (a) => { console.log(a.statusCode); process.exit(); })';
  turns.push(
    bash(`${git} http://elsewhere.example.org/x.git; ${git} https://known.invalid/x.git; true`),
    bash(`for to in ${new URL(model.url).host} api.anthropic.com:443; do node -e '${connect}' $to; done > connect.txt`),
    finish("done", "Say hello"),
  );
  const agent = startAgent(checkout.folder, { MODEL_GATEWAY: gateway.url, EGRESS_PROXY: gateway.url });
  expect(await agent.ended, agent.output()).toBe(0);
  expect(checkout.file("connect.txt")).toBe("403\n403\n");
  const sentence = "Blocked: elsewhere.example.org is not an allowed host;";
  expect(JSON.stringify(model.requests[1]?.messages.at(-1))).toContain(sentence);
  expect(gateway.output()).toContain(`\n${sentence}`);
  expect(gateway.output()).not.toContain("known.invalid");
});

test("the bundles, which are all that the image holds, find each other", async () => {
  const folder = mkdtempSync(join(tmpdir(), "agent-bundle-"));
  closing.push(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(builtFolder("agent"), folder, { recursive: true });
  const { model, checkout } = await open([finish("done", "Say hello")]);
  const gateway = await startGateway(model, {}, [process.execPath, join(folder, "gateway.js")]);
  const command = [process.execPath, join(folder, "main.js")];
  const agent = startProgram(command, { JOB_ID, MODEL_GATEWAY: gateway.url }, checkout.folder);
  expect(await agent.ended, agent.output()).toBe(0);
  expect(checkout.result().outcome).toBe("done");
});

test.each([
  [{ LLM_MODEL: "" }, "LLM_MODEL is not set"],
  [{ LLM_MAX_COST_CENTS: "" }, "LLM_MAX_COST_CENTS is not a number of cents"],
  [{ LLM_MAX_COST_CENTS: "-1" }, "LLM_MAX_COST_CENTS is not a number of cents"],
  [{ GATEWAY_PORT: "70000" }, "GATEWAY_PORT is not a port number"],
  [{ GATEWAY_LISTEN: "everywhere" }, "GATEWAY_LISTEN is not an address"],
  [{ GATEWAY_LISTEN: "192.0.2.1" }, "EADDRNOTAVAIL"],
  [{ ANTHROPIC_BASE_URL: "nonsense" }, "ANTHROPIC_BASE_URL is not an address"],
  [{ EGRESS_ALLOWED: "10.0.0.1" }, "each word of EGRESS_ALLOWED is a host name"],
  [{ EGRESS_ALLOWED: "10.0.0.1" }, "without scheme, port or path; IP addresses are not allowed"],
] as [Environment, string][])("a gateway with %j does not start and says why", async (environment, says) => {
  const program = startProgram("agent/gateway/main.ts", { LLM_MODEL: MODEL, LLM_MAX_COST_CENTS: "1", ...environment });
  expect(await program.ended).toBe(2);
  expect(program.output()).toMatch(/^The gateway cannot start: .+\n$/);
  expect(program.output()).toContain(says);
});
