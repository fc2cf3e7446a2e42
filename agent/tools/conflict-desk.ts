/** What `finish` takes as decisions on conflicts without markers: only those that there are, and a reminder of the rest. */
import * as z from "zod";
import { type Conflict, type Decision, decisionSchema, KEEPS } from "../../src/contracts/conflicts.ts";

export const decisionsInput = z.array(decisionSchema).max(1_000).default([]);

export const DECISIONS_SCHEMA = {
  type: "array",
  items: {
    type: "object",
    properties: { path: { type: "string" }, keep: { type: "string", enum: [...KEEPS] } },
    required: ["path", "keep"],
  },
};

interface Finish {
  readonly outcome: string;
  readonly conflicts: readonly Decision[];
}

export class ConflictDesk {
  readonly #paths: ReadonlySet<string>;
  #reminded = false;

  constructor(conflicts: readonly Conflict[]) {
    this.#paths = new Set(conflicts.map(({ path }) => path));
  }

  /** Once; after that the run action asks for what is still to be decided. A job that asks or declines resolves nothing. */
  remind({ outcome, conflicts }: Finish): string | null {
    const decided = new Set(conflicts.map(({ path }) => path));
    const left = [...this.#paths].filter((path) => !decided.has(path));
    if (left.length === 0 || this.#reminded || outcome === "question" || outcome === "refused") return null;
    this.#reminded = true;
    return `Not finished: conflicts says nothing of these paths: ${left.map((path) => JSON.stringify(path)).join(", ")}. Call finish again with one entry for each: keep is file, branch or base.`;
  }

  decisions(said: readonly Decision[]): Decision[] {
    const ours = said.filter(({ path }) => this.#paths.has(path));
    return [...new Map(ours.map((one) => [one.path, one])).values()];
  }
}
