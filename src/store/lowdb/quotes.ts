/**
 * Quotes: one lowdb file each, named by time, so that the start reads the newest first and deletes the oldest unread.
 * All are cached in memory.
 */
import * as z from "zod";
import { asJobId } from "../../domain/job/job.ts";
import type { Quote, QuoteStore } from "../../engine/ports/estimates.ts";
import type { Folder } from "./disk.ts";
import { readRecord, writeRecord } from "./formats.ts";
import { type Format, readFile, writeFile } from "./json-file.ts";

/** Longer than a quote is valid, since a repeated order must find the quote that it used. */
export const QUOTE_KEPT_MS = 24 * 3_600_000;
/** The oldest are deleted first. */
export const MAX_QUOTES = 10_000;
/** Old files that one new quote deletes. */
const SWEPT_AT_ONCE = 8;

const ENDING = ".json";
const NAME = /^(\d{1,16})-([0-9a-f]{16,64})\.json$/;

const jobId = z.string().transform((text, context) => {
  const id = asJobId(text);
  if (id !== null) return id;
  context.addIssue({ code: "custom", message: "is no job id" });
  return z.NEVER;
});

const quoteSchema = z.object({
  id: z.string(),
  account: z.string(),
  body: z.string(),
  prompt: z.string(),
  job_id: jobId,
  at: z.number(),
  title: z.string(),
  description: z.string(),
  requirements: z.string(),
  skills: z.array(z.string()),
  price_cents: z.number().int(),
  time_limit_seconds: z.number().int(),
  by: z.enum(["model", "estimate"]),
});

const format: Format<Quote> = {
  parse: (text) => quoteSchema.parse(readRecord("quote", text)),
  write: (quote) => writeRecord("quote", quote),
};

const nameOf = ({ id, at }: Quote): string => `${at}-${id}${ENDING}`;

const lookups = ({ account, body, prompt }: Pick<Quote, "account" | "body" | "prompt">): [string, string] => [
  `${account} body ${body}`,
  `${account} prompt ${prompt}`,
];

export class LowdbQuotes implements QuoteStore {
  readonly #folder: Folder;
  readonly #now: () => number;
  readonly #most: number;
  /** Oldest first. */
  readonly #quotes = new Map<string, Quote>();
  readonly #newest = new Map<string, Quote>();

  constructor(folder: Folder, now: () => number, most = MAX_QUOTES) {
    this.#folder = folder;
    this.#now = now;
    this.#most = most;
    const found = folder.takeFound(ENDING).filter((name) => NAME.test(name));
    for (const name of found.sort((a, b) => Number(NAME.exec(a)?.[1]) - Number(NAME.exec(b)?.[1]))) {
      const quote = readFile(folder, name, format)?.data;
      if (quote !== undefined) this.#keep(quote);
    }
    this.#sweep(Number.POSITIVE_INFINITY);
  }

  async add(quote: Quote): Promise<void> {
    this.#keep(writeFile(this.#folder, nameOf(quote), format, quote).data);
    this.#sweep(SWEPT_AT_ONCE);
  }

  async byId(id: string): Promise<Quote | null> {
    const quote = this.#quotes.get(id);
    return quote === undefined || this.#isOver(quote) ? null : quote;
  }

  async newest(account: string, asked: Pick<Quote, "body" | "prompt">): Promise<Quote | null> {
    const found = lookups({ account, ...asked })
      .map((lookup) => this.#newest.get(lookup))
      .find((quote) => quote !== undefined);
    return found === undefined || this.#isOver(found) ? null : found;
  }

  #keep(quote: Quote): void {
    this.#quotes.set(quote.id, quote);
    for (const lookup of lookups(quote)) this.#newest.set(lookup, quote);
  }

  #isOver({ at }: Quote): boolean {
    return at <= this.#now() - QUOTE_KEPT_MS;
  }

  #sweep(most: number): void {
    let swept = 0;
    for (const quote of this.#quotes.values()) {
      if (swept++ >= most || (this.#quotes.size <= this.#most && !this.#isOver(quote))) return;
      this.#forget(quote);
    }
  }

  /** Without a flush: a file that a power cut restores is deleted again. */
  #forget(quote: Quote): void {
    this.#quotes.delete(quote.id);
    for (const lookup of lookups(quote)) if (this.#newest.get(lookup) === quote) this.#newest.delete(lookup);
    this.#folder.fs.unlinkSync(this.#folder.pathOf(nameOf(quote)));
  }
}
