/** The handle on a local GitHub: its parts, and queries for tests. */

import type { ActionsBackend } from "../ports.ts";
import { actionsBackend } from "./actions-backend.ts";
import type { Api } from "./api.ts";
import type { Call } from "./calls.ts";
import type { Faults } from "./faults.ts";
import type { Change } from "./feed.ts";
import type { Commit } from "./git-commits.ts";
import type { PatchedFile } from "./git-store.ts";
import type { CheckRun, Comment, Issue, Json, Reaction, WorkflowRun } from "./model.ts";
import { checkRunJson } from "./payloads-checks.ts";
import { commentJson, issueJson } from "./payloads-issues.ts";
import { pullJson } from "./payloads-pulls.ts";
import { threadsOf } from "./review-threads.ts";
import type { RepoName } from "./sandbox-records.ts";
import { SandboxSettings } from "./sandbox-settings.ts";
import type { WebhookFaults } from "./webhook-faults.ts";
import type { Delivery, WebhookTarget } from "./webhooks.ts";

export class SandboxGitHub extends SandboxSettings {
  readonly url: string;
  readonly apiUrl: string;
  readonly appId: number;
  readonly privateKey: string;
  /** The OAuth client of the App. */
  readonly clientId: string;
  readonly clientSecret: string;
  readonly faults: Faults;
  /** Webhook faults: drop, duplicate, delay, reorder, hold and release. */
  readonly webhooks: WebhookFaults;
  readonly actions: ActionsBackend;
  /** What runs have saved with the cache service. */
  readonly caches: () => { ref: string; key: string; bytes: number }[];
  readonly #api: Api;
  readonly #close: () => Promise<void>;

  constructor(api: Api, parts: { root: string; privateKey: string; close: () => Promise<void> }) {
    super(api.world, parts.root);
    this.#api = api;
    this.#close = parts.close;
    this.privateKey = parts.privateKey;
    this.url = api.world.url;
    this.apiUrl = api.world.apiUrl;
    this.appId = api.world.appId;
    this.clientId = api.world.oauth.clientId;
    this.clientSecret = api.world.oauth.clientSecret;
    this.faults = api.faults;
    this.webhooks = api.world.webhooks.faults;
    this.actions = actionsBackend(api.world);
    this.caches = () => api.world.caches.list();
  }

  get appSlug(): string {
    return this.world.appSlug;
  }

  repositoryId(name: RepoName): number {
    return this.repositoryOf(name).id;
  }

  setWebhook(target: WebhookTarget | undefined): void {
    this.world.webhooks.setTarget(target);
  }

  /** The callback URLs for signing in. */
  setCallbacks(urls: readonly string[]): void {
    this.world.oauth.setCallbacks(urls);
  }

  /** Where people go who have installed the App. */
  setSetUpUrl(url: string): void {
    this.world.setUpUrl = url;
  }

  readFile(name: RepoName, revision: string, path: string): string | undefined {
    return this.repositoryOf(name).git.readFile(revision, path)?.toString("utf8");
  }

  readBytes(name: RepoName, revision: string, path: string): Buffer | undefined {
    return this.repositoryOf(name).git.readFile(revision, path);
  }

  /** All files of a commit as text, by path. */
  tree(name: RepoName, revision: string): Record<string, string> {
    const { git } = this.repositoryOf(name);
    const commit = git.commit(git.resolve(revision) ?? revision);
    return commit === undefined ? {} : this.#filesOf(name, commit.tree);
  }

  #filesOf(name: RepoName, tree: string): Record<string, string> {
    const { git } = this.repositoryOf(name);
    const files = git.list(tree, true).filter((file) => file.type === "blob");
    return Object.fromEntries(files.map((file) => [file.path, git.blob(file.sha)?.toString("utf8") ?? ""]));
  }

  /** The files of a merge of two commits, with markers where they conflict. */
  async mergedTree(name: RepoName, ours: string, theirs: string): Promise<Record<string, string>> {
    const { stdout } = await this.repositoryOf(name).git.run("merge-tree", "--write-tree", ours, theirs);
    return this.#filesOf(name, stdout.slice(0, 40));
  }

  branches(name: RepoName): Record<string, string> {
    const refs = [...this.repositoryOf(name).git.refs.list("refs/heads/")];
    return Object.fromEntries(refs.map(([ref, sha]) => [ref.slice("refs/heads/".length), sha]));
  }

  /** Full names of all refs with this prefix, including those that are neither branch nor tag. */
  refs(name: RepoName, prefix: string): string[] {
    return [...this.repositoryOf(name).git.refs.list(prefix).keys()];
  }

  /** Newest first. */
  log(name: RepoName, revision: string): Commit[] {
    const { git } = this.repositoryOf(name);
    const sha = git.resolve(revision);
    return sha ? git.between(undefined, sha).reverse() : [];
  }

  /** Who is assigned to a pull request and who is asked to review it, and its labels. */
  triage(name: RepoName, number: number) {
    const issue = this.pullOf(this.repositoryOf(name), number);
    const logins = (users: readonly { readonly login: string }[]) => users.map(({ login }) => login);
    return {
      ...{ assignees: logins(issue.assignees), reviewers: logins(issue.pull.requestedReviewers) },
      labels: [...issue.labels],
    };
  }

  /** Of this commit GitHub says "Verified". */
  isSigned(name: RepoName, sha: string): boolean {
    return this.repositoryOf(name).verifiedCommits.has(sha);
  }

  files(name: RepoName, from: string, to: string): Promise<readonly PatchedFile[]> {
    const { git } = this.repositoryOf(name);
    return git.patches(git.resolve(from) ?? from, git.resolve(to) ?? to);
  }

  async diff(name: RepoName, from: string, to: string): Promise<string> {
    const { git } = this.repositoryOf(name);
    return (await git.run("diff", "--no-color", git.resolve(from) ?? from, git.resolve(to) ?? to)).stdout;
  }

  issue(
    name: RepoName,
    number: number,
  ): Json & { state: Issue["state"]; labels: readonly string[]; body: string | null } {
    const repository = this.repositoryOf(name);
    const issue = this.issueOf(repository, number);
    return {
      ...issueJson(this.world, repository, issue),
      state: issue.state,
      labels: [...issue.labels],
      body: issue.body,
    };
  }

  comments(
    name: RepoName,
    number: number,
  ): (Json & { id: number; body: string; user: string; minimized: string | undefined; reactions: string[] })[] {
    const repository = this.repositoryOf(name);
    const issue = this.issueOf(repository, number);
    return issue.comments.map((comment: Comment) => ({
      ...commentJson(this.world, repository, issue, comment),
      id: comment.id,
      body: comment.body,
      user: comment.user.login,
      minimized: comment.minimized,
      reactions: comment.reactions.map((one) => one.content),
    }));
  }

  /** The reviews of a pull request, as shown on its page. */
  reviews(name: RepoName, number: number) {
    const seen = (reactions: readonly Reaction[]) => reactions.map(({ content }) => content);
    return this.pullOf(this.repositoryOf(name), number).pull.reviews.map((review) => ({
      ...{
        id: review.id,
        state: review.state,
        body: review.body,
        user: review.user.login,
        reactions: seen(review.reactions),
      },
      comments: review.comments.map((one) => ({ ...one, reactions: seen(one.reactions) })),
    }));
  }

  /** The threads on a pull request's lines, and who is asked to review it. */
  conversation(name: RepoName, number: number) {
    const issue = this.pullOf(this.repositoryOf(name), number);
    return {
      requested: issue.pull.requestedReviewers.map(({ login }) => login),
      threads: threadsOf(issue).map(({ id, comments, resolvedBy }) => ({
        ...{ id, resolvedBy: resolvedBy?.login ?? null },
        comments: comments.map(({ review, comment }) => ({ user: review.user.login, body: comment.body })),
      })),
    };
  }

  checkRuns(name: RepoName, revision: string): (Json & CheckRun)[] {
    const repository = this.repositoryOf(name);
    const sha = repository.git.resolve(revision) ?? revision;
    return [...repository.checkRuns.values()]
      .filter((run) => run.headSha === sha)
      .map((run) => ({ ...checkRunJson(this.world, repository, run), ...run }));
  }

  pulls(name: RepoName): (Json & {
    number: number;
    title: string;
    body: string | null;
    state: "open" | "closed";
    merged: boolean;
    head: string;
    headSha: string;
    autoMerge: boolean;
  })[] {
    const repository = this.repositoryOf(name);
    return this.world.state.pulls(repository).map((issue) => ({
      ...pullJson(this.world, repository, issue),
      number: issue.number,
      title: issue.title,
      body: issue.body,
      state: issue.state,
      merged: issue.pull.merged,
      head: issue.pull.headRef,
      headSha: issue.pull.headSha,
      autoMerge: issue.pull.autoMerge !== undefined,
    }));
  }

  runs(name: RepoName): readonly Readonly<WorkflowRun>[] {
    return [...this.repositoryOf(name).runs.values()];
  }

  jobLog(jobId: number): string {
    return this.world.state.job(jobId)?.job.log ?? "";
  }

  /** Newest first. */
  deliveries(): readonly Delivery[] {
    return this.world.webhooks.deliveries();
  }

  calls(): readonly Call[] {
    return this.#api.calls.list();
  }

  resetCalls(): void {
    this.#api.calls.reset();
  }

  onChange(listener: (change: Change) => void): () => void {
    return this.world.feed.onChange(listener);
  }

  /** No webhook is in flight and no background work is pending. Held webhooks do not count. */
  get isIdle(): boolean {
    return this.world.webhooks.idle && this.world.tasks.idle;
  }

  /** Resolves once it is idle. */
  async idle(): Promise<void> {
    do {
      await this.world.webhooks.settle();
      await this.world.tasks.settle();
    } while (!this.isIdle);
  }

  close(): Promise<void> {
    return this.#close();
  }
}
