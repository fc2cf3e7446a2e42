/** The log of a job between two processes of Actions mode. */
import { expect, it } from "vitest";
import type { StateBranchStore } from "../../src/actions-mode/state-branch-store.ts";
import { createStateSession } from "../../src/actions-mode/state-session.ts";
import { MAX_LOG_LINES } from "../../src/contracts/log-line.ts";
import type { JobId } from "../../src/domain/job/job.ts";
import { NEW_ACTIONS_WORK } from "../../src/domain/job/schema.ts";
import type { Store } from "../../src/engine/ports/store.ts";
import { inPlace } from "./store/lowdb-place.ts";
import { jobId, keep, sampleJob } from "./store/sample.ts";

const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const run = { id: 5, attempt: 1, url: "https://example.com/5", status: "completed", conclusion: "success" } as const;
const line = (seq: number) => ({ seq, at: "2026-01-01T00:00:00Z", level: "info" as const, text: `line ${seq}` });

/** A branch that keeps what it is given. */
function memory(): StateBranchStore {
  const kept = new Map<JobId, { commit: string; text: string }>();
  return {
    read: async (ids) => ids.flatMap((id) => ({ id, ...(kept.get(id) ?? { commit: "", text: "" }) })),
    async save(id, text) {
      const commit = `${kept.size + 1}`;
      kept.set(id, { commit, text });
      return { ok: true, commit };
    },
    list: async () => [...kept.keys()],
    remove: async (id) => void kept.delete(id),
  };
}

it.each([
  ["a job that has a run", run],
  ["one whose next attempt has not begun", null],
])("goes on with its end, of %s", async (_what, ran) => {
  const stateBranch = memory();
  const repository = { owner: "octo", name: "hello", installation_id: 0 };
  const inSession = (use: (store: Store, session: ReturnType<typeof createStateSession>) => Promise<void>) =>
    inPlace(async (place) => {
      const store = await place.open();
      await use(store, createStateSession({ stateBranch, store, repository, log }));
      await store.close();
    });
  const lines = Array.from({ length: MAX_LOG_LINES }, (_, index) => line(index + 1));
  await inSession(async (store, session) => {
    const origin = { kind: "comment", issue: 5, comment_id: 50 } as const;
    await keep(store.jobs, sampleJob(1, { origin, work: { ...NEW_ACTIONS_WORK, run: ran } }));
    await store.jobLog.keep(jobId(1), 1, lines);
    await session.close();
  });
  for (let process = 0; process < 2; process++)
    await inSession(async (store, session) => {
      await session.restore([jobId(1)]);
      const restored = (await store.jobLog.read(jobId(1)))?.lines;
      expect(restored?.at(-1)).toEqual(line(MAX_LOG_LINES));
      expect(restored?.length).toBe(200);
      await session.close();
    });
});
