/** A refusal: the expected answer "no", as a value. The sentence says what to do next and is shown to users as it stands. */
export const REFUSAL_CODES = [
  "not_found",
  "forbidden",
  "wrong_status",
  "insufficient_balance",
  "in_debt",
  "over_quota",
  "rate_limited",
  "no_room",
  "hold_expired",
  "deadline_passed",
  "invalid",
  "unknown_model",
  "already_merged",
  "already_archived",
  "repository_not_ready",
  "github_unavailable",
] as const;
export type RefusalCode = (typeof REFUSAL_CODES)[number];

export interface Refusal {
  readonly code: RefusalCode;
  readonly sentence: string;
  /** Asking again sooner is of no use. Missing: it is not time that helps. */
  readonly retry_after_ms?: number;
}

export const refusal = (code: RefusalCode, sentence: string): Refusal => ({ code, sentence });
