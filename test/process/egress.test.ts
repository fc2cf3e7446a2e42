import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { builtFolder } from "../build.ts";
import { JOB_ID, makeCheckout } from "../unit/agent-job.ts";
import { bash, finish, scriptedModel, type Turn } from "../unit/scripted-model.ts";
import { type Program, startProgram } from "./agent-program.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function startProxy(environment: Record<string, string>): Promise<Program & { readonly url: string }> {
  const program = startProgram("agent/egress/main.ts", environment);
  await vi.waitFor(() => expect(program.output()).toContain("\n"), { timeout: 60_000 });
  const port = /^listening on (\d+)\n/.exec(program.output())?.[1];
  return { ...program, url: `http://127.0.0.1:${port}` };
}

async function runAgent(script: readonly Turn[], egress: string[], direct = false) {
  const model = await scriptedModel(script);
  const checkout = makeCheckout({ egress });
  closing.push(model.close, checkout.remove);
  const access = { ANTHROPIC_API_KEY: "test-key-123456", ANTHROPIC_BASE_URL: model.url };
  const proxy = await startProxy({ EGRESS_ALLOWED: egress.join(" "), ANTHROPIC_BASE_URL: model.url });
  const way: Record<string, string> = direct ? {} : { EGRESS_PROXY: proxy.url };
  const agent = startProgram("agent/main.ts", { JOB_ID, ...access, ...way }, checkout.folder);
  return { model, checkout, proxy, agent, code: await agent.ended };
}

test("the model is reached through the proxy, and nothing that the model runs gets past it", async () => {
  const git = "git ls-remote";
  const { model, checkout, proxy, code } = await runAgent(
    [
      bash(`${git} http://elsewhere.example.org/x.git; ${git} https://known.invalid/x.git; true`),
      bash(`env | grep -i _proxy | sort > proxies.txt; ${git} https://elsewhere.example.org/x.git; true`),
      finish("done", "Say hello"),
    ],
    ["known.invalid"],
  );
  expect(code).toBe(0);
  const sentence = "Blocked: elsewhere.example.org is not an allowed host;";
  const answers = model.requests.slice(1).map(({ messages }) => JSON.stringify(messages.at(-1)));
  expect(answers[0]).toContain(sentence);
  expect(answers[0]).not.toContain("Blocked: known.invalid");
  expect(answers[1]).not.toContain(sentence);
  expect(JSON.stringify(model.requests[0]?.messages)).toContain("lets these hosts through: `known.invalid`");
  const warned = checkout.log().filter(({ level, text }) => level === "warn" && text.startsWith(sentence));
  expect(warned).toHaveLength(1);
  expect(proxy.output().split("\n")).toEqual([expect.stringMatching(/^listening/), warned[0]?.text, ""]);
  expect(checkout.file("proxies.txt").split("\n")).toEqual(
    expect.arrayContaining([`HTTPS_PROXY=${proxy.url}`, `http_proxy=${proxy.url}`, "NO_PROXY=localhost,127.0.0.1,::1"]),
  );
});

test("the bundle, which is all that the image holds, finds the proxy too", async () => {
  const folder = mkdtempSync(join(tmpdir(), "agent-bundle-"));
  closing.push(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(builtFolder("agent"), folder, { recursive: true });
  const model = await scriptedModel([finish("done", "Say hello")]);
  const checkout = makeCheckout({ egress: [] });
  closing.push(model.close, checkout.remove);
  const proxy = await startProxy({ EGRESS_ALLOWED: "", ANTHROPIC_BASE_URL: model.url });
  const access = { ANTHROPIC_API_KEY: "test-key-123456", ANTHROPIC_BASE_URL: model.url, EGRESS_PROXY: proxy.url };
  const command = [process.execPath, join(folder, "main.js")];
  const agent = startProgram(command, { JOB_ID, ...access }, checkout.folder);
  expect(await agent.ended, agent.output()).toBe(0);
  expect(checkout.result().outcome).toBe("done");
});

test("without the proxy there is no way to the model", async () => {
  const model = await scriptedModel([finish()]);
  const checkout = makeCheckout({ egress: [], limits: { minutes: 0.05, turns: 3, cost_cents: 100 } });
  closing.push(model.close, checkout.remove);
  const gone = await startProxy({ EGRESS_ALLOWED: "" });
  gone.child.kill("SIGTERM");
  expect(await gone.ended).toBe(0);
  const access = { ANTHROPIC_API_KEY: "test-key-123456", ANTHROPIC_BASE_URL: model.url, EGRESS_PROXY: gone.url };
  await startProgram("agent/main.ts", { JOB_ID, ...access }, checkout.folder).ended;
  expect(model.requests).toEqual([]);
  expect(checkout.result().outcome).not.toBe("done");
});

test("a job whose settings name hosts does not run on an open network", async () => {
  const { model, checkout, code } = await runAgent([finish()], [], true);
  expect(code).toBe(1);
  expect(model.requests).toEqual([]);
  expect(checkout.result().reason).toContain("Copy that file again");
});

test.each([
  [{}, "EGRESS_ALLOWED is not set"],
  [{ EGRESS_ALLOWED: "good.example.org 10.0.0.1" }, "without scheme, port or path; IP addresses are not allowed"],
  [{ EGRESS_ALLOWED: "", ANTHROPIC_BASE_URL: "nonsense" }, "ANTHROPIC_BASE_URL is not an address"],
  [{ EGRESS_ALLOWED: "", EGRESS_LISTEN: "everywhere" }, "EGRESS_LISTEN is not an address"],
  [{ EGRESS_ALLOWED: "", EGRESS_LISTEN: "192.0.2.1" }, "EADDRNOTAVAIL"],
] as [Record<string, string>, string][])("a proxy with %j does not start and says why", async (environment, says) => {
  const program = startProgram("agent/egress/main.ts", environment);
  expect(await program.ended).toBe(2);
  expect(program.output()).toMatch(/^The proxy cannot start: .+\n$/);
  expect(program.output()).toContain(says);
});
