/** Counts GitHub's published rate limits per actor; `server.ts` refuses the requests. */
import type { Actor } from "./tokens.ts";

/** Hourly requests of an installation; secondary limits as documented under "rate limits for the REST API". */
const PRIMARY = 5000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const CONTENT_PER_MINUTE = 80;
const CONTENT_PER_HOUR = 500;
const REST_POINTS_PER_MINUTE = 900;
const GRAPHQL_POINTS_PER_MINUTE = 2000;
const CONCURRENT = 100;
const READ_POINTS = 1;
const WRITE_POINTS = 5;

export interface Cost {
  readonly write: boolean;
  readonly graphql: boolean;
  /** How many content-creating writes the request counts as; creating a token is none, each mutation is one. */
  readonly content: number;
}

export interface LimitAnswer {
  readonly status: 403 | 429;
  readonly message: string;
  readonly retryAfter: number | undefined;
}

interface Spent {
  readonly at: number;
  readonly points: number;
  readonly graphql: boolean;
  readonly content: number;
}

interface Account {
  spent: Spent[];
  windowStart: number;
  used: number;
  running: number;
}

export const actorKey = (actor: Actor): string => {
  switch (actor.kind) {
    case "anonymous":
      return "anonymous";
    case "app":
    case "client":
      return "app";
    case "user":
    case "user-to-server":
      return `user ${actor.user.login}`;
    case "token":
      return actor.token.installation ? `installation ${actor.token.installation.id}` : `workflow ${actor.token.value}`;
    default: {
      const never: never = actor;
      return never;
    }
  }
};

export class Limits {
  readonly #now: () => number;
  readonly #enforced: boolean;
  readonly #accounts = new Map<string, Account>();

  constructor(now: () => number, enforced: boolean) {
    this.#now = now;
    this.#enforced = enforced;
  }

  /** Admits the request, or returns why not. Every admitted request must be passed to `leave`. */
  enter(key: string, cost: Cost): LimitAnswer | undefined {
    const account = this.#account(key);
    const refusal = this.#enforced ? this.#refusal(account, key, cost) : undefined;
    if (refusal) return refusal;
    account.running += 1;
    account.used += 1;
    const points = cost.write ? WRITE_POINTS : READ_POINTS;
    if (this.#enforced) account.spent.push({ at: this.#now(), points, graphql: cost.graphql, content: cost.content });
    return undefined;
  }

  leave(key: string): void {
    this.#account(key).running -= 1;
  }

  /** A 304 costs nothing. */
  refund(key: string): void {
    this.#account(key).used -= 1;
  }

  headers(key: string, graphql: boolean): Record<string, string> {
    const account = this.#account(key);
    return {
      "x-ratelimit-limit": String(PRIMARY),
      "x-ratelimit-remaining": String(Math.max(0, PRIMARY - account.used)),
      "x-ratelimit-used": String(account.used),
      "x-ratelimit-reset": String(Math.ceil((account.windowStart + HOUR_MS) / 1000)),
      "x-ratelimit-resource": graphql ? "graphql" : "core",
    };
  }

  status(key: string): Record<string, unknown> {
    const account = this.#account(key);
    const core = {
      limit: PRIMARY,
      used: account.used,
      remaining: Math.max(0, PRIMARY - account.used),
      reset: Math.ceil((account.windowStart + HOUR_MS) / 1000),
    };
    return { resources: { core, graphql: core }, rate: core };
  }

  #account(key: string): Account {
    const now = this.#now();
    const account = this.#accounts.get(key) ?? { spent: [], windowStart: now, used: 0, running: 0 };
    this.#accounts.set(key, account);
    if (now - account.windowStart >= HOUR_MS) {
      account.windowStart = now;
      account.used = 0;
    }
    const first = account.spent[0];
    if (first && now - first.at >= HOUR_MS) account.spent = account.spent.filter((one) => now - one.at < HOUR_MS);
    return account;
  }

  #refusal(account: Account, key: string, cost: Cost): LimitAnswer | undefined {
    const now = this.#now();
    if (account.used >= PRIMARY)
      return {
        status: 403,
        message: `API rate limit exceeded for ${key.replace("installation ", "installation ID ")}.`,
        retryAfter: undefined,
      };
    const lastMinute = account.spent.filter((one) => now - one.at < MINUTE_MS);
    const points = lastMinute
      .filter((one) => one.graphql === cost.graphql)
      .reduce((total, one) => total + one.points, cost.write ? WRITE_POINTS : READ_POINTS);
    const tooMany =
      account.running >= CONCURRENT ||
      points > (cost.graphql ? GRAPHQL_POINTS_PER_MINUTE : REST_POINTS_PER_MINUTE) ||
      (cost.content > 0 && contentOf(lastMinute) + cost.content > CONTENT_PER_MINUTE);
    if (tooMany) return secondary(waitSeconds(lastMinute, now, MINUTE_MS));
    if (cost.content > 0 && contentOf(account.spent) + cost.content > CONTENT_PER_HOUR)
      return secondary(waitSeconds(account.spent, now, HOUR_MS));
    return undefined;
  }
}

const contentOf = (spent: readonly Spent[]) => spent.reduce((total, one) => total + one.content, 0);

/** The time until the oldest of them no longer counts. */
const waitSeconds = (spent: readonly Spent[], now: number, window: number) =>
  Math.max(1, Math.ceil(((spent[0]?.at ?? now) + window - now) / 1000));

export const secondary = (retryAfter: number | undefined): LimitAnswer => ({
  status: 403,
  message:
    "You have exceeded a secondary rate limit and have been temporarily blocked from content creation. Please retry your request again later.",
  retryAfter,
});
