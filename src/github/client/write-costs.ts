/** Write costs of effects, as booked on an installation's budget. */
import type { GitHubEffect } from "../../domain/job/effect.ts";
import type { GitHubRepositoryEffect } from "../../domain/repository/effect.ts";

/** The maximum number of writes of each effect; unused ones are returned. */
export const WRITES: Readonly<Record<GitHubEffect["type"], number>> = {
  "push-brief": 3,
  react: 1,
  "sync-comment": 1,
  "sync-check": 2,
  "mention-requester": 1,
  "show-progress": 2,
  "show-place": 1,
  "cancel-run": 1,
  "read-run": 0,
  "read-result": 0,
  "answer-reviews": 0,
  "resolve-threads": 1,
  "show-files": 2,
  "deliver-files": 1,
  "open-pull-request": 2,
  "triage-pull-request": 5,
  "push-to-pull-request": 3,
  "read-facts": 0,
  "rerun-checks": 1,
  judge: 0,
  merge: 1,
  "update-branch": 1,
  "enable-auto-merge": 1,
  "disable-auto-merge": 1,
  enqueue: 1,
  "close-pull-request": 1,
  "expire-pull-request": 2,
  "delete-branch": 0,
};

export const REPOSITORY_WRITES: Readonly<Record<GitHubRepositoryEffect["type"], number>> = {
  "read-settings": 1,
  "check-files": 1,
  "fill-cache": 1,
  "report-month": 1,
  "read-set-up": 0,
  "open-set-up-pull-request": 4,
  "update-set-up-pull-request": 1,
  "show-schedule-notice": 1,
};
