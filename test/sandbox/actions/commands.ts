/**
 * Handles workflow commands in a stage's output (`::error::`, `##[add-mask]`, `::stop-commands::` …): recognises them,
 * applies them, and decides what the log shows. As in GitHub's runner, `::command::` counts at the start of a line,
 * `##[command]` anywhere in it, and problem matchers read all other lines, also while commands are stopped.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { JobLog } from "./log.ts";
import { type MatcherRegistry, type ProblemMatcher, readMatchers, StreamMatchers } from "./problem-matchers.ts";

interface Command {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly value: string;
}

const STOP = "stop-commands";
const KNOWN = [
  ...[STOP, "add-mask", "error", "warning", "notice", "group", "endgroup", "debug", "echo", "add-matcher"],
  ...["remove-matcher", "set-output", "save-state", "set-env", "add-path"],
];
/** Not echoed even after `::echo::on`: these commands show their own output or must stay hidden. */
const NEVER_ECHOED = ["add-mask", "error", "warning", "notice", "debug"];
/** A stop token up to this length is not masked, since masking it would hide common words. */
const UNMASKED_TOKEN = 6;

const decoded = (text: string, codes: readonly string[]): string =>
  codes.reduce((all, code) => all.replaceAll(`%${code}`, String.fromCharCode(Number.parseInt(code, 16))), text);

function propertiesOf(text: string, separator: string, codes: readonly string[]): Record<string, string> {
  const pairs = text.split(separator).filter((pair) => pair.includes("="));
  const named = pairs.map(
    (pair) => [pair.slice(0, pair.indexOf("=")).trim(), pair.slice(pair.indexOf("=") + 1)] as const,
  );
  return Object.fromEntries(named.map(([name, value]) => [name, decoded(value, codes)]));
}

/** `head` is name and properties; returns null when the name is no command. */
function command(head: string, value: string, form: "::" | "##[", known: ReadonlySet<string>): Command | null {
  const [name = "", ...rest] = head.split(" ");
  if (!known.has(name.toLowerCase())) return null;
  const codes = form === "::" ? ["0D", "0A"] : ["3B", "0D", "0A", "5D"];
  const inProperties = form === "::" ? [...codes, "3A", "2C"] : codes;
  const properties = propertiesOf(rest.join(" "), form === "::" ? "," : ";", [...inProperties, "25"]);
  return { name: name.toLowerCase(), properties, value: decoded(value, [...codes, "25"]) };
}

export function parseCommand(line: string, known: ReadonlySet<string>): Command | null {
  const text = line.trimStart();
  const end = text.startsWith("::") ? text.indexOf("::", 2) : -1;
  const found = end < 0 ? null : command(text.slice(2, end), text.slice(end + 2), "::", known);
  if (found !== null) return found;
  const old = line.indexOf("##[");
  const close = old < 0 ? -1 : line.indexOf("]", old);
  return close < 0 ? null : command(line.slice(old + 3, close), line.slice(close + 1), "##[", known);
}

export interface StageSurroundings {
  readonly log: JobLog;
  readonly matchers: MatcherRegistry;
  /** The file that a matcher's `file` is relative to. */
  readonly workspace: string;
}

export class StageOutput {
  readonly outputs = new Map<string, string>();
  readonly state = new Map<string, string>();
  readonly #in: StageSurroundings;
  readonly #known = new Set(KNOWN);
  #stopToken: string | undefined;
  #echo = false;
  #failed = false;

  constructor(surroundings: StageSurroundings) {
    this.#in = surroundings;
  }

  /** A command that cannot be executed; it fails the stage whatever the exit code is. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Handles one of the process's two streams line by line; each has its own matchers. */
  stream(): (line: string) => void {
    const { log, matchers } = this.#in;
    const own = new StreamMatchers(matchers);
    return (line) => {
      if (this.#obey(line)) return;
      const found = own.match(line);
      log.line(found === undefined ? line : `##[${found.severity}]${found.line}`);
    };
  }

  /** Returns true when the line was a command, whose visible output is already in the log. */
  #obey(line: string): boolean {
    const { log } = this.#in;
    const found = parseCommand(line, this.#known);
    if (found === null) return false;
    if (this.#stopToken !== undefined) {
      if (found.name !== this.#stopToken) return false;
      this.#known.delete(this.#stopToken);
      this.#stopToken = undefined;
      log.line(line);
      return true;
    }
    if (found.name === STOP) this.#stop(found.value, line);
    else this.#act(found, line);
    return true;
  }

  #stop(token: string, line: string): void {
    const { log } = this.#in;
    const name = token.toLowerCase();
    if (name.trim() === "" || name === "pause-logging" || this.#known.has(name)) {
      this.#fail(line, `'${token}' cannot be the token of ${STOP}`);
      return;
    }
    this.#stopToken = name;
    this.#known.add(name);
    if (token.length > UNMASKED_TOKEN) log.masks.add(token);
    log.line(line);
  }

  #act({ name, properties, value }: Command, line: string): void {
    const { log } = this.#in;
    if (this.#echo && !NEVER_ECHOED.includes(name)) log.line(line);
    switch (name) {
      case "add-mask":
        if (value.trim() === "") log.warning("Can't add secret mask for empty string in ##[add-mask] command.");
        else log.masks.add(value);
        break;
      case "error":
      case "warning":
      case "notice":
      case "group":
        log.line(`##[${name}]${value}`);
        break;
      case "endgroup":
        log.line("##[endgroup]");
        break;
      case "echo":
        this.#setEcho(value.trim().toLowerCase(), line);
        break;
      case "add-matcher":
        for (const matcher of this.#matchersIn(value, line)) this.#in.matchers.add(matcher);
        break;
      case "remove-matcher":
        for (const owner of this.#ownersIn(properties.owner, value, line)) this.#in.matchers.remove(owner);
        break;
      case "set-output":
        this.#keep(this.outputs, properties.name, value, line);
        break;
      case "save-state":
        this.#keep(this.state, properties.name, value, line);
        break;
      case "set-env":
      case "add-path":
        this.#fail(line, `The \`${name}\` command is disabled: write to the file that the runner names instead.`);
        break;
      default:
      // debug messages are shown only if the runner is set to
    }
  }

  /** Deprecated but still executed: a step's printed text can become its output or its action's state. */
  #keep(kept: Map<string, string>, name: string | undefined, value: string, line: string): void {
    if (name) kept.set(name, value);
    else this.#fail(line, "Required field 'name' is missing");
  }

  #setEcho(value: string, line: string): void {
    if (value === "on" || value === "off") this.#echo = value === "on";
    else this.#fail(line, `Invalid echo command value: '${value}'`);
  }

  #ownersIn(owner: string | undefined, file: string, line: string): readonly string[] {
    if (owner) return [owner];
    return this.#matchersIn(file, line).map((matcher) => matcher.owner);
  }

  #matchersIn(file: string, line: string): readonly ProblemMatcher[] {
    try {
      return readMatchers(readFileSync(resolve(this.#in.workspace, file), "utf8"));
    } catch (error) {
      this.#fail(line, error instanceof Error ? error.message : String(error));
      return [];
    }
  }

  #fail(line: string, why: string): void {
    this.#in.log.error(`Unable to process command '${line}' successfully.`);
    this.#in.log.error(why);
    this.#failed = true;
  }
}
