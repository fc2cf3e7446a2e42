/**
 * Runs one task: a fresh checkout, the agent against whatever endpoint it is given through a gateway that keeps the cost
 * within bounds, then the hidden tests and the judgement. The model's shell runs on this machine, as the README says.
 */
import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { readGateway } from "../../agent/gateway/settings.ts";
import { startGateway } from "../../agent/gateway/start.ts";
import { changedFiles, objectsAt } from "../../agent/git.ts";
import { BRIEF, type Checkout, makeCheckout, runAgent } from "../unit/agent-job.ts";
import type { EvalTask } from "./task.ts";

const run = promisify(execFile);
const HIDDEN_TIMEOUT_MS = 120_000;

export interface Endpoint {
  /** Variables of the gateway: key, address. */
  readonly environment: Readonly<Record<string, string>>;
  readonly model: string;
  /** Null: as many as fit the model. */
  readonly max_tokens: number | null;
}

export interface Solved {
  readonly name: string;
  /** What is wrong; null: nothing. */
  readonly wrong: string | null;
  readonly turns: number;
  /** Null: the model has no known price. */
  readonly cents: number | null;
}

export async function runTask(task: EvalTask, endpoint: Endpoint): Promise<Solved> {
  const llm = { provider: "anthropic", model: endpoint.model, max_tokens: endpoint.max_tokens, notes: [] };
  const limits = { minutes: 10, turns: 40, cost_cents: 200 };
  const brief = { ...BRIEF, llm, limits, title: task.name, ...task.brief };
  const { base: _, ...told } = brief;
  const cap = { LLM_MODEL: endpoint.model, LLM_MAX_COST_CENTS: String(limits.cost_cents) };
  const read = readGateway({ ...endpoint.environment, ...cap });
  if (!read.ok) throw new Error(read.reason);
  const gateway = await startGateway(read.settings, () => {});
  const checkout = makeCheckout(told, task.files, task.later, task.task);
  try {
    await runAgent(checkout, { MODEL_GATEWAY: `http://127.0.0.1:${gateway.port}` });
    const result = checkout.result();
    const wrong = result.outcome === "failed" ? (result.reason ?? "it failed") : await judge(task, checkout);
    return { name: task.name, wrong, turns: result.usage.turns, cents: result.cost_cents };
  } finally {
    gateway.close();
    checkout.remove();
  }
}

async function judge(task: EvalTask, checkout: Checkout): Promise<string | null> {
  const at = { workspace: checkout.folder, environment: { PATH: process.env.PATH ?? "" } };
  const [start] = await objectsAt(at, ["HEAD"]);
  const changed = start ? await changedFiles(at, start.id) : null;
  if (changed === null) return "git does not tell what changed";
  return task.judge({ checkout, result: checkout.result(), changed }) ?? (await hiddenTests(task, checkout.folder));
}

async function hiddenTests({ hidden = {} }: EvalTask, folder: string): Promise<string | null> {
  const names = Object.keys(hidden);
  if (names.length === 0) return null;
  for (const [path, text] of Object.entries(hidden)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  // A test runner tells its children that they are its own, and this one is not.
  const env = { PATH: process.env.PATH ?? "" };
  return run(process.execPath, ["--test", "--test-isolation=none", ...names], {
    cwd: folder,
    timeout: HIDDEN_TIMEOUT_MS,
    env,
  }).then(
    () => null,
    () => "its hidden tests fail",
  );
}
