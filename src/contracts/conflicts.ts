/**
 * Conflicts that no marker in a file shows: what the run action tells the agent of them, in a file of the job's folder that
 * is never pushed, and what the agent decides. A side is dropped only by such a word, or by a change of the file.
 */
import * as z from "zod";
import { parseForeignJson } from "../text/json-bounds.ts";

export const CONFLICTS_FILE = "conflicts.json";

/** The most that the agent is told of. */
export const MAX_CONFLICTS = 200;
const MAX_PATH = 4_096;

export const CONFLICT_KINDS = ["deleted_by_base", "deleted_by_branch", "renamed", "no_text", "submodule"] as const;
export type ConflictKind = (typeof CONFLICT_KINDS)[number];

const conflictSchema = z.object({ path: z.string().max(MAX_PATH), kind: z.enum(CONFLICT_KINDS) });
/** Of a merge of the base into the branch. */
export type Conflict = z.infer<typeof conflictSchema>;

const fileSchema = z.object({ conflicts: z.array(conflictSchema).max(MAX_CONFLICTS) });

/** None where the file cannot be read. */
export const readConflicts = (text: string | null): readonly Conflict[] =>
  fileSchema.safeParse(parseForeignJson(text ?? "null")).data?.conflicts ?? [];

/** `file`: as it stands in the checkout when the agent ends. */
export const KEEPS = ["file", "branch", "base"] as const;
export const decisionSchema = z.object({ path: z.string().max(MAX_PATH), keep: z.enum(KEEPS) });
/** What counts of a path that conflicts. */
export type Decision = z.infer<typeof decisionSchema>;

/** What cannot be read decides nothing; of several about one path the last counts. */
export const decisionsSchema = z
  .array(decisionSchema.nullable().catch(null))
  .max(10 * MAX_CONFLICTS)
  .transform((all) => {
    const read = all.flatMap((one) => (one === null ? [] : [[one.path, one] as const]));
    return [...new Map(read).values()].slice(0, MAX_CONFLICTS);
  })
  .catch([]);
