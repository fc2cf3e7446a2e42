/**
 * Decides whether a pull request can be merged: required checks and reviews, conflicts, and GitHub's names for the
 * result. Pure; `merging.ts` does the merge.
 */
import type { CheckRun, CommitStatus, Protection, Repository, Review } from "./model.ts";
import type { PullIssue } from "./state.ts";

const PASSING = ["success", "skipped", "neutral"];
export type MergeState = "behind" | "blocked" | "clean" | "dirty" | "draft" | "unknown" | "unstable";
export type Verdict = "passed" | "pending" | "failed" | "missing";

/** The check runs that count on a commit: the latest of each name in each suite. */
export function latestCheckRuns(repository: Repository, sha: string): CheckRun[] {
  const latest = new Map<string, CheckRun>();
  for (const run of repository.checkRuns.values())
    if (run.headSha === sha) latest.set(`${run.suiteId} ${run.name}`, run);
  return [...latest.values()];
}

export function latestStatuses(repository: Repository, sha: string): CommitStatus[] {
  const latest = new Map<string, CommitStatus>();
  for (const status of repository.statuses) if (status.sha === sha) latest.set(status.context, status);
  return [...latest.values()];
}

const runVerdict = (run: CheckRun): Verdict =>
  run.status !== "completed" ? "pending" : PASSING.includes(run.conclusion ?? "") ? "passed" : "failed";
const statusVerdict = (status: CommitStatus): Verdict =>
  status.state === "success" ? "passed" : status.state === "pending" ? "pending" : "failed";

function verdicts(repository: Repository, sha: string): { name: string; app: string; verdict: Verdict }[] {
  return [
    ...latestCheckRuns(repository, sha).map((run) => ({ name: run.name, app: run.appSlug, verdict: runVerdict(run) })),
    ...latestStatuses(repository, sha).map((status) => ({
      name: status.context,
      app: status.creator.login.replace(/\[bot\]$/, ""),
      verdict: statusVerdict(status),
    })),
  ];
}

const isFrom = ({ checkApps }: Protection, name: string, app: string): boolean =>
  checkApps[name] === undefined || checkApps[name] === app;

function worst(found: readonly Verdict[]): Verdict {
  if (found.length === 0) return "missing";
  return (["failed", "pending"] as const).find((verdict) => found.includes(verdict)) ?? "passed";
}

/** GraphQL's `statusCheckRollup.state`, or undefined when nothing reported. */
export function rollupState(
  repository: Repository,
  sha: string,
): "SUCCESS" | "FAILURE" | "ERROR" | "PENDING" | undefined {
  if (latestStatuses(repository, sha).some((status) => status.state === "error")) return "ERROR";
  const state = worst(verdicts(repository, sha).map(({ verdict }) => verdict));
  return ({ failed: "FAILURE", pending: "PENDING", passed: "SUCCESS", missing: undefined } as const)[state];
}

export const protectionOf = (repository: Repository, branch: string): Protection | undefined =>
  repository.protections.get(branch);

/** What each reviewer has said last, comments left out. */
export const latestOpinions = ({ pull }: PullIssue): readonly Review[] => [
  ...new Map(
    pull.reviews.filter((review) => review.state !== "COMMENTED").map((review) => [review.user.id, review]),
  ).values(),
];

/** Null where the branch requires no reviews, whatever reviewers have said. */
export function reviewDecision(
  repository: Repository,
  issue: PullIssue,
): "APPROVED" | "CHANGES_REQUESTED" | "REVIEW_REQUIRED" | null {
  const needed = protectionOf(repository, issue.pull.baseRef)?.requiredReviews ?? 0;
  if (needed === 0) return null;
  const states = latestOpinions(issue).map(({ state }) => state);
  if (states.includes("CHANGES_REQUESTED")) return "CHANGES_REQUESTED";
  return states.filter((state) => state === "APPROVED").length >= needed ? "APPROVED" : "REVIEW_REQUIRED";
}

/** The required checks of a branch, as they stand on a commit. */
function requiredChecksOf(repository: Repository, protection: Protection, sha: string) {
  const found = verdicts(repository, sha);
  return protection.requiredChecks.map((name) => ({
    name,
    verdict: worst(
      found.filter((one) => one.name === name && isFrom(protection, name, one.app)).map(({ verdict }) => verdict),
    ),
  }));
}

/** Of all of them together; without any it has passed. */
export function requiredVerdict(repository: Repository, branch: string, sha: string): Verdict {
  const protection = protectionOf(repository, branch);
  const found = protection ? requiredChecksOf(repository, protection, sha).map(({ verdict }) => verdict) : [];
  return (["failed", "pending", "missing"] as const).find((verdict) => found.includes(verdict)) ?? "passed";
}

/** The unmet requirements of the protection, in GitHub's sentences. */
export function blockers(repository: Repository, issue: PullIssue): string[] {
  const protection = protectionOf(repository, issue.pull.baseRef);
  if (!protection) return [];
  const checks = requiredChecksOf(repository, protection, issue.pull.headSha);
  const open = checks.filter(({ verdict }) => verdict !== "passed");
  const sentences: string[] = [];
  const [first] = open;
  const words = { failed: "is failing", pending: "is pending", missing: "is expected", passed: "" };
  if (first && open.length === 1) sentences.push(`Required status check "${first.name}" ${words[first.verdict]}.`);
  else if (first) {
    const failing = open.filter(({ verdict }) => verdict === "failed").length;
    const state = failing > 0 ? "have not succeeded" : "are expected";
    sentences.push(`${open.length} of ${checks.length} required status checks ${state}.`);
  }
  const decision = reviewDecision(repository, issue);
  if (decision === "CHANGES_REQUESTED") sentences.push("Changes have been requested.");
  if (decision === "REVIEW_REQUIRED") {
    const count = protection.requiredReviews;
    sentences.push(
      `At least ${count} approving review${count === 1 ? " is" : "s are"} required by reviewers with write access.`,
    );
  }
  return sentences;
}

export function isBehind(repository: Repository, issue: PullIssue): boolean {
  const base = repository.git.branch(issue.pull.baseRef);
  return base !== undefined && !repository.git.isAncestor(base, issue.pull.headSha);
}

/** True, false, or null while GitHub has not computed it for these two commits. */
export function mergeableOf(repository: Repository, issue: PullIssue): boolean | null {
  const known = issue.pull.mergeability;
  const base = repository.git.branch(issue.pull.baseRef);
  return known && known.head === issue.pull.headSha && known.base === base ? known.mergeable : null;
}

export function mergeableState(repository: Repository, issue: PullIssue): MergeState {
  if (issue.pull.draft) return "draft";
  const mergeable = mergeableOf(repository, issue);
  if (mergeable === null) return "unknown";
  if (!mergeable) return "dirty";
  if (blockers(repository, issue).length > 0) return "blocked";
  if (protectionOf(repository, issue.pull.baseRef)?.strict && isBehind(repository, issue)) return "behind";
  const open = verdicts(repository, issue.pull.headSha).some(({ verdict }) => verdict !== "passed");
  return open ? "unstable" : "clean";
}

export function isRequired(repository: Repository, baseRef: string, name: string, app: string): boolean {
  const protection = protectionOf(repository, baseRef);
  return protection?.requiredChecks.includes(name) === true && isFrom(protection, name, app);
}
