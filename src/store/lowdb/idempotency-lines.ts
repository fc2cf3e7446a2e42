/**
 * How a request with an `Idempotency-Key` stands on the disk: a line for what was asked, one for what was answered, one
 * when the key is free again. The last line of a scope counts. A line begins with its scope and the time, so that the
 * start finds all of them without parsing one.
 */
import { z } from "zod";
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
  /** When it was begun. */
  at: z.number(),
  fingerprint: z.string(),
  work_id: jobId,
  /** Null: not finished. */
  answer: z
    .object({
      status: z.number().int(),
      headers: z.record(z.string(), z.string()),
      body: z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]).nullable(),
    })
    .nullable(),
});

export interface StoredRequest extends IdempotentRequest {
  /** Null: not finished. */
  readonly answer: StoredResponse | null;
}

/** `scope` and `at` stand first, whoever made the record. */
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

/** A newer version may write its lines in another way. */
function whyNot(line: string): unknown {
  try {
    readRecord(line);
    return new Error("A line is not as it was written.");
  } catch (cause) {
    return cause;
  }
}

/** Where a line stands, in bytes. */
export interface Place {
  readonly offset: number;
  readonly length: number;
}

export interface FoundLine extends Place {
  readonly scope: string;
  readonly at: number;
  readonly released: boolean;
}

/** All whole lines of a journal. Behind the last may stand a torn one, which nobody was told is kept. */
export function* linesOf(bytes: Buffer, path: string): Generator<FoundLine> {
  let offset = 0;
  for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, offset)) {
    const beginning = bytes.toString("latin1", offset, Math.min(end, offset + BEGINNING_BYTES));
    const [, at, what] = BEGINNING.exec(beginning) ?? [];
    if (at === undefined || bytes[end - 1] !== CLOSING_BRACE) {
      throw unreadable(`${path} (byte ${offset})`, whyNot(bytes.toString("utf8", offset, end)));
    }
    // a piece of its own: one of the beginning would keep all of it in memory
    const scope = bytes.toString("latin1", offset + SCOPE_AT, offset + SCOPE_AT + SCOPE_BYTES);
    yield { scope, at: Number(at), released: what === "released", offset, length: end - offset };
    offset = end + 1;
  }
}
