/**
 * Format versions of stored records. A kind's number increases when older records can no longer be read as they are; a
 * record without a number has format 1. The table converts each format to the next, so that the rest of the store knows
 * only the latest. A higher number comes from a newer version.
 */
import { jobTo2, jobTo3, jobTo4, jobTo5, jobTo6 } from "./job-upcasts.ts";
import { keysTo2 } from "./key-upcasts.ts";
import { repositoryTo2 } from "./repository-upcasts.ts";

/** Converts a record from one format to the next. The input has that format's number and is otherwise unchecked. */
export type Upcast = (before: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;

/** Per kind: the conversions from format 1 to 2, from 2 to 3 … */
const UPCASTS = {
  job: [jobTo2, jobTo3, jobTo4, jobTo5, jobTo6],
  keys: [keysTo2],
  accounts: [],
  "account budgets": [],
  agents: [],
  audit: [],
  delivery: [],
  idempotency: [],
  "outgoing delivery": [],
  quote: [],
  repository: [repositoryTo2],
  "seen deliveries": [],
  spending: [],
  subscription: [],
  usage: [],
  wallet: [],
} as const satisfies Record<string, readonly Upcast[]>;

export type Kind = keyof typeof UPCASTS;
export const KINDS: readonly Kind[] = Object.keys(UPCASTS).filter((name): name is Kind => name in UPCASTS);

/** The format that this version writes. */
export const formatOf = (kind: Kind): number => UPCASTS[kind].length + 1;

/** The record is intact, but this version cannot read it. */
export class NewerFormat extends Error {
  constructor(kind: Kind, format: number) {
    super(`A record of the kind "${kind}" has format ${format}; this version knows ${formatOf(kind)} at most.`);
    this.name = "NewerFormat";
  }
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Converts a record to the latest format, without its number and not validated yet. Throws {@link NewerFormat}. */
export function upcast(kind: Kind, value: unknown): unknown {
  if (!isRecord(value)) return value;
  const { format = 1, ...record } = value;
  if (typeof format !== "number" || !Number.isInteger(format) || format < 1)
    throw new Error(`"format" is ${JSON.stringify(format)}.`);
  if (format > formatOf(kind)) throw new NewerFormat(kind, format);
  const steps: readonly Upcast[] = UPCASTS[kind];
  return steps.slice(format - 1).reduce((before, step) => step(before), record);
}

/** Parses a record; validation follows. */
export const readRecord = (kind: Kind, text: string): unknown => upcast(kind, JSON.parse(text));

/** Serialises a record. Format 1 writes no number, which saves bytes in the journals. */
export const writeRecord = (kind: Kind, record: object): string => {
  const format = formatOf(kind);
  return JSON.stringify(format === 1 ? record : { format, ...record });
};
