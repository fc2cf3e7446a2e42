/** Returns one page of a job list, newest first, from where the last page ended. */

import { accountNamed } from "../../domain/job/account.ts";
import type { JobId, Status } from "../../domain/job/job.ts";
import type { JobOutcome } from "../../domain/job/outcome.ts";
import type { JobFilter } from "../../engine/ports/jobs.ts";
import { type JobFacts, repositoryKey } from "../facts.ts";
import { type AgeOrder, byAge, type JobGroups, type Place } from "./job-groups.ts";

/** Maximum page size. */
const MAX_PAGE = 200;

export interface JobPage {
  readonly ids: readonly JobId[];
  readonly cursor: string | null;
}

const cursorOf = ({ created_at, id }: Place): string => Buffer.from(`${created_at}.${id}`).toString("base64url");

function parseCursor(cursor: string): Place | null {
  const match = /^(-?\d+)\.([a-z0-9]+)$/.exec(Buffer.from(cursor, "base64url").toString("latin1"));
  const [, created_at, id] = match ?? [];
  return created_at === undefined || id === undefined ? null : { created_at: Number(created_at), id };
}

/** An expired hold reads as queued, before its timer has fired. */
const readsAs = (job: JobFacts, now: number): Status =>
  job.status === "held" && job.held_until !== null && job.held_until <= now ? "queued" : job.status;

/** Stored statuses that can read as this status. */
const storedAs = (status: Status): readonly Status[] => (status === "queued" ? ["queued", "held"] : [status]);

/** Merges several orders, newest first. */
function* newestFirst(orders: readonly AgeOrder[], from: Place | null): Generator<JobFacts> {
  const heads = orders.map((order) => ({ order, next: from === null ? order.length : order.positionOf(from) }));
  for (;;) {
    let best: { head: { next: number }; job: JobFacts } | null = null;
    for (const head of heads) {
      const job = head.order.at(head.next - 1);
      if (job !== undefined && (best === null || byAge(best.job, job) < 0)) best = { head, job };
    }
    if (best === null) return;
    best.head.next--;
    yield best.job;
  }
}

/** What a record of before says in its job alone is read once. */
function comesTo(
  job: { outcome: JobFacts["outcome"]; readonly id: JobId },
  read: (id: JobId) => JobOutcome | null,
): JobOutcome | null {
  job.outcome = job.outcome === undefined ? read(job.id) : job.outcome;
  return job.outcome;
}

/** An unknown cursor yields an empty page, never the first page again. */
export function pageOf(
  groups: JobGroups,
  filter: JobFilter,
  now: number,
  outcomeOf: (id: JobId) => JobOutcome | null,
): JobPage {
  const { status, outcome } = filter;
  const accounts = filter.accounts?.map(accountNamed) ?? [filter.account && accountNamed(filter.account)];
  const repository = filter.repository === undefined ? undefined : repositoryKey(filter.repository);
  const from = filter.cursor === undefined ? null : parseCursor(filter.cursor);
  if (filter.cursor !== undefined && from === null) return { ids: [], cursor: null };
  const limit = Math.max(1, Math.min(filter.limit, MAX_PAGE));
  const stored = status === undefined ? "any" : storedAs(status);
  const orders = accounts.flatMap((account) => groups.find(account, repository, stored));
  const page: JobFacts[] = [];
  for (const job of newestFirst(orders, from)) {
    if (status !== undefined && readsAs(job, now) !== status) continue;
    if (outcome !== undefined && comesTo(job, outcomeOf) !== outcome) continue;
    const last = page.at(-1);
    if (page.length === limit && last !== undefined) return { ids: page.map(({ id }) => id), cursor: cursorOf(last) };
    page.push(job);
  }
  return { ids: page.map(({ id }) => id), cursor: null };
}
