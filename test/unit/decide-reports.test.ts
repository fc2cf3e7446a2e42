/** Reports of a run in the core: who may report, what is stored, and when the check run is updated. */
import { describe, expect, it } from "vitest";
import type { Command } from "../../src/domain/job/command.ts";
import { decide } from "../../src/domain/job/decide.ts";
import { actionsWork, type Job } from "../../src/domain/job/job.ts";
import { PROGRESS_BEGINS_MS, PROGRESS_GAP_MS } from "../../src/domain/job/rules/reporting.ts";
import { runAuthorizationOf } from "../../src/domain/job/run-claims.ts";
import { isWanted } from "../../src/domain/job/wanted-effects.ts";
import {
  ADA,
  begin,
  briefPushed,
  decided,
  draft,
  effectsOf,
  led,
  opened,
  resultRead,
  runChanged,
  step,
  work,
} from "./job-fixtures.ts";

const RUN = { run_id: 500, attempt: 1 };
const HAND_IN: Command = { type: "hand-in", old_workflow: false, ...RUN, result: work({ title: "As handed in" }) };
const PROGRESSED: Command = { type: "progressed", ...RUN };
const PUSHED: Command = { type: "head-moved", sha: "clean", clean: true };
const ENDED = runChanged({ status: "completed", conclusion: "success" });

const running = (): Job => led(begin(), briefPushed(), runChanged());
const byRest = (): Job =>
  led(begin({ origin: { kind: "rest", dialect: "create-job", key_id: null } }), briefPushed(), runChanged());

describe("a run's standing", () => {
  const of = (job: Job, id = 500, attempt = 1) => runAuthorizationOf(job, { id, attempt });
  const failed = (): Job =>
    led(running(), runChanged({ status: "completed", conclusion: "cancelled" }), briefPushed(1, 2, "b2"), {
      ...runChanged({ id: 501 }, "b2"),
    } as Command);

  it.each<[string, Job, ReturnType<typeof runAuthorizationOf>]>([
    ["is ours while it works", running(), "ours"],
    ["is not known while nobody has told of it", led(begin(), briefPushed()), "not_yet"],
    [
      "is not known while it waits for a runner",
      led(begin(), briefPushed(), runChanged({ status: "queued" })),
      "not_yet",
    ],
    ["is over when it has ended", led(running(), ENDED), "over"],
    ["is over when the work is handed on", led(running(), ENDED, resultRead()), "over"],
    ["is over when the pull request is open", led(running(), ENDED, resultRead(), opened()), "over"],
    [
      "is over in the next attempt",
      led(running(), runChanged({ status: "completed", conclusion: "cancelled" })),
      "over",
    ],
    ["is over when the next run works", failed(), "over"],
    ["is over when the job is cancelled", led(begin(), briefPushed(), { type: "cancel", by: ADA }), "over"],
    ["is ours while the cancel is on its way", led(running(), { type: "cancel", by: ADA }), "ours"],
  ])("%s", (_, job, expected) => {
    expect(of(job)).toBe(expected);
  });

  it("of another run, or of another attempt, is another", () => {
    expect(of(running(), 501)).toBe("unknown");
    expect(of(running(), 500, 2)).toBe("not_yet");
    const again = led(running(), runChanged({ attempt: 2 }));
    expect([of(again), of(again, 500, 2)]).toEqual(["over", "ours"]);
    const ended = led(running(), runChanged({ status: "completed", conclusion: "cancelled" }));
    expect(of(led(ended, briefPushed(1, 2, "b2")), 777)).toBe("not_yet");
  });
});

describe("a result that is handed in", () => {
  it("is the job's work, and ends nothing", () => {
    const decision = step(running(), HAND_IN);
    expect(effectsOf(decision)).toEqual([]);
    expect(decided(decision).job).toMatchObject({
      status: "accepted",
      result: { title: "As handed in" },
      work: { handed_in: { ...RUN, clean_sha: null } },
    });
  });

  it.each([
    ["another run", { ...HAND_IN, run_id: 501 }],
    ["another attempt", { ...HAND_IN, attempt: 2 }],
  ] as const)("is refused from %s", (_, command) => {
    expect(step(running(), command as Command)).toMatchObject({ kind: "refused", refusal: { code: "wrong_status" } });
  });

  it("is refused once the run has ended", () => {
    expect(step(led(running(), ENDED), HAND_IN).kind).toBe("refused");
  });

  it("with its push known goes to the pull request at the run's end, nothing read", () => {
    const decision = decided(step(led(running(), HAND_IN, PUSHED), ENDED));
    expect(decision.job).toMatchObject({
      status: "submitted",
      head_sha: "clean",
      work: { handed_in: { clean_sha: "clean" } },
    });
    expect(effectsOf(decision)).toEqual(["open-pull-request"]);
    expect(decision.history.map(({ event }) => event)).toEqual(["submitted"]);
  });

  it("without its push has the branch read, and so has a push that somebody followed", () => {
    expect(effectsOf(step(led(running(), HAND_IN), ENDED))).toEqual(["read-result"]);
    const followed = led(running(), HAND_IN, PUSHED, { type: "head-moved", sha: "theirs" });
    expect(followed.work).toMatchObject({ handed_in: { clean_sha: null } });
    expect(effectsOf(step(followed, ENDED))).toEqual(["read-result"]);
  });

  it("counts for its own attempt alone", () => {
    const again = led(running(), HAND_IN, PUSHED, runChanged({ attempt: 2 }));
    const ended = runChanged({ attempt: 2, status: "completed", conclusion: "success" });
    expect(effectsOf(step(again, ended))).toEqual(["read-result"]);
    expect(actionsWork(led(again, { ...HAND_IN, attempt: 2 } as Command))?.handed_in).toEqual({
      run_id: 500,
      attempt: 2,
      clean_sha: null,
    });
  });

  it("of a run that breaks all the same fails the attempt, and the next begins without it", () => {
    const broken = runChanged({ status: "completed", conclusion: "failure" });
    const next = led(running(), HAND_IN, PUSHED, broken);
    expect(next).toMatchObject({ status: "queued", attempt: 2, work: { handed_in: null, progress_at: null } });
  });

  it.each(["failed", "limit"] as const)("that says %s fails the attempt, whatever was pushed", (outcome) => {
    const told = { ...HAND_IN, result: work({ outcome, reason: "It is too hard." }) } as Command;
    expect(led(running(), told, PUSHED, ENDED)).toMatchObject({ status: "queued", failure: "It is too hard." });
  });

  it("that is a question has the job wait for a person, and opens nothing", () => {
    const told = { ...HAND_IN, result: work({ outcome: "question", changed_files: [] }) } as Command;
    const job = led(running(), told, PUSHED, ENDED);
    expect(job).toMatchObject({ status: "waiting_for_user", pull_request: null, result: { outcome: "question" } });
  });

  it("is dropped for what is read where the branch says otherwise", () => {
    const job = led(running(), HAND_IN, ENDED, resultRead({ title: "As read" }));
    expect(job).toMatchObject({
      status: "submitted",
      result: { title: "As read" },
      work: { handed_in: { clean_sha: null } },
    });
  });
});

describe("a push of ours", () => {
  it("means nothing before a result, twice, or of the brief's own commit", () => {
    expect(step(running(), PUSHED).kind).toBe("unchanged");
    const known = led(running(), HAND_IN, PUSHED);
    expect(step(known, PUSHED).kind).toBe("unchanged");
    expect(step(known, { type: "head-moved", sha: "brief" }).kind).toBe("unchanged");
  });

  it("stands when the outcome of the brief's push comes again", () => {
    const early = led(begin(), briefPushed(), runChanged(), HAND_IN, PUSHED, briefPushed());
    expect(early).toMatchObject({ head_sha: "clean", brief_sha: "brief" });
  });
});

describe("progress", () => {
  /** When the update that this report asks for is due; null: it asks for none. */
  const due = (job: Job, at: number): { job: Job; at: number | null } => {
    const decision = decide(job, PROGRESSED, { now: at, available_cents: 0 });
    if (decision.kind !== "decided") return { job, at: null };
    const [wanted] = decision.effects;
    expect(decision.effects.map(({ effect }) => effect.type)).toEqual(["show-progress"]);
    return { job: decision.job, at: wanted?.not_before ?? null };
  };

  it("of a job with a comment is shown from a minute on, when a check run is worth its writes", () => {
    const job = running();
    const begun = job.accepted_at ?? 0;
    expect(due(job, begun + 1_000).at).toBe(begun + PROGRESS_BEGINS_MS);
    expect(due(job, begun + 90_000).at).toBe(begun + 90_000);
  });

  it("of a job with a check run is shown after a quarter of a minute", () => {
    const shown = led(byRest(), { type: "check-synced", check_id: 1, sha: "brief" });
    const begun = shown.accepted_at ?? 0;
    expect(due(shown, begun + 100).at).toBe(begun + PROGRESS_GAP_MS);
  });

  it("asks for one update at a time, and further apart the longer the run goes on", () => {
    let job = running();
    const begun = job.accepted_at ?? 0;
    const shown: number[] = [];
    for (let at = begun; at < begun + 6 * 3_600_000; at += 1_000) {
      const next = due(job, at);
      if (next.at !== null) shown.push(next.at - begun);
      job = next.job;
    }
    const gaps = shown.slice(1).map((at, index) => at - (shown[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(PROGRESS_GAP_MS);
    expect(gaps.at(-1)).toBeGreaterThan(30 * 60_000);
    const within = (ms: number): number => shown.filter((at) => at <= ms).length;
    expect([within(5 * 60_000), within(30 * 60_000), within(6 * 3_600_000)]).toEqual([8, 16, 27]);
  });

  it("is nobody's business before the run, of another run, and after it", () => {
    expect(due(led(begin(), briefPushed()), 2_000_000_000_000).at).toBeNull();
    expect(step(running(), { ...PROGRESSED, run_id: 7 } as Command).kind).toBe("unchanged");
    expect(step(led(running(), ENDED), PROGRESSED).kind).toBe("unchanged");
    expect(isWanted({ type: "show-progress" }, running())).toBe(true);
    expect(isWanted({ type: "show-progress" }, led(running(), ENDED))).toBe(false);
  });
});

describe("how urgently people are shown", () => {
  const urgencyOf = (job: Job, command: Command, type: string): string | null => {
    const decision = decide(job, command, { now: job.updated_at + 1_000, available_cents: 0 });
    return decided(decision).effects.find(({ effect }) => effect.type === type)?.urgency ?? null;
  };

  it("the first comment is written at once, and says of the run what stays true when it begins", () => {
    const onLine = { kind: "comment", issue: 8, comment_id: "review-comment:9" } as const;
    for (const origin of [draft().origin, { kind: "label", issue: 8 } as const, onLine])
      expect(urgencyOf(begin(draft({ origin })), briefPushed(), "sync-comment")).toBe("now");
    const waiting = led(begin(), briefPushed(), runChanged({ status: "queued" }));
    expect(urgencyOf(led(begin(), briefPushed()), runChanged({ status: "queued" }), "sync-comment")).toBeNull();
    for (const job of [waiting, led(begin(), briefPushed())])
      expect(urgencyOf(job, runChanged(), "sync-comment")).toBeNull();
    const rest = begin({ ...draft({ origin: { kind: "rest", dialect: "create-job", key_id: null } }) });
    expect(decided(step(rest, briefPushed())).effects).toEqual([]);
  });

  it("a run that comes after a notice, or is begun again on GitHub, is told of soon", () => {
    const noticed = { ...led(begin(), briefPushed()), notice: "No workflow run has started for this job." };
    for (const status of ["queued", "in_progress"] as const) {
      expect(urgencyOf(noticed, runChanged({ status }), "sync-comment")).toBe("soon");
      expect(led(noticed, runChanged({ status })).notice).toBeNull();
    }
    const failed: Job = { ...led(running(), ENDED), status: "failed" };
    for (const status of ["queued", "in_progress"] as const) {
      const again = runChanged({ status, attempt: 2 });
      expect(led(failed, again)).toMatchObject({ status: status === "queued" ? "queued" : "accepted", round: 2 });
      expect(urgencyOf(failed, again, "sync-comment")).toBe("soon");
    }
  });

  it("what may be over within seconds can wait", () => {
    const submitted = led(running(), ENDED, resultRead());
    expect(urgencyOf(submitted, opened(), "sync-comment")).toBe("whenever");
    expect(urgencyOf(submitted, opened(), "sync-check")).toBe("whenever");
  });
});
