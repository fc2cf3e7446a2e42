/** Returns the person or key that asked for a command, for the audit log. Reports have no requester. */
import type { Actor, Command } from "./command.ts";

const somebody = (by: Actor | undefined): Actor | null =>
  by === undefined || (by.account === null && by.login === null) ? null : by;

const ofAccount = (account: string): Actor => ({ account, login: null });

/** Of a draft, where whoever handed it in did not say: the account, the login and the key that are in it. */
function ofDraft({ account, requester, origin }: Extract<Command, { type: "create" }>["draft"]): Actor | null {
  if (origin.kind === "schedule" || origin.kind === "trigger") return null;
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
    default:
      // of reports `by` is a name, for show
      return "by" in command && typeof command.by === "object" ? somebody(command.by ?? undefined) : null;
  }
}
