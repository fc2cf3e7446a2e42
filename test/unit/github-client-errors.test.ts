import { expect, it } from "vitest";
import { attempted, gitHubErrorOf, UnreadableAnswer } from "../../src/github/client/errors.ts";
import { BudgetSpent } from "../../src/github/client/throttle.ts";

const NOW = 1_700_000_000_000;

const http = (status: number, message = "No", headers: Record<string, string> = {}) => ({
  name: "HttpError",
  status,
  message,
  response: { headers, data: {} },
});

const graphql = (message: string, type?: string, headers: Record<string, string> = {}) => ({
  name: "GraphqlResponseError",
  headers,
  errors: [{ message, ...(type === undefined ? {} : { type }) }],
});

it("sorts GitHub's answers into the kinds that effects tell apart", () => {
  const kinds = (...thrown: unknown[]) => thrown.map((one) => gitHubErrorOf(one, NOW)?.kind);
  expect(
    kinds(http(404), http(410), http(403, "Resource not accessible by integration"), http(405), http(409)),
  ).toEqual(["gone", "gone", "forbidden", "not-allowed", "conflict"]);
  expect(
    kinds(http(422), http(400), http(500), http(502), http(401), new BudgetSpent(5), new UnreadableAnswer()),
  ).toEqual(["invalid", "invalid", "later", "later", "later", "later", "later"]);
  expect(
    kinds(
      graphql("Could not resolve to a Repository", "NOT_FOUND"),
      graphql("Resource not accessible by integration", "FORBIDDEN"),
      graphql("Expected branch to point to x but it did not", "STALE_DATA"),
      graphql("Something went wrong while executing your query"),
      graphql("Pull request is in clean status", "UNPROCESSABLE"),
    ),
  ).toEqual(["gone", "forbidden", "conflict", "later", "invalid"]);
});

it("waits as long as GitHub asks, a minute where it names no time, and never more than an hour", () => {
  const after = (thrown: unknown) => {
    const githubError = gitHubErrorOf(thrown, NOW);
    return githubError?.kind === "later" ? githubError.after_ms : "not later";
  };
  expect(after(http(403, "You have exceeded a secondary rate limit", { "retry-after": "17" }))).toBe(17_000);
  expect(after(http(403, "You have exceeded a secondary rate limit"))).toBe(60_000);
  expect(after(http(429))).toBe(60_000);
  expect(after(http(429, "No", { "retry-after": "999999" }))).toBe(3_600_000);
  const reset = { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(NOW / 1_000 + 90) };
  expect(after(http(403, "API rate limit exceeded", reset))).toBe(90_000);
  expect(after(graphql("API rate limit exceeded", "RATE_LIMITED", reset))).toBe(90_000);
  expect(after(http(503, "No", { "retry-after": "3" }))).toBe(3_000);
  expect(after(http(502))).toBeUndefined();
});

it("keeps GitHub's words out of what is told, and lets bugs through", async () => {
  const githubError = gitHubErrorOf(http(500, "stack trace at /srv/github"), NOW);
  expect(JSON.stringify(githubError)).not.toContain("srv");
  expect(gitHubErrorOf(new TypeError("x is not a function"), NOW)).toBeNull();
  const bug = new TypeError("x is not a function");
  await expect(
    attempted(
      () => NOW,
      () => Promise.reject(bug),
    ),
  ).rejects.toBe(bug);
});
