/**
 * Reads the agent's result and log from the job's folder. Both are untrusted: links are not followed, reads are
 * bounded, and an unreadable file counts as missing.
 */
import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { jobFolder, LOG_FILE, RESULT_FILE } from "../../src/contracts/brief.ts";
import { NO_USAGE, type Result, resultSchema } from "../../src/contracts/result.ts";
import { parseForeignJson } from "../../src/text/json-bounds.ts";
import type { ImageProblem } from "./state.ts";

const RESULT_LIMIT = 1024 * 1024;
const LOG_LIMIT = 32 * 1024 * 1024;

export interface AgentFiles {
  /** The parsed file, unknown keys included. */
  readonly result: Readonly<Record<string, unknown>> | null;
  readonly log: string;
}

export function readAgentFiles(workspace: string, jobId: string): AgentFiles {
  const folder = jobFolder(jobId);
  const isFolder = [folder.split("/")[0] ?? "", folder].every((path) => isReal(join(workspace, path), "folder"));
  const read = (name: string, limit: number): string | null =>
    isFolder ? textOf(join(workspace, folder, name), limit) : null;
  return { result: parsed(read(RESULT_FILE, RESULT_LIMIT)), log: read(LOG_FILE, LOG_LIMIT) ?? "" };
}

function isReal(path: string, kind: "folder" | "file", limit = 0): boolean {
  try {
    const found = lstatSync(path);
    return kind === "folder" ? found.isDirectory() : found.isFile() && found.size <= limit;
  } catch {
    return false;
  }
}

function textOf(path: string, limit: number): string | null {
  try {
    return isReal(path, "file", limit) ? readFileSync(path, "utf8").replaceAll("\0", "") : null;
  } catch {
    return null;
  }
}

function parsed(text: string | null): AgentFiles["result"] {
  const value = parseForeignJson(text ?? "null");
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : null;
}

const ENDED_WITHOUT = "The agent ended without a result.";

export interface ResultChange {
  /** Why the agent could not work, used when it left no result. */
  readonly failure: string | null;
  /** What of that is so because of an image. */
  readonly image_problem: ImageProblem | null;
  /** Why the work is rejected, in sentences. */
  readonly refusals: readonly string[];
  /** What happened to its files, in sentences. */
  readonly notes: readonly string[];
  readonly put_back: readonly string[];
  /** Ids of the review comments that the brief holds: nothing else is answered. */
  readonly comments: readonly number[];
}

const MAX_PUT_BACK = 100;

/** A failure reported by this step replaces the agent's outcome and is never permanent: another attempt may succeed. */
export const FAILED = { outcome: "failed", permanent_error: null } as const;

/** The result to submit: the agent's own, plus what this step has to say. */
export function finalResult(
  { result }: AgentFiles,
  { failure, image_problem, refusals, notes, put_back, comments }: ResultChange,
): Readonly<Record<string, unknown>> {
  const own = result ?? {
    ...{ version: 1, outcome: "failed", title: "", body: "", reason: failure ?? ENDED_WITHOUT },
    ...{ model: "unknown", usage: NO_USAGE, cost_cents: null },
  };
  const body = typeof own.body === "string" ? own.body : "";
  return {
    ...own,
    ...(notes.length === 0 ? {} : { body: [body, ...notes].filter((part) => part !== "").join("\n\n") }),
    ...(refusals.length === 0 ? {} : { ...FAILED, reason: refusals.join(" ") }),
    ...(image_problem === "missing" ? { image_missing: true } : {}),
    ...(image_problem === "set_up_failed" ? { set_up_failed: true } : {}),
    put_back: put_back.slice(0, MAX_PUT_BACK),
    ...(own.replies === undefined ? {} : { replies: repliesTo(comments, own) }),
  };
}

const repliesTo = (comments: readonly number[], { replies }: Readonly<Record<string, unknown>>): unknown =>
  Array.isArray(replies) ? replies.filter((one: unknown) => isNumbered(one) && comments.includes(one.id)) : [];

const isNumbered = (one: unknown): one is { readonly id: number } =>
  typeof one === "object" && one !== null && "id" in one && typeof one.id === "number";

/** The result as the App parses it, for the summary and the commit; null when it is invalid. */
export const readable = (result: Readonly<Record<string, unknown>>): Result | null =>
  resultSchema.safeParse(result).data ?? null;
