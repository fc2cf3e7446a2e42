/** Invariants that no sequence of commands may break: random walks through the core with a ledger beside it. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Command } from "../../src/domain/job/command.ts";
import { decide } from "../../src/domain/job/decide.ts";
import type { Decision } from "../../src/domain/job/decision.ts";
import type { Effect } from "../../src/domain/job/effect.ts";
import { isAtRest, isFinal, isOnActions, type Job, marketWork, type Status } from "../../src/domain/job/job.ts";
import { emittedEventOf } from "../../src/domain/job/job-events.ts";
import { outcomeOf } from "../../src/domain/job/outcome.ts";
import { jobView } from "../../src/domain/job/view.ts";
import { isWanted } from "../../src/domain/job/wanted-effects.ts";
import {
  balanceOf,
  credit,
  escrowAccount,
  type LedgerAccount,
  type Posting,
  userAccount,
} from "../../src/domain/market/ledger.ts";
import {
  ADA,
  briefPushed,
  check,
  draft,
  facts,
  ID,
  opened,
  resultRead,
  run,
  settings,
  T0,
  work,
} from "./job-fixtures.ts";

/** Which status may follow which; everything else is illegal. */
const LEGAL: Readonly<Record<Status, readonly Status[]>> = {
  pending_payment: ["queued", "cancelled"],
  queued: ["held", "accepted", "cancelled", "failed", "verified"],
  held: ["queued", "accepted", "cancelled", "held", "failed", "verified"],
  accepted: ["submitted", "waiting_for_user", "queued", "cancelled", "failed", "verified"],
  submitted: ["verified", "waiting_for_user", "queued", "cancelled", "failed"],
  waiting_for_user: ["queued", "cancelled", "verified"],
  verified: ["queued"],
  failed: ["queued", "accepted", "verified"],
  cancelled: ["verified"],
};

const AGENTS = ["a1", "a2"] as const;
const SHAS = ["finish", "elsewhere", "brief"] as const;

const agent = fc.constantFrom(...AGENTS);
const sha = fc.constantFrom(...SHAS);
const comment = fc.option(fc.integer({ min: 1, max: 4 }), { nil: null });
const small = fc.integer({ min: 1, max: 3 });

const anyRun = fc
  .record({
    id: fc.integer({ min: 500, max: 502 }),
    attempt: fc.integer({ min: 1, max: 2 }),
    status: fc.constantFrom("queued", "in_progress", "completed"),
    conclusion: fc.constantFrom(
      "success",
      "failure",
      "cancelled",
      "skipped",
      "timed_out",
      "action_required",
      "startup_failure",
    ),
  })
  .map(({ conclusion, ...rest }) => run({ ...rest, conclusion: rest.status === "completed" ? conclusion : null }));

const anyFacts = fc
  .record({
    head_sha: sha,
    state: fc.constantFrom("open", "open", "open", "closed", "merged"),
    mergeable: fc.constantFrom("yes", "conflict", "unknown"),
    merge_state: fc.constantFrom("CLEAN", "BLOCKED", "BEHIND", "UNSTABLE", "DIRTY", "UNKNOWN"),
    checks: fc.array(
      fc.constantFrom("success", "failure", "pending", "skipped", "action_required").map((state) => check({ state })),
      { maxLength: 2 },
    ),
    open_runs: fc.constantFrom([], [1]),
    enabled: fc.boolean(),
    require_checks: fc.boolean(),
  })
  .map(({ enabled, require_checks, ...rest }) => facts({ ...rest, settings: settings({ enabled, require_checks }) }));

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.constant<Command>({ type: "pay", account: "ada" }),
  fc.constant<Command>({ type: "cancel", by: ADA }),
  fc.constant<Command>({ type: "discard", by: ADA }),
  fc.constant<Command>({ type: "archive" }),
  fc.constant<Command>({ type: "tick" }),
  fc.constant<Command>({ type: "branch-deleted" }),
  fc.boolean().map((forced): Command => ({ type: "look", forced })),
  agent.map((agent_id): Command => ({ type: "pull", agent_id, account: `owner-of-${agent_id}` })),
  agent.map((agent_id): Command => ({ type: "reject", agent_id })),
  agent.map((agent_id): Command => ({ type: "accept", agent_id })),
  agent.map((agent_id): Command => ({ type: "submit", agent_id, result: work() })),
  agent.map((agent_id): Command => ({ type: "fail", agent_id, reason: "gave up" })),
  comment.map((comment_id): Command => ({ type: "message", text: "more", by: ADA, comment_id })),
  comment.map((comment_id): Command => ({ type: "retry", by: ADA, comment_id })),
  fc.constant<Command>({ type: "archive", by: ADA }),
  comment.map((comment_id): Command => ({ type: "show", comment_id })),
  comment.map((comment_id): Command => ({ type: "approve", account: "ada", by: ADA, comment_id })),
  comment.map(
    (comment_id): Command => ({ type: "reject-work", account: "ada", by: ADA, reason: "too slow", comment_id }),
  ),
  fc
    .record({
      round: small,
      attempt: small,
      sha: fc.option(sha, { nil: null }),
      verdict: fc.constantFrom("pass", "fail", "unsure", "none"),
    })
    .map((one): Command => ({ type: "judged", ...one, reasons: ["It is so."] })),
  fc
    .tuple(anyRun, sha)
    .map(
      ([one, head_sha]): Command => ({ type: "run-changed", run: one, head_sha, commit_message: `Run job ${ID}: x` }),
    ),
  fc
    .record({ id: small, attempt: small, sha, complete: fc.boolean() })
    .map((one): Command => ({ type: "ci-run-changed", ...one })),
  sha.map((one): Command => ({ type: "head-moved", sha: one })),
  sha.map((one): Command => ({ type: "head-moved", sha: one, clean: true })),
  fc
    .tuple(fc.integer({ min: 500, max: 502 }), fc.integer({ min: 1, max: 2 }))
    .map(([run_id, attempt]): Command => ({ type: "hand-in", old_workflow: false, run_id, attempt, result: work() })),
  fc
    .tuple(fc.integer({ min: 500, max: 502 }), fc.integer({ min: 1, max: 2 }))
    .map(([run_id, attempt]): Command => ({ type: "progressed", run_id, attempt })),
  fc.tuple(small, small, sha).map(([round, attempt, head]): Command => briefPushed(round, attempt, head)),
  fc
    .tuple(small, small)
    .map(([round, attempt]): Command => ({ type: "brief-refused", round, attempt, sentence: "No." })),
  fc
    .tuple(fc.constantFrom("done", "question", "failed", "limit"), small, small)
    .map(([outcome, round, attempt]): Command => resultRead({ outcome }, round, attempt)),
  small.map((round): Command => opened(round)),
  small.map((round): Command => ({ type: "nothing-to-open", round })),
  anyFacts.map((one): Command => ({ type: "observe", facts: one })),
  fc.constant<Command>({ type: "merged", pull_request: 8, by: "ada", at: T0 }),
  fc.constant<Command>({ type: "closed", pull_request: 8, by: "ada" }),
  fc.constant<Command>({ type: "reopened", pull_request: 8 }),
  fc.boolean().map((final): Command => ({ type: "merge-refused", sha: "finish", sentence: "No.", final })),
  fc
    .oneof(
      fc.tuple(small, small).map(([round, attempt]): Effect => ({ type: "push-brief", round, attempt })),
      fc.tuple(small, small).map(([round, attempt]): Effect => ({ type: "read-result", round, attempt })),
      small.map((round): Effect => ({ type: "open-pull-request", round })),
      sha.map((one): Effect => ({ type: "merge", sha: one, method: "squash" })),
      fc
        .tuple(small, small, fc.option(sha, { nil: null }))
        .map(([round, attempt, one]): Effect => ({ type: "judge", round, attempt, sha: one })),
      fc.constant<Effect>({ type: "sync-comment" }),
    )
    .map((effect): Command => ({ type: "effect-abandoned", effect, sentence: "Given up." })),
);

/** Much of a random walk is refused, so most walks begin where something is under way. */
const opening: fc.Arbitrary<readonly Command[]> = fc.constantFrom<readonly Command[]>(
  [],
  [
    briefPushed(),
    { type: "run-changed", run: run(), head_sha: "brief", commit_message: `Run job ${ID}: x` },
    {
      type: "run-changed",
      run: run({ status: "completed", conclusion: "success" }),
      head_sha: "brief",
      commit_message: `Run job ${ID}: x`,
    },
    resultRead(),
    opened(),
  ],
  [
    briefPushed(),
    { type: "run-changed", run: run(), head_sha: "brief", commit_message: `Run job ${ID}: x` },
    { type: "hand-in", old_workflow: false, run_id: 500, attempt: 1, result: work() },
  ],
  [
    briefPushed(),
    { type: "run-changed", run: run(), head_sha: "brief", commit_message: `Run job ${ID}: x` },
    {
      type: "run-changed",
      run: run({ status: "completed", conclusion: "success" }),
      head_sha: "brief",
      commit_message: `Run job ${ID}: x`,
    },
    resultRead({ outcome: "question", body: "Red or blue?" }),
  ],
  [
    briefPushed(),
    { type: "run-changed", run: run(), head_sha: "brief", commit_message: `Run job ${ID}: x` },
    {
      type: "run-changed",
      run: run({ status: "completed", conclusion: "success" }),
      head_sha: "brief",
      commit_message: `Run job ${ID}: x`,
    },
    resultRead(),
    opened(),
    { type: "message", text: "more", by: ADA, comment_id: 9 },
    briefPushed(2, 1, "brief"),
    { type: "run-changed", run: run({ id: 501 }), head_sha: "brief", commit_message: `Run job ${ID}: x` },
    {
      type: "run-changed",
      run: run({ id: 501, status: "completed", conclusion: "success" }),
      head_sha: "brief",
      commit_message: `Run job ${ID}: x`,
    },
    resultRead({ outcome: "question", body: "Red or blue?" }, 2),
    opened(2),
  ],
  [
    { type: "pull", agent_id: "a1", account: "bob" },
    { type: "accept", agent_id: "a1" },
    { type: "submit", agent_id: "a1", result: work() },
    opened(),
  ],
  [
    { type: "pull", agent_id: "a1", account: "bob" },
    { type: "accept", agent_id: "a1" },
    { type: "submit", agent_id: "a1", result: work() },
    { type: "nothing-to-open", round: 1 },
  ],
);

const walk = fc.record({
  runner: fc.constantFrom("actions", "market"),
  price: fc.constantFrom(0, 100, 777, 5_000),
  wallet: fc.integer({ min: 0, max: 12_000 }),
  commands: fc.tuple(opening, fc.array(command, { maxLength: 40 })).map(([first, rest]) => [...first, ...rest]),
  steps: fc.array(fc.integer({ min: 0, max: 200_000 }), { minLength: 46, maxLength: 46 }),
});

interface World {
  job: Job;
  ledger: Posting[];
}

const USERS: readonly LedgerAccount[] = ["user:ada", "user:bob", "user:owner-of-a1", "user:owner-of-a2"];

type Walk = typeof walk extends fc.Arbitrary<infer T> ? T : never;

/** Walks and calls back after every decision; `before` is null at the creation. */
function play(
  { runner, price, wallet, commands, steps }: Walk,
  visit: (before: Job | null, decision: Decision, world: World, now: number, command: Command | null) => void,
): void {
  const ledger: Posting[] = credit("ada", wallet);
  const available = () => balanceOf(userAccount("ada"), ledger);
  const first = decide(
    null,
    { type: "create", draft: draft({ runner, price_cents: price }) },
    { now: T0, available_cents: available() },
  );
  if (first.kind !== "decided") throw new Error("create was refused");
  ledger.push(...first.postings);
  const world: World = { job: first.job, ledger };
  visit(null, first, world, T0, null);
  let now = T0;
  for (const [index, next] of commands.entries()) {
    now += steps[index] ?? 0;
    const before = world.job;
    const decision = decide(before, next, { now, available_cents: available() });
    if (decision.kind === "decided") {
      world.job = decision.job;
      ledger.push(...decision.postings);
    }
    visit(before, decision, world, now, next);
  }
}

describe("whatever is commanded, in whatever order", () => {
  it("no illegal transition happens, and the history tells every one", () => {
    fc.assert(
      fc.property(walk, (one) =>
        play(one, (before, decision) => {
          if (decision.kind !== "decided" || before === null) return;
          let status = before.status;
          for (const row of decision.history) {
            expect(row.from).toBe(status);
            if (row.to !== status) expect(LEGAL[status], `${status} → ${row.to}`).toContain(row.to);
            status = row.to;
          }
          expect(decision.job.status).toBe(status);
          const last = decision.history.at(-1);
          if (last !== undefined) expect(last.outcome ?? null).toBe(outcomeOf(decision.job));
        }),
      ),
      { numRuns: 500 },
    );
  });

  it("a job has an outcome exactly when it is over or asks, and every dialect tells the same one", () => {
    fc.assert(
      fc.property(walk, (one) =>
        play(one, (_before, decision, { job }) => {
          const outcome = outcomeOf(job);
          expect(outcome === null).toBe(!isAtRest(job.status));
          if (job.merged_at !== null && outcome !== null) expect(outcome).toBe("merged");
          expect(jobView(job, T0).outcome).toBe(outcome);
          if (decision.kind !== "decided") return;
          const { events } = emittedEventOf(job, decision.history, 1);
          for (const { data } of events) expect(data.outcome === null).toBe(!isAtRest(data.status));
        }),
      ),
      { numRuns: 500 },
    );
  });

  it("a job that asks waits until a person answers or ends it: no merge, no push and no end come of anything else", () => {
    const ends: ReadonlySet<Command["type"]> = new Set([
      ...(["message", "cancel", "discard", "archive", "merged", "closed", "branch-deleted"] as const),
    ]);
    let waited = 0;
    fc.assert(
      fc.property(walk, (one) =>
        play(one, (before, decision, { job }, now, next) => {
          if (job.status === "waiting_for_user") {
            waited += 1;
            expect(job.question_asked_at).not.toBeNull();
            expect(job.cancellation_requested).toBe(false);
            expect(isOnActions(job) && job.rounds.at(-1)?.is_question).toBe(true);
            const answer: Command = { type: "message", text: "blue", by: ADA, comment_id: 4_711 };
            const answered = decide(job, answer, { now, available_cents: 0 });
            expect(answered).toMatchObject({ kind: "decided", job: { status: "queued", round: job.round + 1 } });
          }
          if (before?.status !== "waiting_for_user" || decision.kind !== "decided") return;
          const byPerson = next !== null && (ends.has(next.type) || next.type === "observe");
          if (next?.type === "observe" && next.facts.state === "open") expect(job.status).toBe("waiting_for_user");
          if (byPerson) return;
          expect(job.status, next?.type).toBe("waiting_for_user");
          for (const { effect } of decision.effects)
            expect(["merge", "enable-auto-merge", "push-brief"], next?.type).not.toContain(effect.type);
        }),
      ),
      { numRuns: 500 },
    );
    expect(waited).toBeGreaterThan(0);
  });

  it("postings sum to zero, no user's balance goes below zero, and a final job's escrow is empty", () => {
    fc.assert(
      fc.property(walk, (one) =>
        play(one, (_before, decision, { job, ledger }) => {
          if (decision.kind === "decided")
            expect(decision.postings.reduce((sum, posting) => sum + posting.cents, 0)).toBe(0);
          for (const user of USERS) expect(balanceOf(user, ledger)).toBeGreaterThanOrEqual(0);
          const escrow = balanceOf(escrowAccount(job.id), ledger);
          expect(escrow).toBe(isFinal(job.status) || job.status === "pending_payment" ? 0 : job.price_cents);
        }),
      ),
      { numRuns: 500 },
    );
  });

  it("a command that comes twice moves nothing the second time", () => {
    fc.assert(
      fc.property(walk, (one) =>
        play(one, (before, decision, { job, ledger }, now, next) => {
          if (before === null || next === null || decision.kind !== "decided") return;
          // two messages without a comment are two, and a second reading of a new head is what it waits for
          if (next.type === "message" && next.comment_id === null) return;
          if (next.type === "observe" && next.facts.head_sha !== before.head_sha) return;
          const available_cents = balanceOf(userAccount("ada"), ledger);
          const again = decide(job, next, { now, available_cents });
          if (again.kind !== "decided") return;
          expect(again.postings).toEqual([]);
          expect(again.history).toEqual([]);
          expect(again.job.status).toBe(job.status);
        }),
      ),
      { numRuns: 500 },
    );
  });

  it("neither time nor a judge pays for work of the market whose checks are red or that a judge has failed", () => {
    fc.assert(
      fc.property(
        walk.map((one) => ({ ...one, runner: "market" as const })),
        (one) =>
          play(one, (before, decision, { job }, _now, next) => {
            if (before === null || next === null || decision.kind !== "decided") return;
            if (before.status === "verified" || job.status !== "verified") return;
            if (next.type === "merged" || next.type === "approve") return;
            if (next.type === "observe" && next.facts.state === "merged") return;
            expect(marketWork(job)?.judgement?.verdict).not.toBe("fail");
            expect(next.type === "observe" || next.type === "tick" || next.type === "look", next.type).toBe(true);
            if (next.type !== "observe") expect(job.pull_request).toBeNull();
            else expect(next.facts.checks.map(({ state }) => state)).not.toContain("failure");
          }),
      ),
      { numRuns: 500 },
    );
  });

  it("nothing is asked of GitHub that the job does not want any more", () => {
    fc.assert(
      fc.property(walk, (one) =>
        play(one, (_before, decision) => {
          if (decision.kind !== "decided") return;
          for (const { effect } of decision.effects.slice(-1)) expect(isWanted(effect, decision.job)).toBe(true);
        }),
      ),
      { numRuns: 200 },
    );
  });
});
