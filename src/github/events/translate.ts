/** Maps webhook events to listeners. Pure and never throws; an unknown event is ignored with a reason. */
import * as z from "zod";
import type { TranslatedEvent } from "../../domain/job/github-event.ts";
import { head } from "../../text/text.ts";
import {
  checkRunCompleted,
  checkRunRequestedAction,
  checkRunRerequested,
  checkSuiteCompleted,
  checkSuiteRerequested,
  statusChanged,
} from "./checks.ts";
import { commentCreated, reviewCommentCreated, reviewSubmitted } from "./comments.ts";
import { type AppIdentity, ignored, type Listener } from "./event-listener.ts";
import {
  installed,
  repositoryDeleted,
  repositoryEdited,
  repositoryRenamed,
  repositoryTransferred,
  selectionChanged,
  uninstalled,
} from "./installations.ts";
import { issueLabeled } from "./labels.ts";
import { queueChecksRequested } from "./merge-queue.ts";
import {
  autoMergeDisabled,
  pullRequestChanged,
  pullRequestClosed,
  pullRequestDequeued,
  pullRequestOpened,
  pullRequestReopened,
  pullRequestSynchronized,
  reviewDismissed,
  reviewThreadChanged,
} from "./pull-requests.ts";
import { pushed, refDeleted } from "./pushes.ts";
import { runCompleted, runInProgress, runRequested } from "./runs.ts";
import { issueOpened, released } from "./trigger-news.ts";

const LISTENERS: ReadonlyMap<string, Listener> = new Map([
  ["issue_comment.created", commentCreated],
  ["issues.labeled", issueLabeled],
  ["issues.opened", issueOpened],

  ["workflow_run.requested", runRequested],
  ["workflow_run.in_progress", runInProgress],
  ["workflow_run.completed", runCompleted],

  ["check_run.completed", checkRunCompleted],
  ["check_run.rerequested", checkRunRerequested],
  ["check_run.requested_action", checkRunRequestedAction],
  ["check_suite.completed", checkSuiteCompleted],
  ["check_suite.rerequested", checkSuiteRerequested],
  ["status", statusChanged],

  ["pull_request.closed", pullRequestClosed],
  ["pull_request.opened", pullRequestOpened],
  ["pull_request.reopened", pullRequestReopened],
  ["pull_request.synchronize", pullRequestSynchronized],
  ["pull_request.edited", pullRequestChanged],
  ["pull_request.ready_for_review", pullRequestChanged],
  ["pull_request.converted_to_draft", pullRequestChanged],
  ["pull_request.auto_merge_enabled", pullRequestChanged],
  ["pull_request.auto_merge_disabled", autoMergeDisabled],
  ["pull_request.enqueued", pullRequestChanged],
  ["pull_request.dequeued", pullRequestDequeued],
  ["merge_group.checks_requested", queueChecksRequested],
  ["pull_request_review.submitted", reviewSubmitted],
  ["pull_request_review.dismissed", reviewDismissed],
  ["pull_request_review_comment.created", reviewCommentCreated],
  ["pull_request_review_thread.resolved", reviewThreadChanged],
  ["pull_request_review_thread.unresolved", reviewThreadChanged],

  ["release.published", released],
  ["push", pushed],
  ["delete", refDeleted],

  ["installation.created", installed],
  ["installation.new_permissions_accepted", installed],
  ["installation.unsuspend", installed],
  ["installation.deleted", uninstalled],
  ["installation_repositories.added", selectionChanged],
  ["installation_repositories.removed", selectionChanged],
  ["repository.renamed", repositoryRenamed],
  ["repository.transferred", repositoryTransferred],
  ["repository.deleted", repositoryDeleted],
  ["repository.edited", repositoryEdited],
]);

/** Characters of a foreign event name to repeat in a reason. */
const NAME_LIMIT = 100;

const actionSchema = z.object({ action: z.string().optional() });

/** Translates a webhook. `event` as in `X-GitHub-Event`. */
export function translateWebhook(event: string, payload: unknown, self: AppIdentity): TranslatedEvent {
  const read = actionSchema.safeParse(payload);
  if (!read.success) return ignored("the payload is not an event");
  const name = read.data.action === undefined ? event : `${event}.${read.data.action}`;
  const listener = LISTENERS.get(name);
  return listener ? listener(payload, self) : ignored(`no listener for ${head(name, NAME_LIMIT)}`);
}
