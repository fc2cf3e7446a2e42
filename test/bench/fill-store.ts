/** A folder of stored jobs, made through the store itself but without its flushes, which would take minutes. */
import fs from "node:fs";
import { decide } from "../../src/domain/job/decide.ts";
import { asJobId, type JobId } from "../../src/domain/job/job.ts";
import { openLowdbStore } from "../../src/store/lowdb/open.ts";

const ID_LENGTH = 8;
/** A task of the usual length. */
const TASK = "Analyze the error logs of the last week and write a summary report. ".repeat(6);

function idOf(number: number): JobId {
  const id = asJobId(number.toString(36).padStart(ID_LENGTH, "0"));
  if (id === null) throw new Error(`no id for ${number}`);
  return id;
}

/** Fills the folder and answers one job's id from the middle. */
export async function fillStore(dir: string, jobs: number): Promise<JobId> {
  const store = await openLowdbStore({ dir, now: Date.now, fileSystem: { ...fs, fsyncSync: () => {} } });
  for (let number = 0; number < jobs; number++) {
    const decision = decide(
      null,
      {
        type: "create",
        draft: {
          id: idOf(number),
          account: `user${number % 100}`,
          repository: { owner: "octocat", name: `repository${number % 50}`, installation_id: 1 },
          runner: "market",
          // one that waits for a worker: nothing of it is due, or the server would wake every one of them first
          origin: { kind: "rest", dialect: "market", key_id: null },
          requester: null,
          title: "Analyze the error logs",
          task: TASK,
          choices: { provider: null, model: null, no_merge: false, draft: false },
          callback_url: null,
          base_branch: null,
          price_cents: 0,
          time_limit_seconds: 1_800,
        },
      },
      { now: number, available_cents: 0 },
    );
    if (decision.kind !== "decided") throw new Error(`a job could not be made: ${decision.kind}`);
    const { job, history, postings } = decision;
    const answer = await store.jobs.commit({
      ...{ job, history, postings, expected_version: 0, at: number, effects: [], done: null },
    });
    if (!answer.ok) throw new Error(`a job could not be stored: ${answer.why}`);
  }
  await store.close();
  return idOf(Math.floor(jobs / 2));
}
