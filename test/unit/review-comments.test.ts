import { describe, expect, it } from "vitest";
import { MAX_HUNK, MAX_REVIEW_COMMENTS, MAX_REVIEW_TEXT } from "../../src/contracts/review.ts";
import type { Job } from "../../src/domain/job/job.ts";
import { readRoundReviews } from "../../src/github/effects/review-comments.ts";
import { begin, led, TO_PULL_REQUEST } from "./job-fixtures.ts";

/** A job in a round that these reviews have begun. */
const asked = (...ids: readonly number[]): Job => ({
  ...led(begin(), ...TO_PULL_REQUEST),
  reviews: {
    now: ids.map((id) => ({ id, node_id: `PRR_${id}`, by: "ada" })),
    alone: true,
    waiting: [],
    rounds: 1,
    answered: null,
  },
});

const comment = (change: object = {}) => ({
  ...{ fullDatabaseId: "3000000001", path: "a.ts", body: "Why?", diffHunk: "@@ -1 +1,2 @@\n one\n+two" },
  ...{ line: 2, startLine: null, originalLine: 2, originalStartLine: null, replyTo: null },
  ...change,
});

const review = (comments: object[], change: object = {}) => ({
  ...{ id: "PRR_1", fullDatabaseId: "1", state: "CHANGES_REQUESTED", body: "No.", author: { login: "ada" } },
  ...{ commit: { oid: "c" }, comments: { totalCount: comments.length, nodes: comments } },
  ...change,
});

const pull = (threads: object[] = []) => ({ repository: { pullRequest: { reviewThreads: { nodes: threads } } } });

/** `answer`: GitHub's, or what is thrown. */
const read = (job: Job, answer: object, attempt = 1) =>
  readRoundReviews(
    {
      octokit: { graphql: async () => (answer instanceof Error ? Promise.reject(answer) : answer) },
      ...{ at: { owner: "octo", repo: "demo" }, job, now: () => 0 },
    } as never,
    { round: job.round, attempt },
  );

const reviewsOf = async (job: Job, nodes: (object | null)[], threads: object[] = []) => {
  const found = await read(job, { ...pull(threads), nodes });
  if (found.kind !== "reviews") throw new Error("withdrawn");
  return found.reviews;
};

describe("the reviews of a brief", () => {
  it("are asked for only where the round is about one", async () => {
    const none = { ...asked(1), reviews: { now: [], alone: false, waiting: [], rounds: 0, answered: null } };
    expect(await read(none, new Error("asked"))).toEqual({ kind: "reviews", reviews: [] });
  });

  it("are clean: no hidden character, no secret", async () => {
    const [one] = await reviewsOf(asked(1), [
      review([comment({ body: "o\u200bk ghp_0123456789abcdefghijABCDEFGHIJ012345" })], { body: "a\u202eb" }),
    ]);
    expect(one).toMatchObject({ body: "ab", comments: [{ id: 3_000_000_001, body: "ok [secret]" }] });
  });

  it("know the side of a line from its thread, also for an answer in one", async () => {
    const threads = [{ diffSide: "LEFT", comments: { nodes: [{ fullDatabaseId: "5" }] } }];
    const said = "```suggestion\nx\n```";
    const [one] = await reviewsOf(
      asked(1),
      [
        review([
          comment({ fullDatabaseId: "6", replyTo: { fullDatabaseId: "5" }, body: said }),
          comment({ body: said }),
        ]),
      ],
      threads,
    );
    expect(one?.comments).toMatchObject([
      { side: "LEFT", suggestions: [] },
      { side: "RIGHT", suggestions: [{ from: 2, to: 2, replaces: "two", text: "x" }] },
    ]);
  });

  it("have a suggestion for lines that are gone with their first numbers", async () => {
    const body = "```suggestion\nx\n```";
    const gone = comment({ body, line: null, originalStartLine: 1 });
    const file = comment({ body, line: null, originalLine: null });
    const [one] = await reviewsOf(asked(1), [review([gone, file])]);
    expect(one?.comments.map(({ suggestions }) => suggestions)).toEqual([
      [{ from: 1, to: 2, replaces: "one\ntwo", text: "x" }],
      [],
    ]);
  });

  it("are by nobody where the account is deleted, and of no commit where that is gone", async () => {
    const [one] = await reviewsOf(asked(1), [review([], { author: null, commit: null })]);
    expect(one).toMatchObject({ by: null, commit: null, comments: [], left_out: 0 });
  });

  it("are bounded in number and size, and say how many are left out", async () => {
    const long = comment({ body: "x".repeat(2 * MAX_REVIEW_TEXT), diffHunk: "+y\n".repeat(MAX_HUNK) });
    const [one, two] = await reviewsOf(asked(1, 2), [
      review(Array.from({ length: 20 }, () => comment())),
      review(
        Array.from({ length: 20 }, () => long),
        { comments: { totalCount: 40, nodes: Array.from({ length: 20 }, () => long) } },
      ),
    ]);
    expect([one?.comments.length, one?.left_out]).toEqual([20, 0]);
    expect(two?.comments[0]?.body).toHaveLength(MAX_REVIEW_TEXT);
    expect(two?.comments[0]?.hunk.length).toBeLessThanOrEqual(MAX_HUNK);
    expect(two?.comments[0]?.hunk.startsWith("+y")).toBe(true);
    expect(two?.comments.length).toBeLessThan(MAX_REVIEW_COMMENTS - 20);
    expect(two?.left_out).toBe(40 - (two?.comments.length ?? 0));
  });
});

describe("a round whose reviews are dismissed or gone", () => {
  const dismissed = review([], { state: "DISMISSED" });
  const withdrawn = { kind: "withdrawn", report: { type: "reviews-withdrawn", round: 1 } };

  it("is withdrawn before anybody works on it, and not for one of several", async () => {
    expect(await read(asked(1), { ...pull(), nodes: [dismissed] })).toEqual(withdrawn);
    expect(await reviewsOf(asked(1, 2), [dismissed, review([])])).toHaveLength(1);
  });

  it("goes on in a further attempt, and where a message has asked for it", async () => {
    expect(await read(asked(1), { ...pull(), nodes: [dismissed] }, 2)).toMatchObject({
      kind: "reviews",
      reviews: [{}],
    });
    const told = { ...asked(1), reviews: { ...asked(1).reviews, alone: false } };
    expect(await reviewsOf(told, [dismissed])).toHaveLength(1);
    expect(await reviewsOf(told, [null])).toEqual([]);
  });

  it("is told from an answer that cannot be read, and from a refusal", async () => {
    await expect(read(asked(1), { ...pull(), nodes: [{ state: "CHANGES_REQUESTED" }] })).rejects.toThrow("nodes.0");
    const refusal = (type: string) =>
      Object.assign(new Error(type), {
        ...{ name: "GraphqlResponseError", headers: {}, errors: [{ type, message: type }] },
        data: { ...pull(), nodes: [null] },
      });
    await expect(read(asked(1), refusal("FORBIDDEN"))).rejects.toThrow("FORBIDDEN");
    expect(await read(asked(1), refusal("NOT_FOUND"))).toEqual(withdrawn);
  });
});
