/**
 * Plays one stage of a step: a script in a real shell, a JavaScript action in Node.js, or one of a few built-in
 * actions.
 */
import { randomUUID } from "node:crypto";
import { stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { checkout } from "./checkout.ts";
import { type Ended, runCommand } from "./processes.ts";
import type { ActionWork, NodeWork, RunWork, StepOutcome, StepWork } from "./step-work.ts";

/** The command lines that GitHub documents. Without `shell`, bash runs without pipefail. */
const SHELLS: Readonly<Record<string, string>> = {
  "": "bash -e {0}",
  bash: "bash --noprofile --norc -eo pipefail {0}",
  sh: "sh -e {0}",
};

const failure: StepOutcome = { outcome: "failure", outputs: {} };

export async function playRun(work: RunWork): Promise<StepOutcome> {
  const { log, script } = work;
  const template = SHELLS[work.shell ?? ""] ?? work.shell ?? "";
  log.line(`##[group]Run ${script.trim().split("\n")[0] ?? ""}`);
  for (const line of script.trimEnd().split("\n")) log.line(line);
  log.line(`shell: ${template}`);
  log.line("##[endgroup]");
  if (!template.includes("{0}")) {
    log.error(`the sandbox does not play shell: ${template}`);
    return failure;
  }
  const cwd = resolve(work.workspace, work.workingDirectory ?? ".");
  if (!(await stat(cwd).catch(() => undefined))?.isDirectory()) {
    log.error(`An error occurred trying to start the shell in '${cwd}': no such folder`);
    return failure;
  }
  const file = join(work.temp, `${randomUUID()}.sh`);
  await writeFile(file, script);
  const [program = "", ...args] = template.split(/\s+/).map((word) => word.replace("{0}", file));
  const ended = await runProcess(work, program, args, cwd);
  if (ended.kind === "exit" && ended.code !== 0) log.error(`Process completed with exit code ${ended.code}.`);
  return outcomeOf(ended, work);
}

/** An action reports its failures itself: GitHub's runner adds nothing. */
export async function playNode(work: NodeWork): Promise<StepOutcome> {
  if (!(await stat(work.program).catch(() => undefined))?.isFile()) {
    work.log.error(`File not found: '${work.program}'`);
    return failure;
  }
  return outcomeOf(await runProcess(work, process.execPath, [work.program], work.workspace), work);
}

function runProcess(work: StepWork, file: string, args: readonly string[], cwd: string): Promise<Ended> {
  const { env, grace, signal, kill, output } = work;
  const lines = { onLine: output.stream(), onErrorLine: output.stream() };
  return runCommand({ file, args, cwd, env, grace, signal, kill, ...lines });
}

function outcomeOf(ended: Ended, { log }: StepWork): StepOutcome {
  if (ended.kind === "aborted") return { outcome: "cancelled", outputs: {} };
  if (ended.kind === "exit" && ended.code === 0) return { outcome: "success", outputs: {} };
  if (ended.kind === "not-started") log.error(ended.reason);
  return failure;
}

const CHECKOUT = "actions/checkout";

/** Actions that only prepare a hosted machine, and do nothing here. */
const NOTHING_TO_DO: Readonly<Record<string, string>> = {
  "actions/setup-node": "the Node.js of this machine is used",
  "actions/upload-artifact": "the sandbox keeps no artifacts",
  "docker/login-action": "the sandbox has no registry to log in to",
};

export const playsByName = (uses: string): boolean => {
  const name = uses.split("@")[0] ?? "";
  return uses.includes("@") && (name === CHECKOUT || name in NOTHING_TO_DO);
};

export async function playByName(work: ActionWork): Promise<StepOutcome> {
  const { log } = work;
  const name = work.uses.split("@")[0] ?? "";
  if (name === CHECKOUT) {
    const outcome = await checkout(work);
    return work.signal.aborted ? { outcome: "cancelled", outputs: {} } : outcome;
  }
  log.line(`${name}: nothing to do, ${NOTHING_TO_DO[name] ?? ""}.`);
  return { outcome: "success", outputs: {} };
}
