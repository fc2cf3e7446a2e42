/**
 * Requests to GitHub that belong to no job. They throw when GitHub does not answer: a failed permission check must not
 * count as a yes.
 */
import { type RunAction, USUAL_RUN_ACTION } from "../contracts/run-action.ts";
import type { Repository } from "../domain/job/job.ts";
import type { GitHubClient, InstalledRepository } from "../engine/ports/github.ts";
import type { AppIdentity } from "./client/app-identity.ts";
import { attempted } from "./client/errors.ts";
import type { Caller, OctokitSource } from "./client/octokit.ts";
import { readPermission } from "./client/permission.ts";
import { WRITES } from "./client/write-costs.ts";
import { observedOf, readBranchState } from "./effects/branch-state.ts";
import { failedCacheFill } from "./effects/cache-fill-runs.ts";
import { readMissingConsent } from "./effects/missing-consent.ts";
import { addReaction } from "./effects/reaction.ts";
import { findRepositoryById } from "./effects/repository-by-id.ts";
import { readSetUpFacts } from "./effects/set-up-facts.ts";
import { findComment } from "./effects/sync-comment.ts";
import { readTheirs } from "./effects/their-pull-request.ts";
import type { GitPushes } from "./git/push.ts";
import { answerMarker } from "./render/marker.ts";
import { cutBody } from "./render/plain.ts";
import { newFileLink } from "./render/set-up.ts";

export interface GitHubClientParts {
  readonly source: OctokitSource;
  readonly self: () => Promise<AppIdentity>;
  readonly now?: () => number;
  /** What workflow files use; missing: the published run action. */
  readonly run_action?: RunAction;
  /** Missing: everything goes by REST. */
  readonly pushes?: GitPushes;
}

const PAGE = 100;
/** Pages of deliveries to read: ten thousand events. */
const MAX_PAGES = 100;
/** GitHub stores and redelivers deliveries for three days. */
const KEPT_MS = 3 * 24 * 60 * 60_000;

/** Returns null for an expected 404; throws every other error. */
async function orNone<T>(now: () => number, call: () => Promise<T>): Promise<T | null> {
  const answer = await attempted(now, call);
  if (answer.ok) return answer.value;
  if (answer.githubError.kind === "gone") return null;
  throw new Error(`GitHub did not answer the request (${answer.githubError.kind}).`);
}

/** Best effort: a locked issue or deleted comment is not an error. */
async function unlessRefused(now: () => number, call: () => Promise<unknown>): Promise<void> {
  const answer = await attempted(now, call);
  if (answer.ok || (answer.githubError.kind !== "later" && answer.githubError.kind !== "conflict")) return;
  throw new Error(`GitHub did not accept the reply (${answer.githubError.kind}).`);
}

interface Delivery {
  readonly id: number;
  readonly guid: string;
  readonly delivered_at: string;
  readonly status_code: number;
}

/** Deliveries without a successful attempt, newest first, one attempt each. */
export function failedOf(deliveries: readonly Delivery[], since: number): { id: number; guid: string }[] {
  const recent = deliveries.filter(({ delivered_at }) => Date.parse(delivered_at) >= since);
  const arrived = new Set(
    recent.filter(({ status_code }) => status_code >= 200 && status_code < 300).map(({ guid }) => guid),
  );
  const failed = new Map<string, number>();
  for (const { id, guid } of recent) if (!arrived.has(guid) && !failed.has(guid)) failed.set(guid, id);
  return [...failed].map(([guid, id]) => ({ id, guid }));
}

const cursorOf = (link: string | undefined): string | null =>
  /[?&]cursor=([^&>]+)[^>]*>;\s*rel="next"/.exec(link ?? "")?.[1] ?? null;

async function deliveries(source: OctokitSource, since: number): Promise<Delivery[]> {
  const octokit = await source.app();
  const all: Delivery[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < MAX_PAGES; page++) {
    const answer: { data: readonly Delivery[]; headers: { link?: string | undefined } } = await octokit.request(
      "GET /app/hook/deliveries",
      { per_page: PAGE, ...(cursor === null ? {} : { cursor: decodeURIComponent(cursor) }) },
    );
    all.push(...answer.data);
    cursor = cursorOf(answer.headers.link);
    const oldest = answer.data.at(-1);
    if (cursor === null || !oldest || Date.parse(oldest.delivered_at) < since) break;
  }
  return all;
}

interface Reply {
  readonly repository: Repository;
  readonly issue_number: number;
  readonly mark: string;
  readonly body: string;
  /** It may be there already. */
  readonly again: boolean;
}

async function reply(
  { source, self, now }: Pick<Required<GitHubClientParts>, "source" | "self" | "now">,
  comment: Reply,
): Promise<void> {
  const { repository, issue_number, mark, body, again } = comment;
  const octokit = await source.installation(repository.installation_id);
  const at = { owner: repository.owner, repo: repository.name };
  const since = now() - KEPT_MS;
  const found = again ? await findComment({ octokit, at, self: await self() }, issue_number, mark, since) : null;
  if (found !== null) return;
  await unlessRefused(now, () =>
    octokit.request("POST /repos/{owner}/{repo}/issues/{issue_number}/comments", {
      ...at,
      issue_number,
      body: cutBody(body, `\n\n${mark}`),
    }),
  );
}

async function installedRepositories(source: OctokitSource, installation_id: number): Promise<InstalledRepository[]> {
  const octokit = await source.installation(installation_id);
  const all: InstalledRepository[] = [];
  for (let page = 1; page <= MAX_PAGES; page++) {
    const { data } = await octokit.request("GET /installation/repositories", { per_page: PAGE, page });
    for (const { id, name, owner, archived, fork } of data.repositories)
      all.push({ id, owner: owner.login, name, installation_id, archived, fork });
    if (data.repositories.length < PAGE) break;
  }
  return all;
}

async function readReview(
  { source, now }: Pick<GitHubClientParts, "source"> & { readonly now: () => number },
  { owner, name: repo, installation_id }: Repository,
  { number: pull_number, id: review_id }: { readonly number: number; readonly id: number },
): ReturnType<GitHubClient["review"]> {
  const octokit = await source.installation(installation_id);
  const at = { owner, repo, pull_number, review_id };
  const found = await orNone(now, () =>
    octokit.request("GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}", at),
  );
  return found === null
    ? null
    : { node_id: found.data.node_id, asks_for_changes: found.data.state === "CHANGES_REQUESTED" };
}

export function createGitHubClient(parts: GitHubClientParts): GitHubClient {
  const { source, self, now = Date.now, run_action = USUAL_RUN_ACTION } = parts;
  const writes = (): number => (parts.pushes?.works() ? 1 : WRITES["push-brief"]);
  return {
    async permission({ owner, name: repo, installation_id }, username) {
      const octokit = await source.installation(installation_id);
      const found = await orNone(now, () => readPermission(octokit, { owner, repo }, username));
      return found ?? { permission: "none", person: null };
    },

    async loginOf({ installation_id }, account_id) {
      const octokit = await source.installation(installation_id);
      const found = await orNone(now, () => octokit.request("GET /user/{account_id}", { account_id }));
      return found === null ? null : found.data.login;
    },

    async examine({ owner, name: repo, installation_id }) {
      const octokit = await source.installation(installation_id);
      const facts = await readSetUpFacts({ octokit, at: { owner, repo } });
      if (facts === null) return { facts, missing: null };
      const new_file_url = newFileLink(facts.url, "HEAD", run_action);
      return { facts, missing: await readMissingConsent(source, installation_id), new_file_url };
    },

    async failedCacheFill({ owner, name: repo, installation_id }, branch) {
      const octokit = await source.installation(installation_id);
      return orNone(now, () => failedCacheFill({ octokit, at: { owner, repo } }, branch));
    },

    installedRepositories: (installation_id) => installedRepositories(source, installation_id),

    async repository(repository, known) {
      const { owner, name: repo, installation_id } = repository;
      const octokit = await source.installation(installation_id);
      const state = await readBranchState({ octokit, at: { owner, repo }, pushes: parts.pushes ?? null }, null);
      return state === null ? null : observedOf(state, repository, known);
    },

    async pullRequest({ owner, name: repo, installation_id }, pull_number) {
      const octokit = await source.installation(installation_id);
      const { data } = await octokit.request("GET /repos/{owner}/{repo}/pulls/{pull_number}", {
        owner,
        repo,
        pull_number,
      });
      // A deleted fork has no repository any more, but still counts as a fork.
      const { head, base } = data;
      const from_fork = head.repo?.id !== base.repo.id;
      return { head_branch: head.ref, head_sha: head.sha, from_fork, merged: data.merged, open: data.state === "open" };
    },

    review: (repository, number, id) => readReview({ source, now }, repository, { number, id }),

    async pullRequestToFix({ owner, name: repo, installation_id }, number) {
      const octokit = await source.installation(installation_id);
      return (await readTheirs({ octokit, at: { owner, repo }, self: await self() }, number, false)).seen;
    },

    async react({ owner, name: repo, installation_id }, comment_id, content) {
      const post = (octokit: Caller) =>
        unlessRefused(now, () => addReaction(octokit, { owner, repo }, comment_id, content));
      // Replies to strangers must not use up the writes of people with permission.
      if (content === "confused") await source.bestEffort(installation_id, 1, post);
      else await post(await source.installation(installation_id));
    },

    reply: (repository, issue_number, marker, body, again) =>
      reply({ source, self, now }, { repository, issue_number, mark: answerMarker(marker), body, again }),

    async installation(owner, repo) {
      const app = await source.app();
      const found = await orNone(now, () => app.request("GET /repos/{owner}/{repo}/installation", { owner, repo }));
      return found === null ? null : { id: found.data.id };
    },

    repositoryById: (id) => orNone(now, () => findRepositoryById(source, id)),

    pushWait: ({ owner, name, installation_id }) => source.wait(installation_id, writes(), `${owner}/${name}`),
    isShortOfWrites: (installation_id) => source.isShort(installation_id),
    forgetAccess: (installation_id) => source.forgetToken(installation_id),

    async failedDeliveries() {
      const since = now() - KEPT_MS;
      return failedOf(await deliveries(source, since), since);
    },

    async redeliver(delivery_id) {
      const octokit = await source.app();
      await octokit.request("POST /app/hook/deliveries/{delivery_id}/attempts", { delivery_id });
    },
  };
}
