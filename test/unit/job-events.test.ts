import { describe, expect, it } from "vitest";
import type { Command, Draft } from "../../src/domain/job/command.ts";
import { decide } from "../../src/domain/job/decide.ts";
import type { Job } from "../../src/domain/job/job.ts";
import { emittedEventOf, eventsOf } from "../../src/domain/job/job-events.ts";
import { NEW_MARKET_WORK } from "../../src/domain/job/schema.ts";
import { jobView, jobViewSchema } from "../../src/domain/job/view.ts";
import { ADA, begin, decided, draft, facts, led, run, step, T0, TO_PULL_REQUEST } from "./job-fixtures.ts";

const told = (job: Job, command: Command): readonly string[] => eventsOf(decided(step(job, command)).history);

const created = (given: Draft) =>
  decided(decide(null, { type: "create", draft: given }, { now: T0, available_cents: 0 }));

const START: Command = {
  type: "run-changed",
  run: run(),
  head_sha: "brief",
  commit_message: "Run job abcd1234: Say hello",
};

describe("what a commit tells", () => {
  it("is job.created once, whatever status a job begins with", () => {
    expect(eventsOf(created(draft()).history)).toEqual(["job.created"]);
    const unpaid = created(draft({ runner: "market", price_cents: 500 }));
    expect(unpaid.job.status).toBe("pending_payment");
    expect(eventsOf(unpaid.history)).toEqual(["job.created"]);
  });

  it("is job.accepted alone when a run on Actions starts", () => {
    const [pushed] = TO_PULL_REQUEST;
    if (pushed === undefined) throw new Error("the way to a pull request is empty");
    expect(told(led(begin(), pushed), START)).toEqual(["job.accepted"]);
  });

  it("is nothing where only facts change", () => {
    expect(told(begin(), { type: "comment-synced", comment_id: 1 })).toEqual([]);
  });

  it("is job.verified and job.merged when somebody merges what was not judged yet", () => {
    const merged = { type: "merged", pull_request: 8, by: "ada", at: T0 } as const;
    const submitted = led(begin(), ...TO_PULL_REQUEST);
    expect(told(submitted, { ...merged, pull_request: submitted.pull_request?.number ?? 0 })).toEqual([
      "job.verified",
      "job.merged",
    ]);
  });

  it("is job.cancelled and, later, job.archived", () => {
    const cancel = { type: "cancel", by: ADA } as const;
    expect(told(begin(), cancel)).toEqual(["job.cancelled"]);
    expect(told(led(begin(), cancel), { type: "archive" })).toEqual(["job.archived"]);
  });

  it("shows with each event the status that its own step led to", () => {
    const asked = led(begin(), ...TO_PULL_REQUEST.slice(0, -1));
    const waiting: Job = { ...asked, status: "accepted", waiting_messages: [{ text: "more", by: "ada" }] };
    const rows = [
      { at: T0, event: "submitted", from: "accepted", to: "submitted", by: null, note: null },
      { at: T0, event: "queued", from: "submitted", to: "queued", by: null, note: null },
    ] as const;
    const { events, version } = emittedEventOf({ ...waiting, status: "queued" }, rows, 7);
    expect(version).toBe(7);
    expect(events.map(({ type, data }) => [type, data.status])).toEqual([
      ["job.submitted", "submitted"],
      ["job.queued", "queued"],
    ]);
    expect(events[0]?.timestamp).toBe(new Date(T0).toISOString());
  });
});

describe("the view of a job", () => {
  it("is what its schema says, at every step of a job's life", () => {
    let job = begin();
    for (const command of [...TO_PULL_REQUEST, { type: "observe", facts: facts() } as const]) {
      job = led(job, command);
      expect(jobViewSchema.strict().parse(jobView(job, T0))).toEqual(jobView(job, T0));
    }
  });

  it("never shows where callbacks go", () => {
    const { job } = created(draft({ callback_url: "https://x.example/token" }));
    expect(job.callback_url).toBe("https://x.example/token");
    expect(JSON.stringify(jobView(job, T0))).not.toContain("token");
  });

  it("reads a hold that is over as queued", () => {
    const hold = { agent_id: "a", account: "bob", expires_at: T0 + 5 };
    const held: Job = { ...begin(), status: "held", work: { ...NEW_MARKET_WORK, hold } };
    expect(jobView(held, T0).status).toBe("held");
    expect(jobView(held, T0 + 5).status).toBe("queued");
  });
});
