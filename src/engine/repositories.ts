/** What webhooks teach us of repositories, so that a job can start without a single read. */
import type { Signal } from "../job/signal.ts";
import type { Handle } from "./handle.ts";
import { type Repository, fullName, sameRepository } from "../job/job.ts";
import type { Store } from "./ports.ts";

type About = Extract<Signal, { type: "default-branch-moved" | "repositories-changed" | "uninstalled" }>;

/** Jobs of an installation that is gone cannot go on: they end, and what they hold is given back. */
const cancelJobs = async (store: Store, handle: Handle, gone: (repository: Repository) => boolean) => {
  for (const id of await store.jobs.open()) {
    const stored = await store.jobs.load(id);
    if (stored && gone(stored.job.repository))
      await handle(id, { type: "discard", by: { account: null, login: null } });
  }
};

/** Jobs read at once while they follow their repository. */
const PAGE = 100;

/** Events speak of a repository by its new name from now on, so its jobs must be found under that. */
const moveJobs = async (store: Store, handle: Handle, from: Named, to: Repository) => {
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<Store["jobs"]["list"]>> = await store.jobs.list({
      repository: fullName(from),
      limit: PAGE,
      ...(cursor === null ? {} : { cursor }),
    });
    for (const { id } of page.jobs) await handle(id, { type: "moved", repository: to });
    cursor = page.cursor;
  } while (cursor !== null);
};

type Named = Extract<Signal, { type: "repositories-changed" }>["added"][number];

export async function learn(store: Store, handle: Handle, signal: About): Promise<void> {
  switch (signal.type) {
    case "default-branch-moved": {
      const { owner, name, id, installation_id } = signal.repository;
      const known = await store.repositories.get(owner, name);
      const kept = { settings: known?.settings ?? null, settings_problem: known?.settings_problem ?? null };
      // an unread or changed file makes the next job read the repository; until then the head alone is not enough
      const base =
        known?.base && !signal.settings_changed && known.base.branch === signal.branch
          ? { ...known.base, head_sha: signal.head_sha, tree_sha: signal.tree_sha }
          : null;
      return store.repositories.put({ owner, name, id, installation_id, base, ...kept });
    }
    case "repositories-changed":
      for (const old of signal.removed) {
        const now = signal.added.find((added) => added.id === old.id);
        if (now === undefined) await cancelJobs(store, handle, (repository) => sameRepository(repository, old));
        else if (!sameRepository(now, old)) {
          const { owner, name } = now;
          await moveJobs(store, handle, old, { owner, name, installation_id: signal.installation_id });
        }
        await store.repositories.remove(old.owner, old.name);
      }
      for (const { owner, name, id } of signal.added)
        await store.repositories.put({
          owner,
          name,
          id,
          installation_id: signal.installation_id,
          base: null,
          settings: null,
          settings_problem: null,
        });
      return;
    case "uninstalled":
      for (const { owner, name } of await store.repositories.ofInstallation(signal.installation_id))
        await store.repositories.remove(owner, name);
      return cancelJobs(store, handle, (repository) => repository.installation_id === signal.installation_id);
    default:
      return signal satisfies never;
  }
}
