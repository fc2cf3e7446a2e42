/**
 * What went wrong with a call, in the few kinds that the effects tell apart. GitHub's own words stay in here: they may
 * be matched, never shown.
 */
import { z } from "zod";
import { counted } from "../../text/plural.ts";
import { BudgetSpent } from "./pacing.ts";

export type GitHubError =
  /** The network, GitHub itself or a limit: worth another try. */
  | { readonly kind: "later"; readonly reason: string; readonly after_ms?: number }
  /** Not there, or not for us to see. */
  | { readonly kind: "gone" }
  | { readonly kind: "forbidden"; readonly words: string }
  /** 405: not in this state. */
  | { readonly kind: "not-allowed"; readonly words: string }
  /** 409, or a compare-and-swap that came too late. */
  | { readonly kind: "conflict"; readonly words: string }
  | { readonly kind: "invalid"; readonly words: string };

/** Where GitHub names no time: "at least one minute" (github-facts 7.8). */
const DEFAULT_PAUSE_MS = 60_000;
/** A wait that GitHub asks for is believed up to this; the primary limit resets within the hour. */
const LONGEST_PAUSE_MS = 3_600_000;

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

/** Milliseconds that these headers ask us to wait; undefined: they ask for nothing. */
function askedPause(of: z.infer<typeof headers>, now: number): number | undefined {
  const after = of["retry-after"];
  if (after !== undefined && Number.isFinite(after)) return Math.min(LONGEST_PAUSE_MS, Math.max(0, after * 1_000));
  const reset = of["x-ratelimit-reset"];
  if (of["x-ratelimit-remaining"] === 0 && reset !== undefined && Number.isFinite(reset))
    // by the clock that has set it
    return Math.min(LONGEST_PAUSE_MS, Math.max(1_000, reset * 1_000 - (Date.parse(of.date ?? "") || now)));
  return undefined;
}

/** What GitHub says of a token that was made at a time which it cannot believe. */
const WRONG_TIME = /'(?:Expiration time|Issued at)' claim/i;

/** Why the credentials were not taken: a clock that is wrong looks like wrong credentials, and only one of them can be mended. */
function refusedBecause(words: string, of: z.infer<typeof headers> | undefined, now: number): string {
  const skew = now - Date.parse(of?.date ?? "");
  if (!WRONG_TIME.test(words)) return "GitHub did not accept the App's credentials.";
  if (!Number.isFinite(skew)) return "GitHub does not believe this server's clock. Set the clock.";
  const minutes = Math.max(1, Math.round(Math.abs(skew) / 60_000));
  const where = skew > 0 ? "ahead of" : "behind";
  return `This server's clock is ${counted(minutes, "minute")} ${where} GitHub's, so GitHub does not accept the App's credentials. Set the clock.`;
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

/** The trouble behind a thrown value, or null when it is no answer of GitHub's: then it is a bug and must be thrown on. */
export function gitHubErrorOf(thrown: unknown, now: number): GitHubError | null {
  if (thrown instanceof BudgetSpent)
    return { kind: "later", reason: "GitHub's limits leave no room for now.", after_ms: thrown.after_ms };
  if (thrown instanceof UnreadableAnswer) return { kind: "later", reason: "GitHub's answer could not be read." };
  const request = requestError.safeParse(thrown);
  if (request.success) {
    const { status, message, response } = request.data;
    return ofStatus(status, message, response?.headers, now);
  }
  const graphql = graphqlError.safeParse(thrown);
  return graphql.success ? ofGraphql(graphql.data, now) : null;
}

/** 401: the credentials were taken for none. */
export function isUnauthorized(thrown: unknown): boolean {
  const request = requestError.safeParse(thrown);
  return request.success && request.data.status === 401;
}

/** An answer that is not what GitHub's description promises. */
export class UnreadableAnswer extends Error {
  override readonly name = "UnreadableAnswer";
}

export type CallOutcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly githubError: GitHubError; readonly thrown: unknown };

/** Makes a call and turns what GitHub objects into a value; bugs pass through. */
export async function attempted<T>(now: () => number, call: () => Promise<T>): Promise<CallOutcome<T>> {
  try {
    return { ok: true, value: await call() };
  } catch (thrown) {
    const githubError = gitHubErrorOf(thrown, now());
    if (githubError === null) throw thrown;
    return { ok: false, githubError, thrown };
  }
}
