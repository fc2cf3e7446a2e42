/** When comment and check are written, on a manual clock. */
import { describe, expect, it } from "vitest";
import { effectKey, type GitHubEffect, type PendingEffect } from "../../src/domain/job/effect.ts";
import type { Job } from "../../src/domain/job/job.ts";
import type { Urgency } from "../../src/domain/pending-effect.ts";
import {
  CHECK_GAP_MS,
  COMMENT_GAP_MS,
  createShowPacing,
  HURRIED_PACING,
  SHORT_HOLD_MS,
} from "../../src/engine/comment-pacing.ts";
import { begin, T0 } from "./job-fixtures.ts";

const COMMENT = { type: "sync-comment" } as const;
const CHECK = { type: "sync-check" } as const;

const asked = (effect: GitHubEffect, urgency: Urgency, at = T0, attempts = 0): PendingEffect => ({
  ...{ effect, urgency, not_before: at, key: effectKey(effect), serial: 1, attempts },
});

const shown: Job = { ...begin(), head_sha: "head", comment: { id: 1 }, check: { id: 2, sha: "head" } };

function pacing(isShortOfWrites = (_installation_id: number): boolean => false) {
  const time = { now: T0 };
  const { dueAt, written } = createShowPacing({ now: () => time.now, at: () => () => {} }, isShortOfWrites);
  return {
    due: (pending: PendingEffect, job = shown): number => dueAt(pending, job) - T0,
    writtenAt(effect: GitHubEffect, at: number): void {
      time.now = T0 + at;
      written(effect, shown);
    },
  };
}

describe("a comment or a check that people wait for", () => {
  it("is written at once, however short ago the last was", () => {
    const { due, writtenAt } = pacing();
    for (const effect of [COMMENT, CHECK]) writtenAt(effect, -1);
    expect([due(asked(COMMENT, "now")), due(asked(CHECK, "now"))]).toEqual([0, 0]);
  });
});

describe("one that shall be written soon", () => {
  it("is written at once where nothing was written before", () => {
    const { due } = pacing();
    expect([due(asked(COMMENT, "soon")), due(asked(CHECK, "soon"))]).toEqual([0, 0]);
  });

  it("is written as soon as the gap to the last edit allows, and never later", () => {
    const { due, writtenAt } = pacing();
    writtenAt(COMMENT, 1_000);
    expect([1_500, 9_000, 20_000].map((at) => due(asked(COMMENT, "soon", T0 + at)))).toEqual([
      1_000 + COMMENT_GAP_MS,
      1_000 + COMMENT_GAP_MS,
      20_000,
    ]);
    expect(due(asked(CHECK, "soon"))).toBe(0);
    expect(due(asked(COMMENT, "soon"), { ...shown, id: begin({ id: "zzzz9999" as Job["id"] }).id })).toBe(0);
  });

  it("is written at once in the check of a new head, and after the gap where progress was shown", () => {
    const { due, writtenAt } = pacing();
    writtenAt({ type: "show-progress" }, 1_000);
    expect(due(asked(CHECK, "soon"))).toBe(1_000 + CHECK_GAP_MS);
    expect(due(asked(CHECK, "soon"), { ...shown, head_sha: "next" })).toBe(0);
  });

  it("is tried again when it failed as its back-off says", () => {
    const { due, writtenAt } = pacing();
    writtenAt(COMMENT, 0);
    expect(due(asked(COMMENT, "soon", T0 + 700, 1))).toBe(700);
  });
});

describe("one that can wait", () => {
  it("is held back for a write that says as much, longest where it would be the first comment", () => {
    const { due } = pacing();
    expect(due(asked(COMMENT, "whenever"), { ...shown, comment: null })).toBe(10_000);
    expect(due(asked(COMMENT, "whenever"))).toBe(5_000);
    expect(due(asked(CHECK, "whenever"))).toBe(CHECK_GAP_MS);
  });

  it("is held back for longer while its installation is short of writes, and nothing else is", () => {
    const { due } = pacing((id) => id === shown.repository.installation_id);
    expect([COMMENT, CHECK].map((effect) => due(asked(effect, "whenever")))).toEqual([SHORT_HOLD_MS, SHORT_HOLD_MS]);
    expect(["soon", "now"].map((urgency) => due(asked(COMMENT, urgency as Urgency)))).toEqual([0, 0]);
    const other = { ...shown, repository: { ...shown.repository, installation_id: 999 } };
    expect(due(asked(COMMENT, "whenever"), other)).toBe(5_000);
  });

  it("keeps the gap to the last edit as well", () => {
    const { due, writtenAt } = pacing();
    writtenAt(COMMENT, 0);
    expect(due(asked(COMMENT, "whenever", T0 + 1_000))).toBe(COMMENT_GAP_MS);
  });
});

it("a process that ends soon holds nothing back for longer than a moment", () => {
  const due = (urgency: Urgency): number => HURRIED_PACING.dueAt(asked(COMMENT, urgency), shown) - T0;
  expect([due("now"), due("soon"), due("whenever")]).toEqual([0, 400, 400]);
});

it("what shows nothing is never held back", () => {
  const { due, writtenAt } = pacing();
  writtenAt({ type: "read-facts", runs: [] }, 0);
  expect(due(asked({ type: "read-facts", runs: [] }, "now", T0 + 3))).toBe(3);
});
