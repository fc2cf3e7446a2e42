/** What each word of GitHub's about a check means for a job, and what follows from checks that were cancelled. */
import { describe, expect, it } from "vitest";
import { checkOfContext } from "../../src/github/effects/facts-query.ts";
import { begin, check, decided, effectsOf, facts, ID, led, step, TO_PULL_REQUEST } from "./job-fixtures.ts";

const SELF = { appId: 4242, slug: "journeyman" };
const inReview = () => led(begin(), ...TO_PULL_REQUEST);

const ofRun = (status: string, conclusion: string | null) =>
  checkOfContext(
    {
      ...{ __typename: "CheckRun", name: "test", status, conclusion, isRequired: false },
      checkSuite: {
        app: { databaseId: 15368, slug: "github-actions" },
        workflowRun: { databaseId: 7, event: "push", workflow: { name: "CI" }, file: { path: "ci.yml" } },
      },
    },
    SELF,
    ID,
  ).check;
const ofStatus = (state: string) =>
  checkOfContext({ __typename: "StatusContext", context: "ext", state, isRequired: false }, SELF, ID).check;

describe("what GitHub says of a check run", () => {
  it.each([
    ["SUCCESS", "success", "pass"],
    ["NEUTRAL", "neutral", "pass"],
    ["SKIPPED", "skipped", "wait"],
    ["CANCELLED", "cancelled", "wait"],
    ["STALE", "cancelled", "wait"],
    ["ACTION_REQUIRED", "action_required", "wait"],
    ["FAILURE", "failure", "fail"],
    ["TIMED_OUT", "failure", "fail"],
    ["STARTUP_FAILURE", "failure", "fail"],
    ["SOMETHING_NEW", "failure", "fail"],
  ])("as its conclusion %s is read as %s: %s", (conclusion, state, verdict) => {
    const read = ofRun("COMPLETED", conclusion);
    expect(read).toMatchObject({ state, run_id: 7 });
    expect(
      decided(step(inReview(), { type: "observe", facts: facts({ checks: [read] }) })).job.reasons[0],
    ).toMatchObject({ verdict: verdict });
  });

  it.each(["QUEUED", "IN_PROGRESS", "WAITING", "REQUESTED", "PENDING", "SOMETHING_NEW"])(
    "as its status %s is waited for",
    (status) => {
      expect(ofRun(status, null).state).toBe("pending");
    },
  );

  it("of a check that is over without a conclusion is waited for", () => {
    expect(ofRun("COMPLETED", null).state).toBe("pending");
  });
});

describe("what GitHub says of a commit status", () => {
  it.each([
    ["SUCCESS", "success"],
    ["EXPECTED", "pending"],
    ["PENDING", "pending"],
    ["FAILURE", "failure"],
    ["ERROR", "failure"],
    ["SOMETHING_NEW", "failure"],
  ])("as its state %s is read as %s", (said, state) => {
    expect(ofStatus(said).state).toBe(state);
  });
});

describe("checks that were cancelled", () => {
  const cancelled = (name: string, run_id: number) => check({ name, state: "cancelled", run_id });
  const seen = (...checks: ReturnType<typeof check>[]) => ({ type: "observe", facts: facts({ checks }) }) as const;

  it("are run again once, each run for all of its checks, and then named with who does so", () => {
    const first = decided(
      step(inReview(), seen(check(), cancelled("lint", 5), cancelled("test", 5), cancelled("e2e", 6))),
    );
    expect(first.job).toMatchObject({ status: "submitted", attempt_count: 1, rerun_sha: "finish" });
    expect(first.effects).toContainEqual(
      expect.objectContaining({ effect: { type: "rerun-checks", runs: [5, 6] }, urgency: "now" }),
    );
    expect(first.job.reasons[0]).toMatchObject({
      text: "checks were cancelled, so nothing is decided",
      because: expect.arrayContaining([
        expect.objectContaining({ text: "lint was cancelled before it was done; it is run again" }),
      ]),
    });
    const second = step(first.job, seen(check(), cancelled("lint", 5)));
    expect(effectsOf(second)).not.toContain("rerun-checks");
    expect(decided(second).job.reasons[0]?.because).toMatchObject([
      { text: "lint was cancelled before it was done; run it again on GitHub" },
    ]);
    expect(decided(second).effects).toContainEqual(
      expect.objectContaining({ effect: { type: "sync-comment" }, urgency: "now" }),
    );
  });

  it.each([
    ["another check failed", [check({ name: "lint", state: "failure" })], {}],
    ["another check is not done", [check({ name: "lint", state: "pending" })], {}],
    ["a run goes on", [], { open_runs: [9] }],
    ["it is no workflow's", [], { checks: [check({ state: "cancelled" })] }],
  ] as const)("are not run again where %s", (_why, others, more) => {
    const report = { type: "observe", facts: facts({ checks: [cancelled("test", 5), ...others], ...more }) } as const;
    expect(effectsOf(step(inReview(), report))).not.toContain("rerun-checks");
  });

  it("may be run again in the next attempt", () => {
    const again = led(inReview(), seen(cancelled("test", 5)), seen(check({ state: "failure" })));
    expect(again).toMatchObject({ status: "queued", attempt: 2, rerun_sha: null });
  });
});
