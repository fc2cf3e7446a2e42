/** Actions of a person on the site, as methods: issues, comments, reviews, merges, pushes, buttons. */
import { rerun } from "./actions-backend.ts";
import type { NewAttachment } from "./attachments.ts";
import { dropBranch, type MergeOutcome, mergePull } from "./auto-merge.ts";
import { addStatus, askForCheck, pressButton } from "./checks.ts";
import { emit } from "./events.ts";
import { ZERO } from "./git-refs.ts";
import * as issues from "./issues.ts";
import { dequeuePull, enqueuePull, type QueueExit, queueOf } from "./merge-queue.ts";
import type { Cause, CommitStatus, MergeMethod, Review } from "./model.ts";
import { repoHtml } from "./payloads.ts";
import * as pulls from "./pulls.ts";
import { refChanged } from "./ref-changes.ts";
import { replyInThread, threadsOf } from "./review-threads.ts";
import { addReview, dismissReview, onLines } from "./reviews.ts";
import { type FileMap, type RepoName, SandboxRecords } from "./sandbox-records.ts";
import { hasPull } from "./state.ts";
import { mergeBase } from "./update-branch.ts";

interface Push {
  readonly files: FileMap;
  /** A second parent. */
  readonly merged?: string | undefined;
  readonly message: string;
  readonly cause: Cause;
}

export class SandboxPeople extends SandboxRecords {
  openIssue(name: RepoName, input: { title: string; body?: string; by: string; labels?: readonly string[] }): number {
    const { title, body = null, labels = [] } = input;
    return issues.openIssue(this.world, this.repositoryOf(name), { title, body, labels }, this.causedBy(input.by))
      .number;
  }

  /** The Markdown of an image that somebody has dropped into a text. */
  attach(file: NewAttachment): string {
    return `![image](${this.world.attachments.add(file)})`;
  }

  closeIssue(name: RepoName, number: number, by: string): void {
    const repository = this.repositoryOf(name);
    issues.setIssueState(this.world, repository, this.issueOf(repository, number), "closed", this.causedBy(by));
  }

  comment(name: RepoName, number: number, input: { body: string; by: string }): number {
    const repository = this.repositoryOf(name);
    return issues.addComment(
      this.world,
      repository,
      this.issueOf(repository, number),
      input.body,
      this.causedBy(input.by),
    ).id;
  }

  editComment(name: RepoName, commentId: number, input: { body: string; by: string }): void {
    const repository = this.repositoryOf(name);
    const found = issues.findComment(repository, commentId);
    if (!found) throw new Error(`there is no comment ${commentId} in ${name}`);
    issues.editComment(this.world, repository, { ...found, body: input.body }, this.causedBy(input.by));
  }

  /** Hides a comment, as spam for instance. */
  hideComment(name: RepoName, commentId: number): void {
    const found = issues.findComment(this.repositoryOf(name), commentId);
    if (!found) throw new Error(`there is no comment ${commentId} in ${name}`);
    found.comment.minimized = "SPAM";
  }

  lock(name: RepoName, number: number): void {
    this.issueOf(this.repositoryOf(name), number).locked = true;
  }

  addLabel(name: RepoName, number: number, label: string, by: string): void {
    const repository = this.repositoryOf(name);
    const issue = this.issueOf(repository, number);
    const cause = this.causedBy(by);
    issues.addLabels(this.world, repository, issue, [label], cause, (action, more) => {
      if (hasPull(issue)) pulls.pullEvent(this.world, repository, issue, action, cause, more);
    });
  }

  /** A pull request from a branch of the repository. */
  openPullRequest(
    name: RepoName,
    input: { title: string; head: string; by: string; body?: string; base?: string; draft?: boolean },
  ): number {
    const repository = this.repositoryOf(name);
    const base = input.base ?? repository.defaultBranch;
    const [headSha, baseSha] = [repository.git.branch(input.head), repository.git.branch(base)];
    if (!headSha || !baseSha) throw new Error(`${input.head} or ${base} is no branch of ${name}`);
    const order = {
      title: input.title,
      body: input.body ?? null,
      headRef: input.head,
      headSha,
      baseRef: base,
      baseSha,
      draft: input.draft ?? false,
    };
    return pulls.openPull(this.world, repository, order, this.causedBy(input.by)).number;
  }

  /** A pull request from a fork: its commits are in this repository, its branch is not. */
  openForkPullRequest(
    name: RepoName,
    input: { title: string; by: string; files: FileMap; body?: string; branch?: string },
  ): number {
    const repository = this.repositoryOf(name);
    const baseRef = repository.defaultBranch;
    const baseSha = repository.git.branch(baseRef);
    if (!baseSha) throw new Error(`${name} is empty`);
    const cause = this.causedBy(input.by);
    const headSha = this.commitOf(repository, baseSha, input.files, cause.user, input.title);
    const order = {
      title: input.title,
      body: input.body ?? null,
      headRef: input.branch ?? "patch-1",
      headSha,
      baseRef,
      baseSha,
      draft: false,
      fork: cause.user,
    };
    return pulls.openPull(this.world, repository, order, cause).number;
  }

  editPullRequest(name: RepoName, number: number, { by, ...change }: { body: string; by: string }): void {
    const repository = this.repositoryOf(name);
    pulls.editPull(this.world, repository, this.pullOf(repository, number), change, this.causedBy(by));
  }

  /** A commit on the fork's branch; answers its name. */
  pushToFork(name: RepoName, number: number, files: FileMap, by?: string): string {
    const repository = this.repositoryOf(name);
    const issue = this.pullOf(repository, number);
    const cause = this.causedBy(by ?? issue.pull.fork?.login ?? "");
    const after = this.commitOf(repository, issue.pull.headSha, files, cause.user, "more");
    pulls.synchronize(this.world, repository, issue, after, cause);
    return after;
  }

  /** Returns the review's id. */
  review(name: RepoName, number: number, input: { state: Review["state"]; body?: string; by: string }): number {
    const repository = this.repositoryOf(name);
    return addReview(
      this.world,
      repository,
      this.pullOf(repository, number),
      { state: input.state, body: input.body ?? "" },
      this.causedBy(input.by),
    ).id;
  }

  /** A review with comments on lines of the changed files; returns its id and theirs. */
  async reviewLines(
    name: RepoName,
    number: number,
    {
      by,
      ...review
    }: {
      state: Review["state"];
      body?: string;
      by: string;
      comments: readonly Parameters<typeof onLines>[2][number][];
    },
  ): Promise<{ readonly id: number; readonly comments: readonly number[] }> {
    const repository = this.repositoryOf(name);
    const issue = this.pullOf(repository, number);
    const comments = await onLines(repository, issue, review.comments);
    const { state, body = "" } = review;
    const made = addReview(this.world, repository, issue, { state, body, comments }, this.causedBy(by));
    return { id: made.id, comments: made.comments.map(({ id }) => id) };
  }

  dismissReview(name: RepoName, number: number, id: number, by: string): void {
    const repository = this.repositoryOf(name);
    const issue = this.pullOf(repository, number);
    const review = issue.pull.reviews.find((one) => one.id === id);
    if (review === undefined) throw new Error(`there is no review ${id} on #${number}`);
    dismissReview(this.world, repository, issue, review, this.causedBy(by));
  }

  /** Comments on one line of the changed file; returns the comment's id. */
  async commentOnLine(
    name: RepoName,
    number: number,
    { by, ...said }: { path: string; line: number; body: string; by: string },
  ): Promise<number> {
    const repository = this.repositoryOf(name);
    const issue = this.pullOf(repository, number);
    const review = { state: "COMMENTED", body: "", comments: await onLines(repository, issue, [said]) } as const;
    return addReview(this.world, repository, issue, review, this.causedBy(by)).comments[0]?.id ?? 0;
  }

  /** Answers in a thread, which its first comment names. */
  replyInThread(
    name: RepoName,
    number: number,
    { by, thread, body }: { thread: number; body: string; by: string },
  ): void {
    const repository = this.repositoryOf(name);
    const issue = this.pullOf(repository, number);
    const found = threadsOf(issue).find(({ id }) => id === thread);
    if (found === undefined) throw new Error(`there is no thread ${thread} on #${number}`);
    replyInThread(this.world, repository, issue, { thread: found, body }, this.causedBy(by));
  }

  mergeByHand(name: RepoName, number: number, by: string, method: MergeMethod = "merge"): Promise<MergeOutcome> {
    const repository = this.repositoryOf(name);
    return mergePull(this.world, repository, this.pullOf(repository, number), { method }, this.causedBy(by));
  }

  /** Takes it out of the merge queue; without a person, GitHub does. */
  takeOutOfQueue(name: RepoName, number: number, by: string | null, reason: QueueExit = "MANUAL"): boolean {
    const repository = this.repositoryOf(name);
    const issue = this.pullOf(repository, number);
    return dequeuePull(this.world, repository, issue, reason, by === null ? undefined : this.causedBy(by));
  }

  async addToQueue(name: RepoName, number: number, by: string): Promise<void> {
    const repository = this.repositoryOf(name);
    const issue = this.pullOf(repository, number);
    const no = await enqueuePull(this.world, repository, issue, undefined, this.causedBy(by));
    if (no !== undefined) throw new Error(no);
  }

  /** Numbers of the pull requests in a branch's merge queue, the next one first. */
  mergeQueue(name: RepoName, branch: string): number[] {
    return queueOf(this.repositoryOf(name), branch).map((entry) => entry.number);
  }

  /** The next orders are taken without an error, and not followed. */
  swallowQueueOrders(name: RepoName, count: number): void {
    this.repositoryOf(name).queueFaults.swallowed = count;
  }

  approveWorkflows(name: RepoName, number: number, by: string): void {
    const repository = this.repositoryOf(name);
    pulls.approveWorkflows(this.world, repository, this.pullOf(repository, number), this.causedBy(by));
  }

  /** “Re-run all jobs” on a run that is over. */
  rerun(name: RepoName, runId: number): void {
    const repository = this.repositoryOf(name);
    const run = repository.runs.get(runId);
    if (run === undefined || !rerun(this.world, repository, run)) throw new Error(`run ${runId} cannot be run again`);
  }

  closePullRequest(name: RepoName, number: number, by: string): void {
    const repository = this.repositoryOf(name);
    pulls.closePull(this.world, repository, this.pullOf(repository, number), this.causedBy(by));
  }

  reopenPullRequest(name: RepoName, number: number, by: string): void {
    const repository = this.repositoryOf(name);
    pulls.reopenPull(this.world, repository, this.pullOf(repository, number), this.causedBy(by));
  }

  deleteBranch(name: RepoName, branch: string, by: string): boolean {
    return dropBranch(this.world, this.repositoryOf(name), branch, this.causedBy(by));
  }

  /** Like `git push --delete` of a ref that is no branch, for which no event is sent. */
  dropRef(name: RepoName, ref: string): boolean {
    return this.repositoryOf(name).git.refs.delete(ref);
  }

  publishRelease(name: RepoName, input: { tag: string; body?: string; by: string }): void {
    const repository = this.repositoryOf(name);
    const { tag, body = null, by } = input;
    const id = this.world.state.nextId();
    const html_url = `${repoHtml(this.world, repository)}/releases/tag/${tag}`;
    const release = { id, tag_name: tag, name: tag, body, html_url, draft: false, prerelease: false };
    emit(this.world, repository, "release", this.causedBy(by), { action: "published", release });
  }

  setStatus(name: RepoName, sha: string, context: string, state: CommitStatus["state"], by?: string): void {
    const repository = this.repositoryOf(name);
    addStatus(
      this.world,
      repository,
      { sha, context, state, description: null, targetUrl: null },
      this.causedBy(by ?? repository.owner.login),
    );
  }

  /** A person pushes a commit to a branch, which is created from the default branch when it is new. Returns its SHA. */
  pushCommit(
    name: RepoName,
    branch: string,
    files: FileMap,
    by: string,
    message = "Change files",
    merged?: string,
  ): string {
    return this.#push(name, branch, { files, message, merged, cause: this.causedBy(by) });
  }

  /** “Update branch”, pressed by a person. */
  updateBranch(name: RepoName, number: number, by: string): Promise<string | undefined> {
    const repository = this.repositoryOf(name);
    return mergeBase(this.world, repository, this.pullOf(repository, number), this.causedBy(by));
  }

  /** Replaces the branch by another commit on its first parent. */
  forcePush(name: RepoName, branch: string, files: FileMap, by: string): string {
    const repository = this.repositoryOf(name);
    const { git } = repository;
    const ref = `refs/heads/${branch}`;
    const before = git.refs.get(ref) ?? ZERO;
    const cause = this.causedBy(by);
    const after = this.commitOf(repository, git.commit(before)?.parents[0], files, cause.user, "Another history");
    git.refs.set(ref, after, before);
    refChanged(this.world, repository, { ref, before, after }, cause);
    return after;
  }

  /** The same by a run with GITHUB_TOKEN, after which GitHub starts no workflow. */
  pushByRun(name: RepoName, branch: string, files: FileMap, message: string, merged?: string): string {
    return this.#push(name, branch, {
      files,
      message,
      merged,
      cause: { user: this.world.state.actionsBot, byWorkflowToken: true },
    });
  }

  #push(name: RepoName, branch: string, { files, message, merged, cause }: Push): string {
    const repository = this.repositoryOf(name);
    const ref = `refs/heads/${branch}`;
    const before = repository.git.refs.get(ref);
    const parent = before ?? repository.git.branch(repository.defaultBranch);
    const after = this.commitOf(repository, parent, files, cause.user, message, merged);
    if (repository.git.refs.set(ref, after, before ?? ZERO) !== "ok") throw new Error(`${ref} could not be moved`);
    refChanged(this.world, repository, { ref, before: before ?? ZERO, after }, cause);
    return after;
  }

  clickCheckAction(name: RepoName, checkRunId: number, identifier: string, by: string): void {
    const { repository, run } = this.checkOf(name, checkRunId);
    if (!pressButton(this.world, repository, run, identifier, this.causedBy(by)))
      throw new Error(`check run ${checkRunId} shows no button ${identifier}`);
  }

  rerequestCheck(name: RepoName, checkRunId: number, by: string): void {
    const { repository, run } = this.checkOf(name, checkRunId);
    if (!askForCheck(this.world, repository, run, this.causedBy(by)))
      throw new Error("a workflow's check is run again with its run");
  }
}
