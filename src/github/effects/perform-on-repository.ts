/** Dispatches the effects of repositories to the files that perform them, within the installation's write budget. */
import { type RepositoryEffect, repositoryEffectKey } from "../../domain/repository/effect.ts";
import type { RepositoryState } from "../../domain/repository/repository.ts";
import type { RepositoryAttempt, RepositoryPerformer } from "../../engine/ports/performer.ts";
import type { AppIdentity } from "../client/app-identity.ts";
import { gitHubErrorOf } from "../client/errors.ts";
import type { Caller, OctokitSource } from "../client/octokit.ts";
import { REPOSITORY_WRITES } from "../client/write-costs.ts";
import { laterOf } from "./one-call.ts";
import { readSetUpFacts } from "./set-up-facts.ts";
import { openSetUpPullRequest, type SetUpTask, updateSetUpPullRequest } from "./set-up-pull-request.ts";
import { reportSettings } from "./settings-check.ts";

interface Parts {
  readonly source: OctokitSource;
  readonly self: () => Promise<AppIdentity>;
  readonly now?: () => number;
}

/** Those on which the set-up waits. */
const BEGINS: ReadonlySet<RepositoryEffect["type"]> = new Set(["read-set-up", "open-set-up-pull-request"]);

async function begin(
  task: SetUpTask,
  { type }: RepositoryEffect,
  self: () => Promise<AppIdentity>,
): Promise<RepositoryAttempt> {
  const { octokit, at, repository } = task;
  switch (type) {
    case "read-settings": {
      const read = await reportSettings({ octokit, at, self: await self() }, repository, repository);
      return read === null ? { ended: "done" } : { ended: "done", command: { type: "settings-read", settings: read } };
    }
    case "read-set-up":
      return { ended: "done", command: { type: "set-up-read", facts: await readSetUpFacts(task) } };
    case "open-set-up-pull-request":
      return openSetUpPullRequest(task);
    case "update-set-up-pull-request":
      return updateSetUpPullRequest(task);
    default:
      return type satisfies never;
  }
}

export function createRepositoryPerformer({ source, self, now = Date.now }: Parts): RepositoryPerformer {
  return {
    async perform(effect: RepositoryEffect, repository: RepositoryState, again: boolean) {
      const { id, owner, name, installation_id } = repository;
      const at = { owner, repo: name };
      const work = (octokit: Caller) => begin({ octokit, at, now, again, repository }, effect, self);
      const writes = REPOSITORY_WRITES[effect.type];
      try {
        return writes === 0
          ? await work(await source.installation(installation_id))
          : await source.work(installation_id, `${id}:${repositoryEffectKey(effect)}`, writes, work);
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
