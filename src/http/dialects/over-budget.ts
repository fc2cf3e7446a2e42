/** `over_budget` of a request: only a key of scope `admin` may ask for it, and whoever asks is written down. */
import type { Request } from "express";
import { isAdmin } from "../../domain/access.ts";
import { fullName, type Repository } from "../../domain/job/job.ts";
import type { Recorder } from "../../engine/ports/audit.ts";
import { actorOf } from "../middleware/actor.ts";
import { principalOf } from "../middleware/auth.ts";
import { failure, type HttpResult } from "../routing/answer.ts";

const DENIED = failure(
  403,
  "missing_scope",
  "Only a key with the scope admin may go beyond the repository's budget; without over_budget the job keeps to it.",
);

/** Null: it may go on. What is made is written down as any job is. */
export function deniedOverBudget(
  { record }: { readonly record: Recorder },
  request: Request,
  repository: Repository,
  over_budget: boolean,
): HttpResult | null {
  if (!over_budget || isAdmin(principalOf(request))) return null;
  const entry = { action: "create-over-budget", target: null, repository: fullName(repository) } as const;
  record(actorOf(request), { ...entry, outcome: "missing_scope" });
  return DENIED;
}
