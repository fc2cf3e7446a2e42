/** A commit that is to be pushed to the job's branch, and what came of it. */
import type { Later } from "../../engine/ports/performer.ts";
import type { Tip } from "./branch-state.ts";
import type { BriefFiles } from "./brief.ts";

export interface BranchCommit extends BriefFiles {
  /** The message, which may depend on the commit's tree. */
  readonly messageOf: (tree: string) => string;
  /** The base, or the head of the job's branch. */
  readonly parent: Tip;
  /** The branch does not exist yet. */
  readonly creates: boolean;
}

export type Pushed =
  | { readonly ended: "pushed"; readonly sha: string }
  /** The parent has moved or is gone. `final`: GitHub's message shows no race, so one more look is enough. */
  | { readonly ended: "stale"; readonly final: boolean }
  | { readonly ended: "exists" }
  /** For good, in a sentence for people. */
  | { readonly ended: "refused"; readonly sentence: string }
  | Later;
