/** The history of a job: one row for each transition, named in the past tense. */
import * as z from "zod";
import { jobOutcomeSchema } from "./outcome.ts";
import { STATUSES } from "./schema.ts";

export const historyRowSchema = z
  .object({
    at: z.number(),
    event: z.string(),
    from: z.enum(STATUSES).nullable(),
    to: z.enum(STATUSES),
    by: z.string().nullable(),
    note: z.string().nullable(),
    /** What had come of the job with it. Missing: it was under way, or the row is of an earlier version. */
    outcome: jobOutcomeSchema.optional(),
  })
  .readonly();

export type HistoryRow = z.output<typeof historyRowSchema>;
