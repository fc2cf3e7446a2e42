/**
 * Dispatches the effects of repositories to the files that perform them. A set-up writes only what jobs leave over of the
 * installation's write budget.
 */
import { type RunAction, USUAL_RUN_ACTION } from "../../contracts/run-action.ts";
import { type GitHubRepositoryEffect, repositoryEffectKey } from "../../domain/repository/effect.ts";
import type { RepositoryState } from "../../domain/repository/repository.ts";
import type { RepositoryAttempt, RepositoryPerformer } from "../../engine/ports/performer.ts";
import type { AppIdentity } from "../client/app-identity.ts";
import { gitHubErrorOf } from "../client/errors.ts";
import type { Caller, OctokitSource } from "../client/octokit.ts";
import { MINUTE_MS } from "../client/write-budget.ts";
import { REPOSITORY_WRITES } from "../client/write-costs.ts";
import { checkFiles } from "./files-check.ts";
import { startFill } from "./fill-cache.ts";
import { laterOf } from "./one-call.ts";
import { reportMonth } from "./report-month.ts";
import { showScheduleNotice } from "./schedule-notice.ts";
import { readSetUpFacts } from "./set-up-facts.ts";
import { openSetUpPullRequest, type SetUpTask, updateSetUpPullRequest } from "./set-up-pull-request.ts";
import { reportSettings } from "./settings-check.ts";

const CAN_WAIT: ReadonlySet<GitHubRepositoryEffect["type"]> = new Set([
  "open-set-up-pull-request",
  "update-set-up-pull-request",
  "report-month",
]);

/** A first reading writes at most that a file is broken, of which nobody waits to hear. */
const canWait = (effect: GitHubRepositoryEffect): boolean =>
  CAN_WAIT.has(effect.type) || (effect.type === "read-settings" && effect.first === true);

const LEFT_TO_JOBS: RepositoryAttempt = {
  ...{ ended: "later", reason: "The writes of this minute are left to jobs." },
  after_ms: MINUTE_MS,
};

interface Parts {
  readonly source: OctokitSource;
  readonly self: () => Promise<AppIdentity>;
  /** What a new workflow file uses; missing: the published one. */
  readonly run_action?: RunAction;
  readonly now?: () => number;
}

/** Those on which the set-up waits. */
const BEGINS: ReadonlySet<GitHubRepositoryEffect["type"]> = new Set(["read-set-up", "open-set-up-pull-request"]);

async function begin(
  task: SetUpTask,
  effect: GitHubRepositoryEffect,
  self: () => Promise<AppIdentity>,
): Promise<RepositoryAttempt> {
  const { octokit, at, repository } = task;
  switch (effect.type) {
    case "read-settings": {
      const read = await reportSettings({ octokit, at, self: await self() }, repository, repository);
      return {
        ended: "done",
        command: read === null ? { type: "files-absent" } : { type: "settings-read", settings: read },
      };
    }
    case "check-files":
      await checkFiles({ octokit, at, self: await self() }, effect.sha);
      return { ended: "done" };
    case "report-month":
      return reportMonth({ ...task, self: await self() }, effect);
    case "fill-cache":
      return startFill(task);
    case "read-set-up":
      return { ended: "done", command: { type: "set-up-read", facts: await readSetUpFacts(task) } };
    case "open-set-up-pull-request":
      return openSetUpPullRequest(task);
    case "update-set-up-pull-request":
      return updateSetUpPullRequest(task);
    case "show-schedule-notice":
      return showScheduleNotice({ ...task, self: await self() });
    default:
      return effect satisfies never;
  }
}

export function createRepositoryPerformer({
  source,
  self,
  run_action = USUAL_RUN_ACTION,
  now = Date.now,
}: Parts): RepositoryPerformer {
  return {
    async perform(effect: GitHubRepositoryEffect, repository: RepositoryState, again: boolean) {
      const { id, owner, name, installation_id } = repository;
      const at = { owner, repo: name };
      const work = (octokit: Caller) => begin({ octokit, at, now, again, run_action, repository }, effect, self);
      const writes = REPOSITORY_WRITES[effect.type];
      const key = `${id}:${repositoryEffectKey(effect)}`;
      try {
        if (writes === 0) return await work(await source.installation(installation_id));
        if (!canWait(effect)) return await source.work(installation_id, key, writes, work);
        return (await source.bestEffort(installation_id, writes, work)) ?? LEFT_TO_JOBS;
      } catch (thrown) {
        const githubError = gitHubErrorOf(thrown, now());
        if (githubError === null) throw thrown;
        // it is not there, or not for us: then there is nothing to be done in it now
        if (githubError.kind === "gone" || githubError.kind === "forbidden")
          return BEGINS.has(effect.type) ? { ended: "done", command: { type: "set-up-refused" } } : { ended: "done" };
        return { ended: "later", ...laterOf(githubError) };
      }
    },
  };
}
