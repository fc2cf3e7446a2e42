/**
 * The model's shell: one bash process per call, each in its own process group. Folder and exported variables carry over
 * to the next call, so that it acts like one session that no command can break. Inherits only allowed environment
 * variables.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { Output } from "./command-output.ts";
import { type Ended, endGroup, groupLives, start } from "./process-group.ts";
import { answered, type ToolResult } from "./tool-result.ts";

/** Time limit of a command; test suites of real repositories take minutes. */
export const COMMAND_SECONDS = 300;

export const bashInput = z
  .object({ command: z.string().max(1_000_000).optional(), restart: z.boolean().optional() })
  .refine(({ command, restart }) => restart === true || (command ?? "").trim() !== "", "command is missing");
export type BashInput = z.infer<typeof bashInput>;

export interface ShellSetup {
  readonly workspace: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly commandSeconds?: number;
}

/** The checkout may belong to another user than the container's. */
export const TRUST_CHECKOUT = {
  GIT_CONFIG_COUNT: "1",
  GIT_CONFIG_KEY_0: "safe.directory",
  GIT_CONFIG_VALUE_0: "*",
};

/** Full outputs to keep as files; older ones are deleted, so that a long run does not fill the disk. */
const KEPT_OUTPUTS = 20;

/** Programs must not wait for input, open a pager, print colours or ask for a password. */
const QUIET = {
  TERM: "dumb",
  NO_COLOR: "1",
  CI: "true",
  PAGER: "cat",
  GIT_PAGER: "cat",
  GIT_EDITOR: "true",
  GIT_TERMINAL_PROMPT: "0",
  DEBIAN_FRONTEND: "noninteractive",
  ...TRUST_CHECKOUT,
};

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

export class Shell {
  readonly #setup: ShellSetup;
  readonly #folder: string;
  readonly #groups = new Set<number>();
  #count = 0;

  constructor(setup: ShellSetup) {
    this.#setup = setup;
    this.#folder = mkdtempSync(join(tmpdir(), "journeyman-"));
    mkdirSync(join(this.#folder, "home"));
    this.#reset();
  }

  async use(input: BashInput, signal: AbortSignal): Promise<ToolResult> {
    if (input.restart === true) {
      this.#endAll();
      this.#reset();
      return answered("The shell was restarted.");
    }
    return this.#run(input.command ?? "", signal);
  }

  /** Ends all processes that commands left running and removes the session's files. */
  close(): void {
    this.#endAll();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get environment(): Record<string, string> {
    return { HOME: join(this.#folder, "home"), ...this.#setup.environment, ...QUIET };
  }

  /** bash itself restores the state before the command and saves it afterwards, through BASH_ENV and an exit trap. */
  #reset(): void {
    const state = quote(join(this.#folder, "state"));
    const save = `{ echo 'unset $(compgen -e) 2>/dev/null'; declare -px; printf 'cd -- %q 2>/dev/null\\n' "$PWD"; } >${state}`;
    writeFileSync(join(this.#folder, "state"), `cd -- ${quote(this.#setup.workspace)}\n`);
    writeFileSync(join(this.#folder, "start"), `exec 2>&1\nunset BASH_ENV\n. ${state}\ntrap ${quote(save)} EXIT\n`);
  }

  async #run(command: string, signal: AbortSignal): Promise<ToolResult> {
    this.#count += 1;
    const script = join(this.#folder, `command-${this.#count}`);
    writeFileSync(script, `${command}\n`);
    const output = new Output(this.#outputFile(this.#count));
    rmSync(this.#outputFile(this.#count - KEPT_OUTPUTS), { force: true });
    const seconds = this.#setup.commandSeconds ?? COMMAND_SECONDS;
    const running = start({
      file: "bash",
      args: ["--noprofile", "--norc", script],
      cwd: this.#setup.workspace,
      environment: { ...this.environment, BASH_ENV: join(this.#folder, "start") },
      seconds,
      signal,
      onOutput: (chunk) => output.add(chunk),
    });
    if (running.group !== undefined) this.#groups.add(running.group);
    const ended = await running.ended;
    if (running.group !== undefined && !groupLives(running.group)) this.#groups.delete(running.group);
    rmSync(script, { force: true });
    const text = (await output.close()).trimEnd();
    const note = describeEnd(ended, seconds);
    const shown = [text, note].filter((part) => part !== "").join("\n") || "[no output]";
    return { text: shown, failed: ended.kind !== "exited" };
  }

  #outputFile(count: number): string {
    return join(this.#folder, `output-${count}.txt`);
  }

  #endAll(): void {
    for (const group of this.#groups) endGroup(group);
    this.#groups.clear();
  }
}

function describeEnd(ended: Ended, seconds: number): string {
  switch (ended.kind) {
    case "exited":
      return ended.code === 0 ? "" : `[exit code ${ended.code ?? ended.by}]`;
    case "timed_out":
      return `[killed after ${seconds} s with everything it had started; output so far is above]`;
    case "cancelled":
      return "[killed: the run ends]";
    case "not_started":
      return `[bash did not start: ${ended.reason}]`;
    default:
      return ended satisfies never;
  }
}
