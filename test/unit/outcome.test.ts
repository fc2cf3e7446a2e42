import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Command } from "../../src/domain/job/command.ts";
import type { Job } from "../../src/domain/job/job.ts";
import { emittedEventOf } from "../../src/domain/job/job-events.ts";
import { JOB_OUTCOMES, outcomeOf } from "../../src/domain/job/outcome.ts";
import {
  ADA,
  begin,
  decided,
  facts,
  judged,
  led,
  onMarket,
  resultRead,
  settings,
  step,
  TO_PULL_REQUEST,
} from "./job-fixtures.ts";

const TO_RESULT = TO_PULL_REQUEST.slice(0, 4);
const observe = (change = {}): Command => ({ type: "observe", facts: facts(change) });
const byHand = (by: string): Command => ({ type: "merged", pull_request: 8, by, at: 5 });
const ended = (outcome: "question" | "refused" | "nothing_to_do" | "failed"): Job =>
  led(begin(), ...TO_RESULT, resultRead({ outcome, changed_files: [] }));
const unmerged = observe({ settings: settings({ enabled: false }) });

describe("what came of a job", () => {
  it("is nothing yet at every step up to the verdict", () => {
    for (let steps = 0; steps <= TO_PULL_REQUEST.length; steps++)
      expect(outcomeOf(led(begin(), ...TO_PULL_REQUEST.slice(0, steps)))).toBeNull();
  });

  it.each<[string, Job]>([
    ["done", led(begin(), ...TO_PULL_REQUEST, observe())],
    ["done", led(begin(), ...TO_PULL_REQUEST, unmerged)],
    ["merged", led(begin(), ...TO_PULL_REQUEST, observe(), byHand("ada"))],
    ["merged", led(begin(), ...TO_PULL_REQUEST, byHand("ada"))],
    ["nothing_to_do", ended("nothing_to_do")],
    ["nothing_to_do", led(begin(), ...TO_RESULT, resultRead({ outcome: "done", changed_files: [] }))],
    ["question", ended("question")],
    ["declined", ended("refused")],
    ["cancelled", led(begin(), { type: "cancel", by: ADA })],
    [
      "done",
      led(onMarket(), { type: "nothing-to-open", round: 1 }, judged("pass", ["It is good."], null), {
        type: "approve",
        account: "ada",
        by: ADA,
        comment_id: null,
      }),
    ],
  ])("is %s", (outcome, job) => {
    expect(outcomeOf(job)).toBe(outcome);
  });

  it("is nothing after one failed attempt, and failed after the second", () => {
    const once = ended("failed");
    expect([once.status, outcomeOf(once)]).toEqual(["queued", null]);
    expect(outcomeOf({ ...once, status: "failed" })).toBe("failed");
  });

  it("is the agent's question also where a pull request is open, until a person merges it", () => {
    const job = led(begin(), ...TO_PULL_REQUEST, unmerged);
    const asks: Job = { ...job, result: job.result && { ...job.result, outcome: "question" } };
    expect(outcomeOf(asks)).toBe("question");
    expect(outcomeOf({ ...asks, merged_at: 5 })).toBe("merged");
  });

  it("is unknown again when a message opens a further round", () => {
    const job = ended("question");
    const message: Command = { type: "message", text: "in German", by: ADA, comment_id: null };
    expect(outcomeOf(led(job, message))).toBeNull();
  });

  it("is told by each event as of its own step", () => {
    const submitted = led(begin(), ...TO_PULL_REQUEST);
    const verified = decided(step(submitted, unmerged));
    const merged = decided(step(verified.job, byHand("ada")));
    const told = [verified, merged].flatMap(({ job, history }) => emittedEventOf(job, history, 1).events);
    expect(told.map(({ type, data }) => [type, data.outcome])).toEqual([
      ["job.verified", "done"],
      ["job.merged", "merged"],
    ]);
  });

  it("is explained on the page about GitHub in the words of the code", () => {
    const page = readFileSync(new URL("../../docs/github.md", import.meta.url), "utf8");
    const rows = [...page.matchAll(/^\| `(\w+)` +\| (.+?) +\|$/gm)].map(([, word = "", meaning]) => [word, meaning]);
    for (const [word, meaning] of Object.entries(JOB_OUTCOMES)) expect(rows).toContainEqual([word, meaning]);
  });
});
