/**
 * Handles the files through which a step talks to the runner: GITHUB_ENV, GITHUB_OUTPUT, GITHUB_PATH,
 * GITHUB_STEP_SUMMARY and GITHUB_STATE. Creates fresh ones per step and reads them afterwards.
 */
import { randomUUID } from "node:crypto";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** GitHub's limit for a step summary, used for the other files too. */
const FILE_LIMIT = 1024 * 1024;

const KINDS = ["ENV", "OUTPUT", "PATH", "STEP_SUMMARY", "STATE"] as const;
type Kind = (typeof KINDS)[number];

export type CommandFiles = Readonly<Record<Kind, string>>;

export interface FileResults {
  readonly env: ReadonlyMap<string, string>;
  readonly outputs: ReadonlyMap<string, string>;
  readonly state: ReadonlyMap<string, string>;
  readonly path: readonly string[];
  readonly summary: string;
  /** A mistake in a file. GitHub fails the step, except when a summary is too long. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

export async function makeCommandFiles(folder: string): Promise<CommandFiles> {
  await mkdir(folder, { recursive: true });
  const id = randomUUID();
  const at = (kind: Kind) => join(folder, `${kind.toLowerCase()}_${id}`);
  const files = {
    ENV: at("ENV"),
    OUTPUT: at("OUTPUT"),
    PATH: at("PATH"),
    STEP_SUMMARY: at("STEP_SUMMARY"),
    STATE: at("STATE"),
  };
  await Promise.all(Object.values(files).map((file) => writeFile(file, "")));
  return files;
}

export const commandFileEnv = (files: CommandFiles): Record<string, string> =>
  Object.fromEntries(KINDS.map((kind) => [`GITHUB_${kind}`, files[kind]]));

export async function readCommandFiles(files: CommandFiles): Promise<FileResults> {
  const problems: string[] = [];
  const warnings: string[] = [];
  const pairs = async (kind: Kind) => {
    const read = keyValues(await textOf(files[kind]));
    if (read.problem !== undefined)
      problems.push(`Unable to process file command '${kind.toLowerCase()}': ${read.problem}`);
    return read.values;
  };
  const env = await pairs("ENV");
  for (const name of [...env.keys()]) {
    if (!/^(?:GITHUB_|RUNNER_)/i.test(name) && name.toUpperCase() !== "NODE_OPTIONS") continue;
    env.delete(name);
    warnings.push(`Can't store ${name} in GITHUB_ENV: the name is reserved.`);
  }
  const outputs = await pairs("OUTPUT");
  const state = await pairs("STATE");
  const path = ((await textOf(files.PATH)) ?? "").split(/\r?\n/).filter((line) => line !== "");
  const summary = await textOf(files.STEP_SUMMARY);
  if (summary === undefined) warnings.push("The step summary is larger than 1 MiB and was not uploaded.");
  return { env, outputs, state, path, summary: summary ?? "", problems, warnings };
}

/** undefined when larger than the limit. A file that the step deleted counts as empty. */
async function textOf(file: string): Promise<string | undefined> {
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) return "";
  return found.size > FILE_LIMIT ? undefined : readFile(file, "utf8");
}

interface KeyValues {
  readonly values: Map<string, string>;
  readonly problem?: string;
}

/** `NAME=value` lines and `NAME<<END … END` blocks. */
function keyValues(text: string | undefined): KeyValues {
  const values = new Map<string, string>();
  if (text === undefined) return { values, problem: "the file is larger than 1 MiB" };
  const lines = text.split(/\r?\n/);
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    if (line === "") continue;
    const equals = line.indexOf("=");
    const block = line.indexOf("<<");
    if (equals > 0 && (block < 0 || equals < block)) {
      values.set(line.slice(0, equals), line.slice(equals + 1));
      continue;
    }
    const end = block > 0 ? lines.indexOf(line.slice(block + 2), at + 1) : -1;
    if (block <= 0) return { values, problem: `Invalid format '${line.slice(0, 80)}'` };
    if (end < 0) return { values, problem: `Matching delimiter not found '${line.slice(block + 2)}'` };
    values.set(line.slice(0, block), lines.slice(at + 1, end).join("\n"));
    at = end;
  }
  return { values };
}
