/**
 * Dispatches effects to the files that perform them, within the installation's write budget. Unexpected errors become
 * "later", so that the runner retries up to its limit.
 */

import type { LogLine } from "../../contracts/log-line.ts";
import { type RunAction, USUAL_RUN_ACTION } from "../../contracts/run-action.ts";
import { effectKey, type GitHubEffect } from "../../domain/job/effect.ts";
import { type Job, type JobId, marketWork } from "../../domain/job/job.ts";
import type { ModelDefaults } from "../../domain/job/model-selection.ts";
import { BRANCH_LIMIT_MS, isAwaited } from "../../domain/job/next-timer.ts";
import type { AccountStore } from "../../engine/ports/accounts.ts";
import type { AttachmentStore } from "../../engine/ports/attachments.ts";
import type { Judge } from "../../engine/ports/judge.ts";
import type { Attempt, Performer } from "../../engine/ports/performer.ts";
import type { RepositoryStore } from "../../engine/ports/repositories.ts";
import type { AppIdentity } from "../client/app-identity.ts";
import { gitHubErrorOf } from "../client/errors.ts";
import { createImageFetcher } from "../client/image-fetcher.ts";
import type { Caller, OctokitSource } from "../client/octokit.ts";
import { createKnownPermission } from "../client/permission.ts";
import type { PushTurn } from "../client/push-pace.ts";
import { WRITES } from "../client/write-costs.ts";
import type { GitPushes } from "../git/push.ts";
import { answerReviews, resolveThreads } from "./answer-reviews.ts";
import { disableAutoMerge, enableAutoMerge } from "./auto-merge.ts";
import { deliverFiles } from "./deliver-files.ts";
import { enqueue } from "./enqueue.ts";
import { expirePullRequest } from "./expire-pull-request.ts";
import { mentionRequester } from "./mention-requester.ts";
import { merge } from "./merge.ts";
import { cancelRun, closePullRequest, deleteBranch, laterOf, react, rerunChecks } from "./one-call.ts";
import { openPullRequest } from "./open-pull-request.ts";
import { pushBrief } from "./push-brief.ts";
import { pushToPullRequest } from "./push-to-pull-request.ts";
import { readFacts } from "./read-facts.ts";
import { readResult } from "./read-result.ts";
import { readRun } from "./read-run.ts";
import { judge } from "./review.ts";
import { showFiles } from "./show-files.ts";
import { showProgress, syncCheck } from "./sync-check.ts";
import { syncComment } from "./sync-comment.ts";
import { done, type Task } from "./task.ts";
import { triagePullRequest } from "./triage-pull-request.ts";
import { updateBranch } from "./update-branch.ts";

export interface PerformerParts {
  readonly source: OctokitSource;
  readonly repositories: Pick<RepositoryStore, "get">;
  /** Read for each effect, since it may be unknown at the start. */
  readonly self: () => Promise<AppIdentity>;
  readonly llm: ModelDefaults;
  /** Reviews submissions of market agents; null when no model is configured. */
  readonly judge?: Judge | null;
  /** The server's public address; null when it has none. */
  readonly public_url?: string | null;
  /** What a new workflow file uses; missing: the published one. */
  readonly run_action?: RunAction;
  /** The log of a job's newest attempt that has told anything, shown in the check run. */
  readonly log?: (id: JobId) => Promise<readonly LogLine[]>;
  /** Attachment blobs; not needed without a market. */
  readonly blobs?: Pick<AttachmentStore, "get">;
  /** Maps a person to an account; not needed without a market. */
  readonly accounts?: Pick<AccountStore, "of">;
  /** Where GitHub's pages are; missing: github.com. */
  readonly web_url?: string;
  /** Git pushes to the host; missing: everything goes by REST. */
  readonly pushes?: GitPushes;
  readonly now?: () => number;
  readonly wait?: (ms: number) => Promise<void>;
}

/**
 * By REST each attachment and each binary file costs one more write. Each reply and each
 * resolved thread costs one.
 */
function writesOf(effect: GitHubEffect, job: Job, pushes: boolean): number {
  const { type } = effect;
  if (effect.type === "answer-reviews") return WRITES[type] + effect.replies.length;
  if (effect.type === "resolve-threads") return WRITES[type] + effect.done.length;
  if (type === "push-brief") return pushes ? 1 : WRITES[type] + (marketWork(job)?.enclosure?.attachments.length ?? 0);
  return WRITES[type] + (type === "show-files" ? (marketWork(job)?.delivery?.files.length ?? 0) : 0);
}

/** A caller who waits for the branch is told before its turn would come. */
const turnOf = ({ type }: GitHubEffect, job: Job): PushTurn | null =>
  type !== "push-brief"
    ? null
    : {
        repository: `${job.repository.owner}/${job.repository.name}`,
        ...(isAwaited(job) ? { most_ms: BRANCH_LIMIT_MS } : {}),
      };

function begin(task: Task, effect: GitHubEffect): Promise<Attempt> {
  switch (effect.type) {
    case "push-brief":
      return pushBrief(task, effect);
    case "answer-reviews":
      return answerReviews(task, effect);
    case "resolve-threads":
      return resolveThreads(task, effect);
    case "react":
      return react(task, effect);
    case "sync-comment":
      return syncComment(task);
    case "sync-check":
      return syncCheck(task);
    case "mention-requester":
      return mentionRequester(task, effect);
    case "show-place":
      return syncComment(task);
    case "show-progress":
      return showProgress(task);
    case "cancel-run":
      return cancelRun(task, effect);
    case "read-run":
      return readRun(task, effect);
    case "read-result":
      return readResult(task, effect);
    case "show-files":
      return showFiles(task, effect);
    case "deliver-files":
      return deliverFiles(task, effect);
    case "open-pull-request":
      return openPullRequest(task, effect);
    case "triage-pull-request":
      return triagePullRequest(task);
    case "read-facts":
      return readFacts(task, effect);
    case "push-to-pull-request":
      return pushToPullRequest(task, effect);
    case "rerun-checks":
      return rerunChecks(task, effect);
    case "judge":
      return judge(task, effect);
    case "merge":
      return merge(task, effect);
    case "enable-auto-merge":
      return enableAutoMerge(task, effect);
    case "enqueue":
      return enqueue(task, effect);
    case "disable-auto-merge":
      return disableAutoMerge(task);
    case "update-branch":
      return updateBranch(task, effect);
    case "close-pull-request":
      return closePullRequest(task);
    case "expire-pull-request":
      return expirePullRequest(task);
    case "delete-branch":
      return deleteBranch(task);
    default:
      return effect satisfies never;
  }
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export function createPerformer(parts: PerformerParts): Performer {
  const { source, repositories, llm, now = Date.now, wait = sleep } = parts;
  const web_url = parts.web_url ?? "https://github.com";
  const images = createImageFetcher({ web_url });
  const permissionOf = createKnownPermission(now);
  return {
    async perform(effect, job, again) {
      const { owner, name, installation_id } = job.repository;
      try {
        const task: Omit<Task, "octokit"> = {
          repositories,
          self: await parts.self(),
          defaults: llm,
          judge: parts.judge ?? null,
          publicUrl: parts.public_url ?? null,
          web_url,
          run_action: parts.run_action ?? USUAL_RUN_ACTION,
          log: parts.log ?? (async () => []),
          accountOf: async (person) => (await parts.accounts?.of(person)) ?? null,
          pushes: parts.pushes ?? null,
          blobs: parts.blobs ?? { get: async () => null },
          images,
          permissionOf,
          now,
          wait,
          job,
          again,
          at: { owner, repo: name },
        };
        const work = (octokit: Caller) => begin({ ...task, octokit }, effect);
        const writes = writesOf(effect, job, parts.pushes?.works() ?? false);
        if (effect.type === "show-progress" || effect.type === "show-place")
          return (await source.bestEffort(installation_id, writes, work)) ?? done;
        return writes === 0
          ? await work(await source.installation(installation_id))
          : await source.work(installation_id, `${job.id}:${effectKey(effect)}`, writes, work, turnOf(effect, job));
      } catch (thrown) {
        const githubError = gitHubErrorOf(thrown, now());
        if (githubError === null) throw thrown;
        return { ended: "later", ...laterOf(githubError) };
      }
    },
  };
}
