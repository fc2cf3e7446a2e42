/**
 * Requests with an `Idempotency-Key`, one lowdb file each. The file's name says whose it is and when it was begun, so
 * the start reads a list of names and no file, and memory holds names alone; what was asked and answered is read when
 * somebody asks again.
 */
import { z } from "zod";
import type { Begun, BegunRequest, IdempotencyStore, KeptAnswer } from "../../engine/ports.ts";
import { asJobId } from "../../job/job.ts";
import type { Folder } from "./disk.ts";
import { type Format, readFile, writeFile } from "./json-file.ts";

export const IDEMPOTENCY_KEPT_MS = 24 * 3_600_000;
/** About 20 MB of memory. A request is forgotten earlier when that many came after it. */
export const MAX_IDEMPOTENCY_RECORDS = 100_000;
/** How many old files one new request clears away: none has to wait for a day's worth. */
const SWEPT_AT_ONCE = 8;

const ENDING = ".json";
const NAME = /^([0-9a-f]{64})-(\d{1,16})\.json$/;

const nameOf = (scope: string, at: number): string => `${scope}-${at}${ENDING}`;

const jobId = z.string().transform((text, context) => {
  const id = asJobId(text);
  if (id !== null) return id;
  context.addIssue({ code: "custom", message: "is no job id" });
  return z.NEVER;
});

const recordSchema = z.object({
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
type StoredRequest = z.infer<typeof recordSchema>;

const format: Format<StoredRequest> = {
  parse: (text) => recordSchema.parse(JSON.parse(text)),
  write: (record) => JSON.stringify(record),
};

export class LowdbIdempotency implements IdempotencyStore {
  readonly #folder: Folder;
  readonly #now: () => number;
  readonly #most: number;
  /** When each was begun; oldest first. */
  readonly #begun = new Map<string, number>();

  constructor(folder: Folder, now: () => number, most = MAX_IDEMPOTENCY_RECORDS) {
    this.#folder = folder;
    this.#now = now;
    this.#most = most;
    const found = folder.takeFound(ENDING).flatMap((name) => {
      const [, scope, at] = NAME.exec(name) ?? [];
      return scope === undefined ? [] : [{ scope, at: Number(at) }];
    });
    for (const { scope, at } of found.sort((a, b) => a.at - b.at)) {
      // a crash between a new record and the removal of the expired one before it leaves both
      this.#forget(scope);
      this.#begun.set(scope, at);
    }
    this.#sweep(Number.POSITIVE_INFINITY);
  }

  async begin({ scope, fingerprint, work_id, at }: BegunRequest): Promise<Begun> {
    const before = this.#record(scope);
    if (before !== null) {
      if (before.fingerprint !== fingerprint) return { kind: "other_body" };
      return before.answer === null
        ? { kind: "running", work_id: before.work_id }
        : { kind: "same", answer: before.answer };
    }
    writeFile(this.#folder, nameOf(scope, at), format, { fingerprint, work_id, answer: null });
    if (this.#begun.get(scope) !== at) this.#forget(scope);
    this.#begun.set(scope, at);
    this.#sweep(SWEPT_AT_ONCE);
    return { kind: "new" };
  }

  async finish(scope: string, { status, headers, body }: KeptAnswer): Promise<void> {
    const at = this.#begun.get(scope);
    const before = this.#record(scope);
    // it may have expired while it was worked on; then there is nothing to answer from any more
    if (at === undefined || before === null) return;
    const answer = { status, headers: { ...headers }, body: body === null ? null : structuredClone(body) };
    writeFile(this.#folder, nameOf(scope, at), format, { ...before, answer: recordSchema.shape.answer.parse(answer) });
  }

  async release(scope: string): Promise<void> {
    const at = this.#begun.get(scope);
    if (at === undefined) return;
    this.#folder.remove(nameOf(scope, at));
    this.#begun.delete(scope);
  }

  /** Null also for what is too old: it counts no longer, whether it has been swept or not. */
  #record(scope: string): StoredRequest | null {
    const at = this.#begun.get(scope);
    if (at === undefined || this.#isOver(at)) return null;
    return readFile(this.#folder, nameOf(scope, at), format)?.data ?? null;
  }

  #isOver(at: number): boolean {
    return at <= this.#now() - IDEMPOTENCY_KEPT_MS;
  }

  #sweep(most: number): void {
    let swept = 0;
    for (const [scope, at] of this.#begun) {
      if (swept++ >= most || (this.#begun.size <= this.#most && !this.#isOver(at))) return;
      this.#forget(scope);
    }
  }

  /** Without a flush: one that a power cut brings back is swept again. */
  #forget(scope: string): void {
    const at = this.#begun.get(scope);
    if (at === undefined) return;
    this.#begun.delete(scope);
    this.#folder.fs.unlinkSync(this.#folder.pathOf(nameOf(scope, at)));
  }
}
