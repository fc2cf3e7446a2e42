/** What webhooks teach us of repositories, so that a job can start without a single read. */
import type { Signal } from "../job/signal.ts";
import type { Handle } from "./handle.ts";
import type { KnownRepository, Store } from "./ports.ts";

type About = Extract<Signal, { type: "default-branch-moved" | "repositories-changed" | "uninstalled" }>;

/** Jobs of an installation that is gone cannot go on: they end, and what they hold is given back. */
const cancelJobs = async (
  store: Store,
  handle: Handle,
  gone: (repository: KnownRepository["installation_id"]) => boolean,
) => {
  for (const id of await store.jobs.open()) {
    const stored = await store.jobs.load(id);
    if (stored && gone(stored.job.repository.installation_id))
      await handle(id, { type: "discard", by: { account: null, login: null } });
  }
};

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
      for (const { owner, name } of signal.removed) await store.repositories.remove(owner, name);
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
      return cancelJobs(store, handle, (installation) => installation === signal.installation_id);
    default:
      return signal satisfies never;
  }
}
