/**
 * The verdict on a job's pull request: pass, fail or wait, and whether it may be merged, each with its reasons.
 * Pure. Fails closed: whatever is not known for sure keeps the pull request waiting.
 */

import { jobFolder } from "../../contracts/brief.ts";
import { GlobSet, globMistake } from "../../text/glob.ts";
import { counted } from "../../text/plural.ts";
import { agreed, type Checked } from "../market/agreement.ts";
import { behindText, conflictText, isConflict, needOf } from "./catching-up.ts";
import type { Check, Facts } from "./facts.ts";
import { isOnMarket, type Job } from "./job.ts";
import { inQueue, type QueueVerdict, takenByQueue } from "./merge-queue.ts";
import { neverMerges } from "./never-merging.ts";
import { NO_CHECKS_LIMIT_MS } from "./next-timer.ts";
import { type Reason, reason } from "./reason.ts";
import { missingChecks, uncountedCheck } from "./required-checks.ts";
import { lacksSignatures } from "./signatures.ts";
import { isOnTheirs, MERGING_IS_THEIRS } from "./target.ts";

export interface Verdict {
  /** Is the work good? */
  readonly work: Reason;
  /** It is the sender's turn to say so. */
  readonly asks_sender: boolean;
  /** May it be merged, and how? */
  readonly merge: Reason & { readonly how: "now" | "auto" | "none" | QueueVerdict["how"]; readonly never: boolean };
  /** What the App has to do about the base branch before it merges; null: nothing. */
  readonly needs: "update" | "conflict" | null;
}

/** CI begins a moment after its commit or pull request; what has reported by then may not be all of it. */
export const CI_BEGINS_MS = 20_000;

/** The most reasons of one kind that are listed by name. */
const MOST_LISTED = 10;

/** Comparisons of one verdict; honest settings and pull requests take a hundredth. */
const MAX_GLOB_STEPS = 2_000_000;

const VERDICT_OF: Readonly<Record<Check["state"], Reason["verdict"]>> = {
  success: "pass",
  neutral: "pass",
  skipped: "pass",
  failure: "fail",
  pending: "wait",
  action_required: "wait",
  cancelled: "wait",
};

/** Which of the App's own doing is known of a job, for the sentences about checks. */
type Rerun = Pick<Job, "rerun_sha">;

const sentenceOf = (check: Check, { rerun_sha }: Rerun): string => {
  switch (check.state) {
    case "action_required":
      return `${check.name} waits for a person`;
    case "pending":
      return `${check.name} is not done`;
    case "cancelled":
      return check.run_id !== undefined && rerun_sha === null
        ? `${check.name} was cancelled before it was done; it is run again`
        : `${check.name} was cancelled before it was done; run it again on GitHub`;
    case "failure":
      return `${check.name} failed`;
    default:
      return `${check.name} passed`;
  }
};

const isDecidedOrCancelled = ({ state }: Check): boolean => VERDICT_OF[state] !== "wait" || state === "cancelled";

/** A skipped check is no objection, but says nothing for the work either. */
const says = (check: Check): boolean => !check.ours && (check.state === "success" || check.state === "neutral");

const judgeCheck = (check: Check, job: Rerun): Reason =>
  reason(VERDICT_OF[check.state], sentenceOf(check, job), [], check.url);

/** Runs at the head that are not over: as GitHub says, and those a webhook told of that this reading says nothing about. */
export function openRuns(facts: Facts, job: Job): readonly number[] {
  const told = job.ci_runs.filter((run) => run.sha === facts.head_sha && !run.complete).map((run) => run.id);
  return [...new Set([...facts.open_runs, ...told.filter((id) => !facts.complete_runs.includes(id))])];
}

/** Until then, what is green may be no more than the first check; null: it is not to be waited for. */
export const ciBegunAt = (facts: Facts, job: Job, now: number): number | null => {
  const at = job.head_seen_at === null ? null : job.head_seen_at + CI_BEGINS_MS;
  return at !== null && at > now && !facts.ci_begun ? at : null;
};

const MISSING = "required checks have not reported";
const DRAFT = "the pull request is a draft; mark it as ready";
const REVIEW_MISSING = "the branch's rules are not met; a review may be missing";
/** Of work on which nobody works: a round of ours would be under way. */
const OBJECTED = "a review asks for changes";

/** Merges that wait for a person alone. */
export const PERSONS_TURN: ReadonlySet<string> = new Set([DRAFT, REVIEW_MISSING, OBJECTED]);

const CANCELLED = "checks were cancelled, so nothing is decided";

/** Nothing but cancelled checks keeps the work waiting. */
export const isCancelled = ({ verdict, text }: Reason): boolean => verdict === "wait" && text === CANCELLED;

/** No event of a check is to come that would end this wait: a person must see it now. */
export const needsPerson = (said: Reason): boolean =>
  said.verdict === "wait" && (isConflict(said) || said.text === MISSING || isCancelled(said));

/** What do the checks say? Our own is left out; known runs must all be complete (github-facts 6.7, 6.8). */
function judgeChecks(facts: Facts, job: Job, now: number, forbidden: string | null): Reason {
  if (facts.head_sha !== job.head_sha) return reason("wait", "the branch has just moved; it is judged again");
  if (facts.changed_files.some((path) => path.startsWith(`${jobFolder(job.id)}/`)))
    return reason("wait", "the job's own folder is still on the branch");
  const checks = facts.checks.filter((check) => !check.ours);
  const judged = checks.map((check) => judgeCheck(check, job));
  const failed = judged.filter((one) => one.verdict === "fail");
  const waiting = judged.filter((one) => one.verdict === "wait");
  const only = checks.length === 1;
  const listed = (reasons: readonly Reason[]) => reasons.slice(0, MOST_LISTED);

  const missing = missingChecks(facts);
  const open = openRuns(facts, job);
  if (open.length > 0)
    return reason(
      "wait",
      counted(open.length, "workflow run is not complete", "workflow runs are not complete"),
      listed([...failed, ...waiting, ...missing]),
    );
  if (failed.length > 0)
    return reason(
      "fail",
      only ? "the only check failed" : `${failed.length} of ${checks.length} checks failed`,
      listed(failed),
    );
  if (!facts.checks_complete) return reason("wait", "there are more checks than can be judged; a person must merge");
  if (waiting.length > 0 && checks.every(isDecidedOrCancelled))
    return reason("wait", CANCELLED, listed([...waiting, ...missing]));
  if (waiting.length > 0)
    return reason(
      "wait",
      only ? "the only check is not done" : `${checks.length - waiting.length} of ${checks.length} checks are done`,
      listed([...waiting, ...missing]),
    );

  const settled = job.submitted_at !== null && now - job.submitted_at >= NO_CHECKS_LIMIT_MS;
  const left = settled && (job.price_cents === 0 || isOnMarket(job));
  const unchecked = facts.settings.auto_merge.require_checks && !checks.some(says) && !left;
  // no workflow begins on a pull request that conflicts, so there is nothing to wait for
  if (facts.mergeable === "conflict" && (missing.length > 0 || unchecked))
    return reason("wait", conflictText(facts, job, forbidden));
  if (missing.length > 0) return reason("wait", MISSING, listed(missing));
  if (ciBegunAt(facts, job, now) !== null) return reason("wait", "CI is given a moment to begin");
  if (checks.some(says))
    return reason("pass", only ? "the only check passed" : `all ${checks.length} checks passed`, listed(judged));
  if (!facts.settings.auto_merge.require_checks)
    return reason("pass", "nothing checks this repository, and its settings say that this is enough");
  return left
    ? reason("pass", "no check has reported in half an hour; the work is left to a person")
    : reason("wait", "no check has reported yet");
}

/** Is the work good? Of the market's it is not for checks alone to say. */
function judgeWork(
  facts: Facts,
  job: Job,
  now: number,
  forbidden: string | null,
): Pick<Verdict, "work" | "asks_sender"> {
  const checks = judgeChecks(facts, job, now, forbidden);
  if (!isOnMarket(job)) return { work: checks, asks_sender: false };
  const checked: Checked = { ...checks, speaks: facts.checks.some(says) };
  return agreed(checked, job, now);
}

/** What keeps this pull request from ever being merged by us; null: nothing. */
function forbids(facts: Facts, job: Job): string | null {
  const { auto_merge } = facts.settings;
  if (isOnTheirs(job)) return MERGING_IS_THEIRS;
  if (job.cancellation_requested) return "the job was asked to be cancelled";
  if (job.result?.outcome === "question") return "the agent asks something first";
  if (job.result?.outcome === "refused") return "the agent declined what was asked last";
  if (job.choices.no_merge) return "it was asked for with --no-merge";
  if (!auto_merge.enabled)
    return "auto-merge is off here; set `auto_merge: {enabled: true}` in .github/journeyman.yml to turn it on";
  if (facts.base !== job.base.branch && facts.base_deleted)
    return `${job.base.branch ?? "its base branch"} was deleted and GitHub has made ${facts.base} its base; merge it yourself if that is meant`;
  if (facts.base !== job.base.branch && !facts.base_renamed)
    return `it is for ${facts.base} now, and the job was for ${job.base.branch ?? "another branch"}`;
  if (!facts.changed_files_complete) return "it changes more files than can be checked";
  const guarded = neverMerges(facts.changed_files);
  if (guarded !== null) return guarded;
  const path = forbidsPath(facts);
  if (path !== null) return path;
  // those of a pull request that conflicts may begin once that is resolved
  if (auto_merge.require_checks && facts.mergeable !== "conflict" && !facts.checks.some(says))
    return "no check has reported; set `require_checks: false` in .github/journeyman.yml to merge without any";
  return null;
}

/** What keeps files that a job has changed from a person's branch, as the end of a sentence; null: nothing. */
export const keptBack = (changed_files: readonly string[], settings: Facts["settings"]): string | null =>
  neverMerges(changed_files) ??
  forbidsPath({
    changed_files,
    settings: { ...settings, auto_merge: { ...settings.auto_merge, allowed_paths: ["**"] } },
  });

/** What the settings' globs say of the changed files; null: nothing against them. */
function forbidsPath({ changed_files, settings }: Pick<Facts, "changed_files" | "settings">): string | null {
  const { forbidden_paths, auto_merge } = settings;
  // such as older settings may hold, which stand in while the newest cannot be read
  const unread = [...forbidden_paths, ...auto_merge.allowed_paths].find((glob) => globMistake(glob) !== null);
  if (unread !== undefined) return `its settings hold a glob that cannot be read: ${unread}`;
  // put back before the push as a rule; a person's commit or an old run-job.yml may have brought it all the same
  const forbidden = new GlobSet(forbidden_paths, { below: true, limit: MAX_GLOB_STEPS });
  const allowed = new GlobSet(auto_merge.allowed_paths, { below: false, limit: MAX_GLOB_STEPS });
  const barred = changed_files.find((path) => forbidden.matches(path));
  const outside = changed_files.find((path) => !allowed.matches(path));
  if (forbidden.isSpent || allowed.isSpent)
    return "its files cannot be held against so many and so long globs; simplify those of the settings";
  if (barred !== undefined) return `it changes ${barred}, which forbidden_paths names`;
  return outside === undefined ? null : `it changes ${outside}, which allowed_paths does not name`;
}

type MergeVerdict = Verdict["merge"];

const LEFT_TO_GITHUB = "GitHub merges it once its rules are met";

const merge = (how: MergeVerdict["how"], verdict: Reason["verdict"], text: string, never = false): MergeVerdict => ({
  ...reason(verdict, text),
  how,
  never,
});

/** Whoever merges it by hand must know. */
const alsoConflicts = (forbidden: string): string => `${forbidden}; and it conflicts with the base branch`;

function judgeMerge(facts: Facts, job: Job, work: Reason, forbidden: string | null): MergeVerdict {
  const conflict = facts.mergeable === "conflict" && facts.state === "open";
  // said at once, whatever else it waits for
  if (work.verdict !== "pass")
    return merge(
      "none",
      "wait",
      conflict ? conflictText(facts, job, forbidden) : "it merges once the checks are green",
    );
  if (forbidden !== null) return merge("none", "fail", conflict ? alsoConflicts(forbidden) : forbidden, true);
  if (facts.state !== "open") return merge("none", "wait", `the pull request is ${facts.state}`);
  const entry = inQueue(facts);
  if (conflict && entry === null) return merge("none", "wait", conflictText(facts, job, forbidden));
  if (facts.draft) return merge("none", "wait", DRAFT);
  if (facts.review === "changes_requested") return merge("none", "wait", OBJECTED);
  if (entry !== null) return merge(entry.how, entry.verdict, entry.text);
  if (facts.mergeable === "unknown") return merge("none", "wait", "GitHub is still computing whether it can be merged");
  const unsigned = lacksSignatures(facts);
  if (unsigned !== null) return merge("none", "wait", unsigned);
  // whoever may bypass a rule is told CLEAN, and we do not bypass any
  const state = facts.review === "required" ? "BLOCKED" : facts.merge_state;
  const queue = takenByQueue(facts, state);
  if (queue !== null) return merge(queue.how, queue.verdict, queue.text);
  switch (state) {
    case "CLEAN":
    case "HAS_HOOKS":
    case "UNSTABLE": // our own check is under way; every other one was judged above
      return merge("now", "pass", "it can be merged");
    case "BEHIND":
      return merge("none", "wait", behindText(facts, job, forbidden));
    case "BLOCKED":
      if (facts.auto_merge_enabled) return merge("none", "wait", uncountedCheck(facts) ?? LEFT_TO_GITHUB);
      return facts.auto_merge_allowed
        ? merge("auto", "wait", uncountedCheck(facts) ?? LEFT_TO_GITHUB)
        : merge("none", "wait", uncountedCheck(facts) ?? REVIEW_MISSING);
    default:
      return merge("none", "wait", `GitHub says ${state}`);
  }
}

/** Judges facts of one moment. `now` in milliseconds, for the time that no check has reported. */
export function evaluate(facts: Facts, job: Job, now: number): Verdict {
  const forbidden = forbids(facts, job);
  const { work, asks_sender } = judgeWork(facts, job, now, forbidden);
  const merge = judgeMerge(facts, job, work, forbidden);
  return { work, asks_sender, merge, needs: needOf(facts, job, work, forbidden) };
}

/** What failed, in a few lines for the next attempt: each failing check with what it says of itself. */
export const failureOf = (facts: Facts): string =>
  failuresIn(facts.checks.filter((check) => !check.ours && check.state === "failure"));

export const failuresIn = (failed: readonly Check[]): string =>
  failed
    .slice(0, MOST_LISTED)
    .map((check) => `The check “${check.name}” failed.${check.summary ? `\n${check.summary}` : ""}`)
    .join("\n");
