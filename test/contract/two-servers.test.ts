/**
 * Two command handlers on one store that share no turn, as two servers do: what one of them sees beside a job has not
 * changed when it commits, so no limit, budget or quota is exceeded and no job is claimed twice.
 */
import { rm } from "node:fs/promises";
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import type { Budget } from "../../src/contracts/budget.ts";
import type { Command } from "../../src/domain/job/command.ts";
import type { JobId } from "../../src/domain/job/job.ts";
import { DEFAULT_QUOTAS } from "../../src/domain/job/quotas.ts";
import { createPull } from "../../src/engine/claim-work.ts";
import { CommandHandler } from "../../src/engine/handle-command.ts";
import { createRepositoryHandler } from "../../src/engine/handle-repository.ts";
import { createLine } from "../../src/engine/line.ts";
import type { Store } from "../../src/engine/ports/store.ts";
import { createQuotas } from "../../src/engine/quotas.ts";
import { openLowdbStore } from "../../src/store/lowdb/open.ts";
import { dataFolder } from "../data-folder.ts";
import { stillClock } from "../flows/clock.ts";
import { ADA, draft, jobId, settings, T0 } from "../unit/job-fixtures.ts";
import { keep, onMarket, sampleJob } from "./store/sample.ts";

const AT = { owner: "octo", name: "demo", id: 42, installation_id: 1 };
const BASE = { branch: "main", head_sha: "h", tree_sha: "t", has_workflow: true };
const CAP = 300;
const clock = { now: () => T0, at: () => () => {} };

interface Rules {
  readonly limits?: object;
  readonly budget?: Budget;
  readonly account_budget?: Budget;
  readonly quotas?: Partial<typeof DEFAULT_QUOTAS>;
}

async function openStore(): Promise<Store> {
  const dir = dataFolder("journeyman-two-");
  const store = await openLowdbStore({ dir, ...stillClock(T0) });
  onTestFinished(async () => {
    await store.close();
    await rm(dir, { recursive: true, force: true });
  });
  return store;
}

/** Shares nothing with others but the store. */
function server(store: Store, { account_budget, quotas: differing }: Rules) {
  const conflicts = { count: 0 };
  const { blobs, usage, accounts } = store;
  // what a database that is elsewhere does: others come in between
  const jobs = new Proxy(store.jobs, {
    get(target, name) {
      const method = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return async (...given: unknown[]) => {
        await new Promise((resolve) => setImmediate(resolve));
        const answer: unknown = await Reflect.apply(method, target, given);
        if (name === "commit" && Object(answer).ok === false) conflicts.count += 1;
        return answer;
      };
    },
  });
  const seen = { ...store, jobs };
  const account_budgets =
    account_budget === undefined ? undefined : { any: () => true, of: async () => account_budget };
  const handle = (id: JobId, command: Command) => handler.handle(id, command);
  const line = createLine({ store: seen, clock, handle, account_budgets, knows_all_jobs: true });
  const limits = { ...DEFAULT_QUOTAS, ...differing };
  const quotas = createQuotas({ jobs, blobs, usage, clock, estimator: null, limits });
  const handler = new CommandHandler({
    ...{ jobs, accounts, clock, line, quotas, subscriptionMatcher: { listens: async () => false } },
    ...{ jobLog: store.jobLog, record: () => {}, log: { info: () => {} }, committed: () => {} },
  });
  return { handle, conflicts, moveAll: () => line.moveAll(), pull: createPull({ jobs, handle, quotas }) };
}

async function servers(rules: Rules = {}, count = 2) {
  const store = await openStore();
  const handleRepository = createRepositoryHandler({ repositories: store.repositories, clock, offers_set_up: false });
  const { limits = {}, budget } = rules;
  const all = { ...settings(), limits: { ...settings().limits, cost_cents: CAP, ...limits } };
  await handleRepository(AT.id, {
    type: "observed",
    repository: {
      ...AT,
      base: BASE,
      settings: budget === undefined ? all : { ...all, budget: { ...all.budget, ...budget } },
      settings_problem: null,
    },
  });
  const running = Array.from({ length: count }, () => server(store, rules));
  const on = (nth: number) => running[nth % count] ?? server(store, rules);
  const create = (nth: number, account = "ada") => {
    const id = jobId(`job${String(nth).padStart(5, "0")}`);
    const origin = { kind: "label", issue: nth } as const;
    return on(nth).handle(id, { type: "create", draft: draft({ id, account, repository: AT, origin }) });
  };
  const conflicts = () => running.reduce((sum, one) => sum + one.conflicts.count, 0);
  return { store, on, create, conflicts };
}

const first = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1);

const placesOf = async ({ jobs }: Store) => jobs.placesIn("octo/demo", AT.id);
const running = async (store: Store) => (await placesOf(store)).filter(({ runs }) => runs).length;
const heldIn = async (store: Store) => (await placesOf(store)).reduce((sum, { held }) => sum + (held?.cents ?? 0), 0);

it("no more jobs run at once than the repository's limit allows", async () => {
  const { store, create, conflicts } = await servers({ limits: { running: 3 } });
  const made = await Promise.all(first(12).map((nth) => create(nth, `person${nth}`)));
  expect(made.every(({ ok }) => ok)).toBe(true);
  expect(await running(store)).toBe(3);
  expect(conflicts()).toBeGreaterThan(0);
});

it("no more rounds are begun, and no more jobs are under way, than an account's quotas allow", async () => {
  const { store, create } = await servers({ quotas: { rounds_per_day: 5 } });
  const made = await Promise.all(first(12).map((nth) => create(nth)));
  expect(made.filter(({ ok }) => ok).length).toBe(5);
  expect([await store.usage.nthNewest("round", "ada", 5), await store.usage.nthNewest("round", "ada", 6)]).toEqual([
    T0,
    null,
  ]);
  const other = await servers({ quotas: { jobs_under_way: 4 } });
  const begun = await Promise.all(first(12).map((nth) => other.create(nth)));
  expect(begun.filter(({ ok }) => ok).length).toBe(4);
});

it("many jobs that begin in one repository on ten servers all begin, with few conflicts for each", async () => {
  const { store, create, conflicts } = await servers({ limits: { running: 500 } }, 10);
  const made = await Promise.all(first(100).map((nth) => create(nth, `person${nth}`)));
  expect(made.every(({ ok }) => ok)).toBe(true);
  expect(await running(store)).toBe(100);
  expect(conflicts()).toBeLessThan(100 * 20);
});

it("a job is claimed once, however many agents pull at once", async () => {
  const { store, on } = await servers();
  for (const nth of first(6))
    await keep(store.jobs, sampleJob(nth, { ...onMarket(), status: "queued", price_cents: 100 }));
  const pulls = await Promise.all(
    first(10).map((nth) => on(nth).pull({ agent_id: `x${nth}`, account: `bob${nth}`, skills: [], repository: null })),
  );
  const taken = pulls.flatMap((one) => (one?.ok === true ? [one.job.id] : []));
  expect(taken.length).toBe(6);
  expect(new Set(taken).size).toBe(6);
});

it("a budget of a repository or of an account is never overrun", async () => {
  const rules = fc.record({
    day: fc.integer({ min: 10, max: 2_000 }),
    account: fc.integer({ min: 10, max: 2_000 }),
    cancelled: fc.array(fc.nat({ max: 7 }), { maxLength: 6 }),
  });
  await fc.assert(
    fc.asyncProperty(rules, async ({ day, account, cancelled }) => {
      const { store, on, create } = await servers({
        budget: { day_cents: day },
        account_budget: { day_cents: account },
      });
      const within = async () => {
        const { day_cents: spent } = await store.spending.spentIn({ repository_id: AT.id }, T0);
        expect(spent + (await heldIn(store))).toBeLessThanOrEqual(Math.min(day, account));
      };
      await Promise.all(first(8).map((nth) => create(nth)));
      await within();
      const ids = first(8).map((nth) => jobId(`job${String(nth).padStart(5, "0")}`));
      await Promise.all([
        ...cancelled.map((at) => on(at).handle(ids[at] ?? jobId("job00001"), { type: "cancel", by: ADA })),
        ...ids.map((id, at) => on(at + 1).handle(id, { type: "begin" })),
      ]);
      await within();
    }),
    { numRuns: 30 },
  );
});
