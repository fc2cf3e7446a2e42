import { describe, expect, it } from "vitest";
import type { Command } from "../../src/domain/job/command.ts";
import { decide } from "../../src/domain/job/decide.ts";
import type { AgentResult, Job } from "../../src/domain/job/job.ts";
import type { ReviewRef } from "../../src/domain/job/review-schema.ts";
import { MOST_REVIEW_ROUNDS, MOST_REVIEWS } from "../../src/domain/job/reviews.ts";
import { stateOf } from "../../src/github/render/job-state.ts";
import {
  ADA,
  begin,
  briefPushed,
  check,
  decided,
  effectsOf,
  facts,
  led,
  onMarket,
  opened,
  resultRead,
  runChanged,
  step,
  TO_PULL_REQUEST,
} from "./job-fixtures.ts";

const ref = (id: number, by = "ada"): ReviewRef => ({ id, node_id: `PRR_${id}`, by });

const review = (id: number, change: Partial<Extract<Command, { type: "review" }>> = {}): Command => ({
  ...{ type: "review", pull_request: 8, review: ref(id), by: ADA, comment_id: `review:PRR_${id}`, heeded: true },
  ...change,
});

const message = (text: string, of?: number): Command => ({
  ...{ type: "message", text, by: ADA, comment_id: of === undefined ? 900 : `review:PRR_${of}` },
  ...(of === undefined ? {} : { review: ref(of) }),
});

const dismissed = (review_id: number): Command => ({ type: "review-dismissed", review_id });

const inReview = (): Job => led(begin(), ...TO_PULL_REQUEST);
const working = (round: number): Command[] => [
  briefPushed(round, 1, `brief${round}`),
  runChanged({ id: 500 + round }, `brief${round}`),
];
const ended = (round: number): Command[] => [
  runChanged({ id: 500 + round, status: "completed", conclusion: "success" }, `brief${round}`),
  resultRead({}, round),
];

/** The round is over, its work is good. */
const over = (job: Job): Job =>
  led(job, ...working(job.round), ...ended(job.round), opened(job.round), {
    type: "observe",
    facts: facts({ review: "changes_requested" }),
  });

const untouched = (job: Job, command: Command) => expect(step(job, command).kind).toBe("unchanged");

describe("a review that asks for changes", () => {
  it("opens one round, is seen, and is what the round is about", () => {
    const decision = step(inReview(), review(1));
    expect(effectsOf(decision)).toEqual(["react", "push-brief", "sync-comment"]);
    expect(decided(decision).job).toMatchObject({
      ...{ status: "queued", round: 2, reviews: { now: [ref(1)], alone: true, waiting: [], rounds: 1 } },
      rounds: [{}, { asked: "Address the review of ada.", by: "ada" }],
    });
  });

  it("is taken once, whichever events tell of it", () => {
    const once = led(inReview(), review(1));
    untouched(once, review(1));
    expect(decided(step(once, { ...message("mend it", 1), comment_id: "review-comment:5" } as Command)).job.round).toBe(
      2,
    );
  });

  it("and says `/job` is that one round, which does not count", () => {
    const job = led(inReview(), message("mend it", 1));
    expect(job).toMatchObject({ round: 2, reviews: { now: [ref(1)], alone: false, rounds: 0 } });
    expect(job.rounds.at(-1)?.asked).toBe("mend it");
    untouched(job, review(1));
  });

  it("waits while a round is under way; all that wait are the next one together, with what was said meanwhile", () => {
    const busy = led(inReview(), review(1), ...working(2), review(2), review(3));
    expect(busy.reviews).toMatchObject({ now: [ref(1)], waiting: [ref(2), ref(3)] });
    expect(led(busy, ...ended(2))).toMatchObject({
      round: 3,
      reviews: { now: [ref(2), ref(3)], alone: true, rounds: 2 },
    });
    const told = led(busy, message("and this"), ...ended(2));
    expect(told).toMatchObject({ round: 3, reviews: { now: [ref(2), ref(3)], alone: false, rounds: 1, waiting: [] } });
    expect(told.rounds.at(-1)?.asked).toBe("and this");
  });

  it.each<[string, (job: Job) => Job, Partial<Extract<Command, { type: "review" }>>]>([
    ["settings that ignore reviews", (job) => job, { heeded: false }],
    ["another pull request", (job) => job, { pull_request: 9 }],
    ["a cancelled job", (job) => led(job, { type: "closed", pull_request: 8, by: "ada" }), {}],
    ["a merged one", (job) => led(job, { type: "merged", pull_request: 8, by: "ada", at: job.updated_at }), {}],
    ["one that is being cancelled", (job) => led(job, { type: "cancel", by: ADA }), {}],
    ["one without a pull request", () => led(begin(), briefPushed(), runChanged()), {}],
    ["one of the market", () => led(onMarket(), opened()), {}],
  ])("leads to nothing for %s", (_, make, change) => {
    untouched(make(inReview()), review(1, change));
  });

  it("is refused once ten of them wait", () => {
    const ids = Array.from({ length: MOST_REVIEWS }, (_, n) => n + 2);
    const busy = led(inReview(), review(1), ...working(2), ...ids.map((id) => review(id)));
    expect(step(busy, review(99))).toMatchObject({ kind: "refused", refusal: { code: "invalid" } });
  });
});

describe("after five rounds from reviews", () => {
  const spent = (): Job => {
    let job = over(inReview0());
    for (let id = 1; id <= MOST_REVIEW_ROUNDS; id += 1) job = over(led(job, review(id)));
    return job;
  };
  const inReview0 = (): Job => led(begin());

  it("a further one waits for a person, and the comment says how to go on", () => {
    const job = led(spent(), review(6));
    expect(job).toMatchObject({ status: "verified", round: 6, reviews: { waiting: [ref(6)], rounds: 5 } });
    expect(stateOf(job, "comment").paragraphs.join("\n")).toContain("`/job <text>` on the pull request begins a round");
    const next = led(job, message("go on"));
    expect(next).toMatchObject({ round: 7, reviews: { now: [ref(6)], waiting: [], rounds: 5 } });
  });

  it("a command in that very review begins a round", () => {
    const job = led(spent(), review(6), { ...message("do it", 6), comment_id: "review-comment:7" } as Command);
    expect(job).toMatchObject({ round: 7, reviews: { now: [ref(6)], alone: false } });
  });

  it("a command in one that comes while the last of them is under way begins the next round", () => {
    const command = { ...message("do it", 7), comment_id: "review-comment:7" } as Command;
    const last = led(spent(), message("one more thing"), ...working(7), review(7), command, ...ended(7));
    expect(last).toMatchObject({ round: 8, reviews: { now: [ref(7)], alone: false, waiting: [] } });
    expect(last.rounds.at(-1)?.asked).toBe("do it");
  });

  it("those that come while a round of a person's is under way wait for the next word, too", () => {
    const busy = led(spent(), message("one more thing"), ...working(7), review(7));
    const job = led(busy, ...ended(7));
    expect(job).toMatchObject({ status: "submitted", round: 7, reviews: { waiting: [ref(7)] } });
  });

  it("another pull request of the job begins to count anew", () => {
    const again = led(spent(), message("go on"), ...working(7), ...ended(7), { ...opened(7), number: 9 } as Command);
    expect(again.reviews.rounds).toBe(0);
  });
});

describe("a review that is dismissed", () => {
  it("while its round waits in line asks for nothing, and the round leaves the line", () => {
    const line = { since: 1, limit: "running", most: 1, position: 1 } as const;
    const waiting: Job = { ...led(inReview(), review(1), review(2)), line };
    const both: Job = { ...waiting, reviews: { ...waiting.reviews, now: [ref(1), ref(2)], waiting: [] } };
    const one = led(both, dismissed(1));
    expect(one).toMatchObject({ status: "queued", line, reviews: { now: [{ dismissed: true }, { id: 2 }] } });
    expect(led(one, dismissed(2))).toMatchObject({ status: "submitted", line: null, reviews: { now: [], rounds: 0 } });
  });

  it("asks for nothing any more if it waits", () => {
    const busy = led(inReview(), review(1), ...working(2), review(2), dismissed(2));
    expect(led(busy, ...ended(2))).toMatchObject({ status: "submitted", round: 2 });
  });

  it("ends a round that nobody has begun, and what there is is judged again", () => {
    const job = led(inReview(), review(1), { type: "reviews-withdrawn", round: 2 });
    expect(job).toMatchObject({ status: "submitted", round: 2, reviews: { now: [], rounds: 0 } });
    expect(job.rounds.at(-1)?.did).toContain("dismissed or deleted");
    const judged = led(job, opened(2), { type: "observe", facts: facts() });
    expect(judged.status).toBe("verified");
  });

  it("leaves a failed job failed", () => {
    const failed = led(
      ...([
        inReview(),
        { type: "observe", facts: facts({ checks: [{ ...facts().checks[0], state: "failure" }] as never }) },
      ] as const),
      briefPushed(1, 2, "again"),
      runChanged({ id: 600 }, "again"),
      runChanged({ id: 600, status: "completed", conclusion: "cancelled" }, "again"),
    );
    expect(failed.status).toBe("failed");
    expect(led(failed, review(1), { type: "reviews-withdrawn", round: 2 })).toMatchObject({
      status: "failed",
      round: 2,
    });
  });

  it("changes nothing of a round that has begun, which says so", () => {
    const busy = led(inReview(), review(1), ...working(2), dismissed(1));
    expect(stateOf(busy, "comment").paragraphs.join("\n")).toContain("Dismissed meanwhile: 1 review by `ada`.");
    untouched(busy, { type: "reviews-withdrawn", round: 2 });
    untouched(busy, dismissed(1));
  });

  it("is a reason to look where nothing is under way", () => {
    expect(effectsOf(step(inReview(), dismissed(1)))).toEqual(["read-facts"]);
  });
});

describe("the answers", () => {
  const replies = [{ id: 5, body: "Done.", done: true }];
  const answered = (outcome: "done" | "question") => {
    const busy = led(
      inReview(),
      review(1),
      ...working(2),
      runChanged({ id: 502, status: "completed", conclusion: "success" }, "brief2"),
    );
    const decision = decided(step(busy, resultRead({ outcome, replies }, 2)));
    return decision.effects.map(({ effect }) => effect).find(({ type }) => type === "answer-reviews");
  };

  it("go out when the work is pushed, with all that they say, since the next round may have begun", () => {
    expect(answered("done")).toEqual({
      ...{ type: "answer-reviews", round: 2, attempt: 1, reviews: ["PRR_1"], replies },
    });
  });

  /** The first review's round up to its pull request, whatever its checks say. */
  const handedIn = (change: Partial<AgentResult> = {}, nth = 1): Job =>
    led(
      led(inReview(), review(nth)),
      ...working(2),
      runChanged({ id: 502, status: "completed", conclusion: "success" }, "brief2"),
      resultRead({ replies, ...change }, 2),
      opened(2),
    );
  const green = { type: "observe", facts: facts({ review: "changes_requested" }) } as const;
  const resolution = (job: Job) =>
    decided(step(job, green))
      .effects.map(({ effect }) => effect)
      .find(({ type }) => type === "resolve-threads");

  it("are followed by resolved threads and a further request when the work has passed, and not before", () => {
    const job = handedIn();
    expect(job.reviews.answered).toEqual({ reviews: ["PRR_1"], done: [5], asks: true });
    expect(stateOf(job, "comment").paragraphs.join("\n")).toContain("Once its checks have passed");
    expect(resolution(job)).toEqual({
      ...{ type: "resolve-threads", round: 2, reviews: ["PRR_1"], done: [5], asks: true },
    });
    const passed = led(job, green);
    expect([passed.status, passed.reviews.answered]).toEqual(["verified", null]);
    expect(effectsOf(step(passed, green))).not.toContain("resolve-threads");
  });

  it("of work that failed are told of with those of the work that passes, as the last of both says", () => {
    const red = led(handedIn(), { type: "observe", facts: facts({ checks: [check({ state: "failure" })] }) });
    expect(red).toMatchObject({ status: "queued", attempt: 2, reviews: { answered: { done: [5] } } });
    const second = led(
      red,
      briefPushed(2, 2, "third"),
      runChanged({ id: 503 }, "third"),
      runChanged({ id: 503, status: "completed", conclusion: "success" }, "third"),
      resultRead(
        {
          replies: [
            { id: 5, body: "Not yet.", done: false },
            { id: 6, body: "Done.", done: true },
          ],
        },
        2,
        2,
      ),
      opened(2),
    );
    expect(resolution(second)).toMatchObject({ done: [6], asks: true });
  });

  it("of a round that a further review has ended are resolved with those of that review", () => {
    const busy = led(inReview(), review(1), ...working(2), review(2, { review: ref(2, "rex") }));
    const next = led(
      busy,
      runChanged({ id: 502, status: "completed", conclusion: "success" }, "brief2"),
      resultRead({ replies }, 2),
    );
    expect(next).toMatchObject({ round: 3, reviews: { now: [ref(2, "rex")], answered: { reviews: ["PRR_1"] } } });
    const both = led(
      next,
      ...working(3),
      runChanged({ id: 503, status: "completed", conclusion: "success" }, "brief3"),
    );
    const done = led(both, resultRead({ replies: [{ id: 9, body: "Done.", done: true }] }, 3), opened(3));
    expect(resolution(done)).toMatchObject({ reviews: ["PRR_1", "PRR_2"], done: [5, 9] });
  });

  it("resolve nothing and ask nobody to look again when the agent asks something itself", () => {
    expect(answered("question")).toMatchObject({ replies });
    const asking = handedIn({ outcome: "question", replies: [] });
    expect([asking.status, asking.reviews.answered?.asks]).toEqual(["waiting_for_user", false]);
    expect(effectsOf(step(asking, green))).not.toContain("resolve-threads");
  });

  it("are those of a round about reviews alone", () => {
    const busy = led(
      inReview(),
      message("more"),
      ...working(2),
      runChanged({ id: 502, status: "completed", conclusion: "success" }, "brief2"),
    );
    expect(effectsOf(step(busy, resultRead({ replies }, 2)))).toEqual(["open-pull-request"]);
  });

  it("of a further attempt and of a retry are about the same reviews", () => {
    const again = led(
      inReview(),
      review(1),
      ...working(2),
      runChanged({ id: 502, status: "completed", conclusion: "cancelled" }, "brief2"),
    );
    expect(again).toMatchObject({ attempt: 2, reviews: { now: [ref(1)] } });
    const failed = led(
      again,
      briefPushed(2, 2, "third"),
      runChanged({ id: 503 }, "third"),
      runChanged({ id: 503, status: "completed", conclusion: "cancelled" }, "third"),
    );
    expect(led(failed, { type: "retry", by: ADA, comment_id: null })).toMatchObject({
      round: 3,
      reviews: { now: [ref(1)] },
    });
  });
});

it("a message without a review is about none, and a cancel leaves none waiting", () => {
  const busy = led(inReview(), review(1), ...working(2), review(2));
  expect(led(busy, { type: "cancel", by: ADA }).reviews.waiting).toEqual([]);
  expect(led(over(led(inReview(), review(1))), message("more")).reviews).toMatchObject({ now: [], alone: false });
  expect(decide(null, review(1), { now: 0, available_cents: 0 })).toMatchObject({ kind: "refused" });
});
