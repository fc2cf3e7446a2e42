/**
 * The verdict on a job's pull request: pass, fail or wait, and whether it may be merged, each with its reasons.
 * Pure. Fails closed: whatever is not known for sure keeps the pull request waiting.
 */
export interface Reason {
  readonly verdict: "pass" | "fail" | "wait";
  /** One sentence without a trailing explanation, e.g. "3 of 4 checks are done". */
  readonly text: string;
  readonly url: string | null;
  readonly because: readonly Reason[];
}
