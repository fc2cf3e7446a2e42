/** Estimates of what a market job costs, and the quotes that senders may order at. */
import type { JobId } from "../../domain/job/job.ts";

export interface EstimateRequest {
  readonly prompt: string;
  /** As the sender gave them; null: to be estimated. */
  readonly price_cents: number | null;
  readonly time_limit_seconds: number | null;
}

export interface Estimate {
  readonly title: string;
  readonly description: string;
  readonly requirements: string;
  /** In lower case. */
  readonly skills: readonly string[];
  /** Within the bounds of the market, whoever named them. */
  readonly price_cents: number;
  readonly time_limit_seconds: number;
  readonly by: "model" | "estimate";
}

/** Makes an offer to the market of a prompt. Values that the sender gave win over estimates. */
export interface Estimator {
  estimate(asked: EstimateRequest): Promise<Estimate>;
}

/** An estimate that was shown to a sender, who may order at it for a while. */
export interface Quote extends Estimate {
  readonly id: string;
  readonly account: string;
  /** Of everything that the estimate rests on: 64 hexadecimal digits. */
  readonly body: string;
  /** Of the prompt and the repository alone. */
  readonly prompt: string;
  /** Under which its job is made, so that it is ordered once however often that is asked for. */
  readonly job_id: JobId;
  readonly at: number;
}

/** Quotes, for a day and up to a number; the oldest go first. */
export interface QuoteStore {
  /** Resolves when it is on disk. */
  add(quote: Quote): Promise<void>;
  byId(id: string): Promise<Quote | null>;
  /** The newest of this account for exactly this body; failing that, for this prompt. */
  newest(account: string, asked: Pick<Quote, "body" | "prompt">): Promise<Quote | null>;
}
