/**
 * Usage counters per account, updated with every change of a job's facts, so that reading them costs the same for any
 * number of jobs.
 */
import type { JobId } from "../../domain/job/job.ts";
import type { AccountUsage } from "../../domain/job/quotas.ts";
import { GIVEN_UP_MS } from "../../domain/job/quotas.ts";
import type { JobFacts } from "../facts.ts";

interface Counted {
  open_orders: number;
  jobs_under_way: number;
  working: number;
  /** Amount owed per job. */
  readonly owed: Map<JobId, number>;
  /** Per job: when this account gave up its attempts. */
  readonly given_up: Map<string, readonly number[]>;
}

type Counts = Omit<AccountUsage, "paid_jobs" | "wallet_cents">;

const NOTHING: Counts = { open_orders: 0, jobs_under_way: 0, working: 0, given_up_at: [], owes_cents: 0 };

export class AccountUsageIndex {
  readonly #accounts = new Map<string, Counted>();

  count(job: JobFacts, times: 1 | -1): void {
    if (!job.over) {
      const sender = this.#of(job.account);
      if (job.on_market) sender.open_orders += times;
      else sender.jobs_under_way += times;
      this.#drop(job.account, sender);
    }
    if (job.owed_cents > 0) {
      const sender = this.#of(job.account);
      if (times === 1) sender.owed.set(job.id, job.owed_cents);
      else sender.owed.delete(job.id);
      this.#drop(job.account, sender);
    }
    if (job.worker !== null) {
      const worker = this.#of(job.worker);
      worker.working += times;
      this.#drop(job.worker, worker);
    }
    for (const { account, at } of job.given_up) {
      const { given_up } = this.#of(account);
      const others = (given_up.get(job.id) ?? []).filter((one) => one !== at);
      given_up.set(job.id, times === 1 ? [...others, at] : others);
    }
  }

  of(account: string, now: number): Counts {
    const counted = this.#accounts.get(account);
    if (counted === undefined) return NOTHING;
    const { open_orders, jobs_under_way, working, given_up, owed } = counted;
    const given_up_at: number[] = [];
    for (const [id, times] of given_up) {
      const recent = times.filter((at) => now - at < GIVEN_UP_MS);
      if (recent.length === 0) given_up.delete(id);
      given_up_at.push(...recent);
    }
    this.#drop(account, counted);
    const owes_cents = [...owed.values()].reduce((sum, cents) => sum + cents, 0);
    return { open_orders, jobs_under_way, working, given_up_at, owes_cents };
  }

  /** Jobs for which this account owes money; null: all accounts. */
  owing(account: string | null): JobId[] {
    if (account !== null) return [...(this.#accounts.get(account)?.owed.keys() ?? [])];
    return [...this.#accounts.values()].flatMap(({ owed }) => [...owed.keys()]);
  }

  #of(account: string): Counted {
    let counted = this.#accounts.get(account);
    if (counted === undefined) {
      counted = { open_orders: 0, jobs_under_way: 0, working: 0, owed: new Map(), given_up: new Map() };
      this.#accounts.set(account, counted);
    }
    return counted;
  }

  /** Removes accounts without entries, so that they do not pile up. */
  #drop(account: string, { open_orders, jobs_under_way, working, owed, given_up }: Counted): void {
    if (open_orders === 0 && jobs_under_way === 0 && working === 0 && owed.size === 0 && given_up.size === 0)
      this.#accounts.delete(account);
  }
}
