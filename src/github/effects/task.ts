/** The inputs of every effect, and the types of their results. */

import type { LogLine } from "../../contracts/log-line.ts";
import type { RunAction } from "../../contracts/run-action.ts";
import type { Command } from "../../domain/job/command.ts";
import type { Job, JobId } from "../../domain/job/job.ts";
import type { ModelDefaults } from "../../domain/job/model-selection.ts";
import type { GitHubPerson } from "../../engine/ports/accounts.ts";
import type { AttachmentStore } from "../../engine/ports/attachments.ts";
import type { Judge } from "../../engine/ports/judge.ts";
import type { Attempt } from "../../engine/ports/performer.ts";
import type { RepositoryStore } from "../../engine/ports/repositories.ts";
import type { AppIdentity } from "../client/app-identity.ts";
import type { ImageFetcher } from "../client/image-fetcher.ts";
import type { Caller } from "../client/octokit.ts";
import type { KnownPermission } from "../client/permission.ts";
import type { GitPushes } from "../git/push.ts";

export interface Tools {
  readonly repositories: Pick<RepositoryStore, "get">;
  readonly self: AppIdentity;
  /** The model to use when neither sender nor repository names one. */
  readonly defaults: ModelDefaults;
  /** Null when no model is configured. */
  readonly judge: Judge | null;
  /** The server's public address for links; null when it has none. */
  readonly publicUrl: string | null;
  /** Where GitHub's pages are. */
  readonly web_url: string;
  /** What a new workflow file uses. */
  readonly run_action: RunAction;
  /** The log of a job's newest attempt that has told anything, for the check run. */
  readonly log: (id: JobId) => Promise<readonly LogLine[]>;
  /** Null: everything goes by REST. */
  readonly pushes: GitPushes | null;
  readonly blobs: Pick<AttachmentStore, "get">;
  readonly images: ImageFetcher;
  /** As it was lately; commands are never allowed by it. */
  readonly permissionOf: KnownPermission;
  /** The person's account; null when there are no accounts. */
  readonly accountOf: (person: GitHubPerson) => Promise<string | null>;
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<void>;
}

export interface Task extends Tools {
  readonly job: Job;
  /** An earlier performance may have been applied already. */
  readonly again: boolean;
  readonly octokit: Caller;
  /** Owner and name as REST routes take them. */
  readonly at: { readonly owner: string; readonly repo: string };
}

export const done: Attempt = { ended: "done" };
export const reported = (command: Command): Attempt => ({ ended: "done", command });
