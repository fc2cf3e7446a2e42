/** Figures of use, summed up by what is asked for: the same for the API, comments and screens. */
import { type Counted, FIGURES, type Figures, NO_FIGURES, secondsOf, type UsageOf } from "./figures.ts";

export const USAGE_BY = ["repository", "requester", "model", "schedule", "day"] as const;
export type UsageBy = (typeof USAGE_BY)[number];

/** The rows that a report has at most, those that cost the most; days are bounded by what is asked for. */
export const MAX_USAGE_ROWS = 100;

export interface UsageRow {
  /** What the figures are of; null: nobody and nothing by that name, such as the requester of a schedule's job. */
  readonly name: string | null;
  /** By repository, and by schedule, since each repository has its own; else null. */
  readonly repository: { readonly id: number | null; readonly name: string } | null;
  readonly jobs: number;
  /** Nothing has come of them yet. */
  readonly open: number;
  readonly merged: number;
  /** Of the jobs of which something came; null: of none. */
  readonly share_merged: number | null;
  /** From the request to the merge, within 5 %; null: nothing was merged. */
  readonly median_seconds_to_merge: number | null;
  /** Of all jobs, those that took more than one attempt; null: there is none. */
  readonly share_second_attempts: number | null;
  readonly attempts: number;
  /** Of attempts that told it. */
  readonly cents: number;
  /** The most that the others may have cost. */
  readonly estimated_cents: number;
  /** Both, for each merged pull request; null: nothing was merged. */
  readonly cents_per_merged: number | null;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_tokens: number;
  readonly cache_write_tokens: number;
}

export interface UsageReport {
  readonly rows: readonly UsageRow[];
  /** All rows that there was no room for, as one; null: there was. */
  readonly others: UsageRow | null;
  readonly total: UsageRow;
}

type Named = Pick<UsageRow, "name" | "repository">;

class Sum {
  readonly named: Named;
  readonly figures: Record<keyof Figures, number> = { ...NO_FIGURES };
  readonly times = new Map<number, number>();

  constructor(named: Named) {
    this.named = named;
  }

  add({ figures, merge_times }: Pick<Counted, "figures" | "merge_times">): void {
    for (const name of FIGURES) this.figures[name] += figures[name] ?? 0;
    for (const [bucket, count] of merge_times) this.times.set(bucket, (this.times.get(bucket) ?? 0) + count);
  }

  get millicents(): number {
    return this.figures.millicents + this.figures.estimated_millicents;
  }
}

function medianOf(times: ReadonlyMap<number, number>): number | null {
  const sorted = [...times].sort(([a], [b]) => a - b);
  let left = sorted.reduce((sum, [, count]) => sum + count, 0) / 2;
  for (const [bucket, count] of sorted) {
    left -= count;
    if (left <= 0) return secondsOf(bucket);
  }
  return null;
}

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));
const share = (part: number, whole: number): number | null => (whole === 0 ? null : rounded(part / whole, 4));
const centsOf = (millicents: number): number => rounded(millicents / 1_000, 2);

function rowOf({ named, figures, times, millicents }: Sum): UsageRow {
  const { jobs, merged, done, nothing_to_do, question, declined, failed, cancelled, again, attempts } = figures;
  const over = merged + done + nothing_to_do + question + declined + failed + cancelled;
  const { input_tokens, output_tokens, cache_read_tokens, cache_write_tokens } = figures;
  return {
    ...named,
    ...{ jobs, open: jobs - over, merged },
    share_merged: share(merged, over),
    median_seconds_to_merge: medianOf(times),
    share_second_attempts: share(again, jobs),
    attempts,
    cents: centsOf(figures.millicents),
    estimated_cents: centsOf(figures.estimated_millicents),
    cents_per_merged: merged === 0 ? null : centsOf(millicents / merged),
    ...{ input_tokens, output_tokens, cache_read_tokens, cache_write_tokens },
  };
}

const MS_OF_DAY = 24 * 3_600_000;
/** `2026-11-30`. */
export const dayText = (day: number): string => new Date(day * MS_OF_DAY).toISOString().slice(0, 10);

const repositoryOf = (of: UsageOf): Named["repository"] => ({ id: of.repository_id, name: of.repository });

function namedBy(by: UsageBy, { day, of }: Counted): Named {
  switch (by) {
    case "repository":
      return { name: of.repository, repository: repositoryOf(of) };
    case "requester":
      return { name: of.requester, repository: null };
    case "model":
      return { name: of.model, repository: null };
    case "schedule":
      return of.started_by === null
        ? { name: null, repository: null }
        : { name: `${of.started_by.kind}:${of.started_by.name}`, repository: repositoryOf(of) };
    case "day":
      return { name: dayText(day), repository: null };
    default:
      return by satisfies never;
  }
}

/** A repository stays itself under another name. */
const keyOf = (by: UsageBy, { name, repository }: Named): string =>
  JSON.stringify([
    by === "repository" && repository?.id != null ? null : name?.toLowerCase(),
    repository?.id ?? repository?.name,
  ]);

/** Dearest first, and then those with the most jobs; days in their order. */
const order = (by: UsageBy) => (a: Sum, b: Sum) =>
  (by === "day" ? 0 : b.millicents - a.millicents || b.figures.jobs - a.figures.jobs) ||
  ((a.named.name ?? "") < (b.named.name ?? "") ? -1 : 1);

function all(sums: readonly Sum[]): Sum {
  const sum = new Sum({ name: null, repository: null });
  for (const { figures, times } of sums) sum.add({ figures, merge_times: [...times] });
  return sum;
}

export async function usageReport(
  entries: AsyncIterable<Counted> | Iterable<Counted>,
  by: UsageBy,
): Promise<UsageReport> {
  const sums = new Map<string, Sum>();
  for await (const entry of entries) {
    const named = namedBy(by, entry);
    const key = keyOf(by, named);
    const sum = sums.get(key) ?? new Sum(named);
    sum.add(entry);
    sums.set(key, sum);
  }
  const sorted = [...sums.values()].sort(order(by));
  const most = by === "day" ? sorted.length : MAX_USAGE_ROWS;
  const others = sorted.slice(most);
  return {
    rows: sorted.slice(0, most).map(rowOf),
    others: others.length === 0 ? null : rowOf(all(others)),
    total: rowOf(all(sorted)),
  };
}
