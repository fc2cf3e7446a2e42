/**
 * Figures of use in memory: one sum for each day and each combination of what they can be told apart by. They grow with
 * the days and not with the jobs.
 */
import { accountNamed } from "../../domain/job/account.ts";
import { type Counted, dayOf, FIGURES, type Figure, type UsageOf } from "../../domain/usage/figures.ts";
import type { Spent, UsageFilter } from "../../engine/ports/spending.ts";
import { repositoryKey } from "../facts.ts";

type Sum = { -readonly [K in keyof Counted["figures"]]: Counted["figures"][K] } & { times?: Map<number, number> };
type OfDay = { millicents: number; jobs: number };

const cents = (thousandths: number): number => thousandths / 1_000;

function addTo(sum: Sum, { figures, merge_times }: Counted, sign: 1 | -1): void {
  let name: Figure;
  for (name in figures) sum[name] = (sum[name] ?? 0) + sign * (figures[name] ?? 0);
  if (merge_times.length === 0) return;
  for (const [bucket, count] of merge_times) {
    sum.times ??= new Map();
    sum.times.set(bucket, (sum.times.get(bucket) ?? 0) + sign * count);
  }
}

const isEmpty = (sum: Sum): boolean => FIGURES.every((name) => (sum[name] ?? 0) === 0);

function countedOf(day: number, of: UsageOf, sum: Sum): Counted {
  const given = FIGURES.flatMap((name): [Figure, number][] => (sum[name] ? [[name, sum[name]]] : []));
  const merge_times = [...(sum.times ?? [])].filter(([, count]) => count !== 0).sort(([a], [b]) => a - b);
  return { day, of, figures: Object.fromEntries(given), merge_times };
}

export class SpendingIndex {
  readonly #days = new Map<number, Map<UsageOf, Sum>>();
  /** One object for all days. Repositories are known by their numbers, whatever they are called. */
  readonly #interned = new Map<string, UsageOf>();
  /** For budgets: by repository or account, and by day. */
  readonly #totals = new Map<number | string, Map<number, OfDay>>();

  add(all: readonly Counted[], sign: 1 | -1 = 1): void {
    for (const counted of all) {
      this.#sum(counted, sign);
      const { repository_id, account } = counted.of;
      if (repository_id !== null) this.#total(repository_id, counted, sign);
      this.#total(account, counted, sign);
    }
  }

  spentIn(of: { readonly repository_id: number } | { readonly account: string }, now: number): Spent {
    const days = this.#totals.get("account" in of ? accountNamed(of.account) : of.repository_id);
    const today = dayOf(now);
    const date = new Date(now);
    const first = today - date.getUTCDate() + 1;
    const month = Array.from({ length: today - first + 1 }, (_, index) => days?.get(first + index)?.millicents ?? 0);
    const { millicents, jobs } = days?.get(today) ?? { millicents: 0, jobs: 0 };
    return {
      day_cents: cents(millicents),
      month_cents: cents(month.reduce((sum, value) => sum + value, 0)),
      jobs_of_day: jobs,
    };
  }

  *of({ from, to, repository, accounts }: UsageFilter): Generator<Counted> {
    const mine = accounts === undefined ? null : new Set(accounts.map(accountNamed));
    const named = repository === undefined ? null : repositoryKey(repository.name);
    const isOf = (of: UsageOf): boolean =>
      repository === undefined ||
      (of.repository_id === null || repository.id === null
        ? repositoryKey(of.repository) === named
        : of.repository_id === repository.id);
    const days = [...this.#days.keys()].filter((day) => day >= from && day <= to).sort((a, b) => a - b);
    for (const day of days)
      for (const [of, sum] of this.#days.get(day) ?? [])
        if (isOf(of) && (mine === null || mine.has(of.account))) yield countedOf(day, of, sum);
  }

  #sum(counted: Counted, sign: 1 | -1): void {
    const of = this.#intern(counted.of);
    const sums = this.#days.get(counted.day) ?? new Map<UsageOf, Sum>();
    const sum = sums.get(of) ?? {};
    addTo(sum, counted, sign);
    if (sign === -1 && isEmpty(sum)) sums.delete(of);
    else sums.set(of, sum);
    if (sums.size === 0) this.#days.delete(counted.day);
    else this.#days.set(counted.day, sums);
  }

  #total(of: number | string, { day, figures }: Counted, sign: 1 | -1): void {
    const spent = (figures.millicents ?? 0) + (figures.estimated_millicents ?? 0);
    const jobs = figures.jobs ?? 0;
    if (spent === 0 && jobs === 0) return;
    const days = this.#totals.get(of) ?? new Map<number, OfDay>();
    const total = days.get(day) ?? { millicents: 0, jobs: 0 };
    total.millicents += sign * spent;
    total.jobs += sign * jobs;
    days.set(day, total);
    this.#totals.set(of, days);
  }

  #intern(of: UsageOf): UsageOf {
    const { repository_id, repository, account, requester, model, started_by } = of;
    const place = repository_id ?? repositoryKey(repository);
    // every start asks this for every job, and an array's JSON takes several times as long
    const automation = started_by === null ? "" : `${started_by.kind}:${started_by.name}`;
    const key = `${place}\0${account}\0${requester}\0${model}\0${automation}`;
    const known = this.#interned.get(key);
    if (known !== undefined) return known;
    this.#interned.set(key, of);
    return of;
  }
}
