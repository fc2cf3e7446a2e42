/**
 * How much each account has under way, so that asking costs nothing however many jobs there are. Fed by the index with
 * every change of a job's facts.
 */
import type { AccountTally } from "../../job/quotas.ts";
import { GIVEN_UP_MS } from "../../job/quotas.ts";
import type { JobFacts } from "../facts.ts";

interface Counted {
  open_orders: number;
  jobs_under_way: number;
  working: number;
  /** By job: when its tries were given up by this account. */
  readonly given_up: Map<string, readonly number[]>;
}

type Counts = Omit<AccountTally, "paid_jobs">;

const NOTHING: Counts = { open_orders: 0, jobs_under_way: 0, working: 0, given_up_at: [] };

export class AccountTallies {
  readonly #accounts = new Map<string, Counted>();

  count(job: JobFacts, times: 1 | -1): void {
    if (!job.over) {
      const sender = this.#of(job.account);
      if (job.on_market) sender.open_orders += times;
      else sender.jobs_under_way += times;
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
    const { open_orders, jobs_under_way, working, given_up } = counted;
    const given_up_at: number[] = [];
    for (const [id, times] of given_up) {
      const recent = times.filter((at) => now - at < GIVEN_UP_MS);
      if (recent.length === 0) given_up.delete(id);
      given_up_at.push(...recent);
    }
    this.#drop(account, counted);
    return { open_orders, jobs_under_way, working, given_up_at };
  }

  #of(account: string): Counted {
    let counted = this.#accounts.get(account);
    if (counted === undefined) {
      counted = { open_orders: 0, jobs_under_way: 0, working: 0, given_up: new Map() };
      this.#accounts.set(account, counted);
    }
    return counted;
  }

  /** Accounts that have nothing must not pile up. */
  #drop(account: string, { open_orders, jobs_under_way, working, given_up }: Counted): void {
    if (open_orders === 0 && jobs_under_way === 0 && working === 0 && given_up.size === 0)
      this.#accounts.delete(account);
  }
}
