/**
 * The formats of what is stored. Each kind of record has a number, raised when records of before can no longer be read as
 * they are; one without a number is of the first. The table says what makes a record of one format the next, so that the
 * rest of the store knows today's alone. A record of a format that is not known yet is a newer version's.
 */
import { jobTo2, jobTo3, jobTo4, jobTo5 } from "./job-upcasts.ts";
import { keysTo2 } from "./key-upcasts.ts";

/** From one format to the next. What it is given may be anything that has that format's number. */
export type Upcast = (before: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;

/** For each kind, the way from format 1 to 2, from 2 to 3 … */
const UPCASTS = {
  job: [jobTo2, jobTo3, jobTo4, jobTo5],
  keys: [keysTo2],
  accounts: [],
  agents: [],
  audit: [],
  delivery: [],
  idempotency: [],
  "outgoing delivery": [],
  quote: [],
  repository: [],
  "seen deliveries": [],
  subscription: [],
  usage: [],
  wallet: [],
} as const satisfies Record<string, readonly Upcast[]>;

export type Kind = keyof typeof UPCASTS;
export const KINDS: readonly Kind[] = Object.keys(UPCASTS).filter((name): name is Kind => name in UPCASTS);

/** The format that this version writes. */
export const formatOf = (kind: Kind): number => UPCASTS[kind].length + 1;

/** Nothing is wrong with the record, but this version cannot read it. */
export class NewerFormat extends Error {
  constructor(kind: Kind, format: number) {
    super(`A record of the kind "${kind}" has format ${format}; this version knows ${formatOf(kind)} at most.`);
    this.name = "NewerFormat";
  }
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The record as one of today's, without its number, still to be checked. Throws {@link NewerFormat}. */
export function upcast(kind: Kind, value: unknown): unknown {
  if (!isRecord(value)) return value;
  const { format = 1, ...record } = value;
  if (typeof format !== "number" || !Number.isInteger(format) || format < 1)
    throw new Error(`"format" is ${JSON.stringify(format)}.`);
  if (format > formatOf(kind)) throw new NewerFormat(kind, format);
  const steps: readonly Upcast[] = UPCASTS[kind];
  return steps.slice(format - 1).reduce((before, step) => step(before), record);
}

/** A record of JSON, checked by nobody yet. */
export const readRecord = (kind: Kind, text: string): unknown => upcast(kind, JSON.parse(text));

/** The JSON of a record, with its number from the second format on: the first has none, which saves the journals its bytes. */
export const writeRecord = (kind: Kind, record: object): string => {
  const format = formatOf(kind);
  return JSON.stringify(format === 1 ? record : { format, ...record });
};
