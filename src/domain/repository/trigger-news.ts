/** News from GitHub that a repository's triggers may start jobs for. */
import type { EventIssue } from "../job/event-issue.ts";

interface OfIssue {
  readonly issue: EventIssue;
  readonly labels: readonly string[];
  /** Who has opened it. */
  readonly opened_by: string;
  /** Who did what the news is about. */
  readonly author: string;
  readonly author_id: number;
}

/** A check of a commit of the default branch. */
export interface CheckNews {
  readonly name: string;
  readonly url: string | null;
  readonly sha: string;
  readonly branch: string;
  /** GitHub's number of the run: greater than that of earlier ones of this name, and the same when it is run again. */
  readonly run: number;
}

export type TriggerNews =
  | ({ readonly kind: "issue_opened" } & OfIssue)
  | ({ readonly kind: "issue_labelled"; readonly label: string } & OfIssue)
  | { readonly kind: "check_failed" | "check_passed"; readonly check: CheckNews }
  | {
      readonly kind: "release_published";
      readonly release: {
        readonly id: number;
        readonly tag: string;
        readonly name: string;
        readonly body: string;
        readonly url: string | null;
      };
    };
