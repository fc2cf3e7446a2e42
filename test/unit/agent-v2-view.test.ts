import { describe, expect, it } from "vitest";
import { NO_USAGE } from "../../src/contracts/result.ts";
import { repositorySettingsSchema } from "../../src/contracts/settings.ts";
import { decide } from "../../src/domain/job/decide.ts";
import { type Job, STATUSES, type Status } from "../../src/domain/job/job.ts";
import { agentV2Status, agentV2View } from "../../src/http/dialects/agent-v2/view.ts";
import { draft, T0 } from "./job-fixtures.ts";

/** A job as the core makes it, changed in the fields that a case is about. */
function job(change: Partial<Job> = {}): Job {
  const decision = decide(null, { type: "create", draft: draft() }, { now: T0, available_cents: 0 });
  if (decision.kind !== "decided") throw new Error(`not created: ${decision.kind}`);
  return { ...decision.job, ...change };
}

const surroundings = { github_web_url: "https://github.example", model: "the-server's" };
const modelOf = (change: Partial<Job>): string => agentV2View(job(change), surroundings).model;
const work = (model: string): Job["result"] => ({
  ...{
    outcome: "done",
    title: "",
    body: "",
    reason: null,
    model,
    usage: NO_USAGE,
    cost_cents: null,
    changed_files: [],
  },
});
const settings = repositorySettingsSchema.parse({ llm: { model: "the-repository's" } });
const choices = { provider: null, model: "the-sender's", no_merge: false, draft: false };

const READS = {
  pending_payment: "active",
  queued: "active",
  held: "active",
  accepted: "active",
  submitted: "active",
  waiting_for_user: "completed",
  verified: "completed",
  failed: "failed",
  cancelled: "failed",
} as const satisfies Record<Status, string>;

describe("a job in the agent v2 dialect", () => {
  it.each(STATUSES)("has a status for %s, which archiving hides", (status) => {
    expect(agentV2Status(job({ status }))).toBe(READS[status]);
    expect(agentV2Status(job({ status, archived_at: T0 }))).toBe("archived");
  });

  it("is completed whether or not a merge is still to come", () => {
    const pull_request = { number: 4, url: "https://github.example/octo/demo/pull/4" };
    const change = { status: "verified", pull_request } as const;
    expect(agentV2Status(job({ ...change, merge: { state: "waiting", refusals: 0 } }))).toBe("completed");
    expect(agentV2Status(job({ ...change, merged_at: T0 }))).toBe("completed");
  });

  it("has every field from the start, null where nothing is known", () => {
    expect(agentV2View(job(), surroundings)).toEqual({
      id: "abcd1234",
      status: "active",
      outcome: null,
      question: null,
      waitsInLine: null,
      source: { repository: "https://github.example/octo/demo", ref: "job/abcd1234" },
      model: "the-server's",
      prLink: null,
      createdAt: "2023-11-14T22:13:20.000Z",
      archivedAt: null,
    });
  });

  it("shows pull request and archiving once there are such", () => {
    const pull_request = { number: 4, url: "https://github.example/octo/demo/pull/4" };
    expect(agentV2View(job({ status: "verified", pull_request, archived_at: T0 + 500 }), surroundings)).toMatchObject({
      status: "archived",
      prLink: pull_request.url,
      archivedAt: "2023-11-14T22:13:20.500Z",
    });
  });

  it("names the model that worked, else the sender's, the repository's, the server's", () => {
    expect(modelOf({ result: work("the-worker's"), choices, settings })).toBe("the-worker's");
    expect(modelOf({ result: work("unknown"), choices, settings })).toBe("the-sender's");
    expect(modelOf({ choices, settings })).toBe("the-sender's");
    expect(modelOf({ settings })).toBe("the-repository's");
    expect(modelOf({})).toBe("the-server's");
  });
});
