/**
 * The Octokit class that Probot and this code share: one cached client per installation, throttled, with timeouts and
 * without retries, since the effects runner retries and knows which calls may be repeated.
 */
import { LRUCache } from "lru-cache";
import { ProbotOctokit } from "probot";
import * as z from "zod";
import { PUSHES_PER_MINUTE } from "../../contracts/push-pace.ts";
import type { BudgetLeft } from "../../engine/ports/github.ts";
import { ClockSkew } from "./clock-skew.ts";
import { gitHubErrorOf, isUnauthorized } from "./errors.ts";
import { asGit, isGitCall } from "./git-calls.ts";
import { PushPace, type PushTurn } from "./push-pace.ts";
import { type CallKind, Reservation, Throttle, type ThrottleClock, WINDOWS, type Windows } from "./throttle.ts";
import { type TransportRequest, transport } from "./transport.ts";
import { USER_AGENT } from "./user-agent.ts";

export type Octokit = ProbotOctokit;
/** The client that effects use. */
export type Caller = Pick<Octokit, "request" | "graphql">;
type Hooked = Pick<Octokit, "hook" | "request">;
type Answer = Awaited<ReturnType<Octokit["request"]>>;
type Call = Parameters<Octokit["request"]["endpoint"]["parse"]>[0];
/** Options that we extend. */
interface ClientOptions {
  readonly auth?: unknown;
  readonly throttle?: object;
  readonly request?: object;
}

/** Cached clients; one that falls out of the cache is rebuilt on demand. */
const MAX_KEPT = 500;
/** The REST version that this code was written for (github-facts 7.12). */
const API_VERSION = "2022-11-28";

/** Clients per installation, and their write budget. */
export interface OctokitSource {
  installation(id: number): Promise<Octokit>;
  /** Authenticated as the App itself, for `/app/…` only. */
  app(): Promise<Octokit>;
  /** Drops the cached token, which may be revoked or lack new permissions. */
  forgetToken(installation_id: number): void;
  /**
   * Runs work with up to this many writes within the installation's budget; throws `BudgetSpent` when it must wait.
   * Only calls on the given client use the reservation. `push`: the work pushes, and waits for its turn in the repository
   * too.
   */
  work<T>(
    installation_id: number,
    key: string,
    writes: number,
    work: (octokit: Caller) => Promise<T>,
    push?: PushTurn | null,
  ): Promise<T>;
  /**
   * The same for best-effort writes that must not delay others; null when the budget has no spare room and nothing was
   * done.
   */
  bestEffort<T>(installation_id: number, writes: number, work: (octokit: Caller) => Promise<T>): Promise<T | null>;
  /** Milliseconds until work with this many writes could begin; `repository`: work that pushes to it. */
  wait(installation_id: number, writes: number, repository?: string): number;
  /** Whether less than half of the hour's writes is left. */
  isShort(installation_id: number): boolean;
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const REST_KINDS: Readonly<Record<string, CallKind>> = { GET: "rest-read", DELETE: "rest-delete" };

function kindOf(options: { readonly method: string; readonly url: string; readonly query?: unknown }): CallKind {
  if (!options.url.endsWith("/graphql")) return REST_KINDS[options.method] ?? "rest-write";
  return typeof options.query === "string" && /^\s*mutation\b/.test(options.query) ? "graphql-write" : "graphql-read";
}

/** Each mutation of a request counts, and each takes exactly one input. */
const writesIn = ({ query }: { readonly query?: unknown }): number =>
  typeof query === "string" ? (query.match(/\(input:/g) ?? []).length : 1;

/** Calls as the App use no installation's budget. */
const asApp = (url: string): boolean => url.includes("/app/");

/** Octokit's token cache, keyed by installation. */
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

/** The cache key of the requested client; null when it must not be cached. */
function cacheKeyOf(asked: z.infer<typeof authRequest>, makes_client: boolean): string | null {
  if (asked.type === "event-octokit" && asked.event) {
    const { name, payload } = asked.event;
    // Events get a client of their own: Probot stamps each of its calls with the first delivery's id.
    return payload.installation && name !== "installation"
      ? `event:${payload.installation.id}`
      : `event:${name}.${payload.action}`;
  }
  return asked.type === "installation" && makes_client && asked.installationId ? `to:${asked.installationId}` : null;
}

export interface Octokits {
  /** Pass this to `new Probot({ Octokit })`. */
  readonly Octokit: typeof ProbotOctokit;
  /** Creates the source for all other code, once Probot exists. */
  source(probot: { auth(installation_id?: number): Promise<Octokit> }): OctokitSource;
  /** How far GitHub's clock is ahead of ours in milliseconds, if it mattered; negative: behind. */
  ahead(): number;
  /** The rest of each rate-limit window, for the installation that has the least. */
  budget(): readonly BudgetLeft[];
}

/** Concurrent calls would each create a token; calls of one kind share one. */
function shareTokens(octokit: Hooked): (call: Call, make: () => Answer | Promise<Answer>) => Promise<Answer> {
  const creating = new Map<string, Promise<Answer>>();
  return (call, make) => {
    const { url, body } = octokit.request.endpoint.parse(call);
    const key = `${url} ${JSON.stringify(body ?? null)}`;
    const known = creating.get(key);
    if (known) return known;
    const made = Promise.resolve(make()).finally(() => creating.delete(key));
    creating.set(key, made);
    return made;
  };
}

/**
 * Drops a token that GitHub rejects or that lacks new permissions, so that the next call creates another. False when
 * none was cached.
 */
function forgetToken(options: unknown): boolean {
  const parsed = installationOptions.safeParse(options);
  if (!parsed.success || parsed.data.auth.cache === undefined) return false;
  // An empty entry counts as missing; Octokit's cache has no delete.
  parsed.data.auth.cache.set(String(parsed.data.auth.installationId), "");
  return true;
}

/** A plugin that throttles the calls of an installation, and pauses when GitHub asks for it. */
function throttled(
  paceOf: (installation_id: number) => Throttle,
  { forgetters, skew, clock }: { forgetters: Map<number, () => boolean>; skew: ClockSkew; clock: ThrottleClock },
) {
  return (octokit: Hooked, options: unknown): void => {
    const parsed = installationOptions.safeParse(options);
    const throttle = parsed.success ? paceOf(parsed.data.auth.installationId) : null;
    if (parsed.success) forgetters.set(parsed.data.auth.installationId, () => forgetToken(options));
    const create = shareTokens(octokit);
    octokit.hook.wrap("request", async (request, call) => {
      call.headers["x-github-api-version"] = API_VERSION;
      const ofApp = call.url.endsWith("/access_tokens") || !throttle || asApp(call.url);
      const signedIn = async (): Promise<Answer> => {
        try {
          return await request(call);
        } catch (thrown) {
          if (!isUnauthorized(thrown)) throw thrown;
          // The call had no effect: repeat it with a new token or GitHub's time.
          const otherwise = skew.learn(thrown);
          if ((!ofApp && forgetToken(options)) || otherwise) return request(call);
          throw thrown;
        }
      };
      if (call.url.endsWith("/access_tokens")) return create(call, signedIn);
      if (!throttle || asApp(call.url)) return signedIn();
      const kind = kindOf(call);
      const isGit = isGitCall(call.request);
      call.request = {
        ...call.request,
        fetch: (url: string, asked: TransportRequest) =>
          transport(url, isGit ? asGit(asked) : asked, () => throttle.another(kind)),
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
      return throttle.call(kind, make, reservationOf(call), writesIn(call));
    });
  };
}

function reservationOf({ request }: Call): Reservation | undefined {
  const reservation: unknown = request?.reservation;
  return reservation instanceof Reservation ? reservation : undefined;
}

/** The same client with the reservation attached to each call. */
function withReservation({ request, graphql }: Caller, reservation: Reservation): Caller {
  const carried = { request: { reservation } };
  return { request: request.defaults(carried), graphql: graphql.defaults(carried) };
}

/** Probot builds a client with a cache of 15,000 entries for each event; this caches one per installation. */
function kept(octokit: Pick<Octokit, "auth">): Pick<Octokit, "auth"> {
  const build = octokit.auth;
  let clients: LRUCache<string, Promise<unknown>> | null = null; // Only the App's own client is asked for others.
  const auth = async (asked?: unknown): Promise<unknown> => {
    const parsed = authRequest.safeParse(asked);
    const makes_client = typeof asked === "object" && asked !== null && "factory" in asked;
    const name = parsed.success ? cacheKeyOf(parsed.data, makes_client) : null;
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

/** One write budget per installation, and an Octokit class that enforces it. `now` must be monotonic. */
export function createOctokits(
  now: () => number = () => performance.now(),
  pushes_per_minute = PUSHES_PER_MINUTE,
): Octokits {
  const clock: ThrottleClock = { now, wait };
  const paces = new Map<number, Throttle>();
  const forgetters = new Map<number, () => boolean>();
  const skew = new ClockSkew(Date.now);
  const pushes = new PushPace(now, pushes_per_minute);
  const paceOf = (id: number): Throttle => {
    const known = paces.get(id) ?? new Throttle(clock);
    paces.set(id, known);
    return known;
  };
  const Octokit = ProbotOctokit.plugin(throttled(paceOf, { forgetters, skew, clock }), kept).defaults(
    (options: ClientOptions) => ({
      // A function, since Probot silently overwrites `throttle` in an options object.
      ...options,
      userAgent: USER_AGENT,
      ...(typeof options.auth === "object" ? { auth: { ...options.auth, timeDifference: skew } } : {}),
      retry: { enabled: false },
      throttle: { ...options.throttle, enabled: false },
      request: { ...options.request, fetch: transport },
    }),
  );
  const left = (): Windows[] => [...paces.values()].map((throttle) => throttle.left());
  return {
    Octokit,
    budget: () => leastOf(left()),
    ahead: () => skew.ms,
    source: (probot) => ({
      installation: (id) => probot.auth(id),
      app: () => probot.auth(),
      wait: (id, writes, to) => Math.max(paceOf(id).wait(writes), to === undefined ? 0 : pushes.wait(to)),
      isShort: (id) => paceOf(id).isShort(),
      forgetToken: (id) => void forgetters.get(id)?.(),
      work: async (id, key, writes, work, push) => {
        const octokit = await probot.auth(id);
        let left = writes;
        const run = () =>
          paceOf(id).work(key, writes, (reservation) =>
            work(withReservation(octokit, reservation)).finally(() => {
              left = reservation.left;
            }),
          );
        return push ? pushes.run(push, key, run, () => left < writes) : run();
      },
      bestEffort: async (id, writes, work) => {
        const octokit = await probot.auth(id);
        return paceOf(id).bestEffort(writes, (reservation) => work(withReservation(octokit, reservation)));
      },
    }),
  };
}
