/** Keeps repositories up to date by webhooks, so that most jobs start without reading from GitHub. */
import type { GitHubEvent } from "../domain/job/github-event.ts";
import type { Job } from "../domain/job/job.ts";
import { fullName, type Repository, sameName, sameRepository } from "../domain/job/job.ts";
import type { IdentifiedRepository } from "../domain/repository/repository.ts";
import { eachInTurn } from "./event-loop.ts";
import type { Handle } from "./handle-command.ts";
import type { HandleRepository } from "./handle-repository.ts";
import type { GitHubClient } from "./ports/github.ts";
import type { Store } from "./ports/store.ts";

type About = Extract<
  GitHubEvent,
  {
    type: "default-branch-moved" | "files-pushed" | "repositories-changed" | "set-up-changed" | "uninstalled";
  }
>;

/** Cancels the jobs of a removed installation and returns what they hold. */
const cancelJobs = async (store: Store, handle: Handle, gone: (repository: Repository) => boolean) => {
  await eachInTurn(await store.jobs.open(), async (id) => {
    const stored = await store.jobs.load(id);
    if (stored && gone(stored.job.repository))
      await handle(id, { type: "discard", by: { account: null, login: null } });
  });
};

/** Jobs read at once when a repository is renamed. */
const PAGE = 100;

/** Jobs under this name that belong to this repository. */
const jobsOf = async (store: Store, of: Named): Promise<Job[]> => {
  const found: Job[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<Store["jobs"]["list"]>> = await store.jobs.list({
      repository: fullName(of),
      limit: PAGE,
      ...(cursor === null ? {} : { cursor }),
    });
    found.push(...page.jobs.filter(({ repository }) => sameRepository(repository, of)));
    cursor = page.cursor;
  } while (cursor !== null);
  return found;
};

/** Renames the repository in its jobs, since later events use the new name. */
const moveJobs = async (store: Store, handle: Handle, from: Named, to: Repository) => {
  await eachInTurn(await jobsOf(store, from), ({ id }) => handle(id, { type: "moved", repository: to }));
};

/**
 * Frees a name for another repository, which must not inherit anything. Jobs stored without the repository's number get
 * it now, and open ones are cancelled.
 */
const partWith = async (store: Store, handle: Handle, { id, owner, name }: Named) => {
  await eachInTurn(await jobsOf(store, { id, owner, name }), async (job) => {
    if (job.repository.id === undefined) await handle(job.id, { type: "moved", repository: { ...job.repository, id } });
  });
  await cancelJobs(store, handle, (repository) => sameRepository(repository, { id, owner, name }));
};

/** Parts with another repository that had this name. */
const freeName = async (parts: ObserverParts, now: Named): Promise<void> => {
  const { store, handle, handleRepository } = parts;
  const known = await store.repositories.get(now.owner, now.name);
  if (known === null || known.id === now.id) return;
  await partWith(store, handle, known);
  await handleRepository(known.id, { type: "removed" });
};

type Named = Extract<GitHubEvent, { type: "repositories-changed" }>["added"][number];

export interface ObserverParts {
  readonly store: Store;
  readonly handle: Handle;
  readonly handleRepository: HandleRepository;
  readonly githubClient: Pick<GitHubClient, "repositoryById">;
}

/** GitHub is asked about as many repositories of one event. A transfer is of one; who selects more at once does not transfer. */
const ASKED_AT_ONCE = 20;

const isSamePlace = (a: IdentifiedRepository, b: IdentifiedRepository): boolean =>
  sameName(a, b) && a.installation_id === b.installation_id;

/**
 * Where a repository is by now. News of two installations come in any order, so where one contradicts what is known, GitHub
 * says which is older. Null: the App is not installed there any more.
 */
async function placeOf(parts: ObserverParts, told: IdentifiedRepository): Promise<IdentifiedRepository | null> {
  const known = await parts.store.repositories.byId(told.id);
  return known === null || isSamePlace(known, told) ? told : parts.githubClient.repositoryById(told.id);
}

/** Takes it and its jobs to this name and installation. */
async function settle(parts: ObserverParts, repository: IdentifiedRepository): Promise<void> {
  const { store, handle } = parts;
  const known = await store.repositories.byId(repository.id);
  if (known !== null && !isSamePlace(known, repository)) await moveJobs(store, handle, known, repository);
  await freeName(parts, repository);
}

const install = async (parts: ObserverParts, repository: IdentifiedRepository): Promise<void> => {
  await settle(parts, repository);
  await parts.handleRepository(repository.id, { type: "installed", repository });
};

/**
 * An installation has it no more. It is gone, unless another has it by now: news of that may have come before or are still to
 * come.
 */
async function leave(parts: ObserverParts, gone: Named, installation_id: number, asks: boolean): Promise<void> {
  const { store, handle, handleRepository, githubClient } = parts;
  const known = await store.repositories.byId(gone.id);
  const isLate = known !== null && known.installation_id !== installation_id;
  if (isLate && !asks) return;
  const now = known === null || !asks ? null : await githubClient.repositoryById(gone.id);
  if (known !== null && now !== null && (isLate || now.installation_id !== installation_id)) {
    if (!isSamePlace(known, now)) await install(parts, now);
    return;
  }
  await partWith(store, handle, gone);
  await handleRepository(gone.id, { type: "removed" });
}

async function selectionChanged(
  parts: ObserverParts,
  { installation_id, added, removed }: Extract<About, { type: "repositories-changed" }>,
): Promise<void> {
  const { store, handle } = parts;
  const asks = added.length + removed.length <= ASKED_AT_ONCE;
  const places = new Map<number, IdentifiedRepository>();
  for (const { owner, name, id } of added) {
    const told = { owner, name, id, installation_id };
    places.set(id, asks ? ((await placeOf(parts, told)) ?? told) : told);
  }
  await eachInTurn(removed, async (old) => {
    const now = places.get(old.id);
    if (now === undefined) await leave(parts, old, installation_id, asks);
    else if (!sameName(now, old)) await moveJobs(store, handle, old, now);
  });
  await eachInTurn([...places.values()], (repository) => install(parts, repository));
}

export async function observeRepository(parts: ObserverParts, event: About): Promise<void> {
  const { store, handle, handleRepository } = parts;
  switch (event.type) {
    case "default-branch-moved": {
      const { repository, branch, head_sha, tree_sha, settings_changed: files_changed, lock_files_changed } = event;
      const now = await placeOf(parts, repository);
      if (now === null) return;
      await settle(parts, now);
      const moved = { branch, head_sha, tree_sha, files_changed, lock_files_changed };
      await handleRepository(repository.id, { type: "pushed", repository: now, ...moved });
      return;
    }
    case "set-up-changed": {
      const { repository, brings_files: sha, first_job, merged } = event;
      // the text that was merged may be an edit of ours, and is nobody's word
      const box = first_job === undefined || merged !== undefined ? {} : { first_job };
      await handleRepository(repository.id, { type: "set-up-changed", ...box });
      if (sha !== undefined) await handleRepository(repository.id, { type: "files-pushed", repository, sha });
      return;
    }
    case "files-pushed": {
      const { repository, head_sha: sha, pull_request } = event;
      const of = pull_request === undefined ? {} : { pull_request };
      await handleRepository(repository.id, { type: "files-pushed", repository, sha, ...of });
      return;
    }
    case "repositories-changed":
      return selectionChanged(parts, event);
    case "uninstalled":
      await eachInTurn(await store.repositories.ofInstallation(event.installation_id), async (known) => {
        await partWith(store, handle, known);
        await handleRepository(known.id, { type: "removed" });
      });
      return cancelJobs(store, handle, (repository) => repository.installation_id === event.installation_id);
    default:
      return event satisfies never;
  }
}
