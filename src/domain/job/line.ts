/**
 * The places that a repository's limits count, and the line of jobs that wait for one. A job takes a place among those
 * that run from the decision that its brief is pushed to the end of its run, and a place among the open pull requests from
 * its beginning to the end of its pull request. Jobs of the market run elsewhere: only their pull requests count.
 */
import {
  DEFAULT_REPOSITORY_SETTINGS,
  PLACE_LIMITS,
  type PlaceLimit,
  type RepositorySettings,
} from "../../contracts/settings.ts";
import { counted } from "../../text/plural.ts";
import { accountNamed } from "./account.ts";
import {
  type BudgetFacts,
  type BudgetReached,
  BudgetRoom,
  budgetOf,
  budgetSetting,
  grantFrom,
  type Held,
  hasBudget,
  whenMore,
  whyOverBudget,
} from "./budget.ts";
import { isOnActions, type Job, type JobId } from "./job.ts";
import { isOnTheirs } from "./target.ts";

/** The fields of a job that say which places it has. */
export type Placed = Pick<
  Job,
  | "id"
  | "account"
  | "status"
  | "work"
  | "target"
  | "line"
  | "pull_request"
  | "pull_request_open"
  | "merged_at"
  | "raised"
  | "reserved"
  | "over_budget"
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
  /** What its attempt under way may cost; null: there is none, or it began before that was kept. */
  readonly held: Held | null;
  /** What a retry allows its attempts; null: as much as the settings. */
  readonly raised_cents: number | null;
  /** The repository's budget does not hold it up. */
  readonly over_budget: boolean;
}

export type PlaceLimits = { readonly [L in PlaceLimit]?: number | undefined };

/** What a decision about a place needs to know of the repository. */
export interface LineFacts {
  readonly limits: PlaceLimits;
  readonly places: readonly Place[];
  /** Missing: there is none that counts here. */
  readonly budgets?: LineBudgets;
  /** Nobody has read the repository's settings, so that its own limits and budget may be missing here. */
  readonly unread?: true;
}

export const UNREAD_LINE: LineFacts = { limits: {}, places: [], unread: true };

/** Budgets that attempts of the repository have to fit into. */
export interface LineBudgets {
  readonly now: number;
  /** What the repository's settings allow one attempt. */
  readonly cap_cents: number;
  readonly repository: BudgetFacts | null;
  /** By account, with what its attempts hold in all repositories. Missing: it has none. */
  readonly accounts: ReadonlyMap<string, BudgetFacts & { readonly held: readonly (Held & { readonly id: JobId })[] }>;
}

/** A limit that is reached. */
export type Reached = { readonly limit: PlaceLimit; readonly most: number; readonly until?: never } | BudgetReached;

export const placeLimitsOf = ({ limits }: Pick<RepositorySettings, "limits">): PlaceLimits => limits;

export const limitsPlaces = (limits: PlaceLimits): boolean => PLACE_LIMITS.some((limit) => limits[limit] !== undefined);

/** Its jobs may have to wait. */
export const isLimited = (settings: RepositorySettings): boolean =>
  limitsPlaces(placeLimitsOf(settings)) || hasBudget(budgetOf(settings));

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
  const shown = job.line?.position ?? null;
  return { ...asPlace(job), runs, pull_request, waits_since, shown, held: runs ? job.reserved : null };
}

const asPlace = (job: Placed): Pick<Place, "id" | "account" | "opens" | "raised_cents" | "over_budget"> => ({
  id: job.id,
  account: accountNamed(job.account),
  opens: opens(job),
  raised_cents: job.raised?.cost_cents ?? null,
  over_budget: job.over_budget,
});

/** It waits no more and has not begun, so whoever stands behind it moves up. */
export const leavesLine = (before: Placed, after: Placed): boolean =>
  before.line !== null && after.line === null && after.status !== "queued";

/** It would begin an attempt, and had no place to do so. */
export const takesPlace = (before: Placed | null, after: Placed): boolean =>
  isRunning(after) && after.status === "queued" && (before === null || !isRunning(before));

type Attempting = Placed & Pick<Job, "round" | "attempt">;

/** An attempt is under way that was not before. */
export const beginsAttempt = (before: Attempting | null, after: Attempting): boolean =>
  isRunning(after) &&
  (before === null || !isRunning(before) || before.round !== after.round || before.attempt !== after.attempt);

/** Another job may begin now, whose place or part of a budget it has had. */
export function givesPlace(before: Placed, after: Placed): boolean {
  const [had, has] = [placeOf(before), placeOf(after)];
  if (had === null) return false;
  return (had.runs && (!has?.runs || had.held !== has.held)) || (had.pull_request && !has?.pull_request);
}

/** What an attempt may cost where no budget counts. */
export const capOf = ({ raised_cents }: Pick<Place, "raised_cents">, cap_cents: number): number =>
  raised_cents ?? cap_cents;

/** The cap that was granted to an attempt, and whether budgets had a say in it. */
export interface Grant {
  readonly cents: number;
  readonly budgeted: boolean;
}

const DEFAULT_CAP = DEFAULT_REPOSITORY_SETTINGS.limits.cost_cents;

/** What is left of budgets, while jobs of the line take from it. */
class Budgets {
  readonly #budgets: LineBudgets | undefined;
  readonly #repository: BudgetRoom | null = null;
  readonly #accounts = new Map<string, BudgetRoom>();

  /** `but`: a job whose attempt is over. */
  constructor({ places, budgets }: LineFacts, but: JobId | null) {
    this.#budgets = budgets;
    if (budgets === undefined) return;
    const { now, repository, accounts, cap_cents } = budgets;
    const held = places
      .filter(({ id, runs }) => runs && id !== but)
      .map((place) => place.held ?? { at: now, cents: capOf(place, cap_cents) });
    if (repository !== null) this.#repository = new BudgetRoom(repository, held, now, "repository");
    for (const [account, facts] of accounts) {
      const others = facts.held.filter(({ id }) => id !== but);
      this.#accounts.set(account, new BudgetRoom(facts, others, now, "account"));
    }
  }

  take(place: Place): Grant | BudgetReached {
    const { now, cap_cents } = this.#budgets ?? { now: 0, cap_cents: DEFAULT_CAP };
    const wanted = capOf(place, cap_cents);
    const rooms = [place.over_budget ? null : this.#repository, this.#accounts.get(place.account) ?? null];
    const bounding = rooms.filter((room) => room !== null);
    const granted = grantFrom(bounding, wanted);
    if (typeof granted !== "number") return granted;
    this.add(place.account, { at: now, cents: granted });
    return { cents: granted, budgeted: bounding.length > 0 };
  }

  add(account: string, held: Held): void {
    this.#repository?.add(held);
    this.#accounts.get(account)?.add(held);
  }
}

class Counts {
  readonly #limits: PlaceLimits;
  #running = 0;
  #pull_requests = 0;
  readonly #running_of = new Map<string, number>();
  readonly #pull_requests_of = new Map<string, number>();
  readonly #budgets: Budgets;

  /** `extra`: what an attempt has cost that is over and not booked yet. */
  constructor(facts: LineFacts, extra: readonly (Held & { readonly of: Place })[] = []) {
    const [first] = extra;
    this.#limits = facts.limits;
    this.#budgets = new Budgets(facts, first?.of.id ?? null);
    for (const { of, ...held } of extra) this.#budgets.add(of.account, held);
    for (const place of facts.places) this.#add(place, place.runs, place.pull_request);
  }

  /** What keeps it from beginning; else what it may cost, and it has its places now. */
  take(place: Place): Reached | Grant {
    const reached = this.#placeFor(place);
    return reached ?? this.grant(place);
  }

  /** For an attempt that keeps the place of the one before it. */
  grant(place: Place): BudgetReached | Grant {
    const taken = this.#budgets.take(place);
    if (!("limit" in taken)) this.#add(place, true, place.opens && !place.pull_request);
    return taken;
  }

  #placeFor(place: Place): Reached | null {
    const needs = place.opens && !place.pull_request;
    return (
      this.#reached("running", this.#running) ??
      this.#reached("running_per_requester", this.#running_of.get(place.account) ?? 0) ??
      (needs ? this.#reached("open_pull_requests", this.#pull_requests) : null) ??
      (needs ? this.#reached("open_pull_requests_per_requester", this.#pull_requests_of.get(place.account) ?? 0) : null)
    );
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
  return waitingIn(facts.places).map((place) => {
    const taken = counts.take(place);
    return { id: place.id, reached: "limit" in taken ? taken : null };
  });
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

export type Spot = Reached & { readonly since: number; readonly position: number };

/** What a job begins or waits with. */
export interface Asking {
  readonly job: Placed;
  /** Orders it among those that wait. */
  readonly asked_at: number;
  /** Its attempt follows one that was under way, whose place it keeps. */
  readonly goes_on: boolean;
  /** What the attempt has cost that ends with this. */
  readonly ended: readonly Held[];
}

/** Where this job would have to wait, or what its attempt may cost. */
export function spotFor(facts: LineFacts, { job, asked_at, goes_on, ended }: Asking): Spot | Grant {
  const { places } = facts;
  const others = places.filter(({ id }) => id !== job.id);
  const pull_request = hasOpenPullRequest(job);
  const candidate: Place = {
    ...asPlace(job),
    runs: false,
    pull_request,
    waits_since: asked_at,
    shown: null,
    held: null,
  };
  // its pull request is open whether it begins or not: nobody in front of it gets that place
  const counts = new Counts(
    { ...facts, places: [...others, candidate] },
    ended.map((held) => ({ ...held, of: candidate })),
  );
  if (goes_on) {
    const taken = counts.grant(candidate);
    if (!("limit" in taken)) return taken;
  }
  let before = 0;
  for (const place of waitingIn([...others, candidate])) {
    const taken = counts.take(place);
    if (place.id === job.id) return "limit" in taken ? { ...taken, since: asked_at, position: before + 1 } : taken;
    if ("limit" in taken) before += 1;
  }
  throw new Error("A job is not in the line that it asks to join");
}

/** When whoever joins the line now is to have joined it: after everybody who is there. */
export const joinsAt = ({ places }: LineFacts, now: number): number =>
  Math.max(now, (waitingIn(places).at(-1)?.waits_since ?? 0) + 1);

/** Why jobs wait, without a full stop. */
export function whyWaiting({ limit, most }: Pick<Reached, "limit" | "most">, account: string): string {
  switch (limit) {
    case "running":
      return `at most ${counted(most, "job")} may run at once`;
    case "running_per_requester":
      return `at most ${counted(most, "job")} of ${account} may run at once`;
    case "open_pull_requests":
      return `jobs may have at most ${counted(most, "open pull request")} at once`;
    case "open_pull_requests_per_requester":
      return `jobs of ${account} may have at most ${counted(most, "open pull request")} at once`;
    case "day_cents":
    case "month_cents":
    case "account_day_cents":
    case "account_month_cents":
      return whyOverBudget({ limit, most }, account);
    default:
      return limit satisfies never;
  }
}

/** The setting that a job waits for, as its file spells it; null: it is the operator's. */
export function settingOf(limit: Reached["limit"]): string | null {
  switch (limit) {
    case "day_cents":
    case "month_cents":
    case "account_day_cents":
    case "account_month_cents":
      return budgetSetting(limit);
    default:
      return `limits.${limit}`;
  }
}

/** When it begins by itself, after "It begins by itself", and what else there is to do. */
export function whenBegins({ limit, until }: { readonly limit: Reached["limit"]; readonly until?: number }): string {
  switch (limit) {
    case "running":
    case "running_per_requester":
      return "when a run ends";
    case "open_pull_requests":
    case "open_pull_requests_per_requester":
      return "when a pull request of a job is merged or closed";
    default: {
      const when = `when a run that costs less gives some back, or ${whenMore(limit, until ?? 0)}`;
      return budgetSetting(limit) === null
        ? when
        : `${when}, or an admin of the repository says \`/job retry --over-budget\``;
    }
  }
}
