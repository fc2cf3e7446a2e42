/** What is known of repositories, one lowdb file each, all of them in memory: an App is installed in few. */
import { z } from "zod";
import type { KnownRepository, RepositoryStore } from "../../engine/ports.ts";
import { fullName } from "../../job/job.ts";
import { repositorySettingsSchema } from "../../wire/settings.ts";
import { repositoryKey } from "../facts.ts";
import type { Folder } from "./disk.ts";
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
  settings: repositorySettingsSchema.nullable(),
  settings_problem: z.string().nullable(),
});

const format: Format<KnownRepository> = {
  parse: (text) => repositorySchema.parse(JSON.parse(text)),
  write: (repository) => JSON.stringify(repository),
};

const keyOf = (owner: string, name: string): string => repositoryKey(fullName({ owner, name }));

/** The slash becomes `%2F`, so that no owner and name can leave the folder or meet another's file. */
const fileOf = (key: string): string => `${encodeURIComponent(key)}${ENDING}`;

export class LowdbRepositories implements RepositoryStore {
  readonly #folder: Folder;
  readonly #known = new Map<string, KnownRepository>();

  constructor(folder: Folder) {
    this.#folder = folder;
    for (const name of folder.takeFound(ENDING)) {
      const repository = readFile(folder, name, format)?.data;
      if (repository !== undefined) this.#known.set(keyOf(repository.owner, repository.name), repository);
    }
  }

  async get(owner: string, name: string): Promise<KnownRepository | null> {
    return this.#known.get(keyOf(owner, name)) ?? null;
  }

  async byId(id: number): Promise<KnownRepository | null> {
    for (const repository of this.#known.values()) if (repository.id === id) return repository;
    return null;
  }

  async put(repository: KnownRepository): Promise<void> {
    const key = keyOf(repository.owner, repository.name);
    this.#known.set(key, writeFile(this.#folder, fileOf(key), format, repository).data);
  }

  async ofInstallation(installation_id: number): Promise<readonly KnownRepository[]> {
    return [...this.#known.values()].filter((repository) => repository.installation_id === installation_id);
  }

  async remove(owner: string, name: string): Promise<void> {
    const key = keyOf(owner, name);
    if (!this.#known.has(key)) return;
    this.#folder.remove(fileOf(key));
    this.#known.delete(key);
  }
}
