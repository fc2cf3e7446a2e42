/** A program's debugger gives access to its memory, and Node opens it on a signal; the agent's programs must not. */

import { connect } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { builtProgram } from "../build.ts";
import { freePort } from "../sandbox/free-port.ts";
import { JOB_ID, makeCheckout } from "../unit/agent-job.ts";
import { bash, finish, scriptedModel } from "../unit/scripted-model.ts";
import { type Program, startProgram } from "./agent-program.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const OPENED = "Debugger listening";

/** The port is usually 9229; of one's own, it is nobody else's on this machine. */
async function watched(program: readonly string[], environment: Record<string, string>, folder = "/") {
  const port = await freePort();
  const [node = "", ...args] = program;
  return { port, program: startProgram([node, `--inspect-port=${port}`, ...args], environment, folder) };
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true)).once("error", () => resolve(false));
    closing.push(() => socket.destroy());
  });

const said = (program: Program, words: string) =>
  vi.waitFor(() => expect(program.output()).toContain(words), { timeout: 60_000 });

test("a program that takes no care opens its debugger at SIGUSR1", async () => {
  const careless = [process.execPath, "-e", "console.log('up'); setInterval(() => {}, 1000)"];
  const { port, program } = await watched(careless, {});
  await said(program, "up");
  program.child.kill("SIGUSR1");
  await said(program, OPENED);
  expect(await answers(port)).toBe(true);
});

test("the agent does not, whose key the model's shell would read there", async () => {
  const model = await scriptedModel([
    bash("kill -USR1 $PPID && echo sent > sent.txt"),
    bash("true"),
    bash(
      "(echo > /dev/tcp/127.0.0.1/$(tr '\\0' '\\n' < /proc/$PPID/cmdline | sed -n 's/--inspect-port=//p')) 2> asked.txt; true",
    ),
    finish(),
  ]);
  const checkout = makeCheckout();
  closing.push(model.close, checkout.remove);
  const access = { JOB_ID, ANTHROPIC_API_KEY: "test-key-123456", ANTHROPIC_BASE_URL: model.url };
  const { program } = await watched(builtProgram("agent/main.ts"), access, checkout.folder);
  expect(await program.ended, program.output()).toBe(0);
  expect(checkout.file("sent.txt")).toBe("sent\n");
  expect(checkout.file("asked.txt")).toContain("Connection refused");
  expect(program.output()).not.toContain(OPENED);
});

test("neither does the gateway, which has the key where there is one", async () => {
  const environment = { LLM_MODEL: "claude-sonnet-5-5", LLM_MAX_COST_CENTS: "1" };
  const { port, program } = await watched(builtProgram("agent/gateway/main.ts"), environment);
  await said(program, "listening on ");
  program.child.kill("SIGUSR1");
  const address = `http://127.0.0.1:${/listening on (\d+)/.exec(program.output())?.[1]}/spent`;
  for (const _ of [1, 2, 3]) expect((await fetch(address)).status).toBe(200);
  expect(await answers(port)).toBe(false);
  expect(program.output()).not.toContain(OPENED);
});
