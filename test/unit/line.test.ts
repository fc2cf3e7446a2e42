/** The line of jobs over their repository's limits: one by one, and as random histories of a repository. */
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import type { Command, Draft } from "../../src/domain/job/command.ts";
import { decide } from "../../src/domain/job/decide.ts";
import type { Decision } from "../../src/domain/job/decision.ts";
import { isFinal, type Job, type JobId } from "../../src/domain/job/job.ts";
import {
  type LineFacts,
  type Place,
  type PlaceLimits,
  placeOf,
  positionIn,
  shownTooFarBack,
  waitingIn,
  walkLine,
} from "../../src/domain/job/line.ts";
import { isWanted } from "../../src/domain/job/wanted-effects.ts";
import { draft, facts, jobId, settings, T0, work } from "./job-fixtures.ts";

/** Jobs of one repository, whose decisions are made one at a time, as the engine does. */
class Repository {
  readonly jobs = new Map<JobId, Job>();
  /** Who began, in order. */
  readonly begun: JobId[] = [];
  limits: PlaceLimits;
  now = T0;
  #drawn = 0;

  constructor(limits: PlaceLimits) {
    this.limits = limits;
  }

  get facts(): LineFacts {
    const places = [...this.jobs.values()].map(placeOf).filter((place) => place !== null);
    return { limits: this.limits, places };
  }

  get running(): readonly Job[] {
    return [...this.jobs.values()].filter((job) => placeOf(job)?.runs === true);
  }

  get pullRequests(): number {
    return this.facts.places.filter((place) => place.pull_request).length;
  }

  get line(): readonly JobId[] {
    return waitingIn(this.facts.places).map(({ id }) => id);
  }

  job(id: JobId): Job {
    const job = this.jobs.get(id);
    if (job === undefined) throw new Error(`there is no job ${id}`);
    return job;
  }

  decided(job: Job | null, command: Command): Decision {
    return decide(job, command, { now: this.now, available_cents: 0, line: this.facts });
  }

  /** Pushes are known at once. */
  give(id: JobId, command: Command): Decision {
    const before = this.jobs.get(id) ?? null;
    const decision = this.decided(before, command);
    if (decision.kind !== "decided") return decision;
    this.jobs.set(id, decision.job);
    for (const { effect } of decision.effects) {
      if (effect.type !== "push-brief") continue;
      this.begun.push(id);
      this.give(id, {
        type: "brief-pushed",
        round: effect.round,
        attempt: effect.attempt,
        head_sha: `brief-${id}`,
        base: { branch: "main", sha: "base" },
        settings: settings({ enabled: false }),
      });
    }
    return decision;
  }

  create(account = "ada", change: Partial<Draft> = {}): JobId {
    this.#drawn += 1;
    this.now += 1;
    const id = jobId(`job${String(this.#drawn).padStart(5, "0")}`);
    this.give(id, { type: "create", draft: draft({ id, account, ...change }) });
    return id;
  }

  /** The run begins, and ends with changes or with nothing to do. */
  end(id: JobId, outcome: "done" | "nothing_to_do"): void {
    const { round, attempt } = this.job(id);
    const run = { id: 500 + this.begun.length * 10, attempt: 1, url: "https://x", conclusion: null };
    const head_sha = `brief-${id}`;
    const commit_message = `Run job ${id}: x`;
    this.give(id, { type: "run-changed", run: { ...run, status: "in_progress" }, head_sha, commit_message });
    const ended = { ...run, status: "completed", conclusion: "success" } as const;
    this.give(id, { type: "run-changed", run: ended, head_sha, commit_message });
    const changed_files = outcome === "done" ? ["HELLO.md"] : [];
    const result = work({ outcome, changed_files });
    this.give(id, { type: "result-read", round, attempt, result, head_sha: `work-${id}` });
    if (this.job(id).status !== "submitted") return;
    const number = this.job(id).pull_request?.number ?? 1_000 + this.#drawn + this.begun.length;
    this.give(id, { type: "pull-request-opened", round, number, url: "https://p", head_sha: `work-${id}` });
  }

  /** CI is green, and a person is to merge it. */
  pass(id: JobId): void {
    const green = facts({ head_sha: this.job(id).head_sha ?? "", settings: settings({ enabled: false }) });
    this.give(id, { type: "observe", facts: green });
  }

  close(id: JobId): void {
    const number = this.job(id).pull_request?.number ?? 0;
    this.give(id, { type: "closed", pull_request: number, by: "ada" });
  }

  /** As the engine does after a commit that gave a place back. */
  move(): void {
    for (;;) {
      const first = walkLine(this.facts).find(({ reached }) => reached === null);
      if (first === undefined) return;
      this.give(first.id, { type: "begin" });
      if (this.job(first.id).line !== null) throw new Error(`${first.id} may begin and does not`);
    }
  }
}

const THEIRS = { number: 30, url: "https://github.example/octo/demo/pull/30", branch: "weeds" };

describe("a job over the limit", () => {
  it("waits in line and pushes nothing", () => {
    const here = new Repository({ running: 1 });
    const [first, second] = [here.create(), here.create()];
    expect(here.begun).toEqual([first]);
    expect(here.job(second)).toMatchObject({ status: "queued", line: { limit: "running", most: 1, position: 1 } });
  });

  it("says in its history and comment why it waits", () => {
    const here = new Repository({ running: 1 });
    here.create();
    here.now += 1;
    const decision = here.decided(null, { type: "create", draft: draft({ id: jobId("zzzz0001") }) });
    expect(decision).toMatchObject({
      kind: "decided",
      history: [
        { event: "created" },
        {
          event: "waits",
          note: "In octo/demo at most 1 job may run at once (`limits.running`), so this job waits as number 1 in line.",
        },
      ],
    });
    const effects = decision.kind === "decided" ? decision.effects.map(({ effect }) => effect.type) : [];
    expect(effects).toEqual(["sync-comment"]);
  });

  it("begins when another ends, the oldest first", () => {
    const here = new Repository({ running: 1 });
    const [first, second, third] = [here.create(), here.create(), here.create()];
    here.end(first, "nothing_to_do");
    here.move();
    expect(here.begun).toEqual([first, second]);
    here.end(second, "done");
    here.move();
    expect(here.begun).toEqual([first, second, third]);
  });

  it("is not overtaken by a job that is asked for between the end of one and its own beginning", () => {
    const here = new Repository({ running: 1 });
    const [first, second] = [here.create(), here.create()];
    here.end(first, "nothing_to_do");
    const third = here.create();
    expect(here.job(third).line).toMatchObject({ position: 1 });
    here.move();
    expect(here.begun).toEqual([first, second]);
  });

  it("does not hold up others by its requester's own limit", () => {
    const here = new Repository({ running: 3, running_per_requester: 1 });
    const [ada, ada2, bob] = [here.create("ada"), here.create("ada"), here.create("bob")];
    expect(here.begun).toEqual([ada, bob]);
    expect(here.job(ada2).line).toMatchObject({ limit: "running_per_requester" });
  });

  it("waits for pull requests that are open, and begins when one is closed", () => {
    const here = new Repository({ open_pull_requests: 1 });
    const first = here.create();
    here.end(first, "done");
    const second = here.create();
    expect(here.job(second).line).toMatchObject({ limit: "open_pull_requests" });
    here.pass(first);
    here.move();
    expect(here.begun).toEqual([first]);
    here.close(first);
    here.move();
    expect(here.begun).toEqual([first, second]);
  });

  it("counts a job that is under way among those that have a pull request", () => {
    const here = new Repository({ open_pull_requests: 1 });
    const [first, second] = [here.create(), here.create()];
    expect(here.begun).toEqual([first]);
    here.end(first, "nothing_to_do");
    here.move();
    expect(here.begun).toEqual([first, second]);
  });

  it("does not count twice for a further round of its open pull request", () => {
    const here = new Repository({ open_pull_requests: 1, running: 1 });
    const first = here.create();
    here.end(first, "done");
    here.pass(first);
    const by = { account: "ada", login: "ada" };
    here.give(first, { type: "message", text: "more", by, comment_id: 9 });
    expect(here.begun).toEqual([first, first]);
  });

  it("keeps its place for its next attempt", () => {
    const here = new Repository({ running: 1 });
    const [first] = [here.create(), here.create()];
    const run = { id: 7, attempt: 1, url: "https://x" };
    const said = { head_sha: `brief-${first}`, commit_message: `Run job ${first}: x` };
    here.give(first, { type: "run-changed", run: { ...run, status: "in_progress", conclusion: null }, ...said });
    here.give(first, { type: "run-changed", run: { ...run, status: "completed", conclusion: "cancelled" }, ...said });
    here.move();
    expect(here.begun).toEqual([first, first]);
  });

  it("leaves the line when it is cancelled", () => {
    const here = new Repository({ running: 1 });
    const [, second, third] = [here.create(), here.create(), here.create()];
    here.give(second, { type: "cancel", by: { account: "ada", login: "ada" } });
    expect(here.job(second)).toMatchObject({ status: "cancelled", line: null });
    expect(positionIn(here.facts.places, third)).toBe(1);
  });

  it("goes into a further round of its open pull request before those that wait until that is closed", () => {
    const here = new Repository({ running: 1, open_pull_requests: 1 });
    const first = here.create();
    here.end(first, "done");
    const second = here.create();
    here.give(first, { type: "message", text: "more", by: { account: "ada", login: "ada" }, comment_id: 9 });
    here.move();
    expect(here.job(first)).toMatchObject({ round: 2, line: null });
    expect(here.begun).toEqual([first, first]);
    expect(here.job(second).line).toMatchObject({ limit: "open_pull_requests" });
  });

  it("takes messages while it waits", () => {
    const here = new Repository({ running: 1 });
    const [first, second] = [here.create(), here.create()];
    here.give(second, { type: "message", text: "and bye", by: { account: "ada", login: "ada" }, comment_id: 3 });
    expect(here.job(second)).toMatchObject({ line: { position: 1 }, waiting_messages: [{ text: "and bye" }] });
    expect(here.begun).toEqual([first]);
  });

  it("shows where it is now when somebody asks", () => {
    const here = new Repository({ running: 1 });
    const [, second, third] = [here.create(), here.create(), here.create()];
    here.give(second, { type: "cancel", by: { account: "ada", login: "ada" } });
    expect(here.job(third).line).toMatchObject({ position: 2 });
    here.give(third, { type: "show", comment_id: 5 });
    expect(here.job(third).line).toMatchObject({ position: 1 });
  });

  it("is turned away where its caller waits for the branch", () => {
    const here = new Repository({ running: 1 });
    here.create();
    const origin = { kind: "rest", dialect: "create-job", key_id: null, awaits_branch: true } as const;
    const asked: Command = { type: "create", draft: draft({ id: jobId("zzzz0001"), origin }) };
    expect(here.decided(null, asked)).toMatchObject({
      kind: "refused",
      refusal: { code: "rate_limited", retry_after_ms: 60_000 },
    });
  });

  it("does not wait for the market's jobs, of which only pull requests count", () => {
    const here = new Repository({ running: 1, open_pull_requests: 1 });
    const offered = here.create("bob", { runner: "market", price_cents: 0 });
    expect(here.facts.places).toEqual([]);
    const own = here.create();
    expect(here.begun).toEqual([own]);
    expect(here.job(offered).line).toBeNull();
  });
});

it("a job on a person's pull request runs like others, and takes no place among the jobs' own", () => {
  const here = new Repository({ running: 2, open_pull_requests: 1 });
  const theirs = here.create("ada", { target: THEIRS });
  const own = here.create();
  expect(here.begun).toEqual([theirs, own]);
  expect(here.pullRequests).toBe(1);
  const third = here.create("ada", { target: THEIRS });
  expect(here.job(third).line).toMatchObject({ limit: "running" });
});

describe("limits that are not known yet", () => {
  const unknown = { now: T0, available_cents: 0, line: "unknown" } as const;
  const create: Command = { type: "create", draft: draft() };

  it("let the job begin, and mark its brief", () => {
    const decision = decide(null, create, unknown);
    const briefs = decision.kind === "decided" ? decision.effects.map(({ effect }) => effect) : [];
    expect(briefs).toContainEqual({ type: "push-brief", round: 1, attempt: 1, unplaced: true });
  });

  it("send it into the line once they are read, before those that were asked for later", () => {
    const here = new Repository({ running: 1 });
    const cold = jobId("cold0001");
    const made = decide(null, { type: "create", draft: draft({ id: cold }) }, unknown);
    if (made.kind !== "decided") throw new Error("not made");
    here.jobs.set(cold, made.job);
    const later = here.create();
    expect(here.job(later).line).not.toBeNull();
    here.jobs.set(jobId("other001"), { ...made.job, id: jobId("other001") });
    here.give(cold, { type: "limits-read", round: 1, attempt: 1 });
    expect(here.job(cold).line).toMatchObject({ since: T0, position: 1 });
    expect(here.line).toEqual([cold, later]);
  });

  it("let it go on where there is room", () => {
    const here = new Repository({ running: 1 });
    const cold = jobId("cold0001");
    const made = decide(null, { type: "create", draft: draft({ id: cold }) }, unknown);
    if (made.kind !== "decided") throw new Error("not made");
    here.jobs.set(cold, made.job);
    here.give(cold, { type: "limits-read", round: 1, attempt: 1 });
    expect(here.begun).toEqual([cold]);
  });

  it("take back a job whose caller waits for the branch", () => {
    const here = new Repository({ running: 1 });
    here.create();
    const origin = { kind: "rest", dialect: "create-job", key_id: null, awaits_branch: true } as const;
    const made = decide(null, { type: "create", draft: draft({ id: jobId("cold0001"), origin }) }, unknown);
    if (made.kind !== "decided") throw new Error("not made");
    const read = here.decided(made.job, { type: "limits-read", round: 1, attempt: 1 });
    expect(read).toMatchObject({ kind: "decided", job: { status: "cancelled" } });
    expect(read.kind === "decided" ? read.job.failure : null).toContain("at most 1 job may run at once");
  });
});

const limit = fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined });
const limits = fc.record({
  running: limit,
  running_per_requester: limit,
  open_pull_requests: limit,
  open_pull_requests_per_requester: limit,
});

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("create"), of: fc.constantFrom("ada", "bob", "eve") }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constantFrom("end", "close", "pass", "cancel", "more"), nth: fc.nat(9) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("limits"), limits }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

const BY = { account: "ada", login: "ada" };

function take(here: Repository, one: Step): void {
  here.now += 1;
  if ("of" in one) return void here.create(one.of);
  if ("limits" in one) {
    here.limits = one.limits;
    return;
  }
  const all = [...here.jobs.keys()];
  const id = all[one.nth % Math.max(1, all.length)];
  if (id === undefined) return;
  const job = here.job(id);
  if (one.kind === "end" && placeOf(job)?.runs) here.end(id, one.nth % 2 === 0 ? "done" : "nothing_to_do");
  if (one.kind === "close") here.close(id);
  if (one.kind === "pass") here.pass(id);
  if (one.kind === "cancel") here.give(id, { type: "cancel", by: BY });
  if (one.kind === "more") here.give(id, { type: "message", text: "more", by: BY, comment_id: here.now });
}

describe("whatever happens in a repository", () => {
  test("no more jobs begin than its limits let, none waits while there is room, and none overtakes another", () => {
    fc.assert(
      fc.property(limits, fc.array(step, { maxLength: 60 }), (first, steps) => {
        const here = new Repository(first);
        for (const one of steps) {
          const [before, running] = [here.line, here.running.length];
          take(here, one);
          const begun_by_move = here.begun.length;
          here.move();
          // a limit that was lowered stops nobody, and lets nobody begin
          const most = Math.max(here.limits.running ?? Number.POSITIVE_INFINITY, running);
          expect(here.running.length).toBeLessThanOrEqual(most);
          expect(walkLine(here.facts).every(({ reached }) => reached !== null)).toBe(true);
          // whoever has left the line was at its head, but for cancelled ones and other requesters' limits
          expect(here.line.filter((id) => before.includes(id))).toEqual(before.filter((id) => here.line.includes(id)));
          const moved = here.begun.slice(begun_by_move);
          expect(moved).toEqual(
            before.filter((id) => moved.includes(id)).concat(moved.filter((id) => !before.includes(id))),
          );
          for (const job of here.jobs.values()) if (isFinal(job.status)) expect(job.line).toBeNull();
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("the number that a waiting job is shown", () => {
  it("follows the line with a few edits for each job, however long that is", () => {
    const place = (at: number): Place => ({
      ...{ id: jobId(`job${String(at).padStart(5, "0")}`), account: "ada", runs: false, pull_request: false },
      ...{ opens: true, waits_since: at, shown: at, held: null, raised_cents: null, over_budget: false },
    });
    let places = Array.from({ length: 64 }, (_, at) => place(at + 1));
    const edits = new Map<JobId, number>();
    while (places.length > 1) {
      places = places.slice(1);
      const told = new Set(shownTooFarBack(places));
      for (const id of told) edits.set(id, (edits.get(id) ?? 0) + 1);
      places = places.map((one, at) => (told.has(one.id) ? { ...one, shown: at + 1 } : one));
      for (const [at, { shown }] of places.entries()) {
        if (at < 3) expect(shown).toBe(at + 1);
        expect(shown ?? 0).toBeLessThan(2 * (at + 1) + 1);
      }
    }
    expect(edits.get(jobId("job00064"))).toBeLessThanOrEqual(7);
    expect([...edits.values()].reduce((all, one) => all + one, 0)).toBeLessThanOrEqual(64 * 7);
    expect(shownTooFarBack([place(1), place(2)])).toEqual([]);
  });

  it("is written only where there is room to spare, and not once it has begun", () => {
    const waiting = new Repository({ running: 1 });
    const [, second] = [waiting.create(), waiting.create()];
    const moved = waiting.decided(waiting.job(second), { type: "line-moved" });
    expect(moved).toMatchObject({ effects: [{ effect: { type: "show-place" }, urgency: "whenever" }] });
    const begun = { ...waiting.job(second), line: null };
    expect(decide(begun, { type: "line-moved" }, { now: T0, available_cents: 0 }).kind).toBe("unchanged");
    expect(isWanted({ type: "show-place" }, begun)).toBe(false);
  });
});
