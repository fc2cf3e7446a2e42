/**
 * Every `code` that an error of the API may carry, with what it means. The compiler lets no route answer another one,
 * and the description of the API is made of these words. Says nothing of which route answers which.
 */
export const ERROR_CODES = {
  missing_job: "the body has no `job`",
  missing_job_id: "the query has no `job_id`",
  missing_repository: "neither key, body nor settings name a repository",
  invalid_field: "a field is wrong; the sentence names it",
  invalid_body: "the body is not a JSON object",
  invalid_json: "the body is not JSON",
  incomplete_body: "the body broke off",
  invalid_idempotency_key: "`Idempotency-Key` is empty, too long, or has a character that is not visible ASCII",
  invalid: "what was asked cannot be done; the sentence says why",
  deadline_passed: "the job's deadline is over",
  unauthorized: "no key, a wrong one, or one that is over",
  insufficient_balance: "the balance is too small",
  missing_scope: "the key lacks the scope that the sentence names",
  forbidden: "the key is bound to another repository, or may not do this",
  not_found: "there is no such thing, or not one that this key may see",
  wrong_status: "the job's status forbids it; the sentence says which",
  already_merged: "the job's pull request is merged; ask for a new job",
  already_archived: "the job is archived; ask for a new one",
  still_running: "the first request with this `Idempotency-Key` is still being worked on; send the same again",
  hold_expired: "the hold on the job is over",
  body_too_large: "the body is larger than is read",
  unsupported_encoding: "the body is packed in a way that is not read",
  not_installed: "the App is not installed on that repository",
  idempotency_key_reused: "the `Idempotency-Key` was used for another body or path",
  repository_not_ready: "the repository cannot run jobs yet; the sentence says what to do",
  rate_limited: "too many requests; `Retry-After` says when to come again",
  branch_not_created: "the branch did not get to GitHub in time; nothing is left behind",
  internal_error: "our fault; the log has the details under the answer's `id`",
  github_unavailable: "GitHub cannot be asked; try again",
  starting: "the server has just started; ask again in a second",
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;
