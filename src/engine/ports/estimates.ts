/** Estimates for market jobs, and the quotes that senders may order at. */
import type { JobId } from "../../domain/job/job.ts";

export interface EstimateRequest {
  readonly prompt: string;
  /** The sender's value; null: to be estimated. */
  readonly price_cents: number | null;
  readonly time_limit_seconds: number | null;
}

export interface Estimate {
  readonly title: string;
  readonly description: string;
  readonly requirements: string;
  /** In lower case. */
  readonly skills: readonly string[];
  /** Clamped to the market's bounds. */
  readonly price_cents: number;
  readonly time_limit_seconds: number;
  readonly by: "model" | "estimate";
}

/** Turns a prompt into a market offer. Values given by the sender override estimates. */
export interface Estimator {
  estimate(asked: EstimateRequest): Promise<Estimate>;
}

/** An estimate that was shown to a sender and can be ordered for a while. */
export interface Quote extends Estimate {
  readonly id: string;
  readonly account: string;
  /** Hash of all inputs of the estimate: 64 hexadecimal digits. */
  readonly body: string;
  /** Hash of prompt and repository only. */
  readonly prompt: string;
  /** The id for its job, so that repeated orders create one job. */
  readonly job_id: JobId;
  readonly at: number;
}

/** Quotes, kept for a day and up to a number; the oldest are deleted first. */
export interface QuoteStore {
  /** Resolves when stored on the disk. */
  add(quote: Quote): Promise<void>;
  byId(id: string): Promise<Quote | null>;
  /** This account's newest quote for exactly this body, or else for this prompt. */
  newest(account: string, asked: Pick<Quote, "body" | "prompt">): Promise<Quote | null>;
}
