/**
 * The places that a repository's limits count, and the line of jobs that wait for one. A job takes a place among those
 * that run from the decision that its brief is pushed to the end of its run, and a place among the open pull requests from
 * its beginning to the end of its pull request. Jobs of the market run elsewhere: only their pull requests count.
 */
import { PLACE_LIMITS, type PlaceLimit, type RepositorySettings } from "../../contracts/settings.ts";
import { counted } from "../../text/plural.ts";
import { accountNamed } from "./account.ts";
import { isOnActions, type Job, type JobId } from "./job.ts";
import { isOnTheirs } from "./target.ts";

/** The fields of a job that say which places it has. */
export type Placed = Pick<
  Job,
  "id" | "account" | "status" | "work" | "target" | "line" | "pull_request" | "pull_request_open" | "merged_at"
>;

/** What a job has or waits for. */
export interface Place {
  readonly id: JobId;
  readonly account: string;
  readonly runs: boolean;
  /** Its pull request is open, or it works on one. */
  readonly pull_request: boolean;
  /** It is going to open one, if it has none. */
  readonly opens: boolean;
  /** Since when it waits in line; null: it does not. */
  readonly waits_since: number | null;
  /** Its number in line as people were shown it; null: it does not wait. */
  readonly shown: number | null;
}

export type PlaceLimits = { readonly [L in PlaceLimit]?: number | undefined };

/** What a decision about a place needs to know of the repository. */
export interface LineFacts {
  readonly limits: PlaceLimits;
  readonly places: readonly Place[];
}

/** A limit that is reached. */
export interface Reached {
  readonly limit: PlaceLimit;
  readonly most: number;
}

export const placeLimitsOf = ({ limits }: Pick<RepositorySettings, "limits">): PlaceLimits => limits;

export const limitsPlaces = (limits: PlaceLimits): boolean => PLACE_LIMITS.some((limit) => limits[limit] !== undefined);

const isRunning = ({ work, status, line }: Placed): boolean =>
  work.kind === "actions" && (status === "accepted" || (status === "queued" && line === null));

/** A person's pull request is no job's. */
const opens = (job: Placed): boolean => isOnActions(job) && !isOnTheirs(job);

const hasOpenPullRequest = (job: Placed): boolean =>
  !isOnTheirs(job) && job.pull_request !== null && job.pull_request_open && job.merged_at === null;

/** Null: neither. */
export function placeOf(job: Placed): Place | null {
  const waits_since = job.line?.since ?? null;
  const runs = isRunning(job);
  // of a further round too, whose pull request is maybe closed
  const isOnIt = opens(job) && (runs || job.status === "submitted");
  const pull_request = isOnIt || hasOpenPullRequest(job);
  if (!runs && !pull_request && waits_since === null) return null;
  return {
    id: job.id,
    account: accountNamed(job.account),
    runs,
    pull_request,
    opens: opens(job),
    waits_since,
    shown: job.line?.position ?? null,
  };
}

/** It waits no more and has not begun, so whoever stands behind it moves up. */
export const leavesLine = (before: Placed, after: Placed): boolean =>
  before.line !== null && after.line === null && after.status !== "queued";

/** It would begin an attempt, and had no place to do so. */
export const takesPlace = (before: Placed | null, after: Placed): boolean =>
  isRunning(after) && after.status === "queued" && (before === null || !isRunning(before));

/** Another job may begin now. */
export function givesPlace(before: Placed, after: Placed): boolean {
  const [had, has] = [placeOf(before), placeOf(after)];
  return had !== null && ((had.runs && !has?.runs) || (had.pull_request && !has?.pull_request));
}

class Counts {
  readonly #limits: PlaceLimits;
  #running = 0;
  #pull_requests = 0;
  readonly #running_of = new Map<string, number>();
  readonly #pull_requests_of = new Map<string, number>();

  constructor({ limits, places }: LineFacts) {
    this.#limits = limits;
    for (const place of places) this.#add(place, place.runs, place.pull_request);
  }

  /** What keeps it from beginning; null: nothing, and it has its places now. */
  take(place: Place): Reached | null {
    const needs = place.opens && !place.pull_request;
    const reached =
      this.#reached("running", this.#running) ??
      this.#reached("running_per_requester", this.#running_of.get(place.account) ?? 0) ??
      (needs ? this.#reached("open_pull_requests", this.#pull_requests) : null) ??
      (needs
        ? this.#reached("open_pull_requests_per_requester", this.#pull_requests_of.get(place.account) ?? 0)
        : null);
    if (reached === null) this.#add(place, true, needs);
    return reached;
  }

  #reached(limit: PlaceLimit, count: number): Reached | null {
    const most = this.#limits[limit];
    return most !== undefined && count >= most ? { limit, most } : null;
  }

  #add({ account }: Place, runs: boolean, pull_request: boolean): void {
    const plus = (of: Map<string, number>) => of.set(account, (of.get(account) ?? 0) + 1);
    if (runs) {
      this.#running += 1;
      plus(this.#running_of);
    }
    if (pull_request) {
      this.#pull_requests += 1;
      plus(this.#pull_requests_of);
    }
  }
}

/** Whoever waits, the first first. */
export const waitingIn = (places: readonly Place[]): readonly (Place & { readonly waits_since: number })[] =>
  places
    .flatMap((place) => (place.waits_since === null ? [] : [{ ...place, waits_since: place.waits_since }]))
    .toSorted((a, b) => a.waits_since - b.waits_since || (a.id < b.id ? -1 : 1));

/**
 * What each of the line waits for, in order; null: it may begin now. The first that fits takes the place, so that one
 * requester's limit does not hold up the others.
 */
export function walkLine(facts: LineFacts): readonly { readonly id: JobId; readonly reached: Reached | null }[] {
  const counts = new Counts(facts);
  return waitingIn(facts.places).map((place) => ({ id: place.id, reached: counts.take(place) }));
}

/** Its number in the line, from 1; null: it does not wait. */
export function positionIn(places: readonly Place[], id: JobId): number | null {
  const at = waitingIn(places).findIndex((place) => place.id === id);
  return at < 0 ? null : at + 1;
}

/** So near to its beginning each step is worth an edit; further back, half of the way is. */
const NEAR = 3;

/** Those who are to be shown another number than they were, the first first. A job has a few such edits, however long the line. */
export const shownTooFarBack = (places: readonly Place[]): readonly JobId[] =>
  waitingIn(places).flatMap(({ id, shown }, at) => {
    const now = at + 1;
    return shown !== null && now < shown && (now <= NEAR || now <= shown / 2) ? [id] : [];
  });

export interface Spot extends Reached {
  readonly since: number;
  readonly position: number;
}

/** Where this job would have to wait; null: it may begin. `asked_at`: orders it among those that wait. */
export function spotFor(facts: LineFacts, job: Placed, asked_at: number): Spot | null {
  const { limits, places } = facts;
  const others = places.filter(({ id }) => id !== job.id);
  const candidate = {
    ...{ id: job.id, account: accountNamed(job.account), runs: false, opens: opens(job) },
    ...{ pull_request: hasOpenPullRequest(job), waits_since: asked_at, shown: null },
  };
  const line = walkLine({ limits, places: [...others, candidate] });
  const mine = line.find(({ id }) => id === job.id)?.reached ?? null;
  if (mine === null) return null;
  const still = line.filter(({ reached }) => reached !== null);
  return { ...mine, since: asked_at, position: still.findIndex(({ id }) => id === job.id) + 1 };
}

/** When whoever joins the line now is to have joined it: after everybody who is there. */
export const joinsAt = ({ places }: LineFacts, now: number): number =>
  Math.max(now, (waitingIn(places).at(-1)?.waits_since ?? 0) + 1);

/** Why jobs wait, without a full stop. */
export function whyWaiting({ limit, most }: Reached, account: string): string {
  switch (limit) {
    case "running":
      return `at most ${counted(most, "job")} may run at once`;
    case "running_per_requester":
      return `at most ${counted(most, "job")} of ${account} may run at once`;
    case "open_pull_requests":
      return `jobs may have at most ${counted(most, "open pull request")} at once`;
    case "open_pull_requests_per_requester":
      return `jobs of ${account} may have at most ${counted(most, "open pull request")} at once`;
    default:
      return limit satisfies never;
  }
}
