/** A process that works on a store and reports what the store acknowledged; the parent kills it in the middle. */
import type { Store } from "../../../src/engine/ports/store.ts";
import { openLowdbStore } from "../../../src/store/lowdb/open.ts";
import { keep, START, sampleJob } from "./sample.ts";

const [, , dir = "", task] = process.argv;

/** Resolves when the parent's end has the message: what is only queued dies with this process. */
const tell = (message: string): Promise<void> =>
  new Promise((resolve, reject) => {
    process.send?.(message, undefined, undefined, (error) => (error === null ? resolve() : reject(error)));
  });

/** Ten jobs, in turns, each commit longer than the last. */
async function commitForEver({ jobs }: Store): Promise<never> {
  for (let round = 1; ; round++) {
    const job = sampleJob(round % 10, { attempt: round, title: "x".repeat(round % 5_000) });
    const stored = await keep(jobs, job, {
      history: [{ at: START, event: "e", from: null, to: "queued", by: null, note: `${round}` }],
    });
    await tell(`${job.id} ${stored.version} ${round}`);
  }
}

async function recordForEver({ inbox }: Store): Promise<never> {
  for (let round = 1; ; round += 5) {
    const ids = Array.from({ length: 5 }, (_, i) => `delivery-${round + i}`);
    await Promise.all(
      ids.map((id) => inbox.record({ id, at: START + round, event: { type: "uninstalled", installation_id: 7 } })),
    );
    await tell(ids.join(" "));
  }
}

/** A run that goes on where the log is, ten lines at a time. */
async function logForEver({ jobs, jobLog }: Store): Promise<never> {
  const { job } = await keep(jobs, sampleJob(1));
  for (let last = (await jobLog.read(job.id))?.lines.at(-1)?.seq ?? 0; ; ) {
    const lines = Array.from({ length: 10 }, (_, index) => {
      const seq = last + index + 1;
      return { seq, at: "2026-01-01T00:00:00Z", level: "info" as const, text: `${seq} ${"x".repeat(seq % 500)}` };
    });
    ({ last } = await jobLog.append(job.id, 1, lines));
    await tell(String(last));
  }
}

const store = await openLowdbStore({ dir, now: () => START });
if (task === "commit") await commitForEver(store);
else if (task === "record") await recordForEver(store);
else if (task === "log") await logForEver(store);
else {
  // a listening lock and an open channel to the parent do not keep a process alive
  setInterval(() => {}, 60_000);
  await tell("open");
}
