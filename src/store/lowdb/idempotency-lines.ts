/**
 * Lines of the idempotency journals: one for a request, one for its response, one when the key is released. The last
 * line of a scope counts. Each line begins with scope and time, so that the start can index them without parsing.
 */
import * as z from "zod";
import { asJobId } from "../../domain/job/job.ts";
import type { IdempotentRequest, StoredResponse } from "../../engine/ports/idempotency.ts";
import { unreadable } from "./disk.ts";
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
const LINE_FEED = 10;
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

/** Position of a line, in bytes. */
export interface Position {
  readonly offset: number;
  readonly length: number;
}

export interface FoundLine extends Position {
  readonly scope: string;
  readonly at: number;
  readonly released: boolean;
}

/** All complete lines of a journal. An incomplete last line was never acknowledged. */
export function* linesOf(bytes: Buffer, path: string): Generator<FoundLine> {
  let offset = 0;
  for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, offset)) {
    const beginning = bytes.toString("latin1", offset, Math.min(end, offset + BEGINNING_BYTES));
    const [, at, what] = BEGINNING.exec(beginning) ?? [];
    if (at === undefined || bytes[end - 1] !== CLOSING_BRACE) {
      throw unreadable(`${path} (byte ${offset})`, whyNot(bytes.toString("utf8", offset, end)));
    }
    // Copied, since a slice of the buffer would keep all of it in memory.
    const scope = bytes.toString("latin1", offset + SCOPE_AT, offset + SCOPE_AT + SCOPE_BYTES);
    yield { scope, at: Number(at), released: what === "released", offset, length: end - offset };
    offset = end + 1;
  }
}
