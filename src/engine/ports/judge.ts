/** The judge: a model that reviews what checks cannot see. */

/** What the judge sees. Task and requirements are the sender's text, everything else the worker's. */
export interface ReviewRequest {
  readonly title: string;
  readonly task: string;
  readonly requirements: string;
  /** The worker's description of the work. */
  readonly said: string;
  /** The changed files as patches; null when the work is text only. */
  readonly change: string | null;
  /** False when the change is longer than the part shown. */
  readonly whole: boolean;
}

/** The judge's opinion of a submission. */
export type Opinion =
  | {
      readonly ended: "judged";
      readonly verdict: "pass" | "fail" | "unsure";
      /** Sentences for sender and worker. */
      readonly reasons: readonly string[];
    }
  /** No usable answer; worth a retry. */
  | { readonly ended: "later"; readonly reason: string; readonly after_ms?: number };

/** Reviews what checks cannot see. A submission may try to give it instructions. */
export interface Judge {
  judge(request: ReviewRequest): Promise<Opinion>;
}
