/** What every effect is given, and the shapes in which it answers. */

import type { LogLine } from "../../contracts/log-line.ts";
import type { Command } from "../../domain/job/command.ts";
import type { Job, JobId } from "../../domain/job/job.ts";
import type { ModelDefaults } from "../../domain/job/model-selection.ts";
import type { GitHubPerson } from "../../engine/ports/accounts.ts";
import type { AttachmentStore } from "../../engine/ports/attachments.ts";
import type { Judge } from "../../engine/ports/judge.ts";
import type { Attempt } from "../../engine/ports/performer.ts";
import type { RepositoryStore } from "../../engine/ports/repositories.ts";
import type { AppIdentity } from "../client/app-identity.ts";
import type { Caller } from "../client/octokit.ts";

export interface Tools {
  readonly repositories: RepositoryStore;
  readonly self: AppIdentity;
  /** The model where neither sender nor repository names one. */
  readonly defaults: ModelDefaults;
  /** Null: there is nobody to ask. */
  readonly judge: Judge | null;
  /** Where this server is reached from outside, for links; null: no links. */
  readonly publicUrl: string | null;
  /** The kept log of a job's last try, for the check run. */
  readonly log: (id: JobId) => Promise<readonly LogLine[]>;
  readonly parcels: Pick<AttachmentStore, "get">;
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
