/**
 * Lines of the idempotency journals: one for a request, one for its response, one when the key is released. The last
 * line of a scope counts. Each line begins with scope and time, so that the start can index them without parsing.
 */
import * as z from "zod";
import { asJobId } from "../../domain/job/job.ts";
import type { IdempotentRequest, StoredResponse } from "../../engine/ports/idempotency.ts";
import { upcast } from "./formats.ts";

const jobId = z.string().transform((text, context) => {
  const id = asJobId(text);
  if (id !== null) return id;
  context.addIssue({ code: "custom", message: "is no job id" });
  return z.NEVER;
});

const recordSchema = z.object({
  scope: z.string(),
  /** When the request began. */
  at: z.number(),
  fingerprint: z.string(),
  work_id: jobId,
  /** Null while it is in progress. */
  answer: z
    .object({
      status: z.number().int(),
      headers: z.record(z.string(), z.string()),
      body: z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]).nullable(),
    })
    .nullable(),
});

export interface StoredRequest extends IdempotentRequest {
  /** Null while it is in progress. */
  readonly answer: StoredResponse | null;
}

/** `scope` and `at` come first, in any record. */
export const recordLine = ({ scope, at, fingerprint, work_id, answer }: StoredRequest): string =>
  JSON.stringify({ scope, at, fingerprint, work_id, answer });

export const releaseLine = (scope: string, at: number): string => JSON.stringify({ scope, at, released: true });

export const readRecord = (line: string): StoredRequest => recordSchema.parse(upcast("idempotency", JSON.parse(line)));

const BEGINNING = /^\{"scope":"[0-9a-f]{64}","at":(\d{1,16}),"(fingerprint|released)"/;
const BEGINNING_BYTES = 128;
const SCOPE_AT = '{"scope":"'.length;
const SCOPE_BYTES = 64;
const CLOSING_BRACE = 125;

/** A newer version may use another line format. */
function whyNot(line: string): unknown {
  try {
    readRecord(line);
    return new Error("A line is not as it was written.");
  } catch (cause) {
    return cause;
  }
}

export interface LineStart {
  readonly scope: string;
  readonly at: number;
  readonly released: boolean;
}

/** What the start has to know of a line. */
export function lineStart(line: Buffer): LineStart {
  const [, at, what] = BEGINNING.exec(line.toString("latin1", 0, BEGINNING_BYTES)) ?? [];
  if (at === undefined || line[line.length - 1] !== CLOSING_BRACE) throw whyNot(line.toString("utf8"));
  // Copied, since a part of the beginning would keep all of it in memory.
  const scope = line.toString("latin1", SCOPE_AT, SCOPE_AT + SCOPE_BYTES);
  return { scope, at: Number(at), released: what === "released" };
}
