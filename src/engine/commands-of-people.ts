/** The commands that people give a job by comments and buttons. */
import type { Actor, Command } from "../domain/job/command.ts";
import type { CommentId } from "../domain/job/comment-id.ts";
import type { GitHubEvent, SlashCommand } from "../domain/job/github-event.ts";

/** A person with permission. */
export interface Requester extends Actor {
  readonly account: string;
}

type Button = Extract<GitHubEvent, { type: "button" }>;
type AboutJob = Exclude<SlashCommand, { verb: "run" | "help" | "doctor" | "mistaken" }>;

/** Whether it must be known if whoever said it administers the repository. */
export const asksForMore = (said: SlashCommand): boolean => said.verb === "retry" && said.raised !== undefined;

/** `seen`: the core reacts to the comment. */
export function aboutJob(
  said: AboutJob,
  by: Requester,
  comment_id: CommentId,
  by_admin: boolean,
): { readonly asked: Command; readonly seen: boolean } {
  const { account } = by;
  switch (said.verb) {
    case "status":
      return { asked: { type: "show", comment_id }, seen: true };
    case "retry":
      return { asked: retried(said, by, comment_id, by_admin), seen: true };
    case "approve":
      return { asked: { type: "approve", account, by, comment_id, commit: said.commit }, seen: true };
    case "run-checks":
      return { asked: { type: "run-checks", by, comment_id, commit: said.commit }, seen: true };
    case "reject":
      return { asked: { type: "reject-work", account, by, reason: said.reason, comment_id }, seen: true };
    case "pay":
      return { asked: { type: "pay", account, by, payment_id: `comment:${comment_id}` }, seen: false };
    case "cancel":
      return { asked: { type: "cancel", by }, seen: false };
    default:
      return said satisfies never;
  }
}

const retried = (
  { raised }: Extract<AboutJob, { verb: "retry" }>,
  by: Requester,
  comment_id: CommentId,
  by_admin: boolean,
): Command => ({ type: "retry", by, comment_id, ...(raised === undefined ? {} : { raised, by_admin }) });

export function pressed(action: Button["action"], by: Requester, commit: string | undefined): Command {
  if (action === "discard") return { type: action, by };
  return { type: action, by, comment_id: null, ...(action === "run-checks" ? { commit } : {}) };
}
