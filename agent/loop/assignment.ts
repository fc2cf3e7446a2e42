/**
 * Reads what the agent has to do: brief and task text from the checkout, and the repository's instructions from the
 * base commit that the brief names. Instruction files on the job's branch are not used: they may be work of an earlier
 * attempt. An unusable brief yields the reason in words.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { type Brief, briefSchema, CONFIG_FILE, jobFolder, TASK_FILE } from "../../src/contracts/brief.ts";
import { CONFLICTS_FILE, type Conflict, readConflicts } from "../../src/contracts/conflicts.ts";
import { withVariables } from "../../src/contracts/model-source.ts";
import { DEFAULT_MODEL } from "../../src/contracts/models.ts";
import { head } from "../../src/text/text.ts";
import { objectsAt } from "../git.ts";
import type { Settings } from "../settings.ts";
import { TRUST_CHECKOUT } from "../tools/bash.ts";
import { type BriefImages, readBriefImages } from "./images.ts";
import { readPullRequestTemplate } from "./pull-request-template.ts";

/** Files in which repositories keep instructions for agents. */
const INSTRUCTION_FILES = ["AGENTS.md", "CLAUDE.md"];
const SETTINGS_FILE = ".github/journeyman.yml";
const MAX_INSTRUCTIONS = 30_000;

export interface Told {
  readonly brief: Brief;
  readonly task: string;
}

export interface Assignment extends Told, BriefImages {
  readonly instructions: readonly { readonly file: string; readonly text: string }[];
  /** The form of the text of a pull request that is still to be opened; null: there is none. */
  readonly template: string | null;
  /** Of the merge of the base, those that no marker shows. Missing: none. */
  readonly conflicts?: readonly Conflict[];
  /** Set up by earlier steps of the workflow, such as `go 1.22.12`. */
  readonly tools: readonly string[];
  readonly cached: readonly string[];
  /** False when the checkout lacks the base commit, so that its files could not be read. */
  readonly base_known: boolean;
  /** The commit that the work starts from; null when there is no repository. */
  readonly start: string | null;
}

export type ReadBrief = ({ readonly ok: true } & Told) | { readonly ok: false; readonly reason: string };

export async function readBrief(settings: Settings): Promise<ReadBrief> {
  const folder = jobFolder(settings.jobId);
  const config = await readFile(join(settings.workspace, folder, CONFIG_FILE), "utf8").catch(() => null);
  if (config === null) return { ok: false, reason: `${folder}/${CONFIG_FILE} is missing on this branch.` };
  const task = await readFile(join(settings.workspace, folder, TASK_FILE), "utf8").catch(() => null);
  if (task === null || task.trim() === "") return { ok: false, reason: `${folder}/${TASK_FILE} is missing or empty.` };
  const read = parseBrief(config, settings.llm);
  if (!read.success) {
    return { ok: false, reason: `${folder}/${CONFIG_FILE} cannot be used:\n${z.prettifyError(read.error)}` };
  }
  if (read.data.id !== settings.jobId) {
    return { ok: false, reason: `${folder}/${CONFIG_FILE} is the brief of another job, ${read.data.id}.` };
  }
  return { ok: true, brief: read.data, task };
}

/** What the repository adds to the brief. */
export async function readAssignment(settings: Settings, { brief, task }: Told): Promise<Assignment> {
  const { sha } = brief.base;
  const checkout = { workspace: settings.workspace, environment: { ...settings.shellEnvironment, ...TRUST_CHECKOUT } };
  const files = INSTRUCTION_FILES.map((file) => `${sha}:${file}`);
  const folder = join(settings.workspace, jobFolder(settings.jobId));
  const [[tip, base, ...instructions], template, conflicts, images] = await Promise.all([
    objectsAt(checkout, ["HEAD", `${sha}^{commit}`, ...files]),
    brief.pull_request === null ? readPullRequestTemplate(checkout, sha) : null,
    readFile(join(folder, CONFLICTS_FILE), "utf8").catch(() => null),
    readBriefImages(folder, brief.images),
  ]);
  return {
    brief,
    task,
    instructions: distinct([
      ...instructions.map((object, at) => ({
        file: INSTRUCTION_FILES[at] ?? "",
        text: object?.type === "blob" ? object.text : "",
      })),
      { file: SETTINGS_FILE, text: brief.instructions },
    ]),
    template,
    conflicts: readConflicts(conflicts),
    ...images,
    ...toolsOf(settings.toolchain),
    base_known: base?.type === "commit",
    start: tip?.id ?? null,
  };
}

const toolsOf = ({ tools, cached }: Settings["toolchain"]) => ({ tools, cached });

const llmOf = z.looseObject({ llm: z.looseObject({}).catch({}) });

/** The job's or settings file's choice overrides the run's variables. A brief may name no model. */
function parseBrief(text: string, variables: Settings["llm"]) {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    raw = null;
  }
  const known = llmOf.safeParse(raw);
  const defaults = {
    ...variables,
    provider: variables.provider ?? "anthropic",
    model: variables.model ?? DEFAULT_MODEL,
  };
  const read = briefSchema.safeParse(known.success ? { ...known.data, llm: { ...defaults, ...known.data.llm } } : raw);
  return read.success ? { ...read, data: { ...read.data, llm: withVariables(read.data.llm, variables) } } : read;
}

/** One is often a link to the other, or a copy. */
function distinct(instructions: Assignment["instructions"]): Assignment["instructions"] {
  const found: { file: string; text: string }[] = [];
  for (const { file, text } of instructions) {
    const short = head(text.trim(), MAX_INSTRUCTIONS);
    if (short !== "" && !found.some((one) => one.text === short)) found.push({ file, text: short });
  }
  return found;
}
