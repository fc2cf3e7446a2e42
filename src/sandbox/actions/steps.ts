/**
 * Owns the playing of one step: a script by a real shell, or one of the few actions the sandbox knows.
 */
import { randomUUID } from "node:crypto";
import { stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { checkout } from "./checkout.ts";
import { CommandReader } from "./commands.ts";
import { runCommand } from "./processes.ts";
import type { ActionWork, RunWork, StepOutcome } from "./step-work.ts";

/** The command lines GitHub documents. Without `shell` bash runs without pipefail, which surprises many. */
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
  const commands = new CommandReader(log);
  const { env, graceMs, signal } = work;
  const ended = await runCommand({
    file: program,
    args,
    cwd,
    env,
    graceMs,
    signal,
    onLine: (line) => commands.read(line),
  });
  if (ended.kind === "aborted") return { outcome: "cancelled", outputs: {} };
  if (ended.kind === "exit" && ended.code === 0) return { outcome: "success", outputs: {} };
  log.error(ended.kind === "exit" ? `Process completed with exit code ${ended.code}.` : ended.reason);
  return failure;
}

/** Actions that only prepare a hosted machine: here there is nothing to do. */
const NOTHING_TO_DO: Readonly<Record<string, string>> = {
  "actions/setup-node": "the Node.js of this machine is used",
  "actions/upload-artifact": "the sandbox keeps no artifacts",
  "docker/login-action": "the sandbox has no registry to log in to",
};

export async function playAction(work: ActionWork): Promise<StepOutcome> {
  const { log } = work;
  const name = work.uses.split("@")[0] ?? "";
  log.line(`##[group]Run ${work.uses}`);
  for (const [key, value] of Object.entries(work.inputs)) log.line(`with ${key}: ${value}`);
  log.line("##[endgroup]");
  if (!work.uses.includes("@")) {
    log.error(`the sandbox does not play ${work.uses}`);
    return failure;
  }
  if (name === "actions/checkout") {
    const outcome = await checkout(work);
    return work.signal.aborted ? { outcome: "cancelled", outputs: {} } : outcome;
  }
  const reason = NOTHING_TO_DO[name];
  if (reason === undefined) {
    log.error(`the sandbox does not play ${name}`);
    return failure;
  }
  log.line(`${name}: nothing to do, ${reason}.`);
  return { outcome: "success", outputs: {} };
}
