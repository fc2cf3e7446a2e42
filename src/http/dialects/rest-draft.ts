/** Makes the draft of a job from a request, for every dialect; it is for Actions unless the dialect says otherwise. */

import { DEFAULT_REPOSITORY_SETTINGS } from "../../contracts/settings.ts";
import type { Principal } from "../../domain/access.ts";
import type { Draft } from "../../domain/job/command.ts";
import type { Repository } from "../../domain/job/job.ts";
import { titleOf } from "../../domain/job/title.ts";
import type { ChosenOverRest } from "../routing/choice-fields.ts";

/** Until the brief is pushed with the repository's own limit. */
const TIME_LIMIT_SECONDS = DEFAULT_REPOSITORY_SETTINGS.limits.minutes * 60;

export interface JobRequest extends ChosenOverRest {
  /** The name of the dialect. */
  readonly dialect: string;
  /** The caller waits for the job's branch: a job that has none in time is taken back. */
  readonly awaits_branch?: true;
  readonly task: string;
  readonly provider: string | null;
  readonly model: string | null;
  readonly callback_url: string | null;
}

export const restDraft = (
  principal: Principal,
  repository: Repository,
  {
    dialect,
    awaits_branch,
    task,
    provider,
    model,
    callback_url,
    no_merge,
    draft,
    over_budget,
    base_branch,
  }: JobRequest,
): Omit<Draft, "id"> => ({
  account: principal.account,
  repository,
  runner: "actions",
  origin: { kind: "rest", dialect, key_id: principal.key_id, ...(awaits_branch ? { awaits_branch } : {}) },
  requester: null,
  title: titleOf(task),
  task: task.trim(),
  choices: { provider, model, no_merge, draft },
  ...(over_budget ? { over_budget } : {}),
  callback_url,
  base_branch,
  price_cents: 0,
  time_limit_seconds: TIME_LIMIT_SECONDS,
});
