/**
 * Prepares the image that the repository's settings name (`container`): pulls it, runs the set-up commands in it with
 * the network and without any secret, and keeps the result as the image that the agent runs in. A failure is a sentence
 * for the job's comment.
 */
import { randomBytes } from "node:crypto";
import { posix } from "node:path";
import { finished } from "node:stream/promises";
import * as z from "zod";
import type { Container } from "../../src/contracts/container.ts";
import { MAX_TOOLCHAIN } from "../../src/contracts/toolchain.ts";
import { parseForeignJson } from "../../src/text/json-bounds.ts";
import { counted } from "../../src/text/plural.ts";
import { cut, head, tail } from "../../src/text/text.ts";
import { rowsOf } from "./agent-output.ts";
import type { Names } from "./container-names.ts";
import type { Docker, Running } from "./docker.ts";
import { AGENT_UID } from "./ownership.ts";
import { errorTail, succeeded } from "./run-command.ts";

const PULL_LIMIT_MS = 10 * 60_000;
const COMMIT_LIMIT_MS = 5 * 60_000;
const PROGRAM_LIMIT_MS = 60_000;
/** Rows of all commands together that are shown. */
const MAX_SHOWN_ROWS = 5_000;
/** Rows and characters of a failed command that the job's comment repeats. */
const LAST_ROWS = 10;
const LAST_CHARACTERS = 1_000;
const MAX_COMMAND_SHOWN = 200;
/** Where the agent's program is found in every image. */
export const PROGRAM_FOLDER = "/opt/journeyman";
/** What package managers need as root. */
const SETUP_RIGHTS = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETFCAP", "SETGID", "SETUID"];
const SETTING = "`container` in .github/journeyman.yml";

/**
 * Many programs refuse to work for a user without a name. `$0` is a mark that precedes the output of each command; the
 * commands are the arguments.
 */
const SETUP_SCRIPT = `
grep -q ':x:${AGENT_UID}:' /etc/passwd 2>/dev/null || {
  mkdir -p /etc &&
  echo 'agent:x:${AGENT_UID}:${AGENT_UID}:agent:/tmp:/bin/sh' >>/etc/passwd &&
  echo 'agent:x:${AGENT_UID}:' >>/etc/group
}
for command do
  echo "$0"
  /bin/sh -e -c "$command" </dev/null 2>&1 || exit "$?"
done`;

export interface OwnImagePorts {
  readonly docker: Docker;
  readonly names: Names;
  /** The agent's image, which the program is taken from. */
  readonly agentImage: string;
  readonly container: Container;
  readonly show: (text: string) => void;
}

export interface OwnImage {
  readonly name: string;
  /** Of the image itself. */
  readonly variables: Readonly<Record<string, string>>;
}

export type PreparedImage =
  | { readonly ok: true; readonly image: OwnImage }
  | { readonly ok: false; readonly reason: string };

const refusal = (reason: string): PreparedImage => ({ ok: false, reason });

export async function removeOwnImage(docker: Docker, names: Names): Promise<void> {
  await docker.call(["rm", "-f", "-v", names.setup]);
  await Promise.all([docker.call(["volume", "rm", "-f", names.program]), docker.call(["rmi", "-f", names.image])]);
}

export async function prepareOwnImage(ports: OwnImagePorts): Promise<PreparedImage> {
  const { docker, names, container } = ports;
  await removeOwnImage(docker, names);
  const [failure, noProgram] = await Promise.all([makeImage(ports), copyProgram(ports)]);
  const reason = failure ?? noProgram ?? (await hidingVolume(ports));
  if (reason !== null) return refusal(`The agent was not started: ${reason}`);
  const variables = await variablesOf(docker, names.image);
  return variables === null
    ? refusal(`The agent was not started: the variables of the image ${container.image} (${SETTING}) are too large.`)
    : { ok: true, image: { name: names.image, variables } };
}

/** A new volume is filled with what the image has there. */
async function copyProgram({ docker, names, agentImage }: OwnImagePorts): Promise<string | null> {
  const flags = ["--network", "none", "-v", `${names.program}:${PROGRAM_FOLDER}`];
  const copied = await docker.finish(
    { image: agentImage, user: `${AGENT_UID}:${AGENT_UID}`, entrypoint: "true", flags, env: {} },
    PROGRAM_LIMIT_MS,
  );
  return succeeded(copied) ? null : `its program could not be taken from the agent's image: ${errorTail(copied)}.`;
}

/** Null when done, else why not, in sentences. */
async function makeImage(ports: OwnImagePorts): Promise<string | null> {
  const { docker, names, container, show } = ports;
  const pulled = await docker.call(["pull", "--quiet", container.image], PULL_LIMIT_MS);
  if (!succeeded(pulled)) {
    const why = errorTail(pulled);
    const isHere = succeeded(await docker.call(["image", "inspect", "--format", "{{.Id}}", container.image]));
    if (!isHere) return `the image ${container.image} (${SETTING}) could not be pulled: ${asCode(why)}.`;
    show(`The image ${container.image} could not be pulled, so this machine's own is used: ${why}.`);
  }
  const failure = await setUp(ports);
  if (failure !== null) return failure;
  const kept = await docker.call(["commit", "--pause=false", names.setup, names.image], COMMIT_LIMIT_MS);
  await docker.call(["rm", "-f", "-v", names.setup]);
  return succeeded(kept)
    ? null
    : `the image ${container.image} could not be kept after its set-up: ${errorTail(kept)}.`;
}

interface SetupRun {
  /** How many commands have begun. */
  begun: number;
  /** The last rows of the command under way. */
  rows: string[];
}

/** Runs the commands to their end, or to the limit for all of them together. */
async function setUp({ docker, names, container, show }: OwnImagePorts): Promise<string | null> {
  const mark = randomBytes(16).toString("hex");
  const running = docker.start({
    name: names.setup,
    keep: true,
    image: container.image,
    user: "0:0",
    entrypoint: "/bin/sh",
    flags: [
      ...["--no-healthcheck", "--network", "bridge", "--pids-limit", "512", "--memory", "4g", "-w", "/"],
      ...SETUP_RIGHTS.flatMap((right) => ["--cap-add", right]),
    ],
    env: {},
    args: ["-c", SETUP_SCRIPT, mark, ...container.setup],
  });
  const run: SetupRun = { begun: 0, rows: [] };
  let killed: Promise<unknown> | null = null;
  const clock = setTimeout(() => {
    // Docker may not be able to: then at least nobody waits for it.
    killed = docker.call(["kill", names.setup]).finally(() => running.signal("SIGKILL"));
  }, container.setup_minutes * 60_000);
  const [, words] = await Promise.all([followSetup(running, { mark, run, container, show }), wordsOf(running)]);
  const code = await running.ended;
  clearTimeout(clock);
  await killed;
  const command = container.setup[run.begun - 1];
  if (killed !== null)
    return `${named(command)} was still running after ${counted(container.setup_minutes, "minute")} (\`setup_minutes\`).${lastRows(run)}`;
  if (code === 0 && run.begun === container.setup.length) return null;
  if (command === undefined)
    return `the image ${container.image} (${SETTING}) could not be started. It needs a /bin/sh, and to be made for this runner's processor${words === "" ? "" : `: ${asCode(words)}`}.`;
  return `${named(command)} ended with exit code ${code ?? "unknown"}.${lastRows(run)}`;
}

/** The job's comment shows a reason as Markdown. */
const asCode = (text: string): string => `\`${text.replaceAll("`", "'")}\``;

const named = (command = ""): string =>
  `the set-up command ${asCode(cut(plain(command), MAX_COMMAND_SHOWN))} (${SETTING})`;

const plain = (text: string): string => text.replace(/[\p{C}\s]+/gu, " ").trim();

function lastRows({ rows }: SetupRun): string {
  const text = tail(
    rows
      .map(plain)
      .filter((row) => row !== "")
      .join(" / "),
    LAST_CHARACTERS,
  );
  return text === "" ? " It printed nothing." : ` Its last lines: ${asCode(text)}`;
}

interface Following {
  readonly mark: string;
  readonly run: SetupRun;
  readonly container: Container;
  readonly show: (text: string) => void;
}

async function followSetup({ stdout }: Running, { mark, run, container, show }: Following): Promise<void> {
  let shown = 0;
  for await (const row of rowsOf(stdout)) {
    if (row === mark) {
      show(`set-up | $ ${plain(container.setup[run.begun] ?? "")}`);
      run.begun += 1;
      run.rows = [];
      continue;
    }
    run.rows = [...run.rows.slice(1 - LAST_ROWS), head(row, LAST_CHARACTERS)];
    shown += 1;
    if (shown <= MAX_SHOWN_ROWS) show(`set-up | ${row}`);
    if (shown === MAX_SHOWN_ROWS) show("set-up | [further rows are not shown]");
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

const listSchema = z.array(z.string()).nullable();
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Docker would mount a volume that the image declares below one of our folders over what is there. */
const OURS = [`${PROGRAM_FOLDER}/`, "/workspace/"];
const volumesSchema = z.record(z.string(), z.unknown()).nullable();

async function hidingVolume({ docker, names, container }: OwnImagePorts): Promise<string | null> {
  const seen = await docker.call(["image", "inspect", "--format", "{{json .Config.Volumes}}", names.image]);
  const text = seen.stdout.toString("utf8");
  const volumes = text.length > MAX_TOOLCHAIN ? null : volumesSchema.safeParse(parseForeignJson(text)).data;
  const hiding = Object.keys(volumes ?? {}).find((volume) =>
    OURS.some((folder) => posix.normalize(volume).startsWith(folder)),
  );
  return hiding === undefined
    ? null
    : `the image ${container.image} (${SETTING}) declares the volume ${asCode(cut(plain(hiding), MAX_COMMAND_SHOWN))}, which would hide what is mounted there.`;
}

/** The variables that an image sets; null when they cannot be read within the limit. */
async function variablesOf(docker: Docker, image: string): Promise<OwnImage["variables"] | null> {
  const seen = await docker.call(["image", "inspect", "--format", "{{json .Config.Env}}", image]);
  const text = seen.stdout.toString("utf8");
  const list = text.length > MAX_TOOLCHAIN ? null : listSchema.safeParse(parseForeignJson(text));
  if (!succeeded(seen) || !list?.success) return null;
  const pairs = (list.data ?? []).map((pair) => {
    const at = pair.indexOf("=");
    return [pair.slice(0, at), pair.slice(at + 1)] as const;
  });
  return Object.fromEntries(pairs.filter(([name]) => NAME.test(name)));
}
