/**
 * The interface between the local GitHub (`github/`) and the runner (`actions/`). The runner sees what GitHub's own
 * runner service sees: events that may start workflows, and a place to report runs.
 */
export type RunStatus = "queued" | "in_progress" | "completed";
export type RunConclusion =
  | "success"
  | "failure"
  | "cancelled"
  | "skipped"
  | "timed_out"
  | "startup_failure"
  | "action_required";

export interface RepositoryName {
  readonly owner: string;
  readonly name: string;
}

/** An event that may start workflows. `byWorkflowToken`: caused with GITHUB_TOKEN, so most workflows must not start. */
export interface WorkflowTrigger {
  readonly event: "push" | "pull_request" | "workflow_dispatch" | "issue_comment" | "check_run" | "merge_group";
  readonly action?: string;
  readonly repository: RepositoryName;
  /** The commit whose workflow files count and which is checked out. */
  readonly sha: string;
  /** Full ref, e.g. `refs/heads/job/ab12cd34` or `refs/pull/3/merge`. */
  readonly ref: string;
  /** Branch name shown as the run's `head_branch`. */
  readonly headBranch: string;
  /** The run's `head_sha` (for pull_request: the head of the pull request, not the merge commit). */
  readonly headSha: string;
  readonly actor: string;
  readonly byWorkflowToken: boolean;
  /** The webhook payload, which workflows read as `github.event`. */
  readonly payload: Record<string, unknown>;
  /** Only for workflow_dispatch: the file and its inputs. */
  readonly workflowPath?: string;
  readonly inputs?: Record<string, string>;
}

export interface NewRun {
  readonly repository: RepositoryName;
  readonly path: string;
  readonly name: string;
  readonly event: string;
  readonly displayTitle: string;
  readonly headBranch: string;
  readonly headSha: string;
  readonly actor: string;
}

export interface RunHandle {
  readonly id: number;
  readonly attempt: number;
  readonly htmlUrl: string;
}

export interface JobStep {
  readonly name: string;
  readonly number: number;
  readonly status: RunStatus;
  readonly conclusion: RunConclusion | null;
}

/** Facts about a run that only the runner knows and that its identity tokens contain. */
export interface RunIdentity {
  readonly runId: number;
  /** Full ref, as in {@link WorkflowTrigger}. */
  readonly ref: string;
  readonly sha: string;
  /** Branches of a pull request; empty otherwise. */
  readonly headRef: string;
  readonly baseRef: string;
}

/** What the runner may do on the local GitHub. Every change sends the webhooks that GitHub would send. */
export interface ActionsBackend {
  /** Base of git over HTTP and of web pages, e.g. `http://127.0.0.1:4000`; clone URL is `${url}/{owner}/{name}.git`. */
  readonly url: string;
  /** Base of the REST API, e.g. `http://127.0.0.1:4000/api/v3`. */
  readonly apiUrl: string;
  onTrigger(listener: (trigger: WorkflowTrigger) => void): void;
  /** A REST request to cancel a run or to run it again. */
  onCancel(listener: (runId: number) => void): void;
  onRerun(listener: (runId: number, attempt: number) => void): void;
  /** Workflow files under `.github/workflows` at a commit: path → text. */
  workflowFiles(repository: RepositoryName, sha: string): Promise<ReadonlyMap<string, string>>;
  commitMessage(repository: RepositoryName, sha: string): Promise<string>;
  /** Secrets and variables of the repository's settings. */
  secrets(repository: RepositoryName): Readonly<Record<string, string>>;
  variables(repository: RepositoryName): Readonly<Record<string, string>>;
  /** Issues a GITHUB_TOKEN for one workflow job, valid until `revokeToken`. Permissions as in the workflow file. */
  workflowToken(repository: RepositoryName, permissions: Readonly<Record<string, string>>): string;
  revokeToken(token: string): void;
  /** Address and bearer with which one workflow job requests identity tokens (OIDC), until `closeIdentity(token)`. */
  openIdentity(identity: RunIdentity): { readonly url: string; readonly token: string };
  closeIdentity(token: string): void;
  /** The bearer with which one workflow job reaches the cache service below `url`, until `closeCaches(token)`. */
  openCaches(identity: RunIdentity): string;
  closeCaches(token: string): void;
  createRun(run: NewRun): RunHandle;
  startRun(runId: number): void;
  completeRun(runId: number, conclusion: RunConclusion): void;
  /**
   * Creates a workflow job of a run, which is also a check run of the App `github-actions` in the run's check suite.
   * Returns its id.
   */
  createJob(runId: number, name: string): number;
  updateJob(jobId: number, change: { status: RunStatus; conclusion?: RunConclusion; steps?: readonly JobStep[] }): void;
  /** Appends to the text that `GET …/actions/jobs/{id}/logs` returns once the job is completed. */
  appendLog(jobId: number, text: string): void;
  /** The job's GITHUB_STEP_SUMMARY, shown on the run's page. */
  setSummary(jobId: number, markdown: string): void;
}
