/** What every effect is given, and the shapes in which it answers. */
import type { ParcelStore } from "../../../engine/market-ports.ts";
import type { Attempt, GitHubPerson, RepositoryStore } from "../../../engine/ports.ts";
import type { Judge } from "../../../engine/verification-ports.ts";
import type { Command } from "../../../job/command.ts";
import type { Job, JobId } from "../../../job/job.ts";
import type { ModelDefaults } from "../../../job/model-of.ts";
import type { LogLine } from "../../../wire/log-line.ts";
import type { Caller } from "../octokit.ts";

/** Which App we are. Its comments and checks are recognised by this. */
export interface Self {
  /** As in the App's address; its comments are by `{slug}[bot]`. */
  readonly slug: string;
  /** Null: the id is shared with other automation (GITHUB_TOKEN), so our checks are told by name and job. */
  readonly appId: number | null;
}

export interface Tools {
  readonly repositories: RepositoryStore;
  readonly self: Self;
  /** The model where neither sender nor repository names one. */
  readonly defaults: ModelDefaults;
  /** Null: there is nobody to ask. */
  readonly judge: Judge | null;
  /** Where this server is reached from outside, for links; null: no links. */
  readonly publicUrl: string | null;
  /** The kept log of a job's last try, for the check run. */
  readonly log: (id: JobId) => Promise<readonly LogLine[]>;
  readonly parcels: Pick<ParcelStore, "get">;
  /** The account of this person; null: here are none. */
  readonly accountOf: (person: GitHubPerson) => Promise<string | null>;
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<void>;
}

export interface Task extends Tools {
  readonly job: Job;
  /** An earlier try may have done it already. */
  readonly again: boolean;
  readonly octokit: Caller;
  /** Owner and name as REST routes want them. */
  readonly at: { readonly owner: string; readonly repo: string };
}

export const done: Attempt = { ended: "done" };
export const reported = (command: Command): Attempt => ({ ended: "done", command });

/** Login under which the App writes. */
export const botLogin = (self: Self): string => `${self.slug}[bot]`;

export const sameLogin = (a: string | null | undefined, b: string): boolean => a?.toLowerCase() === b.toLowerCase();
