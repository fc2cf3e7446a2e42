/**
 * The Octokit that everything here and Probot itself use: one kept per installation, paced, timed out, never retried
 * (the effects runner retries, and knows which calls may be repeated). No knowledge of jobs.
 */
import { LRUCache } from "lru-cache";
import { ProbotOctokit } from "probot";
import { z } from "zod";
import type { BudgetLeft } from "../../engine/ports/github.ts";
import { ClockSkew } from "./clock-skew.ts";
import { gitHubErrorOf, isUnauthorized } from "./errors.ts";
import { type CallKind, Reservation, Throttle, type ThrottleClock, WINDOWS, type Windows } from "./pacing.ts";
import { type TransportRequest, transport } from "./transport.ts";
import { USER_AGENT } from "./user-agent.ts";

export type Octokit = ProbotOctokit;
/** What an effect calls GitHub with. */
export type Caller = Pick<Octokit, "request" | "graphql">;
type Hooked = Pick<Octokit, "hook" | "request">;
type Answer = Awaited<ReturnType<Octokit["request"]>>;
type Call = Parameters<Octokit["request"]["endpoint"]["parse"]>[0];
/** The options of a client that we add to. */
interface Given {
  readonly auth?: unknown;
  readonly throttle?: object;
  readonly request?: object;
}

/** Installations whose client is kept; one that falls out is built again when it is needed. */
const MAX_KEPT = 500;
/** REST behaviour that this code was written for (github-facts 7.12). */
const API_VERSION = "2022-11-28";

/** Where the calls of one installation come from, and whether it may write now. */
export interface OctokitSource {
  installation(id: number): Promise<Octokit>;
  /** Signed in as the App itself, for `/app/…` alone. */
  app(): Promise<Octokit>;
  /** Drops the kept token, which may be revoked or lack what was granted since. */
  forgetToken(installation_id: number): void;
  /**
   * Does work of at most this many writes within the installation's budget; throws `BudgetSpent` when it must wait. Only
   * what is called with the client that the work is given counts as its own.
   */
  work<T>(installation_id: number, key: string, writes: number, work: (octokit: Caller) => Promise<T>): Promise<T>;
  /** The same for what others must never wait for; null: the budget has no room to spare, and nothing was done. */
  spare<T>(installation_id: number, writes: number, work: (octokit: Caller) => Promise<T>): Promise<T | null>;
  /** In how many milliseconds work of this many writes could begin, as things stand. */
  wait(installation_id: number, writes: number): number;
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function kindOf(options: { readonly method: string; readonly url: string; readonly query?: unknown }): CallKind {
  if (!options.url.endsWith("/graphql")) return options.method === "GET" ? "rest-read" : "rest-write";
  return typeof options.query === "string" && /^\s*mutation\b/.test(options.query) ? "graphql-write" : "graphql-read";
}

/** Calls as the App, not as an installation: no budget of an installation pays for them. */
const asApp = (url: string): boolean => url.includes("/app/");

/** Where Octokit keeps the tokens of installations, by their ids. */
const tokenCache = z.custom<{ set(key: string, value: string): unknown }>(
  (value) => typeof value === "object" && value !== null && "set" in value && typeof value.set === "function",
);
const installationOptions = z.object({
  auth: z.object({ installationId: z.number(), cache: tokenCache.optional().catch(undefined) }),
});
const authRequest = z.object({
  type: z.string(),
  installationId: z.number().optional(),
  event: z
    .object({
      name: z.string(),
      payload: z.object({
        action: z.string().optional().catch(undefined),
        installation: z.object({ id: z.number() }).optional().catch(undefined),
      }),
    })
    .optional(),
});

/** Under which name the client that is asked for is kept; null: it is not one to keep. */
function keptAs(asked: z.infer<typeof authRequest>, makes_client: boolean): string | null {
  if (asked.type === "event-octokit" && asked.event) {
    const { name, payload } = asked.event;
    // a client of its own for events: Probot stamps each call of such a client with the delivery it first served
    return payload.installation && name !== "installation"
      ? `event:${payload.installation.id}`
      : `event:${name}.${payload.action}`;
  }
  return asked.type === "installation" && makes_client && asked.installationId ? `to:${asked.installationId}` : null;
}

export interface Octokits {
  /** Hand this to `new Probot({ Octokit })`. */
  readonly Octokit: typeof ProbotOctokit;
  /** The source for everything else, once Probot stands. */
  source(probot: { auth(installation_id?: number): Promise<Octokit> }): OctokitSource;
  /** How far GitHub's clock is ahead of ours, in milliseconds, as far as it mattered; negative: behind. */
  ahead(): number;
  /** What is left of each window, for the installation that has the least. */
  budget(): readonly BudgetLeft[];
}

/** Calls that begin side by side would each mint a token of their own; those of one kind share one. */
function shareTokens(octokit: Hooked): (call: Call, make: () => Answer | Promise<Answer>) => Promise<Answer> {
  const minting = new Map<string, Promise<Answer>>();
  return (call, make) => {
    const { url, body } = octokit.request.endpoint.parse(call);
    const key = `${url} ${JSON.stringify(body ?? null)}`;
    const known = minting.get(key);
    if (known) return known;
    const made = Promise.resolve(make()).finally(() => minting.delete(key));
    minting.set(key, made);
    return made;
  };
}

/** GitHub takes the kept token for none, or it lacks what was granted since: the next call makes another. False: none was kept. */
function forgetToken(options: unknown): boolean {
  const parsed = installationOptions.safeParse(options);
  if (!parsed.success || parsed.data.auth.cache === undefined) return false;
  // an empty one counts as none; Octokit's cache knows no other way
  parsed.data.auth.cache.set(String(parsed.data.auth.installationId), "");
  return true;
}

/** A plugin that sends the calls of an installation at its pace, and obeys when GitHub asks to keep away. */
function paced(
  paceOf: (installation_id: number) => Throttle,
  { forgetters, skew, clock }: { forgetters: Map<number, () => boolean>; skew: ClockSkew; clock: ThrottleClock },
) {
  return (octokit: Hooked, options: unknown): void => {
    const parsed = installationOptions.safeParse(options);
    const throttle = parsed.success ? paceOf(parsed.data.auth.installationId) : null;
    if (parsed.success) forgetters.set(parsed.data.auth.installationId, () => forgetToken(options));
    const mint = shareTokens(octokit);
    octokit.hook.wrap("request", async (request, call) => {
      call.headers["x-github-api-version"] = API_VERSION;
      const ofApp = call.url.endsWith("/access_tokens") || !throttle || asApp(call.url);
      const signedIn = async (): Promise<Answer> => {
        try {
          return await request(call);
        } catch (thrown) {
          if (!isUnauthorized(thrown)) throw thrown;
          // nothing was done: once more, with another token or by GitHub's clock
          const otherwise = skew.learn(thrown);
          if ((!ofApp && forgetToken(options)) || otherwise) return request(call);
          throw thrown;
        }
      };
      if (call.url.endsWith("/access_tokens")) return mint(call, signedIn);
      if (!throttle || asApp(call.url)) return signedIn();
      const kind = kindOf(call);
      call.request = {
        ...call.request,
        fetch: (url: string, asked: TransportRequest) => transport(url, asked, () => throttle.another(kind)),
      };
      const make = async (): Promise<Answer> => {
        try {
          return await signedIn();
        } catch (thrown) {
          const githubError = gitHubErrorOf(thrown, Date.now());
          if (githubError?.kind === "later" && githubError.after_ms)
            throttle.pauseUntil(clock.now() + githubError.after_ms);
          throw thrown;
        }
      };
      return throttle.call(kind, make, leaseOf(call));
    });
  };
}

function leaseOf({ request }: Call): Reservation | undefined {
  const reservation: unknown = request?.lease;
  return reservation instanceof Reservation ? reservation : undefined;
}

/** The same client, each of whose calls carries the lease. */
function leased({ request, graphql }: Caller, reservation: Reservation): Caller {
  const carried = { request: { reservation } };
  return { request: request.defaults(carried), graphql: graphql.defaults(carried) };
}

/** Probot and its auth build a client, with a cache of 15,000 places, for each event; here each is built once. */
function kept(octokit: Pick<Octokit, "auth">): Pick<Octokit, "auth"> {
  const build = octokit.auth;
  let clients: LRUCache<string, Promise<unknown>> | null = null; // the App's own client alone is ever asked
  const auth = async (asked?: unknown): Promise<unknown> => {
    const parsed = authRequest.safeParse(asked);
    const makes_client = typeof asked === "object" && asked !== null && "factory" in asked;
    const name = parsed.success ? keptAs(parsed.data, makes_client) : null;
    if (name === null) return build(asked);
    clients ??= new LRUCache({ max: MAX_KEPT });
    const known = clients.get(name);
    if (known) return known;
    const made = build(asked);
    clients.set(name, made);
    made.catch(() => clients?.delete(name));
    return made;
  };
  return { auth };
}

const leastOf = (budgets: readonly Windows[]): BudgetLeft[] =>
  (["writes_per_minute", "writes_per_hour", "rest_points_per_minute", "graphql_points_per_minute"] as const).map(
    (window) => ({
      window,
      limit: WINDOWS[window],
      left: Math.min(WINDOWS[window], ...budgets.map((budget) => budget[window])),
    }),
  );

/** One budget per installation and one class of Octokit that keeps to it. `now` never goes back: windows are durations. */
export function createOctokits(now: () => number = () => performance.now()): Octokits {
  const clock: ThrottleClock = { now, wait };
  const paces = new Map<number, Throttle>();
  const forgetters = new Map<number, () => boolean>();
  const skew = new ClockSkew(Date.now);
  const paceOf = (id: number): Throttle => {
    const known = paces.get(id) ?? new Throttle(clock);
    paces.set(id, known);
    return known;
  };
  const Octokit = ProbotOctokit.plugin(paced(paceOf, { forgetters, skew, clock }), kept).defaults((options: Given) => ({
    // a function: Probot overwrites `throttle` of an object silently
    ...options,
    userAgent: USER_AGENT,
    ...(typeof options.auth === "object" ? { auth: { ...options.auth, timeDifference: skew } } : {}),
    retry: { enabled: false },
    throttle: { ...options.throttle, enabled: false },
    request: { ...options.request, fetch: transport },
  }));
  const left = (): Windows[] => [...paces.values()].map((throttle) => throttle.left());
  return {
    Octokit,
    budget: () => leastOf(left()),
    ahead: () => skew.ms,
    source: (probot) => ({
      installation: (id) => probot.auth(id),
      app: () => probot.auth(),
      wait: (id, writes) => paceOf(id).wait(writes),
      forgetToken: (id) => void forgetters.get(id)?.(),
      work: async (id, key, writes, work) => {
        const octokit = await probot.auth(id);
        return paceOf(id).work(key, writes, (reservation) => work(leased(octokit, reservation)));
      },
      spare: async (id, writes, work) => {
        const octokit = await probot.auth(id);
        return paceOf(id).spare(writes, (reservation) => work(leased(octokit, reservation)));
      },
    }),
  };
}
