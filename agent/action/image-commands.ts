/** Runs commands of the repository's settings in a container, one after the other, within one limit for all of them. */
import { randomBytes } from "node:crypto";
import { finished } from "node:stream/promises";
import { counted } from "../../src/text/plural.ts";
import { cut, head, tail } from "../../src/text/text.ts";
import { rowsOf } from "./agent-output.ts";
import type { ContainerOptions, Docker, Running } from "./docker.ts";

/** Rows of all commands together that are shown. */
const MAX_SHOWN_ROWS = 5_000;
/** Rows and characters of a failed command that are repeated. */
const LAST_ROWS = 10;
const LAST_CHARACTERS = 1_000;
export const MAX_COMMAND_SHOWN = 200;

/** `$0` is a mark that precedes the output of each command; the commands are the arguments. */
const SCRIPT = `
for command do
  echo "$0"
  /bin/sh -e -c "$command" </dev/null 2>&1 || exit "$?"
done`;

export interface ImageCommands {
  readonly docker: Docker;
  readonly container: Omit<ContainerOptions, "entrypoint" | "args" | "name"> & { readonly name: string };
  /** Shell commands of our own that come first. */
  readonly before?: string;
  readonly commands: readonly string[];
  readonly minutes: number;
  /** What a sentence calls one of them, such as `set-up`. */
  readonly kind: string;
  /** Where they are written. */
  readonly setting: string;
  /** Where the limit is written. */
  readonly limit: string;
  readonly show: (text: string) => void;
}

interface Progress {
  /** How many commands have begun. */
  begun: number;
  /** The last rows of the command under way. */
  rows: string[];
}

/** Null when all have succeeded, else why not, in sentences. */
export async function runImageCommands(asked: ImageCommands): Promise<string | null> {
  const { docker, container, before = "", commands, minutes } = asked;
  const mark = randomBytes(16).toString("hex");
  const running = docker.start({
    ...container,
    entrypoint: "/bin/sh",
    args: ["-c", before + SCRIPT, mark, ...commands],
  });
  const progress: Progress = { begun: 0, rows: [] };
  let killed: Promise<unknown> | null = null;
  const clock = setTimeout(() => {
    // Docker may not be able to: then at least nobody waits for it.
    killed = docker.call(["kill", container.name]).finally(() => running.signal("SIGKILL"));
  }, minutes * 60_000);
  const [, words] = await Promise.all([follow(running, { ...asked, mark, progress }), wordsOf(running)]);
  const code = await running.ended;
  clearTimeout(clock);
  await killed;
  const command = commands[progress.begun - 1];
  if (killed !== null)
    return `${named(asked, command)} was still running after ${counted(minutes, "minute")} (${asked.limit}).${lastRows(progress)}`;
  if (code === 0 && progress.begun === commands.length) return null;
  if (command === undefined)
    return `the image ${container.image} (${asked.setting}) could not be started. It needs a /bin/sh, and to be made for this runner's processor${words === "" ? "" : `: ${asCode(words)}`}.`;
  return `${named(asked, command)} ended with exit code ${code ?? "unknown"}.${lastRows(progress)}`;
}

/** The job's comment shows a reason as Markdown. */
export const asCode = (text: string): string => `\`${text.replaceAll("`", "'")}\``;

const named = ({ kind, setting }: ImageCommands, command = ""): string =>
  `the ${kind} command ${asCode(cut(plain(command), MAX_COMMAND_SHOWN))} (${setting})`;

/** On one line. */
export const plain = (text: string): string => text.replace(/[\p{C}\s]+/gu, " ").trim();

function lastRows({ rows }: Progress): string {
  const text = tail(
    rows
      .map(plain)
      .filter((row) => row !== "")
      .join(" / "),
    LAST_CHARACTERS,
  );
  return text === "" ? " It printed nothing." : ` Its last lines: ${asCode(text)}`;
}

interface Following extends ImageCommands {
  readonly mark: string;
  readonly progress: Progress;
}

async function follow({ stdout }: Running, { mark, progress, commands, kind, show }: Following): Promise<void> {
  let shown = 0;
  for await (const row of rowsOf(stdout)) {
    if (row === mark) {
      show(`${kind} | $ ${plain(commands[progress.begun] ?? "")}`);
      progress.begun += 1;
      progress.rows = [];
      continue;
    }
    progress.rows = [...progress.rows.slice(1 - LAST_ROWS), head(row, LAST_CHARACTERS)];
    shown += 1;
    if (shown <= MAX_SHOWN_ROWS) show(`${kind} | ${row}`);
    if (shown === MAX_SHOWN_ROWS) show(`${kind} | [further rows are not shown]`);
  }
}

/** What docker itself says. */
async function wordsOf({ stderr }: Running): Promise<string> {
  let words = "";
  stderr.setEncoding("utf8").on("data", (text: string) => {
    words = tail(words + text, LAST_CHARACTERS);
  });
  await finished(stderr).catch(() => {});
  return plain(words).replace(/\.$/, "");
}
