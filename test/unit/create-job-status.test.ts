import { describe, expect, it } from "vitest";
import { NO_USAGE } from "../../src/contracts/result.ts";
import { decide } from "../../src/domain/job/decide.ts";
import { asJobId, type Job, type JobId } from "../../src/domain/job/job.ts";
import { NEW_ACTIONS_WORK } from "../../src/domain/job/schema.ts";
import { createJobStatus, createJobView } from "../../src/http/dialects/create-job/status-view.ts";

function jobId(text: string): JobId {
  const id = asJobId(text);
  if (id === null) throw new Error(`not an id: ${text}`);
  return id;
}

/** A job as the core makes it, changed in the fields that a case is about. */
function job(change: Partial<Job>): Job {
  const decision = decide(
    null,
    {
      type: "create",
      draft: {
        id: jobId("abc12345"),
        account: "octocat",
        repository: { owner: "octocat", name: "hello", installation_id: 1 },
        runner: "actions",
        origin: { kind: "rest", dialect: "create-job", key_id: null },
        requester: null,
        title: "A task",
        task: "A task",
        choices: { provider: null, model: null, no_merge: false, draft: false },
        callback_url: null,
        base_branch: null,
        price_cents: 0,
        time_limit_seconds: 600,
      },
    },
    { now: 0, available_cents: 0 },
  );
  if (decision.kind !== "decided") throw new Error(`not created: ${decision.kind}`);
  return { ...decision.job, ...change };
}

const pull_request = { number: 42, url: "https://github.com/octocat/hello/pull/42" };
const result = {
  outcome: "done",
  title: "",
  body: "",
  reason: null,
  model: "m",
  usage: NO_USAGE,
  cost_cents: null,
  changed_files: ["reports/daily.md"],
} as const;

describe("a job in the create-job dialect", () => {
  it.each([
    ["pending", { status: "pending_payment" }],
    ["pending", { status: "queued" }],
    ["pending", { status: "held" }],
    ["running", { status: "accepted" }],
    ["running", { status: "submitted" }],
    ["completed", { status: "waiting_for_user", result: { ...result, outcome: "question" } }],
    ["completed", { status: "waiting_for_user", pull_request, merge: { state: "waiting", refusals: 0 } }],
    ["failed", { status: "failed" }],
    ["failed", { status: "cancelled" }],
    ["merged", { status: "verified", pull_request, merged_at: 5, merge: { state: "off", why: "merged" } }],
    ["running", { status: "verified", pull_request, merge: { state: "waiting", refusals: 0 } }],
    [
      "running",
      { status: "verified", pull_request, merge: { state: "merging", sha: "a", refusals: 0, deletes_branch: false } },
    ],
    ["running", { status: "verified", pull_request, merge: { state: "auto", sha: "a", deletes_branch: false } }],
    ["completed", { status: "verified", pull_request, merge: { state: "off", why: "settings" } }],
    ["completed", { status: "verified", pull_request: null, merge: { state: "waiting", refusals: 0 } }],
    ["merged", { status: "verified", pull_request, merged_at: 5, archived_at: 9 }],
  ] satisfies [string, Partial<Job>][])("reads %s when the core says %j", (status, change) => {
    expect(createJobStatus(job(change))).toBe(status);
  });

  it("has every field of the seed from the start, empty where nothing is known", () => {
    expect(createJobView(job({ status: "queued" }), [])).toEqual({
      status: "pending",
      outcome: null,
      question: null,
      branch: "job/abc12345",
      pr_url: null,
      run_url: null,
      log: null,
      changed_files: [],
    });
  });

  it("shows pull request, run, log and changed files once they are known", () => {
    const run = { id: 7, attempt: 1, url: "https://run", status: "completed", conclusion: "success" } as const;
    const log = [
      { seq: 1, at: "2026-01-01T00:00:00Z", level: "info", text: "one" },
      { seq: 2, at: "2026-01-01T00:00:01Z", level: "info", text: "two" },
    ] as const;
    expect(
      createJobView(
        job({ status: "verified", pull_request, merged_at: 5, work: { ...NEW_ACTIONS_WORK, run }, result }),
        log,
      ),
    ).toEqual({
      status: "merged",
      outcome: "merged",
      question: null,
      branch: "job/abc12345",
      pr_url: pull_request.url,
      run_url: "https://run",
      log: "one\ntwo",
      changed_files: ["reports/daily.md"],
    });
  });

  it("ends the log of a failed job with the reason", () => {
    const log = [{ seq: 1, at: "2026-01-01T00:00:00Z", level: "info", text: "one" }] as const;
    expect(createJobView(job({ status: "failed", failure: "The run failed twice." }), log).log).toBe(
      "one\nThe run failed twice.",
    );
    expect(createJobView(job({ status: "queued", failure: "The run failed." }), log).log).toBe("one");
  });
});
