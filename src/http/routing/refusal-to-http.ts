/** Maps the domain's refusals to HTTP answers; no other file does. A dialect may override entries here. */
import type { Refusal, RefusalCode } from "../../domain/job/refusal.ts";
import { failure, type HttpResult } from "./answer.ts";

const HTTP_STATUS: Readonly<Record<RefusalCode, number>> = {
  not_found: 404,
  forbidden: 403,
  wrong_status: 400,
  insufficient_balance: 402,
  in_debt: 402,
  over_quota: 409,
  rate_limited: 429,
  no_room: 503,
  hold_expired: 410,
  deadline_passed: 400,
  invalid: 400,
  unknown_model: 400,
  already_merged: 409,
  already_archived: 409,
  repository_not_ready: 422,
  github_unavailable: 502,
};

/** `differs`: what a dialect answers in another way. */
export const refusalToHttp = (
  { code, sentence, retry_after_ms }: Refusal,
  differs: Readonly<Partial<Record<RefusalCode, number>>> = {},
): HttpResult =>
  failure(
    differs[code] ?? HTTP_STATUS[code],
    code,
    sentence,
    retry_after_ms === undefined ? {} : { "Retry-After": String(Math.ceil(retry_after_ms / 1_000)) },
  );
