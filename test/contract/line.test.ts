/** The line over a real store: commands at the same time, and wake-ups that were lost. */
import { rm } from "node:fs/promises";
import { expect, it, onTestFinished } from "vitest";
import type { RepositorySettings } from "../../src/contracts/settings.ts";
import type { Command } from "../../src/domain/job/command.ts";
import type { Job, JobId } from "../../src/domain/job/job.ts";
import { CommandHandler } from "../../src/engine/handle-command.ts";
import { createRepositoryHandler } from "../../src/engine/handle-repository.ts";
import { createLine } from "../../src/engine/line.ts";
import { createQuotas } from "../../src/engine/quotas.ts";
import { openLowdbStore } from "../../src/store/lowdb/open.ts";
import { dataFolder } from "../data-folder.ts";
import { stillClock } from "../flows/clock.ts";
import { ADA, draft, jobId, settings, T0 } from "../unit/job-fixtures.ts";
import { withIdle } from "../worked-queue.ts";

const AT = { owner: "octo", name: "demo", id: 42, installation_id: 1 };
const BASE = { branch: "main", head_sha: "h", tree_sha: "t", has_workflow: true };

async function repository(limits: Partial<RepositorySettings["limits"]>, { hears = true } = {}) {
  const dir = dataFolder("journeyman-line-");
  const store = await openLowdbStore({ dir, ...stillClock(T0) });
  let work: AsyncDisposable | null = null;
  onTestFinished(async () => {
    await work?.[Symbol.asyncDispose]();
    await store.close();
    await rm(dir, { recursive: true, force: true });
  });
  let now = T0;
  const clock = { now: () => ++now, at: () => () => {} };
  const { jobs, blobs, usage, accounts, repositories } = store;
  const handle = (id: JobId, command: Command) => handler.handle(id, command);
  const line = createLine({
    ...{ store, clock, handle },
    knows_all_jobs: true,
  });
  const handler = new CommandHandler({
    ...{ jobs, accounts, clock, line, subscriptionMatcher: { listens: async () => false } },
    ...{ jobLog: store.jobLog, record: () => {}, log: { info: () => {} } },
    quotas: createQuotas({ jobs, blobs, usage, clock, estimator: null }),
    committed: () => {},
  });
  const handleRepository = createRepositoryHandler({
    ...{ repositories, clock, offers_set_up: false },
  });
  const observe = (change: Partial<RepositorySettings["limits"]>) => {
    const all = { ...settings(), limits: { ...settings().limits, ...change } };
    return handleRepository(AT.id, {
      type: "observed",
      repository: { ...AT, base: BASE, settings: all, settings_problem: null },
    });
  };
  await observe(limits);
  const listen = async () => {
    work = await store.queue.work(withIdle(line.handlers), () => {});
  };
  if (hears) await listen();
  /** Whatever was missed is made up for, and all of it is over. */
  const moved = async () => {
    await line.moveAll();
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  const job = async (id: JobId): Promise<Job> => {
    const stored = await jobs.load(id);
    if (stored === null) throw new Error(`there is no job ${id}`);
    return stored.job;
  };
  const create = (nth: number, account = "ada") => {
    const id = jobId(`job0000${nth}`);
    const one = draft({ id, account, repository: AT, origin: { kind: "label", issue: nth } });
    return handle(id, { type: "create", draft: one }).then(() => id);
  };
  const begun = async (ids: readonly JobId[]) => {
    const all = await Promise.all(ids.map(job));
    return all.filter((one) => one.status === "queued" && one.line === null).map(({ id }) => id);
  };
  return { handle, job, create, begun, listen, moved, observe };
}

const cancel: Command = { type: "cancel", by: ADA };

it("jobs that are asked for at once by several people do not take the same place", async () => {
  const here = await repository({ running: 2 });
  const ids = await Promise.all([1, 2, 3, 4, 5, 6].map((nth) => here.create(nth, `person${nth}`)));
  expect((await here.begun(ids)).length).toBe(2);
  const waiting = (await Promise.all(ids.map(here.job))).flatMap(({ line }) => (line === null ? [] : [line.position]));
  expect(waiting.toSorted()).toEqual([1, 2, 3, 4]);
});

it("ends that come at once let as many begin, and no more", async () => {
  const here = await repository({ running: 2 });
  const ids = await Promise.all([1, 2, 3, 4, 5, 6].map((nth) => here.create(nth)));
  const first = await here.begun(ids);
  await Promise.all(first.map((id) => here.handle(id, cancel)));
  await here.moved();
  const then = await here.begun(ids);
  expect(then.length).toBe(2);
  expect(then.some((id) => first.includes(id))).toBe(false);
});

it("a wake-up that was lost is made up for", async () => {
  const here = await repository({ running: 1 }, { hears: false });
  const [first, second] = [await here.create(1), await here.create(2)];
  await here.handle(first, cancel);
  expect(await here.begun([second])).toEqual([]);
  await here.listen();
  await here.moved();
  expect(await here.begun([second])).toEqual([second]);
});

it("a limit that is raised or taken away lets others begin, and one that is lowered stops nobody", async () => {
  const here = await repository({ running: 1 });
  const ids = [await here.create(1), await here.create(2), await here.create(3)];
  await here.observe({ running: 2 });
  await here.moved();
  expect((await here.begun(ids)).length).toBe(2);
  await here.observe({ running: 1 });
  await here.moved();
  expect((await here.begun(ids)).length).toBe(2);
  await here.observe({});
  await here.moved();
  expect((await here.begun(ids)).length).toBe(3);
});
