/**
 * Remembers ids, keys, cursors and tags of earlier answers. Fuzzing requests refer to them by number, to get past the
 * 404 of things that do not exist.
 */
import fc from "fast-check";
import type { Operation } from "./description.ts";

/** What stands for something that an earlier answer said: the newest is number 0. */
export interface Learned {
  readonly learned: number;
}
export type Told = string | Learned;

/** Ids of one kind look alike: the same beginning, the same length. */
export const lookOf = (id: string): string => `${/^[a-z]+_/.exec(id)?.[0] ?? ""}${id.length}`;

/** Stands in a body for something of that kind. */
export const LEARNED = /"@learned (\w+) (\d+)@"/g;

export const learned = (most: number): fc.Arbitrary<Learned> =>
  fc.nat({ max: most }).map((number) => ({ learned: number }));

/** So many of a kind are remembered; older ones fall out. */
const MOST = 60;

/** Where nothing is known yet. */
const UNKNOWN = "zzzzzzzz";

/** `/api/agents` → `agent_id` */
function ownName({ path }: Operation): string {
  const words = path.split("/").filter((part) => part !== "" && !part.startsWith("{"));
  return `${(words[1] ?? "").replace(/s$/, "")}_id`;
}

export class Knowledge {
  readonly #kinds = new Map<string, string[]>();
  /** Every account that was spoken of: the ledger is the sum of them all. */
  readonly accounts = new Set<string>();

  /** The one of this number, the newest first. */
  named(kind: string, number: number): string {
    const known = this.#kinds.get(kind) ?? [];
    return known[number % Math.max(1, known.length)] ?? UNKNOWN;
  }

  /** The same for what may be written in full. */
  resolve(kind: string, told: Told): string {
    return typeof told === "string" ? told : this.named(kind, told.learned);
  }

  learn(kind: string, value: string): void {
    const known = this.#kinds.get(kind) ?? [];
    if (known.includes(value)) return;
    this.#kinds.set(kind, [value, ...known].slice(0, MOST));
  }

  /** Reads an answer to this operation. */
  read(operation: Operation, body: unknown): void {
    if (typeof body !== "object" || body === null) return;
    for (const [name, value] of Object.entries(body)) {
      if (typeof value === "object") this.read(operation, value);
      if (typeof value !== "string") continue;
      if (name === "id") this.learn(ownName(operation), value);
      if (/(?:^|_)id$/.test(name)) this.learn(lookOf(value), value);
      if (/_id$|^key$/.test(name)) this.learn(name, value);
      if (name === "account") this.accounts.add(value);
    }
  }
}
