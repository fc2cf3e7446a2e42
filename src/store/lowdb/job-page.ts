/** One page of a list: jobs newest first, from where the last page ended. */

import { accountNamed } from "../../domain/job/account.ts";
import type { JobId, Status } from "../../domain/job/job.ts";
import type { JobFilter } from "../../engine/ports/jobs.ts";
import { type JobFacts, repositoryKey } from "../facts.ts";
import { type AgeOrder, byAge, type JobGroups, type Place } from "./job-groups.ts";

/** Jobs on one page, whatever was asked for. */
const MAX_PAGE = 200;

export interface JobPage {
  readonly ids: readonly JobId[];
  readonly cursor: string | null;
}

const cursorOf = ({ created_at, id }: Place): string => Buffer.from(`${created_at}.${id}`).toString("base64url");

function placeOf(cursor: string): Place | null {
  const match = /^(-?\d+)\.([a-z0-9]+)$/.exec(Buffer.from(cursor, "base64url").toString("latin1"));
  const [, created_at, id] = match ?? [];
  return created_at === undefined || id === undefined ? null : { created_at: Number(created_at), id };
}

/** A hold that is over reads as queued, whether or not a timer has come by. */
const readsAs = (job: JobFacts, now: number): Status =>
  job.status === "held" && job.held_until !== null && job.held_until <= now ? "queued" : job.status;

/** Where jobs that read as this status may stand. */
const storedAs = (status: Status): readonly Status[] => (status === "queued" ? ["queued", "held"] : [status]);

/** Takes from several orders at once, newest first. */
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

/** A cursor that is none of ours leads nowhere: the page is empty, never the first one again. */
export function pageOf(groups: JobGroups, filter: JobFilter, now: number): JobPage {
  const { status } = filter;
  const account = filter.account === undefined ? undefined : accountNamed(filter.account);
  const repository = filter.repository === undefined ? undefined : repositoryKey(filter.repository);
  const from = filter.cursor === undefined ? null : placeOf(filter.cursor);
  if (filter.cursor !== undefined && from === null) return { ids: [], cursor: null };
  const limit = Math.max(1, Math.min(filter.limit, MAX_PAGE));
  const orders = groups.find(account, repository, status === undefined ? "any" : storedAs(status));
  const page: JobFacts[] = [];
  for (const job of newestFirst(orders, from)) {
    if (status !== undefined && readsAs(job, now) !== status) continue;
    const last = page.at(-1);
    if (page.length === limit && last !== undefined) return { ids: page.map(({ id }) => id), cursor: cursorOf(last) };
    page.push(job);
  }
  return { ids: page.map(({ id }) => id), cursor: null };
}
