/** A job whose agent asks something: how it waits for a person, and by what it goes on or ends. */
import { describe, expect, it } from "vitest";
import type { Command } from "../../src/domain/job/command.ts";
import type { AgentResult, Job } from "../../src/domain/job/job.ts";
import { eventsOf } from "../../src/domain/job/job-events.ts";
import { nextTimerAt } from "../../src/domain/job/next-timer.ts";
import { outcomeOf } from "../../src/domain/job/outcome.ts";
import { runAuthorizationOf } from "../../src/domain/job/run-claims.ts";
import { jobView } from "../../src/domain/job/view.ts";
import { isWanted } from "../../src/domain/job/wanted-effects.ts";
import { briefFiles } from "../../src/github/effects/brief.ts";
import { NO_CONTEXT } from "../../src/github/effects/brief-context.ts";
import {
  ADA,
  begin,
  briefPushed,
  check,
  decided,
  effectsOf,
  facts,
  led,
  opened,
  resultRead,
  runChanged,
  settings,
  step,
  TO_PULL_REQUEST,
} from "./job-fixtures.ts";

const QUESTION = { outcome: "question", body: "Red or blue?", changed_files: [] } as const;
const TO_RUN = TO_PULL_REQUEST.slice(0, 4);
const answer: Command = { type: "message", text: "blue", by: ADA, comment_id: 71 };
const observed = (change = {}): Command => ({ type: "observe", facts: facts(change) });

const asking = (change: Partial<AgentResult> = {}): Job =>
  led(begin(), ...TO_RUN, resultRead({ ...QUESTION, ...change }));

const TO_SECOND_RESULT: readonly Command[] = [
  { type: "message", text: "paint it", by: ADA, comment_id: 5 },
  briefPushed(2, 1, "brief2"),
  runChanged({ id: 501 }, "brief2"),
  runChanged({ id: 501, status: "completed", conclusion: "success" }, "brief2"),
];
const submittedAgain = (): Job => led(begin(), ...TO_PULL_REQUEST, ...TO_SECOND_RESULT, resultRead({ ...QUESTION }, 2));
const askingOnPull = (): Job => led(submittedAgain(), opened(2));

describe("a question on a first round", () => {
  it("has the job wait, with no pull request, shown at once, told as an event and an outcome", () => {
    const ended = led(begin(), ...TO_RUN);
    const asked = step(ended, resultRead(QUESTION));
    const { job, history } = decided(asked);
    expect(job).toMatchObject({ status: "waiting_for_user", pull_request: null, question_asked_at: job.updated_at });
    expect(effectsOf(asked)).toEqual(["sync-check", "sync-comment"]);
    expect(eventsOf(history)).toEqual(["job.waiting_for_user"]);
    expect([history.at(-1)?.outcome, outcomeOf(job)]).toEqual(["question", "question"]);
    expect(jobView(job, job.updated_at)).toMatchObject({
      ...{ status: "waiting_for_user", outcome: "question", question: "Red or blue?" },
      waiting_since: new Date(job.updated_at).toISOString(),
    });
  });

  it("wakes by no time, and lets no run of before go on", () => {
    const job = asking();
    expect(nextTimerAt(job)).toBeNull();
    expect(step(job, { type: "tick" }).kind).toBe("unchanged");
    expect(runAuthorizationOf(job, { id: 500, attempt: 1 })).toBe("over");
    const again = step(job, runChanged({ attempt: 2 }));
    expect([effectsOf(again), decided(again).job.status]).toEqual([["cancel-run"], "waiting_for_user"]);
  });

  it("goes on by the answer, whose brief holds the task, the question and the answer", () => {
    const next = step(asking(), answer);
    expect(decided(next).job).toMatchObject({ status: "queued", round: 2, question_asked_at: null });
    expect(outcomeOf(decided(next).job)).toBeNull();
    expect(jobView(decided(next).job, 0)).toMatchObject({ question: null, waiting_since: null });
    expect(effectsOf(next)).toEqual(["react", "push-brief", "sync-comment"]);
    const base = {
      base: { branch: "main", sha: "base" },
      settings: settings(),
      present: [],
      failed_checks: [],
      reviews: [],
    };
    const context = NO_CONTEXT;
    const llm = { provider: "anthropic", model: "m", max_tokens: null, notes: [] };
    const { files } = briefFiles(
      decided(next).job,
      { round: 2, attempt: 1 },
      { ...base, llm, context },
      { publicUrl: null },
    );
    const [task = "", config = ""] = files.map(({ bytes }) => Buffer.from(bytes).toString());
    expect(task).toBe("blue\n");
    expect(JSON.parse(config)).toMatchObject({
      history: [{ asked: "Say hello in HELLO.md", did: "Red or blue?", is_question: true }],
    });
    expect(step(decided(next).job, answer).kind).toBe("unchanged");
  });

  it("that comes after a message is answered by it", () => {
    const working = led(begin(), ...TO_RUN.slice(0, 3), { ...answer, comment_id: 72 } as Command);
    const ended = led(working, runChanged({ status: "completed", conclusion: "success" }));
    const { job, history } = decided(step(ended, resultRead(QUESTION)));
    expect(job).toMatchObject({ status: "queued", round: 2, waiting_messages: [] });
    expect(eventsOf(history)).toEqual(["job.waiting_for_user", "job.queued"]);
  });

  it("of a run that was asked to stop is the end of the cancel", () => {
    const stopping = led(begin(), ...TO_RUN.slice(0, 3), { type: "cancel", by: ADA });
    const ended = led(stopping, runChanged({ status: "completed", conclusion: "success" }), resultRead(QUESTION));
    expect(ended).toMatchObject({ status: "cancelled", question_asked_at: null });
  });

  it("ends by a cancel, which keeps a branch with work on it, and by a discard, which does not", () => {
    const cancel: Command = { type: "cancel", by: ADA };
    const cancelled = step(asking(), cancel);
    expect(decided(cancelled).job).toMatchObject({ status: "cancelled", cancellation_requested: true });
    expect(effectsOf(cancelled)).toContain("delete-branch");
    expect(effectsOf(step(asking({ changed_files: ["RED.md"] }), cancel))).not.toContain("delete-branch");
    const discarded = step(asking({ changed_files: ["RED.md"] }), { type: "discard", by: ADA });
    expect([decided(discarded).job.status, effectsOf(discarded)]).toEqual([
      "cancelled",
      ["delete-branch", "sync-comment"],
    ]);
  });

  it("ends by archiving, and by a branch that somebody deletes", () => {
    const archived = decided(step(asking(), { type: "archive", by: ADA }));
    expect(archived.job).toMatchObject({ status: "cancelled", archived_at: archived.job.updated_at });
    expect(eventsOf(archived.history)).toEqual(["job.cancelled", "job.archived"]);
    expect(led(asking(), { type: "branch-deleted" }).status).toBe("cancelled");
  });

  it("says what to do instead of a retry", () => {
    expect(step(asking(), { type: "retry", by: ADA, comment_id: 9 })).toMatchObject({
      refusal: { code: "wrong_status", sentence: expect.stringContaining("`/job <answer>`") },
    });
  });
});

describe("a question on a later round", () => {
  it("takes the job's folder off first, then waits and has the pull request watched", () => {
    const submitted = submittedAgain();
    expect(submitted.status).toBe("submitted");
    expect(isWanted({ type: "open-pull-request", round: 2 }, submitted)).toBe(true);
    const asked = step(submitted, opened(2));
    expect(decided(asked).job).toMatchObject({ status: "waiting_for_user", pull_request: { number: 8 } });
    expect(effectsOf(asked)).toEqual(["read-facts", "sync-check", "sync-comment"]);
    expect(isWanted({ type: "read-facts", runs: [] }, decided(asked).job)).toBe(true);
    expect(step(decided(asked).job, opened(2)).kind).toBe("unchanged");
  });

  it("has its checks judged, and is neither failed nor merged by what they say", () => {
    const green = led(askingOnPull(), observed());
    expect(green).toMatchObject({ status: "waiting_for_user", merge: { state: "waiting" } });
    const red = led(askingOnPull(), observed({ checks: [check({ state: "failure" })] }));
    expect(red).toMatchObject({ status: "waiting_for_user", attempt: 1, failure: null });
    expect(red.reasons[0]).toMatchObject({ verdict: "fail" });
    const moved = step(red, observed({ head_sha: "person" }));
    expect([decided(moved).job.status, effectsOf(moved)]).toEqual(["waiting_for_user", ["sync-check", "read-facts"]]);
  });

  it("is looked at by the hour, so that what no webhook told is found", () => {
    expect(effectsOf(step(askingOnPull(), { type: "look", forced: true }))).toEqual(["read-facts"]);
    expect(step(asking(), { type: "look", forced: true }).kind).toBe("unchanged");
  });

  it("ends by a merge of a person's, told or seen", () => {
    const merged: Command = { type: "merged", pull_request: 8, by: "ada", at: 5 };
    for (const told of [merged, observed({ state: "merged", merged_at: 5, merged_by: "ada" })]) {
      const { job, history } = decided(step(askingOnPull(), told));
      expect(job).toMatchObject({ status: "verified", merged_at: 5 });
      expect([outcomeOf(job), eventsOf(history)]).toEqual(["merged", ["job.verified", "job.merged"]]);
    }
  });

  it("ends by a close, and keeps the branch and the pull request when it is cancelled", () => {
    expect(led(askingOnPull(), { type: "closed", pull_request: 8, by: "ada" }).status).toBe("cancelled");
    const cancelled = step(askingOnPull(), { type: "cancel", by: ADA });
    expect(effectsOf(cancelled)).not.toContain("delete-branch");
    expect(effectsOf(step(askingOnPull(), { type: "discard", by: ADA }))).toEqual(
      expect.arrayContaining(["close-pull-request", "delete-branch"]),
    );
  });

  it("goes on by the answer on the same pull request, and is merged then", () => {
    const answered = led(
      askingOnPull(),
      answer,
      briefPushed(3, 1, "brief3"),
      runChanged({ id: 502 }, "brief3"),
      runChanged({ id: 502, status: "completed", conclusion: "success" }, "brief3"),
      resultRead({}, 3),
      opened(3),
      observed(),
    );
    expect(answered).toMatchObject({ status: "verified", pull_request: { number: 8 }, merge: { state: "merging" } });
    expect(answered.rounds.map(({ is_question }) => is_question ?? false)).toEqual([false, true, false]);
  });
});

describe("a question of before", () => {
  it("that ended its job as verified is over, and is answered all the same", () => {
    const old: Job = { ...asking(), status: "verified", question_asked_at: null };
    expect(outcomeOf(old)).toBe("question");
    expect(jobView(old, 0)).toMatchObject({ status: "verified", question: null, waiting_since: null });
    expect(led(old, answer)).toMatchObject({ status: "queued", round: 2 });
  });
});

describe("a worker of the market who asks", () => {
  it("hands in what the sender decides on, as any other work", () => {
    const job = led(
      begin({ runner: "market", price_cents: 0 }),
      { type: "pull", agent_id: "a1", account: "bob" },
      { type: "accept", agent_id: "a1" },
      briefPushed(),
      {
        type: "submit",
        agent_id: "a1",
        result: { ...led(begin(), ...TO_RUN, resultRead()).result, ...QUESTION } as AgentResult,
      },
      { type: "nothing-to-open", round: 1 },
    );
    expect(job.status).toBe("submitted");
  });
});
