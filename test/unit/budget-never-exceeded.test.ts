/**
 * Random histories of a repository with a budget: whatever happens in which order, and whatever news is lost, neither what
 * is booked nor what models have truly cost is more in any day or month.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Budget } from "../../src/contracts/budget.ts";
import { NO_USAGE } from "../../src/contracts/result.ts";
import type { Held } from "../../src/domain/job/budget.ts";
import type { Command } from "../../src/domain/job/command.ts";
import { decide } from "../../src/domain/job/decide.ts";
import type { Job, JobId } from "../../src/domain/job/job.ts";
import { type LineFacts, placeOf, walkLine } from "../../src/domain/job/line.ts";
import { type SpendingRow, spendingKey } from "../../src/domain/job/spending.ts";
import { ADA, draft, jobId, settings, T0, work } from "./job-fixtures.ts";

const CAP = 300;
const DAY_MS = 24 * 3_600_000;
const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);
const monthOf = (at: number): string => new Date(at).toISOString().slice(0, 7);

/** What truly happens on a runner, whatever the App hears of it. */
interface Play {
  readonly id: number;
  readonly cap: number;
  /** When its part of the budget was reserved. */
  readonly at: number;
  began: boolean;
  over: boolean;
  cents: number;
}

/** One repository and one account, whose records are all that there is: so a restart loses nothing and changes nothing. */
class World {
  readonly jobs = new Map<JobId, Job>();
  readonly rows = new Map<string, SpendingRow>();
  readonly runs = new Map<JobId, Play>();
  /** Every run that there ever was. */
  readonly played: Play[] = [];
  readonly budget: Budget;
  readonly ofAccount: Budget;
  now = T0;
  #drawn = 0;

  constructor(budget: Budget, ofAccount: Budget) {
    this.budget = budget;
    this.ofAccount = ofAccount;
  }

  spent(of: (at: number) => string, at = this.now): number {
    return [...this.rows.values()].filter((row) => of(row.at) === of(at)).reduce((sum, { cents }) => sum + cents, 0);
  }

  get facts(): LineFacts {
    const places = [...this.jobs.values()].map(placeOf).filter((place) => place !== null);
    const spent = { day_cents: this.spent(dayOf), month_cents: this.spent(monthOf), jobs_of_day: 0 };
    const held = places.flatMap(({ id, held: one }): (Held & { id: JobId })[] =>
      one === null ? [] : [{ id, ...one }],
    );
    const accounts = new Map([["ada", { limits: this.ofAccount, spent, held }]]);
    const budgets = { now: this.now, cap_cents: CAP, repository: { limits: this.budget, spent }, accounts };
    return { limits: {}, places, budgets };
  }

  /** Answers the types of the effects that it has. */
  give(id: JobId, command: Command): readonly string[] {
    const before = this.jobs.get(id) ?? null;
    const decision = decide(before, command, { now: this.now, available_cents: 0, line: this.facts });
    if (decision.kind !== "decided") return [];
    this.jobs.set(id, decision.job);
    for (const row of decision.spending ?? []) this.rows.set(spendingKey(row), row);
    return decision.effects.map(({ effect }) => effect.type);
  }

  create(): void {
    this.#drawn += 1;
    const id = jobId(`job${String(this.#drawn).padStart(5, "0")}`);
    this.give(id, { type: "create", draft: draft({ id }) });
  }

  push({ id, round, attempt, reserved }: Job): void {
    const of = { ...settings(), limits: { ...settings().limits, cost_cents: CAP } };
    const head_sha = `brief-${id}-${round}-${attempt}`;
    this.give(id, {
      ...{ type: "brief-pushed", round, attempt, head_sha, settings: of },
      base: { branch: "main", sha: "base" },
    });
    this.#drawn += 1;
    const cap = Math.min(CAP, reserved?.cents ?? 0);
    const play = { id: 10_000 + this.#drawn, cap, at: reserved?.at ?? 0, began: false, over: false, cents: 0 };
    this.runs.set(id, play);
    this.played.push(play);
  }

  /** What its model costs meanwhile, which the gateway keeps below the cap. */
  works(job: Job, share: number): void {
    const run = this.runs.get(job.id);
    if (run === undefined || run.over) return;
    run.began = true;
    run.cents = Math.max(run.cents, run.cap * share);
  }

  cost(of: (at: number) => string, at: number): number {
    return this.played.filter((run) => of(run.at) === of(at)).reduce((sum, { cents }) => sum + cents, 0);
  }

  ran(job: Job, status: "queued" | "in_progress" | "completed", conclusion: string | null): void {
    const run = this.runs.get(job.id);
    if (run === undefined || job.brief_sha === null) return;
    if (status === "in_progress") run.began = true;
    if (status === "completed") run.over = true;
    const news = {
      ...({ type: "run-changed", head_sha: job.brief_sha, commit_message: `Run job ${job.id}: x` } as const),
      run: { id: run.id, attempt: 1, url: "https://x", status, conclusion },
    };
    const asked = this.give(job.id, news);
    if (asked.includes("read-run"))
      this.give(job.id, { ...news, fresh: true, ...(run.began ? {} : { never_began: true }) });
  }

  /** What the run has used, within its brief's cap; null: it does not say. */
  handIn(job: Job, share: number | null): void {
    const run = this.runs.get(job.id);
    if (run === undefined) return;
    // a run tells it once its gateway is gone
    if (!run.over) this.works(job, share ?? 1);
    run.over = true;
    const cost_cents = share === null ? null : run.cents;
    const result = work({ usage: { ...NO_USAGE, turns: 1 }, cost_cents });
    this.give(job.id, { type: "hand-in", old_workflow: false, run_id: run.id, attempt: 1, result });
  }

  /** As the engine does after commits. */
  move(): void {
    for (;;) {
      const first = walkLine(this.facts).find(({ reached }) => reached === null);
      if (first === undefined) return;
      this.give(first.id, { type: "begin" });
    }
  }
}

const STEPS = [
  "create",
  "push",
  "start",
  "work",
  "tell",
  "stay_silent",
  "end",
  "fail",
  "cancel",
  "cancelled",
  "retry",
  "tick",
  "move",
  "hours",
  "back",
] as const;
const step = fc.record({
  what: fc.constantFrom(...STEPS),
  /** Counted from the newest job, about which most happens. */
  which: fc.oneof(fc.constant(0), fc.nat({ max: 20 })),
  share: fc.double({ min: 0, max: 1, noNaN: true }),
});
type Step = { readonly what: (typeof STEPS)[number]; readonly which: number; readonly share: number };

function play(world: World, { what, which, share }: Step): unknown {
  if (what === "create") return world.create();
  if (what === "move") return world.move();
  if (what === "hours") world.now += Math.floor(share * DAY_MS);
  if (what === "back") world.now -= Math.floor((share * DAY_MS) / 2);
  const all = [...world.jobs.values()];
  const job = all.at(-1 - (which % Math.max(1, all.length)));
  if (job === undefined) return null;
  const { id, round, attempt } = job;
  switch (what) {
    case "push":
      return job.status === "queued" && job.line === null && job.brief_sha === null && world.push(job);
    case "start":
      return world.ran(job, "in_progress", null);
    case "work":
      return world.works(job, share);
    case "tell":
      return world.handIn(job, share);
    case "stay_silent":
      return world.handIn(job, null);
    case "end": {
      world.ran(job, "completed", "success");
      const result = job.result ?? work({ cost_cents: null });
      return world.give(id, { type: "result-read", round, attempt, result, head_sha: `work-${id}` });
    }
    case "fail":
      return world.ran(job, "completed", "failure");
    case "cancelled":
      return world.ran(job, "completed", "cancelled");
    case "cancel":
      return world.give(id, { type: "cancel", by: ADA });
    case "retry":
      return world.give(id, { type: "retry", by: ADA, comment_id: null });
    case "tick":
      return world.give(id, { type: "tick" });
    default:
      return null;
  }
}

/** A run whose beginning nobody heard of, and which was cancelled after it had cost all that it may. */
const UNSEEN: readonly Step[] = (["create", "push", "work", "cancel", "cancelled"] as const).map((what) => {
  return { what, which: 0, share: 1 };
});

it("a day and a month cost no more than their budgets, with what attempts under way may cost", () => {
  const budgets = fc.record({
    day: fc.integer({ min: 10, max: 1_000 }),
    month: fc.integer({ min: 10, max: 3_000 }),
    account: fc.integer({ min: 10, max: 1_000 }),
  });
  fc.assert(
    fc.property(budgets, fc.array(step, { maxLength: 150, size: "max" }), ({ day, month, account }, steps) => {
      const world = new World({ day_cents: day, month_cents: month }, { day_cents: account });
      for (const one of steps) {
        play(world, one);
        const held = [...world.jobs.values()].flatMap((job) => placeOf(job)?.held ?? []);
        for (const at of [...world.rows.values(), ...held].map((row) => row.at)) {
          const under = (of: (at: number) => string) =>
            held.filter((two) => of(two.at) === of(at)).reduce((sum, { cents }) => sum + cents, 0);
          expect(world.spent(dayOf, at) + under(dayOf)).toBeLessThanOrEqual(Math.min(day, account) + 1e-6);
          expect(world.spent(monthOf, at) + under(monthOf)).toBeLessThanOrEqual(month + 1e-6);
          expect(world.cost(dayOf, at)).toBeLessThanOrEqual(Math.min(day, account) + 1e-6);
          expect(world.cost(monthOf, at)).toBeLessThanOrEqual(month + 1e-6);
        }
      }
    }),
    { numRuns: 300, examples: [[{ day: 300, month: 3_000, account: 1_000 }, [...UNSEEN, ...UNSEEN]]] },
  );
});
