/**
 * Reads how long a busy receiver wants to be left alone: from the header, or from the JSON of an answer such as
 * Discord's. Both are foreign, and what makes no sense says nothing.
 */
import * as z from "zod";

const SECOND = 1_000;
const BUSY: ReadonlySet<number | null> = new Set([429, 503]);

/** Statuses that say when to come again. */
export const isBusy = (status: number | null): boolean => BUSY.has(status);

/** Seconds, or a date. */
export function retryAfterHeader(header: string | string[] | undefined, now: number): number | null {
  const said = Array.isArray(header) ? header[0] : header;
  if (said === undefined) return null;
  const ms = /^\d+$/.test(said) ? Number(said) * SECOND : Date.parse(said) - now;
  return Number.isFinite(ms) && ms >= 0 ? ms : null;
}

const busySchema = z.object({ retry_after: z.number().nonnegative() });

/** Seconds, with a fraction. The caller bounds the text. */
export function retryAfterInBody(text: string): number | null {
  try {
    const read = busySchema.safeParse(JSON.parse(text));
    return read.success ? Math.ceil(read.data.retry_after * SECOND) : null;
  } catch {
    return null;
  }
}
