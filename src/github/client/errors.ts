/**
 * Classifies failed calls into the few kinds that effects distinguish. GitHub's error messages are only matched here
 * and never shown.
 */
import * as z from "zod";
import { counted } from "../../text/plural.ts";
import { BudgetSpent } from "./throttle.ts";

export type GitHubError =
  /** Network errors, GitHub outages and rate limits: worth a retry. */
  | { readonly kind: "later"; readonly reason: string; readonly after_ms?: number }
  /** Missing, or invisible to us. */
  | { readonly kind: "gone" }
  | { readonly kind: "forbidden"; readonly words: string }
  /** 405: not possible in the current state. */
  | { readonly kind: "not-allowed"; readonly words: string }
  /** 409, or a failed compare-and-swap. */
  | { readonly kind: "conflict"; readonly words: string }
  | { readonly kind: "invalid"; readonly words: string };

/** Used when GitHub names no time: "at least one minute" (github-facts 7.8). */
const DEFAULT_PAUSE_MS = 60_000;
/** The longest wait accepted from GitHub; the primary limit resets within the hour. */
const MAX_PAUSE_MS = 3_600_000;

const header = z.union([z.string(), z.number()]).transform(Number).optional().catch(undefined);
const headers = z
  .object({
    "retry-after": header,
    "x-ratelimit-remaining": header,
    "x-ratelimit-reset": header,
    date: z.string().optional().catch(undefined),
  })
  .catch({});

const requestError = z.object({
  name: z.literal("HttpError"),
  status: z.number(),
  message: z.string(),
  response: z.object({ headers }).optional(),
});

const graphqlError = z.object({
  name: z.literal("GraphqlResponseError"),
  headers,
  errors: z.array(z.object({ type: z.string().optional(), message: z.string() })).min(1),
});

/** The wait in milliseconds that these headers ask for; undefined when they ask for none. */
function askedPause(of: z.infer<typeof headers>, now: number): number | undefined {
  const after = of["retry-after"];
  if (after !== undefined && Number.isFinite(after)) return Math.min(MAX_PAUSE_MS, Math.max(0, after * 1_000));
  const reset = of["x-ratelimit-reset"];
  if (of["x-ratelimit-remaining"] === 0 && reset !== undefined && Number.isFinite(reset))
    // Relative to the clock that set the reset time.
    return Math.min(MAX_PAUSE_MS, Math.max(1_000, reset * 1_000 - (Date.parse(of.date ?? "") || now)));
  return undefined;
}

/** GitHub's message about a token whose time it does not accept. */
const WRONG_TIME = /'(?:Expiration time|Issued at)' claim/i;

/** The reason for rejected credentials. A wrong clock looks like wrong credentials, so the two are told apart. */
function refusedBecause(words: string, of: z.infer<typeof headers> | undefined, now: number): string {
  const skew = now - Date.parse(of?.date ?? "");
  if (!WRONG_TIME.test(words)) return "GitHub rejected the App's credentials.";
  if (!Number.isFinite(skew)) return "This server's clock differs too much from GitHub's. Set the clock.";
  const minutes = Math.max(1, Math.round(Math.abs(skew) / 60_000));
  const where = skew > 0 ? "ahead of" : "behind";
  return `This server's clock is ${counted(minutes, "minute")} ${where} GitHub's, so GitHub rejects the App's credentials. Set the clock.`;
}

const LIMIT_WORDS = /secondary rate limit|rate limit exceeded|abuse detection/i;

function ofStatus(status: number, words: string, of: z.infer<typeof headers> | undefined, now: number): GitHubError {
  const pause = of && askedPause(of, now);
  const limited = status === 429 || (status === 403 && (pause !== undefined || LIMIT_WORDS.test(words)));
  if (limited) return { kind: "later", reason: "GitHub asked us to slow down.", after_ms: pause ?? DEFAULT_PAUSE_MS };
  switch (status) {
    case 404:
    case 410:
      return { kind: "gone" };
    case 403:
    case 451:
      return { kind: "forbidden", words };
    case 405:
      return { kind: "not-allowed", words };
    case 409:
      return { kind: "conflict", words };
    case 400:
    case 422:
      return { kind: "invalid", words };
    case 401:
      return { kind: "later", reason: refusedBecause(words, of, now) };
    default:
      return { kind: "later", reason: "GitHub did not answer.", ...(pause === undefined ? {} : { after_ms: pause }) };
  }
}

function ofGraphql(error: z.infer<typeof graphqlError>, now: number): GitHubError {
  const words = error.errors.map((one) => one.message).join("; ");
  const types = new Set(error.errors.map((one) => one.type));
  const pause = askedPause(error.headers, now);
  if (types.has("RATE_LIMITED") || types.has("RATE_LIMIT") || LIMIT_WORDS.test(words))
    return { kind: "later", reason: "GitHub asked us to slow down.", after_ms: pause ?? DEFAULT_PAUSE_MS };
  if (types.has("NOT_FOUND")) return { kind: "gone" };
  if (types.has("FORBIDDEN") || /not accessible by integration/i.test(words)) return { kind: "forbidden", words };
  if (types.has("STALE_DATA") || /expected branch to point to/i.test(words)) return { kind: "conflict", words };
  if (/something went wrong|timed? ?out/i.test(words)) return { kind: "later", reason: "GitHub did not answer." };
  return { kind: "invalid", words };
}

/** The error for a thrown value; null when it did not come from GitHub and must be rethrown as a bug. */
export function gitHubErrorOf(thrown: unknown, now: number): GitHubError | null {
  if (thrown instanceof BudgetSpent) return { kind: "later", reason: thrown.message, after_ms: thrown.after_ms };
  if (thrown instanceof UnreadableAnswer) return { kind: "later", reason: "GitHub's answer could not be read." };
  const request = requestError.safeParse(thrown);
  if (request.success) {
    const { status, message, response } = request.data;
    return ofStatus(status, message, response?.headers, now);
  }
  const graphql = graphqlError.safeParse(thrown);
  return graphql.success ? ofGraphql(graphql.data, now) : null;
}

/** The status of GitHub's answer; 500 also stands for none at all, and null for what is no failed call. */
export function statusOf(thrown: unknown): number | null {
  const request = requestError.safeParse(thrown);
  return request.success ? request.data.status : null;
}

/** 401: the credentials are invalid. */
export const isUnauthorized = (thrown: unknown): boolean => statusOf(thrown) === 401;

/** GitHub's answer does not match its documentation. */
export class UnreadableAnswer extends Error {
  override readonly name = "UnreadableAnswer";
}

export type CallOutcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly githubError: GitHubError; readonly thrown: unknown };

/** Makes a call and returns GitHub's errors as values; bugs are thrown. */
export async function attempted<T>(now: () => number, call: () => Promise<T>): Promise<CallOutcome<T>> {
  try {
    return { ok: true, value: await call() };
  } catch (thrown) {
    const githubError = gitHubErrorOf(thrown, now());
    if (githubError === null) throw thrown;
    return { ok: false, githubError, thrown };
  }
}
