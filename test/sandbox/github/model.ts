/** Record types of the local GitHub. The files named after each subject change them. */
import type { JobStep, RunConclusion, RunStatus } from "../ports.ts";
import type { GitStore } from "./git-store.ts";

export type Json = Record<string, unknown>;
export type Level = "read" | "write" | "admin";
export type PermissionMap = Readonly<Record<string, string>>;
export type CollaboratorRole = "admin" | "maintain" | "write" | "triage" | "read" | "none";
export type MergeMethod = "merge" | "squash" | "rebase";

export interface User {
  readonly id: number;
  readonly login: string;
  readonly type: "User" | "Bot" | "Organization";
}

/** The actor of a change. With GITHUB_TOKEN most workflows must not start. */
export interface Cause {
  readonly user: User;
  readonly byWorkflowToken: boolean;
  /** The App's id, if the change was made with its token. */
  readonly appId?: number;
}

export interface Protection {
  readonly requiredChecks: readonly string[];
  /** The Apps that must report the named checks; other checks may come from any App. */
  readonly checkApps: Readonly<Record<string, string>>;
  readonly requiredReviews: number;
  readonly strict: boolean;
  /** Classic protection, of which only the names of checks are shown to those who are no admins. */
  readonly classic?: boolean;
  /** Merges go through a merge queue alone, which fixes the method. `builds`: entries that are tested at the same time. */
  readonly mergeQueue?: { readonly method: MergeMethod; readonly builds: number } | undefined;
}

/** An entry of a merge queue; `group` is the commit on which it is tested, once that is built. */
export interface QueueEntry {
  readonly id: number;
  readonly number: number;
  readonly headSha: string;
  readonly cause: Cause;
  readonly enqueuedAt: number;
  group:
    | { readonly ref: string; readonly base: string; readonly baseSha: string; readonly headSha: string }
    | undefined;
}

export interface Label {
  readonly id: number;
  readonly name: string;
  readonly color: string;
  readonly description: string | null;
}

export interface Reaction {
  readonly id: number;
  readonly content: string;
  readonly user: User;
  readonly createdAt: number;
}

export interface Comment {
  readonly id: number;
  readonly issueNumber: number;
  readonly user: User;
  readonly appId: number | undefined;
  body: string;
  readonly createdAt: number;
  updatedAt: number;
  minimized: string | undefined;
  readonly reactions: Reaction[];
}

export interface Issue {
  readonly id: number;
  readonly number: number;
  readonly user: User;
  readonly appId: number | undefined;
  title: string;
  body: string | null;
  state: "open" | "closed";
  stateReason: string | null;
  locked: boolean;
  labels: string[];
  assignees: User[];
  readonly createdAt: number;
  updatedAt: number;
  closedAt: number | undefined;
  readonly comments: Comment[];
  readonly reactions: Reaction[];
  pull: PullRequest | undefined;
}

/** For a comment on lines of the new file. One that answers none begins a thread. */
export interface ReviewComment {
  readonly id: number;
  readonly path: string;
  /** The first of several lines. */
  readonly startLine: number | null;
  readonly line: number;
  readonly replyTo: number | undefined;
  readonly body: string;
  /** The diff up to that line. */
  readonly hunk: string;
  readonly reactions: Reaction[];
}

export interface Review {
  readonly id: number;
  readonly user: User;
  state: "APPROVED" | "CHANGES_REQUESTED" | "COMMENTED" | "DISMISSED";
  readonly body: string;
  readonly commitId: string;
  readonly submittedAt: number;
  readonly comments: readonly ReviewComment[];
  readonly reactions: Reaction[];
}

export interface AutoMerge {
  readonly enabledAt: number;
  readonly cause: Cause;
  readonly method: MergeMethod;
  readonly headline: string | undefined;
  readonly body: string | undefined;
}

export interface Mergeability {
  /** The two commits that the answer is for; other commits make it unknown again. */
  readonly base: string;
  readonly head: string;
  readonly mergeable: boolean;
}

export interface PullRequest {
  readonly id: number;
  readonly headRef: string;
  headSha: string;
  /** Owner of the fork that has the head; undefined for a branch of this repository. */
  readonly fork: User | undefined;
  baseRef: string;
  baseSha: string;
  draft: boolean;
  maintainerCanModify: boolean;
  merged: boolean;
  mergedAt: number | undefined;
  mergedBy: User | undefined;
  mergeCommitSha: string | undefined;
  mergeability: Mergeability | undefined;
  /** Changed lines, once git has counted them. */
  lines: { readonly additions: number; readonly deletions: number } | undefined;
  autoMerge: AutoMerge | undefined;
  /** Why it has left merge queues, as the timeline says. */
  readonly queueExits: { readonly reason: string; readonly at: number }[];
  readonly reviews: Review[];
  readonly requestedReviewers: User[];
  /** Who has resolved threads, by the ids of their first comments. */
  readonly resolved: Map<number, User>;
}

export interface CheckAction {
  readonly label: string;
  readonly description: string;
  readonly identifier: string;
}

export interface CheckRun {
  readonly id: number;
  readonly suiteId: number;
  readonly appSlug: string;
  readonly headSha: string;
  name: string;
  status: RunStatus;
  conclusion: string | null;
  startedAt: number;
  completedAt: number | undefined;
  externalId: string;
  detailsUrl: string | undefined;
  output: { title: string | null; summary: string | null; text: string | null; annotations: Json[] };
  actions: readonly CheckAction[];
}

export interface CheckSuite {
  readonly id: number;
  readonly appSlug: string;
  readonly headSha: string;
  readonly headBranch: string | null;
  readonly before: string | null;
  readonly createdAt: number;
  updatedAt: number;
  runId: number | undefined;
  status: RunStatus;
  conclusion: string | null;
}

export interface CommitStatus {
  readonly id: number;
  readonly sha: string;
  readonly context: string;
  readonly state: "error" | "failure" | "pending" | "success";
  readonly description: string | null;
  readonly targetUrl: string | null;
  readonly creator: User;
  readonly createdAt: number;
}

export interface WorkflowRun {
  readonly id: number;
  readonly workflowId: number;
  readonly number: number;
  readonly path: string;
  readonly name: string;
  readonly event: string;
  readonly displayTitle: string;
  readonly headBranch: string;
  readonly headSha: string;
  readonly actor: User;
  readonly suiteId: number;
  readonly createdAt: number;
  attempt: number;
  status: RunStatus;
  conclusion: RunConclusion | null;
  startedAt: number;
  updatedAt: number;
  cancelRequested: boolean;
  readonly jobs: WorkflowJob[];
}

export interface WorkflowJob {
  /** The same id as its check run's, as on GitHub. */
  readonly id: number;
  readonly runId: number;
  readonly attempt: number;
  readonly name: string;
  status: RunStatus;
  conclusion: RunConclusion | null;
  steps: readonly JobStep[];
  log: string;
  summary: string;
  readonly createdAt: number;
  startedAt: number | undefined;
  completedAt: number | undefined;
}

/** How the host takes pushes of programs that are no git; what GitHub does is not documented. */
export type PushWay = "at once" | "after its refs" | "not";

export interface Repository {
  readonly id: number;
  owner: User;
  name: string;
  readonly private: boolean;
  readonly git: GitStore;
  readonly createdAt: number;
  pushedAt: number;
  defaultBranch: string;
  autoMergeAllowed: boolean;
  deleteBranchOnMerge: boolean;
  /** “Update branch” brings workflow files for an App without that permission; whether it does is not known of GitHub. */
  appsUpdateWorkflows?: boolean;
  readonly mergeMethods: Record<MergeMethod, boolean>;
  readonly collaborators: Map<string, CollaboratorRole>;
  readonly protections: Map<string, Protection>;
  /** The merge queues' entries by branch, the next one first. */
  readonly mergeQueues: Map<string, QueueEntry[]>;
  /** `swallowed`: so many orders are taken without an error and not followed. */
  readonly queueFaults: { swallowed: number };
  readonly secrets: Record<string, string>;
  readonly variables: Record<string, string>;
  readonly labels: Map<string, Label>;
  readonly issues: Map<number, Issue>;
  readonly checkRuns: Map<number, CheckRun>;
  readonly checkSuites: Map<number, CheckSuite>;
  readonly runs: Map<number, WorkflowRun>;
  readonly workflowIds: Map<string, number>;
  readonly statuses: CommitStatus[];
  readonly verifiedCommits: Set<string>;
  /** Branches whose commits must be signed; `/**` at the end means all below it. */
  readonly signedBranches: Set<string>;
  /** Rules that nobody's push to these branches satisfies, in the words that GitHub has for them. */
  readonly refRules: { readonly branches: RegExp; readonly words: readonly string[] }[];
  /** Slugs of the owner's teams that have access. */
  readonly teams: Set<string>;
}

export const fullName = (repository: Repository): string => `${repository.owner.login}/${repository.name}`;

export interface Installation {
  readonly id: number;
  readonly account: User;
  readonly repositoryIds: Set<number>;
  permissions: PermissionMap;
  readonly events: readonly string[];
  readonly createdAt: number;
}
