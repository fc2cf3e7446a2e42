/**
 * Commands: the closed list of what may happen to a job. An imperative for a request, a report for news from an effect
 * or webhook. Every adapter translates its input to one of these; `decide` alone determines the consequences.
 */
import type { RepositorySettings } from "../../contracts/settings.ts";
import type { TriggerValue } from "../../contracts/trigger-template.ts";
import type { CommentId } from "./comment-id.ts";
import type { Effect } from "./effect.ts";
import type { Facts } from "./facts.ts";
import type {
  AgentResult,
  AttachmentRefs,
  Choices,
  JobId,
  JobModel,
  Judgement,
  Origin,
  RaisedLimits,
  Repository,
  Run,
  Runner,
  Submission,
} from "./job.ts";
import type { ReviewRef } from "./review-schema.ts";
import type { Failing } from "./target.ts";

/** What a job of the market says and carries beside its task. */
export interface Offer {
  readonly description: string;
  readonly requirements: string;
  readonly skills: readonly string[];
  readonly enclosure: AttachmentRefs | null;
}

/** What is needed to make a job. The id is drawn by the caller; the store refuses one that is taken. */
export interface Draft {
  readonly id: JobId;
  readonly account: string;
  readonly repository: Repository;
  readonly runner: Runner;
  readonly origin: Origin;
  readonly requester: string | null;
  readonly title: string;
  readonly task: string;
  /** The issue has no comments but the command itself. */
  readonly undiscussed?: boolean;
  /** What the placeholders of the task stand for. Missing: it has none. */
  readonly trigger_values?: readonly TriggerValue[];
  readonly choices: Choices;
  /** All events of the job are sent there, beside those who subscribe. */
  readonly callback_url: string | null;
  /** Branch to work from and to merge into; null: the default branch. */
  readonly base_branch: string | null;
  /** The person's pull request whose branch the work goes to. Missing: the job opens one of its own. */
  readonly target?: {
    readonly number: number;
    readonly url: string;
    readonly branch: string;
    /** Nothing is asked for but that its checks pass. */
    readonly only_checks?: true;
  };
  readonly price_cents: number;
  readonly time_limit_seconds: number;
  readonly offer?: Offer;
  /** Somebody who administers the repository said that its budget does not count for the first round. */
  readonly over_budget?: boolean;
}

/** Who sent a command. `account` for keys and the market, `login` for people on GitHub. */
export interface Actor {
  readonly account: string | null;
  readonly login: string | null;
  /** By which way it came; for the audit log alone, no rule looks at it. */
  readonly via?: Via;
}

export interface Via {
  /** Null: no key of ours, or `API_KEY`. */
  readonly key_id: string | null;
  readonly address: string | null;
  /** Of the request or of the delivery. */
  readonly request_id: string | null;
}

export type Command =
  | { readonly type: "create"; readonly draft: Draft; readonly by?: Actor }
  /** `payment_id`: of a payment that may be asked for again; made once. */
  | { readonly type: "pay"; readonly account: string; readonly payment_id?: string; readonly by?: Actor }
  | { readonly type: "cancel"; readonly by: Actor }
  /** Cancel, close the pull request and delete the branch. */
  | { readonly type: "discard"; readonly by: Actor }
  | { readonly type: "pull"; readonly agent_id: string; readonly account: string; readonly by?: Actor }
  | { readonly type: "reject"; readonly agent_id: string; readonly by?: Actor }
  | { readonly type: "accept"; readonly agent_id: string; readonly by?: Actor }
  | {
      readonly type: "submit";
      readonly agent_id: string;
      readonly result: AgentResult;
      readonly submission?: Submission;
      /** Of a submission that may be sent again; taken once. */
      readonly submission_id?: string;
      readonly by?: Actor;
    }
  | { readonly type: "fail"; readonly agent_id: string; readonly reason: string; readonly by?: Actor }
  | {
      readonly type: "message";
      readonly text: string;
      readonly by: Actor;
      readonly comment_id: CommentId | null;
      /** Of a message that is no comment and may be sent again: taken once. */
      readonly message_id?: string;
      /** The review that it stands in: all comments of that belong to the message. */
      readonly review?: ReviewRef;
    }
  | {
      readonly type: "retry";
      readonly by: Actor;
      readonly comment_id: CommentId | null;
      /** For this round. More than the settings allow is for those who administer the repository. */
      readonly raised?: RaisedLimits;
      readonly by_admin?: boolean;
      /** The repository's budget does not count for this round. Only for those who administer the repository. */
      readonly over_budget?: boolean;
      /** What the settings allow now; missing: what they did when the job's last brief was pushed. */
      readonly allowed?: Required<RaisedLimits>;
    }
  /** The sender takes the work as it is: the worker is paid. `account`: in whose name. */
  | {
      readonly type: "approve";
      readonly account: string;
      readonly by: Actor;
      readonly comment_id: CommentId | null;
      /** Which work was looked at, or how its name begins. */
      readonly commit?: string | undefined;
    }
  /** The sender sends the work back: the attempt fails. `reject` is the holder's. */
  | {
      readonly type: "reject-work";
      readonly account: string;
      readonly by: Actor;
      readonly reason: string;
      readonly comment_id: CommentId | null;
    }
  /**
   * The worker's files may run: on the job's branch, with what its checks see. Whoever may write can say so, and the
   * sender. `commit`: which were read, or how its name begins.
   */
  | {
      readonly type: "run-checks";
      readonly by: Actor;
      readonly comment_id: CommentId | null;
      readonly commit?: string | undefined;
    }
  | { readonly type: "archive"; readonly by?: Actor }
  /** A place may be free for this job, which waits in line. */
  | { readonly type: "begin" }
  /** Others of its line have begun or gone, so its number there is another. */
  | { readonly type: "line-moved" }
  /** Somebody has done something to the pull request that changes nothing else. `at` missing: now. */
  | { readonly type: "touched"; readonly at?: number }
  /** The repository's limits are others than before. */
  | { readonly type: "limits-changed"; readonly limits: RepositorySettings["limits"] }
  /** The sender's wallet has got money: what is owed for the job's work is paid of it. */
  | { readonly type: "settle" }
  /** The repository has another name, owner or installation now. */
  | { readonly type: "moved"; readonly repository: Repository }
  /** Time has passed: holds, deadlines and start-up limits are looked at. */
  | { readonly type: "tick" }
  /** Something at GitHub may have changed the verdict; `forced` reads also what webhooks should have told. */
  | { readonly type: "look"; readonly forced: boolean; readonly touched?: true }
  /** Of the pull requests for one base branch that must catch up with it, this one comes right before; null: none does. */
  | { readonly type: "turn"; readonly after: number | null }
  /** Write comment and check again as they should be (someone asked for the status). */
  | { readonly type: "show"; readonly comment_id: CommentId | null }

  // reports of webhooks
  /** A run of `run-job.yml` on the job's branch: queued, in progress or completed. */
  | {
      readonly type: "run-changed";
      readonly run: Run;
      readonly head_sha: string;
      readonly commit_message: string;
      /** GitHub was asked just now; an event may be hours old. */
      readonly fresh?: true;
      /** GitHub was asked, and no job of the run has begun. */
      readonly never_began?: true;
    }
  /** A run of any other workflow on the job's branch. */
  | {
      readonly type: "ci-run-changed";
      readonly id: number;
      readonly attempt: number;
      readonly sha: string;
      readonly complete: boolean;
    }
  /** `clean`: by a push of our own token, whose last commit took the job's folder along. */
  | { readonly type: "head-moved"; readonly sha: string; readonly clean?: true }
  | { readonly type: "branch-deleted" }
  /** `by` is for show; `by_id`: GitHub's number of a person. Missing: a program has merged, or nobody knows who. */
  | {
      readonly type: "merged";
      readonly pull_request: number;
      readonly by: string | null;
      readonly by_id?: number;
      readonly at: number;
    }
  /** A person who may command has submitted a review that asks for changes. `heeded`: the settings want rounds from reviews. */
  | {
      readonly type: "review";
      readonly pull_request: number;
      readonly review: ReviewRef;
      readonly by: Actor;
      readonly comment_id: CommentId;
      readonly heeded: boolean;
    }
  | { readonly type: "review-dismissed"; readonly review_id: number }
  | { readonly type: "closed"; readonly pull_request: number; readonly by: string | null }
  | { readonly type: "reopened"; readonly pull_request: number }
  /** It has left the merge queue. `by` null: by GitHub's doing, or a program's. */
  | { readonly type: "dequeued"; readonly pull_request: number; readonly reason: string; readonly by: string | null }
  /** The commit on which the merge queue tests it. */
  | { readonly type: "queue-tests"; readonly pull_request: number; readonly sha: string }
  /** A person has turned GitHub's own auto-merge off. */
  | {
      readonly type: "auto-merge-disabled";
      readonly by: string /** Of the pull request by now. */;
      readonly base?: string;
    }

  // reports of the run itself
  /** The agent has ended, and the run is about to push what it has done. */
  | {
      readonly type: "hand-in";
      readonly run_id: number;
      readonly attempt: number;
      readonly result: AgentResult;
      /** It came from a copy of run-job.yml from before the run action. */
      readonly old_workflow: boolean;
    }
  /** It has said more of what it does. */
  | { readonly type: "progressed"; readonly run_id: number; readonly attempt: number }

  // reports of effects
  | {
      readonly type: "brief-pushed";
      readonly round: number;
      readonly attempt: number;
      readonly head_sha: string;
      readonly base: { readonly branch: string; readonly sha: string };
      readonly settings: RepositorySettings;
      /** Why these are not what the repository's file says; missing: nothing is wrong with it. */
      readonly settings_problem?: string | null;
      /** Missing where a market's worker chooses its own. */
      readonly llm?: JobModel;
      /** What fails in the person's pull request that the job works on. */
      readonly failing?: Failing | null;
      /** When the newest comment was written that was read for it; missing: none was read. */
      readonly discussed_until?: number;
    }
  /** GitHub shows none of the reviews any more that this round is about. */
  | { readonly type: "reviews-withdrawn"; readonly round: number }
  /** The repository's limits were not known when the job took its place, and now they are. Nothing is pushed. */
  | { readonly type: "limits-read"; readonly round: number; readonly attempt: number }
  /** The brief cannot be pushed, for a reason that the repository's owner must mend. */
  | { readonly type: "brief-refused"; readonly round: number; readonly attempt: number; readonly sentence: string }
  | { readonly type: "comment-synced"; readonly comment_id: number }
  /** The requester has been told in this comment that the job waits for a person. */
  | { readonly type: "requester-mentioned"; readonly round: number; readonly mention_id: number }
  | { readonly type: "check-synced"; readonly check_id: number; readonly sha: string }
  | {
      readonly type: "result-read";
      readonly round: number;
      readonly attempt: number;
      readonly result: AgentResult;
      readonly head_sha: string;
      /** The job's folder is gone from the branch, since the run pushed with our token. */
      readonly clean?: true;
    }
  /** What the worker handed in can be read in this commit, which is on no branch. */
  | {
      readonly type: "files-shown";
      readonly round: number;
      readonly attempt: number;
      readonly sha: string;
      readonly url: string;
    }
  /** What the worker handed in stands on the job's branch. */
  | { readonly type: "files-delivered"; readonly round: number; readonly attempt: number; readonly head_sha: string }
  /** What the worker handed in cannot be taken, for a reason that is the worker's to mend. */
  | { readonly type: "submission-refused"; readonly round: number; readonly attempt: number; readonly sentence: string }
  | {
      readonly type: "pull-request-opened";
      readonly round: number;
      readonly number: number;
      readonly url: string;
      readonly head_sha: string;
    }
  /** What of the settings could not be followed, in a sentence. */
  | { readonly type: "pull-request-triaged"; readonly sentence: string }
  /** The work of this attempt is a commit on the branch of the person's pull request. */
  | { readonly type: "work-pushed"; readonly round: number; readonly attempt: number; readonly head_sha: string }
  /** The person's pull request cannot be worked on any further, and why. What was done stays on the job's branch. */
  | { readonly type: "work-stopped"; readonly round: number; readonly attempt: number; readonly sentence: string }
  /** Nothing fails there any more, and nothing else was asked for. Nothing is pushed. */
  | { readonly type: "work-needless"; readonly round: number; readonly attempt: number; readonly sentence: string }
  /** The pull request was closed, since nobody has touched it for long. */
  | { readonly type: "expired"; readonly pull_request: number }
  /** Nothing is left to merge once the job's folder is gone. */
  | { readonly type: "nothing-to-open"; readonly round: number }
  | { readonly type: "observe"; readonly facts: Facts }
  /** The judge's word on the work at this commit. */
  | {
      readonly type: "judged";
      readonly round: number;
      readonly attempt: number;
      readonly sha: string | null;
      readonly verdict: Judgement["verdict"];
      readonly reasons: readonly string[];
    }
  | { readonly type: "auto-merge-enabled"; readonly sha: string }
  /** GitHub has put it into its merge queue. `left`: and thrown it out again since. */
  | { readonly type: "enqueued"; readonly sha: string; readonly position: number | null; readonly left: boolean }
  /** GitHub did not merge the base in. `sentence`: what a person has to do, as its end; null: something has moved. */
  | { readonly type: "update-refused"; readonly sha: string; readonly sentence: string | null }
  /** The base branch of the job was deleted. */
  | { readonly type: "base-deleted"; readonly branch: string }
  /** GitHub would not merge. `final`: asking again will not help. */
  | { readonly type: "merge-refused"; readonly sha: string; readonly sentence: string; readonly final: boolean }
  /** An effect was tried as often as it may be. */
  | { readonly type: "effect-abandoned"; readonly effect: Effect; readonly sentence: string };

export type CommandType = Command["type"];

/** The command of this name. */
export type Report<T extends CommandType> = Extract<Command, { readonly type: T }>;
