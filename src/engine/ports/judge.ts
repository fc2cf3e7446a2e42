/** The judge: a model that reviews what checks cannot see. */

/** What a judge is shown. The task and the requirements are the sender's words, all else is the worker's. */
export interface Submission {
  readonly title: string;
  readonly task: string;
  readonly requirements: string;
  /** What the worker says of the work. */
  readonly said: string;
  /** The changed files, as a patch each; null: the work is words alone. */
  readonly change: string | null;
  /** False: the change is longer than what is shown of it. */
  readonly whole: boolean;
}

/** A judge's word on a submission. */
export type Opinion =
  | {
      readonly ended: "judged";
      readonly verdict: "pass" | "fail" | "unsure";
      /** Sentences for the sender and the worker. */
      readonly reasons: readonly string[];
    }
  /** Nobody answered, or something that is no opinion: worth another try. */
  | { readonly ended: "later"; readonly reason: string; readonly after_ms?: number };

/** Judges what checks cannot see. A submission may try to give it orders. */
export interface Judge {
  judge(submission: Submission): Promise<Opinion>;
}
