/**
 * What the market needs of the rooms around it: estimates, quotes, agents, what travels beside a job, and money that
 * belongs to none. The rest of `ports.ts`, for the market; does nothing itself.
 */
import type { JobId } from "../../domain/job/job.ts";
import type { LedgerAccount, Posting } from "../../domain/market/ledger.ts";

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

/** Somebody of the market that works for an account. */
export interface Agent {
  readonly id: string;
  readonly account: string;
  readonly name: string;
  /** In lower case. */
  readonly skills: readonly string[];
  readonly created_at: number;
}

export interface AgentStore {
  /** The account's agents, oldest first. */
  list(account: string): Promise<readonly Agent[]>;
  /** A new one, or one of the same id with other skills. */
  put(agent: Agent): Promise<void>;
}

/** What an agent is offered: never what it was offered before while there is something else. */
export interface Looking {
  readonly agent_id: string;
  readonly skills: readonly string[];
  /** `owner/name` in any case; null: any. */
  readonly repository: string | null;
}

/** Texts that belong to a job and are too large for its record, or no business of its readers. */
export interface AttachmentStore {
  /**
   * Resolves when it is on disk; `full` when the room for parcels is, `too_much` when all that is kept for this account
   * would be more than `most` bytes.
   */
  put(
    job: JobId,
    text: string,
    whose: { readonly account: string; readonly most: number },
  ): Promise<{ readonly name: string } | "full" | "too_much">;
  /** Null: it is gone. */
  get(job: JobId, name: string): Promise<string | null>;
  remove(job: JobId, names: readonly string[]): Promise<void>;
  /** All there are, for the start. */
  all(): Promise<readonly { readonly job: JobId; readonly name: string }[]>;
}

/** A movement of money that belongs to no job. */
export interface WalletEntry {
  /** A second one of the same id changes nothing. */
  readonly id: string;
  readonly at: number;
  readonly postings: readonly Posting[];
  /** In words, for who reads the ledger; null: its kind says it. */
  readonly note: string | null;
}

/** One line of an account's ledger. */
export interface LedgerRow {
  readonly id: string;
  readonly cents: number;
  readonly reason: Posting["reason"];
  readonly note: string | null;
  readonly job: JobId | null;
  readonly at: number;
}

export interface LedgerPage {
  readonly rows: readonly LedgerRow[];
  readonly cursor: string | null;
}

/** Money in and out of the house. Jobs move theirs in their own commits; balances and ledger are of both. */
export interface Wallet {
  /** Resolves when it is on disk. */
  post(entry: WalletEntry): Promise<"posted" | "known">;
  balance(account: LedgerAccount): Promise<number>;
  /** Newest first. `cursor`: as answered before. */
  ledger(account: LedgerAccount, page: { readonly limit: number; readonly cursor?: string }): Promise<LedgerPage>;
}

/** A movement of money outside, or news of one (no cents), as a payment provider tells it. */
export interface PaymentEvent {
  /** Of what it is about, however many events tell of it. */
  readonly id: string;
  readonly account: string;
  /** Positive: the account gains. */
  readonly cents: number;
  readonly reason: "topup" | "dispute" | "topup_refund";
  /** For the audit log. */
  readonly action: string;
}

/** Takes money from outside. */
export interface PaymentProvider {
  /** A page on which this account can pay that much, the same for the same `key`; null: the provider cannot be asked. */
  checkout(asked: {
    readonly account: string;
    readonly cents: number;
    readonly key: string | null;
  }): Promise<{ readonly id: string; readonly url: string } | null>;
  /** What a signed event means; `forged`: it is not the provider's. `away`: that has to be asked for, and cannot be just now. */
  hear(
    body: Buffer,
    signature: string,
  ): Promise<{ readonly event: string; readonly news: readonly PaymentEvent[] } | "forged" | "away">;
}
