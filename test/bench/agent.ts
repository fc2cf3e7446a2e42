/**
 * Measures what the agent costs on top of the SDK's own call per turn, a bare start of Node, and memory over a long
 * run. The endpoint is a separate process that answers at once.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import Anthropic from "@anthropic-ai/sdk";
import { TOOLS } from "../../agent/tools/toolbox.ts";
import { runAgent } from "../unit/agent-job.ts";
import { benchCheckout } from "./agent-checkout.ts";
import { bundle, checkoutFor, exited, startAgent, startEndpoint } from "./agent-stage.ts";
import { type Measured, median } from "./measured.ts";

const EDITOR = "str_replace_based_edit_tool";
const TURNS = 100;
const ROUNDS = 5;
const STARTS = 11;
const FREE_MS = 1;
const LONG_RUN = 300;
const OUTPUT_BYTES = 50_000;

/** Between two requests at the endpoint: all that happens at the client in between, the answer's way included. */
const gaps = (at: readonly number[]): number[] => at.slice(1).map((time, index) => time - (at[index] ?? time));

/** The same conversation as the agent's, kept and sent with nothing around it. */
async function bareCalls(url: string, result: string): Promise<void> {
  const client = new Anthropic({ apiKey: "none", authToken: null, baseURL: url, logLevel: "off" });
  const messages: Anthropic.MessageParam[] = [{ role: "user", content: [{ type: "text", text: "x".repeat(400) }] }];
  const request = { model: "bench", max_tokens: 1_000, system: "x".repeat(2_000), tools: [...TOOLS] };
  for (let turn = 0; turn < TURNS; turn += 1) {
    const { content } = await client.messages.stream({ ...request, messages }).finalMessage();
    // The answer is whole a moment before its connection is free; asked at once, the next call would open another.
    await new Promise((resolve) => setTimeout(resolve, FREE_MS));
    messages.push({ role: "assistant", content });
    const calls = content.flatMap((block) => (block.type === "tool_use" ? [block.id] : []));
    messages.push({
      role: "user",
      content: calls.map((tool_use_id) => ({ type: "tool_result", tool_use_id, content: result })),
    });
  }
}

async function benchTurns(): Promise<Measured> {
  const endpoint = await startEndpoint(EDITOR, { command: "view", path: "README.md" });
  const agent: number[] = [];
  const bare: number[] = [];
  // The first round of each compiles what the others run.
  for (let round = 0; round <= ROUNDS; round += 1) {
    const at: number[] = [];
    endpoint.onRequest((time) => void at.push(time));
    await bareCalls(endpoint.url, "     1\t# Shop\n     2\t");
    bare.push(median(gaps(at.splice(0))));
    const checkout = checkoutFor(TURNS);
    await runAgent(checkout, { ANTHROPIC_BASE_URL: endpoint.url });
    checkout.remove();
    agent.push(median(gaps(at.splice(0))));
  }
  endpoint.close();
  // The quietest round of each: what other programs take from this machine is no part of either.
  const [ours, floor] = [Math.min(...agent.slice(1)), Math.min(...bare.slice(1))];
  return {
    what: `milliseconds that a turn of the loop adds to the SDK's own call, a file looked at in it`,
    value: ours - (floor - FREE_MS),
    limit: 5,
    detail: [
      `${ours.toFixed(2)} ms a turn, the bare call ${floor.toFixed(2)} ms with a wait of ${FREE_MS} ms in it; ${ROUNDS} × ${TURNS} turns`,
    ],
  };
}

const residentMegabytes = (pid: number | undefined): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;

async function benchMemory(program: string): Promise<Measured> {
  const endpoint = await startEndpoint("bash", { command: `head -c ${OUTPUT_BYTES} /dev/zero | tr '\\0' x` });
  const checkout = checkoutFor(LONG_RUN);
  const child = startAgent(program, checkout, endpoint.url);
  const resident: number[] = [];
  endpoint.onRequest(() => void resident.push(residentMegabytes(child.pid)));
  await exited(child);
  endpoint.close();
  const { usage } = checkout.result();
  checkout.remove();
  if (usage.turns !== LONG_RUN) throw new Error(`the long run ended after ${usage.turns} turns`);
  const [early, late] = [median(resident.slice(100, 200)), median(resident.slice(200))];
  return {
    what: `megabytes by which the agent grows from its second to its third hundred turns, ${OUTPUT_BYTES / 1_000} KB of output in each`,
    value: Math.abs(late - early),
    limit: 20,
    detail: [`${early.toFixed(0)} MB, then ${late.toFixed(0)} MB; at most ${Math.max(...resident).toFixed(0)} MB`],
  };
}

async function benchStart(program: string): Promise<Measured> {
  const endpoint = await startEndpoint(EDITOR, { command: "view", path: "." });
  const checkout = checkoutFor(1);
  const agent: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < STARTS; round += 1) {
    const begun = performance.now();
    await exited(spawn(process.execPath, ["-e", "0"], { stdio: "ignore" }));
    bare.push(performance.now() - begun);
    const started = performance.now();
    const asked = new Promise<void>((resolve) => endpoint.onRequest(() => resolve()));
    const child = startAgent(program, checkout, endpoint.url);
    await asked;
    agent.push(performance.now() - started);
    await exited(child);
  }
  endpoint.close();
  checkout.remove();
  const [ours, floor] = [median(agent), median(bare)];
  return {
    what: "from the agent's start to its first call, as a multiple of node -e 0",
    value: ours / floor,
    limit: 3.5,
    detail: [`${ours.toFixed(0)} ms, node -e 0 ${floor.toFixed(0)} ms; the bundle, as in the image`],
  };
}

export async function benchAgent(): Promise<readonly Measured[]> {
  const program = bundle();
  return [await benchTurns(), await benchMemory(program), await benchStart(program), await benchCheckout()];
}
