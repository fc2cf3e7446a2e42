/** The parts of the local GitHub in one object, which its functions take as their first parameter. */
import type { WorkflowTrigger } from "../ports.ts";
import type { AppManifests } from "./app-manifest.ts";
import type { Attachments } from "./attachments.ts";
import type { Caches } from "./caches.ts";
import type { Feed } from "./feed.ts";
import type { Cause, PushWay, Repository } from "./model.ts";
import type { Oauth } from "./oauth.ts";
import type { Oidc } from "./oidc.ts";
import type { PullIssue, State } from "./state.ts";
import type { Tasks } from "./tasks.ts";
import type { Tokens } from "./tokens.ts";
import type { Webhooks } from "./webhooks.ts";

export interface World {
  readonly appId: number;
  /** The slug of the App that was created last. */
  appSlug: string;
  /** Where people go who have installed the App, unless it was made from a manifest; undefined: to the repository. */
  setUpUrl: string | undefined;
  /** The base address for browsers and git. */
  readonly url: string;
  /** The base address of REST: `${url}/api/v3`. */
  readonly apiUrl: string;
  readonly now: () => number;
  /** Markdown shown beside the forms for issues and comments. */
  readonly hint: string;
  readonly state: State;
  readonly tokens: Tokens;
  readonly oauth: Oauth;
  readonly manifests: AppManifests;
  readonly oidc: Oidc;
  readonly caches: Caches;
  readonly attachments: Attachments;
  readonly webhooks: Webhooks;
  readonly feed: Feed;
  readonly tasks: Tasks;
  /** How pushes of programs that are no git are taken. */
  readonly pushes: { way: PushWay };
  readonly triggers: Set<(trigger: WorkflowTrigger) => void>;
  readonly cancels: Set<(runId: number) => void>;
  readonly reruns: Set<(runId: number, attempt: number) => void>;
  /** Called when the state of a commit changed: merges what waited for it. */
  readonly considerAutoMerge: (repository: Repository, headSha: string) => void;
  readonly queues: {
    /** A pull request that was told to merge by itself enters its merge queue. */
    readonly enter: (repository: Repository, issue: PullIssue, cause: Cause) => void;
    /** Somebody has pushed to it or closed it. */
    readonly leave: (repository: Repository, issue: PullIssue, cause: Cause) => void;
    /** The branch has moved. */
    readonly moved: (repository: Repository, branch: string) => void;
  };
}

export const iso = (at: number): string => new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
export const isoOrNull = (at: number | undefined): string | null => (at === undefined ? null : iso(at));
