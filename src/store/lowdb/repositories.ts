/** Observed repository metadata: one lowdb file each, cached in memory; assumes at most about 10,000 repositories. */
import * as z from "zod";
import { repositorySettingsSchema, UNREAD_REPOSITORY_SETTINGS } from "../../contracts/settings.ts";
import { fullName } from "../../domain/job/job.ts";
import type { ObservedRepository, RepositoryStore } from "../../engine/ports/repositories.ts";
import { repositoryKey } from "../facts.ts";
import type { Folder } from "./disk.ts";
import { readRecord, writeRecord } from "./formats.ts";
import { type Format, readFile, writeFile } from "./json-file.ts";

const ENDING = ".json";

const repositorySchema = z.object({
  owner: z.string(),
  name: z.string(),
  id: z.number(),
  installation_id: z.number(),
  base: z
    .object({ branch: z.string(), head_sha: z.string(), tree_sha: z.string(), has_workflow: z.boolean() })
    .nullable(),
  settings: z.unknown(),
  settings_problem: z.string().nullable(),
});

/** Settings of another version are read from GitHub again before use. Until then they permit nothing. */
function repositoryOf(text: string): ObservedRepository {
  const kept = repositorySchema.parse(readRecord("repository", text));
  const settings = repositorySettingsSchema.nullable().safeParse(kept.settings);
  if (settings.success) return { ...kept, settings: settings.data };
  const { commands } = commandsSchema.parse(kept.settings);
  return { ...kept, settings: { ...UNREAD_REPOSITORY_SETTINGS, commands }, base: null };
}

/** Keeps who may use commands; if unreadable, the stricter choice applies. */
const commandsSchema = z
  .object({ commands: repositorySettingsSchema.shape.commands.catch({ allow: "admin" }) })
  .catch({ commands: { allow: "admin" } });

const format: Format<ObservedRepository> = {
  parse: repositoryOf,
  write: (repository) => writeRecord("repository", repository),
};

const keyOf = (owner: string, name: string): string => repositoryKey(fullName({ owner, name }));

/** The slash becomes `%2F`, so that a name can neither leave the folder nor collide with another. */
const fileOf = (key: string): string => `${encodeURIComponent(key)}${ENDING}`;

export class LowdbRepositories implements RepositoryStore {
  readonly #folder: Folder;
  readonly #known = new Map<string, ObservedRepository>();
  readonly #byId = new Map<number, ObservedRepository>();

  constructor(folder: Folder) {
    this.#folder = folder;
    for (const name of folder.takeFound(ENDING)) {
      const repository = readFile(folder, name, format)?.data;
      if (repository !== undefined) this.#keep(repository);
    }
  }

  async get(owner: string, name: string): Promise<ObservedRepository | null> {
    return this.#known.get(keyOf(owner, name)) ?? null;
  }

  async byId(id: number): Promise<ObservedRepository | null> {
    return this.#byId.get(id) ?? null;
  }

  async put(repository: ObservedRepository): Promise<void> {
    const key = keyOf(repository.owner, repository.name);
    this.#keep(writeFile(this.#folder, fileOf(key), format, repository).data);
  }

  #keep(repository: ObservedRepository): void {
    this.#drop(keyOf(repository.owner, repository.name));
    this.#known.set(keyOf(repository.owner, repository.name), repository);
    this.#byId.set(repository.id, repository);
  }

  #drop(key: string): void {
    const before = this.#known.get(key);
    this.#known.delete(key);
    // It may be known under another name by now.
    if (before !== undefined && this.#byId.get(before.id) === before) this.#byId.delete(before.id);
  }

  async ofInstallation(installation_id: number): Promise<readonly ObservedRepository[]> {
    return [...this.#known.values()].filter((repository) => repository.installation_id === installation_id);
  }

  async remove(owner: string, name: string): Promise<void> {
    const key = keyOf(owner, name);
    if (!this.#known.has(key)) return;
    this.#folder.remove(fileOf(key));
    this.#drop(key);
  }
}
