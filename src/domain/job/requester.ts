/** Returns the person or key that asked for a command, for the audit log. Reports have no requester. */
import type { Actor, Command } from "./command.ts";

const somebody = (by: Actor | undefined): Actor | null =>
  by === undefined || (by.account === null && by.login === null) ? null : by;

const ofAccount = (account: string): Actor => ({ account, login: null });

/** Of a draft, where whoever handed it in did not say: the account, the login and the key that are in it. */
function ofDraft({ account, requester, origin }: Extract<Command, { type: "create" }>["draft"]): Actor | null {
  if (origin.kind === "cron") return null;
  const key_id = origin.kind === "rest" ? origin.key_id : null;
  return { account, login: requester, via: { key_id, address: null, request_id: null } };
}

export function requesterOf(command: Command): Actor | null {
  switch (command.type) {
    case "create":
      return somebody(command.by) ?? ofDraft(command.draft);
    case "pay":
    case "pull":
      return somebody(command.by) ?? ofAccount(command.account);
    case "cancel":
    case "discard":
    case "message":
    case "review":
    case "retry":
    case "archive":
    case "reject":
    case "accept":
    case "submit":
    case "fail":
    case "approve":
    case "reject-work":
    case "run-checks":
      return somebody(command.by);
    case "moved":
    case "tick":
    case "look":
    case "show":
    case "judged":
    case "run-changed":
    case "ci-run-changed":
    case "head-moved":
    case "branch-deleted":
    case "merged":
    case "closed":
    case "review-dismissed":
    case "reviews-withdrawn":
    case "reopened":
    case "dequeued":
    case "queue-tests":
    case "enqueued":
    case "auto-merge-disabled":
    case "settle":
    case "hand-in":
    case "progressed":
    case "brief-pushed":
    case "brief-refused":
    case "comment-synced":
    case "check-synced":
    case "result-read":
    case "files-shown":
    case "files-delivered":
    case "submission-refused":
    case "pull-request-opened":
    case "nothing-to-open":
    case "work-pushed":
    case "work-stopped":
    case "observe":
    case "auto-merge-enabled":
    case "merge-refused":
    case "effect-abandoned":
      return null;
    default:
      return command satisfies never;
  }
}
