/** Who is told to begin when a place is free, whatever happens meanwhile. */
import { expect, it } from "vitest";
import type { Command } from "../../src/domain/job/command.ts";
import { decide } from "../../src/domain/job/decide.ts";
import type { Job, JobId } from "../../src/domain/job/job.ts";
import { placeOf } from "../../src/domain/job/line.ts";
import { refusal } from "../../src/domain/job/refusal.ts";
import type { RepositoryState } from "../../src/domain/repository/repository.ts";
import { createLine } from "../../src/engine/line.ts";
import type { Task } from "../../src/engine/ports/work-queue.ts";
import { stillClock } from "../flows/clock.ts";
import { until } from "../flows/harness.ts";
import { workedQueue } from "../worked-queue.ts";
import { ADA, begin, briefPushed, decided, jobId, led, resultRead, runChanged, settings, T0 } from "./job-fixtures.ts";

const LIMITS = { ...settings(), limits: { ...settings().limits, running: 1 } };
const [A, B] = [jobId("aaaaaaaa"), jobId("bbbbbbbb")];

const waiting = (id: JobId, since: number): Job => ({
  ...begin({ id }),
  line: { since, limit: "running", most: 1, position: 1 },
});

it("the next one begins where the first is cancelled at the moment that it is told to", async () => {
  const jobs = new Map([A, B].map((id, at) => [id, waiting(id, at + 1)]));
  const give = (id: JobId, command: Command): boolean => {
    const job = jobs.get(id) ?? null;
    const places = [...jobs.values()].map(placeOf).filter((place) => place !== null);
    const line = { limits: LIMITS.limits, places };
    const decision = decide(job, command, { now: 10, available_cents: 0, line });
    if (decision.kind === "decided") jobs.set(id, decision.job);
    return decision.kind === "decided";
  };
  const clock = stillClock();
  const tasks: Task[] = [];
  const line = createLine({
    store: {
      queue: { schedule: async (asked) => void tasks.push(...asked) },
      jobs: {
        placesIn: async () => [...jobs.values()].map(placeOf).filter((place) => place !== null),
        lines: async () => ["octo/demo"],
        openIn: async () => [],
        heldBy: async () => [],
      },
      spending: { spentIn: async () => ({ day_cents: 0, month_cents: 0, jobs_of_day: 0 }) },
      // only the settings are looked at
      repositories: {
        get: async () => ({ settings: LIMITS }) as RepositoryState,
        byId: async () => ({ settings: LIMITS }) as RepositoryState,
      },
    },
    handle: async (id, command) => {
      if (id === A) give(A, { type: "cancel", by: ADA });
      const job = jobs.get(id);
      const changed = give(id, command);
      if (job === undefined) return { ok: false, refusal: refusal("not_found", "There is no such job.") };
      return { ok: true, job, changed } as Awaited<ReturnType<Parameters<typeof createLine>[0]["handle"]>>;
    },
    clock: { now: () => 10 },
    knows_all_jobs: true,
  });
  await line.moveAll();
  const queue = await workedQueue(clock, line.handlers);
  await queue.schedule(tasks);
  await until("the line to be moved", () => jobs.get(B)?.line === null);
  await queue.stop();
  expect(jobs.get(A)).toMatchObject({ status: "cancelled" });
  expect(jobs.get(B)?.line).toBeNull();
});

it("a run that GitHub itself begins again waits in no line, whether or not there is a place", () => {
  const ended = { status: "completed", conclusion: "failure" } as const;
  const attempt = (nth: number): readonly Command[] => {
    const sha = `brief${nth}`;
    const id = 500 + nth;
    return [
      briefPushed(1, nth, sha),
      runChanged({ id }, sha),
      runChanged({ id, ...ended }, sha),
      resultRead({}, 1, nth),
    ];
  };
  const failed = led(begin(), ...attempt(1), ...attempt(2));
  expect(failed.status).toBe("failed");
  const other = placeOf(led(begin({ id: B }), { ...briefPushed() }));
  const line = { limits: LIMITS.limits, places: other === null ? [] : [other] };
  const again = runChanged({ id: 502, attempt: 2, status: "queued" }, "brief2");
  const decision = decide(failed, again, { now: T0 + 1e6, available_cents: 0, line });
  expect(decided(decision).job).toMatchObject({ status: "queued", round: 2, line: null });
});
