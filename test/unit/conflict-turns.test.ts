/** Pull requests of one base branch get their turns from commits alone. */
import { expect, it, onTestFinished } from "vitest";
import type { Command } from "../../src/domain/job/command.ts";
import { decide } from "../../src/domain/job/decide.ts";
import type { Job, JobId } from "../../src/domain/job/job.ts";
import { refusal } from "../../src/domain/job/refusal.ts";
import { createConflictTurns } from "../../src/engine/conflict-turns.ts";
import type { Handle } from "../../src/engine/handle-command.ts";
import { committed } from "../../src/store/next-record.ts";
import { tasksOfJob } from "../../src/store/tasks.ts";
import { stillClock } from "../flows/clock.ts";
import { workedQueue } from "../worked-queue.ts";
import { ADA, begin, facts, jobId, led, T0, TO_PULL_REQUEST } from "./job-fixtures.ts";

const CONFLICT: Command = { type: "observe", facts: facts({ mergeable: "conflict" }) };
const submitted = led(begin(), ...TO_PULL_REQUEST);
/** Nobody looks at what a command has led to. */
const DONE: Awaited<ReturnType<Handle>> = { ok: false, refusal: refusal("not_found", "Nobody reads this.") };

const storedOf = (job: Job) =>
  committed(null, { job, expected_version: 0, at: T0, history: [], postings: [], effects: [], done: null });

/** A store of jobs, whose commits are heard unless they are lost. */
async function world(ids: readonly string[], branch = "main") {
  const jobs = new Map<JobId, Job>();
  const lost = { commits: false };
  const now = T0 + 1_000_000;
  const clock = stillClock(now);
  const told: string[] = [];
  const turns = createConflictTurns({
    jobs: {
      openIn: async () => [...jobs.values()].filter((job) => job.merged_at === null && job.merge.state !== "off"),
    },
    handle: (id, command) => {
      told.push(`${id} ${command.type}`);
      give(id, command);
      return Promise.resolve(DONE);
    },
    clock,
  });
  const queue = await workedQueue(clock, { "catch-up": turns });
  onTestFinished(() => queue.stop());
  const give = (id: JobId, command: Command): void => {
    const before = jobs.get(id) ?? null;
    const decision = decide(before, command, { now, available_cents: 0 });
    if (decision.kind !== "decided") return;
    jobs.set(id, decision.job);
    const tasks = tasksOfJob(before === null ? null : storedOf(before), storedOf(decision.job));
    if (!lost.commits) void queue.schedule(tasks.filter(({ kind }) => kind === "catch-up"));
  };
  for (const [at, id] of ids.entries()) {
    const number = at + 1;
    const pull_request = { number, url: `https://github.example/octo/demo/pull/${number}` };
    const job = { ...submitted, id: jobId(id), base: { ...submitted.base, branch }, pull_request };
    jobs.set(job.id, { ...job, submitted_at: T0 + at });
  }
  return { jobs, lost, told, queue, give: (id: string, command: Command) => give(jobId(id), command) };
}
/** Lets all that follows from a commit happen. */
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};
const turnOf = ({ jobs }: Awaited<ReturnType<typeof world>>, id: string) => jobs.get(jobId(id))?.catch_up.turn;

it("one has the turn, the others know who comes right before, and each next is woken by the end of the one before", async () => {
  const here = await world(["aaaaaaaa", "bbbbbbbb", "cccccccc"]);
  for (const id of ["aaaaaaaa", "bbbbbbbb", "cccccccc"]) here.give(id, CONFLICT);
  await settled();
  expect(turnOf(here, "aaaaaaaa")?.taken_at).not.toBeNull();
  expect([turnOf(here, "bbbbbbbb"), turnOf(here, "cccccccc")]).toMatchObject([{ after: 1 }, { after: 2 }]);

  here.told.length = 0;
  here.give("aaaaaaaa", { type: "merged", pull_request: 1, by: "ada", by_id: 1, at: T0 });
  await settled();
  expect(turnOf(here, "bbbbbbbb")?.taken_at).not.toBeNull();
  expect(here.told, "who waits for the same one is told nothing").toEqual(["bbbbbbbb turn"]);

  here.give("bbbbbbbb", { type: "discard", by: ADA });
  await settled();
  expect(turnOf(here, "cccccccc")?.taken_at).not.toBeNull();
});

it("a wake-up that was lost comes with the next commit of one that waits", async () => {
  const here = await world(["aaaaaaaa", "bbbbbbbb"]);
  for (const id of ["aaaaaaaa", "bbbbbbbb"]) here.give(id, CONFLICT);
  await settled();
  here.lost.commits = true;
  here.give("aaaaaaaa", { type: "discard", by: ADA });
  await settled();
  expect(turnOf(here, "bbbbbbbb")?.taken_at).toBeNull();
  here.lost.commits = false;
  here.give("bbbbbbbb", CONFLICT);
  await settled();
  expect(turnOf(here, "bbbbbbbb")?.taken_at).not.toBeNull();
});

it("nothing is found any more once it has stopped", async () => {
  const here = await world(["aaaaaaaa"]);
  await here.queue.stop();
  here.give("aaaaaaaa", CONFLICT);
  await settled();
  expect(turnOf(here, "aaaaaaaa")).toMatchObject({ taken_at: null });
});
