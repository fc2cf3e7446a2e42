/** Translates installation and repository events: where the App is installed, and names that invalidate cached data. */
import * as z from "zod";
import type { TranslatedEvent } from "../../domain/job/github-event.ts";
import { ignored, listener, source, translated } from "./event-listener.ts";

const listed = z.array(z.object({ id: z.number(), full_name: z.string() }));

interface Named {
  readonly owner: string;
  readonly name: string;
  readonly id: number;
}

const changed = (installation_id: number, added: readonly Named[], removed: readonly Named[]): TranslatedEvent =>
  translated({ type: "repositories-changed", installation_id, added, removed });

/** The same where the App may have got repositories that are to be set up. */
const installs = (installation_id: number, added: readonly Named[], removed: readonly Named[]): TranslatedEvent =>
  translated({ type: "repositories-changed", installation_id, added, removed, installs: true });

/** Repositories per event to store; others are looked up on first use. */
const MAX_NAMED = 10_000;

const named = (repositories: z.output<typeof listed> | undefined): readonly Named[] =>
  (repositories ?? []).slice(0, MAX_NAMED).flatMap(({ id, full_name }) => {
    const [owner, name] = full_name.split("/");
    return owner && name ? [{ owner, name, id }] : [];
  });

const installationSchema = z.object({ installation: source.installation, repositories: listed.optional() });

export const installed = listener(installationSchema, ({ installation, repositories }) =>
  installs(installation.id, named(repositories), []),
);

export const uninstalled = listener(installationSchema, ({ installation }) =>
  translated({ type: "uninstalled", installation_id: installation.id }),
);

const selectionSchema = z.object({
  installation: source.installation,
  repositories_added: listed.optional(),
  repositories_removed: listed.optional(),
});

export const selectionChanged = listener(selectionSchema, (payload) => {
  const added = named(payload.repositories_added);
  const removed = named(payload.repositories_removed);
  return (added.length > 0 ? installs : changed)(payload.installation.id, added, removed);
});

const account = z.object({ login: z.string() }).nullish();

const repositorySchema = z.object({
  ...source,
  changes: z
    .object({
      repository: z.object({ name: z.object({ from: z.string() }).nullish() }).nullish(),
      owner: z.object({ from: z.object({ user: account, organization: account }) }).nullish(),
      default_branch: z.object({ from: z.string() }).nullish(),
    })
    .nullish(),
});

const nowNamed = ({ repository }: z.output<typeof repositorySchema>): Named => ({
  owner: repository.owner.login,
  name: repository.name,
  id: repository.id,
});

export const repositoryRenamed = listener(repositorySchema, (payload) => {
  const now = nowNamed(payload);
  const name = payload.changes?.repository?.name?.from;
  return changed(payload.installation.id, [now], name === undefined ? [] : [{ ...now, name }]);
});

export const repositoryTransferred = listener(repositorySchema, (payload) => {
  const now = nowNamed(payload);
  const from = payload.changes?.owner?.from;
  const owner = from?.user?.login ?? from?.organization?.login;
  return changed(payload.installation.id, [now], owner === undefined ? [] : [{ ...now, owner }]);
});

export const repositoryDeleted = listener(repositorySchema, (payload) =>
  changed(payload.installation.id, [], [nowNamed(payload)]),
);

export const repositoryEdited = listener(repositorySchema, (payload) =>
  payload.changes?.default_branch
    ? changed(payload.installation.id, [nowNamed(payload)], [])
    : ignored("the edit leaves the default branch alone"),
);
