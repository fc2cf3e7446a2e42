/** Fills a folder with stored jobs, through the store itself but without its flushes, which would take minutes. */
import fs from "node:fs";
import type { Actor, Command, Draft } from "../../src/domain/job/command.ts";
import { decide } from "../../src/domain/job/decide.ts";
import type { Decided } from "../../src/domain/job/decision.ts";
import { asJobId, type Job, type JobId } from "../../src/domain/job/job.ts";
import { openLowdbStore } from "../../src/store/lowdb/open.ts";

const ID_LENGTH = 8;
/** A task of the usual length. */
const TASK = "Analyze the error logs of the last week and write a summary report. ".repeat(6);

const NOBODY: Actor = { account: "bench", login: null };

function idOf(number: number): JobId {
  const id = asJobId(number.toString(36).padStart(ID_LENGTH, "0"));
  if (id === null) throw new Error(`no id for ${number}`);
  return id;
}

function decided(before: Job | null, command: Command, number: number): Decided {
  const decision = decide(before, command, { now: number, available_cents: 0 });
  if (decision.kind !== "decided") throw new Error(`a job could not be made: ${decision.kind}`);
  return decision;
}

const made = (number: number): Decided => {
  const draft: Draft = {
    id: idOf(number),
    account: `user${number % 100}`,
    repository: { owner: "octocat", name: `repository${number % 50}`, installation_id: 1 },
    runner: "market",
    origin: { kind: "rest", dialect: "create-job", key_id: null },
    requester: null,
    title: "Analyze the error logs",
    task: TASK,
    choices: { provider: null, model: null, no_merge: false, draft: false },
    callback_url: null,
    base_branch: null,
    price_cents: 0,
    time_limit_seconds: 1_800,
  };
  return decided(null, { type: "create", draft }, number);
};

/** An engine that begins with open jobs wakes them and looks at each of them: that would be measured, too. */
const over = (before: Decided, number: number): Decided => {
  const { job, history, postings } = decided(before.job, { type: "cancel", by: NOBODY }, number);
  return { ...before, job, history: [...before.history, ...history], postings: [...before.postings, ...postings] };
};

/** Fills the folder with jobs that are open, or over, and answers one job's id from the middle. */
export async function fillStore(dir: string, jobs: number, are: "open" | "over"): Promise<JobId> {
  const store = await openLowdbStore({ dir, now: Date.now, fileSystem: { ...fs, fsyncSync: () => {} } });
  for (let number = 0; number < jobs; number++) {
    const { job, history, postings } = are === "open" ? made(number) : over(made(number), number);
    const answer = await store.jobs.commit({
      ...{ job, history, postings, expected_version: 0, at: number, effects: [], done: null },
    });
    if (!answer.ok) throw new Error(`a job could not be stored: ${answer.why}`);
  }
  await store.close();
  return idOf(Math.floor(jobs / 2));
}
