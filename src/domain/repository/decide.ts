/** The decision: what a command does to a repository. Pure: no I/O, no clock. Nothing else says what follows from what. */
import type { Automation } from "../../contracts/automation.ts";
import type { Wanted } from "../pending-effect.ts";
import { budgetTold } from "./budget-notices.ts";
import type { RepositoryCommand, SettingsRead } from "./command.ts";
import type { RepositoryEffect } from "./effect.ts";
import { reportsChanged } from "./monthly-report.ts";
import {
  type IdentifiedRepository,
  newRepository,
  type ObservedRepository,
  type RepositoryState,
  type RunProblem,
  type SetUpFacts,
} from "./repository.ts";
import { runTold, type Scheduled, schedulesAfter, startDue, withAutomation } from "./schedules.ts";
import { BEGINNING, isSetUp, nextPhase } from "./set-up.ts";
import { triggerFired } from "./trigger-events.ts";
import { triggersAfter } from "./triggers.ts";

export interface RepositoryContext {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Whether pull requests that set a repository up are opened at all. */
  readonly offers_set_up: boolean;
  /** False: this process is not there all the time, and starts nothing by itself. Missing: true. */
  readonly runs_schedules?: boolean;
}

export interface RepositoryDecided {
  readonly kind: "decided";
  /** Null: nothing of it is kept. */
  readonly state: RepositoryState | null;
  readonly effects: readonly Wanted<RepositoryEffect>[];
}

export type RepositoryDecision = RepositoryDecided | { readonly kind: "unchanged" };

const unchanged: RepositoryDecision = { kind: "unchanged" };

const change = (
  state: RepositoryState | null,
  effects: readonly Wanted<RepositoryEffect>[] = [],
): RepositoryDecided => ({ kind: "decided", state, effects });

const scheduled = (told: Scheduled | null): RepositoryDecision =>
  told === null ? unchanged : change(told.state, told.effects);

const withTriggers = (state: RepositoryState, triggers: RepositoryState["triggers"] | null): RepositoryDecision =>
  triggers === null ? unchanged : change({ ...state, triggers });

type Plain = Exclude<RepositoryEffect, { type: "check-files" | "report-month" | "publish" } | { name: string }>;

const at = (type: Plain["type"], not_before: number): Wanted<RepositoryEffect> => ({
  effect: { type },
  urgency: "now",
  not_before,
});

/** News come in bursts; the set-up is read once for all of them. */
const READ_HOLD_MS = 2_000;
/** Between two edits of the set-up pull request. */
export const SHOW_GAP_MS = 60_000;
/** After GitHub refused to let it be opened. */
export const RETRY_MS = 6 * 3_600_000;

/** Of a schedule whose job could not be made for as long as effects are tried. */
const GIVEN_UP = "The job could not be made, for a reason that the server's log names.";

/** Between two runs that fill the cache. */
export const FILL_GAP_MS = 3_600_000;

/** A closed pull request may be opened again, by somebody who has changed their mind. */
const isHeard = (state: RepositoryState): boolean => isFollowed(state) || state.set_up.phase === "declined";

/** Phases in which the pull request's text follows what happens. */
const isFollowed = ({ set_up }: RepositoryState): boolean =>
  set_up.pull_request !== null && (set_up.phase === "offered" || set_up.phase === "merged");

export function decideRepository(
  state: RepositoryState | null,
  command: RepositoryCommand,
  context: RepositoryContext,
): RepositoryDecision {
  const decision = decideAlone(state, command, context);
  const [next, effects] = decision.kind === "decided" ? [decision.state, decision.effects] : [state, []];
  const told = next === null ? null : reportsChanged(next, command.type === "tick", context.now);
  return told === null ? decision : change(told.state, [...effects, ...told.effects]);
}

function decideAlone(
  state: RepositoryState | null,
  command: RepositoryCommand,
  context: RepositoryContext,
): RepositoryDecision {
  if (state === null) return "repository" in command ? first(command, context) : unchanged;
  const { now } = context;
  switch (command.type) {
    case "removed":
      return change(null);
    case "installed":
      return installed(state, command.repository, now);
    case "observed":
      return observed(state, command.repository, context);
    case "settings-read":
      return settingsRead(state, command.settings, context);
    case "first-reading-due":
      return firstReading(state, context);
    case "files-absent":
      return state.files_read ? unchanged : change({ ...state, files_read: true });
    case "pushed":
      return pushed(state, command, context);
    case "files-pushed":
      return filesPushed(state, command, now);
    case "seen":
      return state.set_up.phase === "unknown" && context.offers_set_up ? look(state, context) : unchanged;
    case "set-up-changed": {
      if (!isHeard(state)) return unchanged;
      const { first_job = state.set_up.first_job } = command;
      return change({ ...state, set_up: { ...state.set_up, first_job } }, [at("read-set-up", now + READ_HOLD_MS)]);
    }
    case "set-up-read":
      return command.facts === null ? refused(state, now) : setUpRead(state, command.facts, context);
    case "set-up-offered":
      return offered(state, command.pull_request, now);
    case "set-up-shown":
      return change({ ...state, set_up: { ...state.set_up, shown_at: now } });
    case "set-up-refused":
      return refused(state, now);
    case "cache-fill-started":
      return change({ ...state, cache_filled_at: now });
    case "trigger-secret-issued":
    case "trigger-refused":
    case "trigger-broken":
    case "trigger-mended":
      return withTriggers(state, triggersAfter(state, command, now));
    case "trigger-fired":
      return scheduled(triggerFired(state, command, now));
    case "run-seen":
      if (state.runs.first_run !== null) return unchanged;
      return shown({ ...state, runs: { ...state.runs, first_run: { at: now, url: command.url } } }, now);
    case "run-ended":
      return runEnded(state, command.problem, context);
    case "schedule-run-told":
    case "schedule-looked-at":
    case "resume-schedules":
    case "schedule-notice-shown":
      return scheduled(schedulesAfter(state, command, now));
    case "budget-seen":
      return scheduled(budgetTold(state, command, now));
    case "effect-abandoned":
      return abandoned(state, command.effect, now);
    case "tick":
      return tick(state, context);
    default:
      return command satisfies never;
  }
}

function first(command: Extract<RepositoryCommand, { repository: unknown }>, context: RepositoryContext) {
  const state = newRepository(command.repository);
  switch (command.type) {
    case "observed":
      return observed(state, command.repository, context);
    case "pushed":
      return pushed(state, command, context);
    case "installed":
      return change(state);
    case "files-pushed":
      return filesPushed(state, command, context.now);
    default:
      return look(state, context);
  }
}

function filesPushed(
  state: RepositoryState,
  { sha, pull_request }: Extract<RepositoryCommand, { type: "files-pushed" }>,
  now: number,
): RepositoryDecided {
  if (pull_request === undefined)
    return change(state, [{ effect: { type: "check-files", sha }, urgency: "now", not_before: now }]);
  const effect = { type: "check-files", sha, pull_request } as const;
  return change(state, [{ effect, urgency: "now", not_before: now + READ_HOLD_MS }]);
}

/** Under a new name, the links of an open set-up pull request are read anew. */
function installed(before: RepositoryState, named: IdentifiedRepository, now: number): RepositoryDecided {
  const { owner, name, installation_id } = named;
  // what another installation could not see or open, this one may
  const begins = BEGINNING.has(before.set_up.phase);
  const set_up = begins ? { ...before.set_up, phase: "unknown" as const, retry_at: null } : before.set_up;
  const unread = { base: null, settings: null, settings_problem: null, files_read: false };
  const state = { ...before, owner, name, installation_id, ...unread, set_up };
  const isMoved = owner !== before.owner || name !== before.name;
  return change(state, isMoved && isFollowed(state) ? [at("read-set-up", now + READ_HOLD_MS)] : []);
}

/** `read` missing: the files that say what starts by itself were not read. */
function withFiles(before: RepositoryState, read: Automation | undefined, context: RepositoryContext): Scheduled {
  const { now, runs_schedules = true } = context;
  const automation = read ?? before.automation;
  const state = { ...before, automation, files_read: before.files_read || read !== undefined };
  return runs_schedules ? withAutomation(state, automation, now) : { state, effects: [] };
}

function settingsRead(state: RepositoryState, read: SettingsRead, context: RepositoryContext): RepositoryDecision {
  const { id, settings, settings_problem, automation } = read;
  if (id !== state.id) return unchanged;
  const isNew = JSON.stringify(settings?.cache) !== JSON.stringify(state.settings?.cache);
  // The branch's head is left to the next reader.
  const next = withFiles({ ...state, settings, settings_problem }, automation, context);
  return change(next.state, [...next.effects, ...(isNew ? fills(next.state, context.now) : [])]);
}

/**
 * A process that starts nothing by itself leaves the files to the first job. A set-up pull request is opened before;
 * with the commit that says so the repository is in line again.
 */
function firstReading(state: RepositoryState, { now, runs_schedules = true }: RepositoryContext): RepositoryDecision {
  const { phase } = state.set_up;
  if (state.files_read || !runs_schedules || phase === "reading" || phase === "offering") return unchanged;
  return change(state, [{ effect: { type: "read-settings", first: true }, urgency: "whenever", not_before: now }]);
}

/** A workflow that is there says that nothing has to be set up, without another reading. */
function observed(before: RepositoryState, read: ObservedRepository, context: RepositoryContext): RepositoryDecided {
  const { automation, ...known } = read;
  const { state, effects } = withFiles({ ...before, ...known }, automation, context);
  const { base } = read;
  const needless = base?.has_workflow === true && BEGINNING.has(before.set_up.phase);
  return change(needless ? { ...state, set_up: { ...state.set_up, phase: "needless" } } : state, effects);
}

function pushed(
  before: RepositoryState,
  command: Extract<RepositoryCommand, { type: "pushed" }>,
  context: RepositoryContext,
): RepositoryDecided {
  const { owner, name, installation_id } = command.repository;
  const { branch, head_sha, tree_sha, files_changed, lock_files_changed } = command;
  // After a change of the settings file the next job reads the repository; until then the head alone does not suffice.
  const base =
    before.base !== null && !files_changed && before.base.branch === branch
      ? { ...before.base, head_sha, tree_sha }
      : null;
  const state = { ...before, owner, name, installation_id, base };
  const reads = files_changed ? [at("read-settings", 0)] : [];
  const filled = lock_files_changed ? fills(state, context.now) : [];
  const looked = isLookedAt(state, files_changed) ? look(state, context) : change(state);
  return { ...looked, effects: [...reads, ...filled, ...looked.effects] };
}

/** Has the cache filled, if there is one. */
const fills = ({ settings, cache_filled_at }: RepositoryState, now: number): Wanted<RepositoryEffect>[] =>
  settings?.cache === undefined
    ? []
    : [at("fill-cache", Math.max(now + READ_HOLD_MS, (cache_filled_at ?? 0) + FILL_GAP_MS))];

/** Whether a push to the default branch says something of the set-up. */
const isLookedAt = (state: RepositoryState, files_changed: boolean): boolean => {
  const { phase } = state.set_up;
  return phase === "unknown" || phase === "impossible" || (files_changed && isFollowed(state));
};

/** Has the set-up read, where it may lead to something. */
function look(state: RepositoryState, { now, offers_set_up }: RepositoryContext): RepositoryDecided {
  const begins = BEGINNING.has(state.set_up.phase);
  if (!offers_set_up || !(begins || isFollowed(state))) return change(state);
  const set_up = begins ? { ...state.set_up, phase: "reading" as const } : state.set_up;
  return change({ ...state, set_up }, [at("read-set-up", now + READ_HOLD_MS)]);
}

function setUpRead(state: RepositoryState, facts: SetUpFacts, { now }: RepositoryContext): RepositoryDecided {
  const phase = nextPhase(state, facts);
  const pull_request = facts.pull_request?.number ?? state.set_up.pull_request;
  const next = { ...state, set_up: { ...state.set_up, phase, facts, pull_request, retry_at: null } };
  return phase === "offering" ? change(next, [at("open-set-up-pull-request", now)]) : shown(next, now);
}

const offered = (state: RepositoryState, pull_request: number, now: number): RepositoryDecision =>
  BEGINNING.has(state.set_up.phase)
    ? change({ ...state, set_up: { ...state.set_up, phase: "offered", pull_request, shown_at: now } })
    : unchanged;

/** The pull request tells of the change with its next edit. The last edit closes it, if it is still open. */
function shown(state: RepositoryState, now: number): RepositoryDecided {
  if (!isFollowed(state)) return change(state);
  const set_up = isSetUp(state) ? { ...state.set_up, phase: "complete" as const } : state.set_up;
  const not_before = Math.max(now, (set_up.shown_at ?? 0) + SHOW_GAP_MS);
  return change({ ...state, set_up }, [at("update-set-up-pull-request", not_before)]);
}

function runEnded(before: RepositoryState, problem: RunProblem | null, { now }: RepositoryContext): RepositoryDecision {
  const { runs } = before;
  const first_result_at = problem === null ? (runs.first_result_at ?? now) : runs.first_result_at;
  if (problem === (runs.problem?.code ?? null) && first_result_at === runs.first_result_at) return unchanged;
  const next = { ...runs, first_result_at, problem: problem === null ? null : { code: problem, at: now } };
  return shown({ ...before, runs: next }, now);
}

/** GitHub may have refused what is not wanted any more. */
const refused = (state: RepositoryState, now: number): RepositoryDecision =>
  BEGINNING.has(state.set_up.phase)
    ? change({ ...state, set_up: { ...state.set_up, phase: "impossible", retry_at: now + RETRY_MS } })
    : unchanged;

function abandoned(state: RepositoryState, effect: RepositoryEffect, now: number): RepositoryDecision {
  switch (effect.type) {
    case "start-schedule": {
      const { name, due_at } = effect;
      const run = { name, due_at, job: null, came_to: "not_started", why: GIVEN_UP } as const;
      return scheduled(runTold(state, run, now));
    }
    case "read-settings":
      // with the commit it is in line again
      return effect.first === true && !state.files_read ? change(state) : refused(state, now);
    case "read-set-up":
    case "open-set-up-pull-request":
    case "update-set-up-pull-request":
    case "check-files":
      return refused(state, now);
    default:
      return unchanged;
  }
}

function tick(before: RepositoryState, context: RepositoryContext): RepositoryDecision {
  const begun = startDue(before, context.now);
  const { state, effects } = begun ?? { state: before, effects: [] };
  const { retry_at } = state.set_up;
  if (retry_at === null || retry_at > context.now) return scheduled(begun);
  const looked = look({ ...state, set_up: { ...state.set_up, retry_at: null } }, context);
  return { ...looked, effects: [...effects, ...looked.effects] };
}
