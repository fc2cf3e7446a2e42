/**
 * What an attempt has cost, as it is booked with the commit that ends it: the ledger of budgets and of the usage report.
 * Each attempt is booked once; a later row of the same key replaces the earlier one, where a run tells more.
 */
import type { Usage } from "../../contracts/result.ts";
import type { JobId } from "./job.ts";

export interface SpendingRow {
  readonly job: JobId;
  readonly round: number;
  readonly attempt: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly repository_id: number | null;
  /** `owner/name` at that time, for show. */
  readonly repository: string;
  readonly account: string;
  /** A login; null: a key, a schedule or a trigger. */
  readonly requester: string | null;
  readonly model: string | null;
  /** The schedule or trigger that started the job; null: somebody asked for it. */
  readonly started_by: { readonly kind: "schedule" | "trigger"; readonly name: string } | null;
  readonly cents: number;
  /** False: its run did not tell what it used, so that `cents` is the most that it may have been. */
  readonly known: boolean;
  readonly usage: Usage;
}

export const spendingKey = ({ job, round, attempt }: Pick<SpendingRow, "job" | "round" | "attempt">): string =>
  `${job}/${round}/${attempt}`;
