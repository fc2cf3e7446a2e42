/** Sample jobs and commits: valid, small, and different only in what a test sets. */

import type { Job, JobId, MarketWork } from "../../../src/domain/job/job.ts";
import { asJobId, branchOf } from "../../../src/domain/job/job.ts";
import { NEW_ACTIONS_WORK, NEW_JOB, NEW_MARKET_WORK } from "../../../src/domain/job/schema.ts";
import type { Clock } from "../../../src/engine/ports/clock.ts";
import type { Commit, JobStore, StoredJob } from "../../../src/engine/ports/jobs.ts";
import type { Store } from "../../../src/engine/ports/store.ts";

/** 2026-01-01T00:00:00Z. */
export const START = 1_767_225_600_000;

export function jobId(text: string | number): JobId {
  const id = asJobId(String(text).padStart(8, "0"));
  if (id === null) throw new Error(`${text} is no job id`);
  return id;
}

export const sampleJob = (id: string | number, differs: Partial<Job> = {}): Job => ({
  ...NEW_JOB,
  id: jobId(id),
  account: "ada",
  repository: { owner: "Octo", name: "Hello", installation_id: 7 },
  work: NEW_ACTIONS_WORK,
  origin: { kind: "rest", dialect: "create-job", key_id: null },
  requester: null,
  title: "Say hello",
  task: "create HELLO.md that says hello",
  choices: { provider: null, model: null, no_merge: false, draft: false },
  trigger_values: [],
  callback_url: null,
  price_cents: 0,
  time_limit_seconds: 1800,
  undiscussed: false,
  discussed_until: null,
  created_at: START,
  updated_at: START,
  rounds: [{ asked: "create HELLO.md that says hello", by: null, did: "" }],
  base: { branch: null, sha: null, is_default: true },
  branch: branchOf(jobId(id)),
  merge: { state: "off", why: "Auto-merge is off in this repository." },
  ...differs,
});

/** What makes a sample a job of the market. */
export const onMarket = (work: Partial<MarketWork> = {}): Pick<Job, "work"> => ({
  work: { ...NEW_MARKET_WORK, ...work },
});

export const commitOf = (job: Job, expected_version: number, differs: Partial<Commit> = {}): Commit => ({
  job,
  expected_version,
  at: START,
  history: [],
  postings: [],
  effects: [],
  done: null,
  ...differs,
});

/** Stores this as the job's next version. */
export async function keep(jobs: JobStore, job: Job, differs: Partial<Commit> = {}): Promise<StoredJob> {
  const before = await jobs.load(job.id);
  const answer = await jobs.commit(commitOf(job, before?.version ?? 0, differs));
  if (!answer.ok) throw new Error(`The job was not kept: ${answer.why}`);
  return answer.stored;
}

/** Where stores can be opened one after another on the same data, as a restarted server does. */
export interface Place {
  open(now?: () => number): Promise<Store>;
  /** With timers, for one that is worked on. */
  openOn(clock: Clock): Promise<Store>;
  remove(): Promise<void>;
}

/** One engine under the contract. */
export interface Engine {
  readonly name: string;
  place(): Promise<Place>;
}

/** Opens a store in a new place, and removes both afterwards. `reopen` is a restart. */
export async function withStore(
  engine: Engine,
  use: (store: Store, reopen: () => Promise<Store>) => Promise<void>,
  now: () => number = () => START,
): Promise<void> {
  const place = await engine.place();
  let store = await place.open(now);
  const reopen = async () => {
    await store.close();
    store = await place.open(now);
    return store;
  };
  try {
    await use(store, reopen);
  } finally {
    await store.close();
    await place.remove();
  }
}
