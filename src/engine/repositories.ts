/** Updates repository metadata from webhooks, so that most jobs start without reading from GitHub. */
import type { EventRepository, GitHubEvent } from "../domain/job/github-event.ts";
import type { Job } from "../domain/job/job.ts";
import { fullName, type Repository, sameName, sameRepository } from "../domain/job/job.ts";
import { eachInTurn } from "./event-loop.ts";
import type { Handle } from "./handle-command.ts";
import type { GitHubClient } from "./ports/github.ts";
import type { ObservedRepository } from "./ports/repositories.ts";
import type { Store } from "./ports/store.ts";

type About = Extract<GitHubEvent, { type: "default-branch-moved" | "repositories-changed" | "uninstalled" }>;

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

/** The metadata under this name if it is of the same repository; metadata of another one is dropped. */
const keptOf = async (store: Store, handle: Handle, now: Named): Promise<ObservedRepository | null> => {
  const known = await store.repositories.get(now.owner, now.name);
  if (known === null || known.id === now.id) return known;
  await partWith(store, handle, known);
  return null;
};

type Named = Extract<GitHubEvent, { type: "repositories-changed" }>["added"][number];

export async function observeRepository(store: Store, handle: Handle, event: About): Promise<void> {
  switch (event.type) {
    case "default-branch-moved": {
      const { owner, name, id, installation_id } = event.repository;
      const known = await keptOf(store, handle, event.repository);
      const kept = { settings: known?.settings ?? null, settings_problem: known?.settings_problem ?? null };
      // After a change of the settings file the next job reads the repository; until then the head alone does not
      // suffice.
      const base =
        known?.base && !event.settings_changed && known.base.branch === event.branch
          ? { ...known.base, head_sha: event.head_sha, tree_sha: event.tree_sha }
          : null;
      return store.repositories.put({ owner, name, id, installation_id, base, ...kept });
    }
    case "repositories-changed": {
      const added = new Map(event.added.map((one) => [one.id, one]));
      await eachInTurn(event.removed, async (old) => {
        const now = added.get(old.id);
        if (now === undefined) await partWith(store, handle, old);
        else if (!sameName(now, old)) {
          const { owner, name, id } = now;
          await moveJobs(store, handle, old, { owner, name, id, installation_id: event.installation_id });
        }
        // A late event about a deleted repository must not affect the current holder of the name.
        if ((await store.repositories.get(old.owner, old.name))?.id === old.id)
          await store.repositories.remove(old.owner, old.name);
      });
      await eachInTurn(event.added, async ({ owner, name, id }) => {
        await keptOf(store, handle, { owner, name, id });
        await store.repositories.put({
          owner,
          name,
          id,
          installation_id: event.installation_id,
          base: null,
          settings: null,
          settings_problem: null,
        });
      });
      return;
    }
    case "uninstalled":
      await eachInTurn(await store.repositories.ofInstallation(event.installation_id), async (known) => {
        await partWith(store, handle, known);
        await store.repositories.remove(known.owner, known.name);
      });
      return cancelJobs(store, handle, (repository) => repository.installation_id === event.installation_id);
    default:
      return event satisfies never;
  }
}

/**
 * Re-reads the settings after a push that may have changed them, and reports mistakes on its commit. Reports first and
 * stores afterwards, since a retry must still know whether the old settings were broken. The branch's head is left to
 * the next reader.
 */
export async function observeSettings(
  store: Pick<Store, "repositories">,
  githubClient: Pick<GitHubClient, "settingsPushed">,
  at: EventRepository,
): Promise<void> {
  const read = await githubClient.settingsPushed(at, await store.repositories.get(at.owner, at.name));
  const known = await store.repositories.get(at.owner, at.name);
  if (read === null || known === null || known.id !== read.id) return;
  const { settings, settings_problem } = read;
  await store.repositories.put({ ...known, settings, settings_problem });
}
