/** What the commits of a job say of its repository's set-up. */
import { describe, expect, it } from "vitest";
import { NO_USAGE } from "../../src/contracts/result.ts";
import { nextTimerAt } from "../../src/domain/job/next-timer.ts";
import { setUpNews } from "../../src/engine/set-up-news.ts";
import { begin, briefPushed, decided, led, onMarket, resultRead, runChanged, step } from "./job-fixtures.ts";

const pushed = () => led(begin(), briefPushed());
const ended = () => led(pushed(), runChanged(), runChanged({ status: "completed", conclusion: "failure" }));
const newsOf = (said: Parameters<typeof resultRead>[0]) => {
  const before = ended();
  return setUpNews(before, led(before, resultRead(said)));
};

describe("a job's commits tell the repository", () => {
  it("that a run has begun, once", () => {
    const begun = led(pushed(), runChanged());
    expect(setUpNews(pushed(), begun)).toMatchObject({ type: "run-seen" });
    expect(setUpNews(begun, begun)).toBeNull();
  });

  it("that a run did not start", () => {
    const before = pushed();
    const over = led(before, runChanged({ status: "queued" }));
    const failed = led(over, runChanged({ status: "completed", conclusion: "startup_failure" }));
    expect(setUpNews(over, failed)).toEqual({ type: "run-ended", problem: "run_did_not_start" });
  });

  it("that no run has come for a brief", () => {
    const before = pushed();
    const { job } = decided(step(before, { type: "tick" }, (nextTimerAt(before) ?? 0) + 1));
    expect(setUpNews(before, job)).toEqual({ type: "run-ended", problem: "no_run" });
    expect(setUpNews(job, job)).toBeNull();
  });

  it.each([
    ["the key was missing", { permanent_error: "key_missing" }, "no_key"],
    ["the provider refused the key", { permanent_error: "key_refused" }, "key_refused"],
    ["Docker could not get the image", { image_missing: true }, "no_image"],
    ["the image could not be set up", { set_up_failed: true }, "set_up_failed"],
  ] as const)("that %s", (_what, more, problem) => {
    expect(newsOf({ outcome: "failed", ...more })).toEqual({ type: "run-ended", problem });
  });

  it("that all is well, of every result that a model has worked on", () => {
    for (const outcome of ["done", "question", "limit"] as const)
      expect(newsOf({ outcome })).toEqual({ type: "run-ended", problem: null });
    expect(newsOf({ outcome: "failed", usage: { ...NO_USAGE, turns: 3 } })).toMatchObject({ problem: null });
  });

  it("nothing of a result that is lost, or failed for other reasons before the first answer", () => {
    expect(newsOf({ outcome: "failed", permanent_error: "no_credit" })).toBeNull();
    expect(newsOf({ outcome: "failed", permanent_error: null })).toBeNull();
  });

  it("nothing of a job that somebody of the market works on, or that has just come to be", () => {
    expect(setUpNews(begin(), onMarket())).toBeNull();
    expect(setUpNews(null, ended())).toBeNull();
  });
});
