/** The commands that people give a job by comments and buttons. */
import type { Actor, Command } from "../domain/job/command.ts";
import type { CommentId } from "../domain/job/comment-id.ts";
import type { GitHubEvent, SlashCommand } from "../domain/job/github-event.ts";
import type { PermissionRequest } from "./command-permission.ts";

/** A person with permission. */
export interface Requester extends Actor {
  readonly account: string;
}

/** Missing in events that an earlier version has stored: the number. */
export const authorOf = (said: { readonly author: string; readonly author_id?: number }): PermissionRequest => ({
  login: said.author,
  ...(said.author_id === undefined ? {} : { id: said.author_id }),
});

type Button = Extract<GitHubEvent, { type: "button" }>;
type AboutJob = Exclude<SlashCommand, { verb: "run" | "help" | "doctor" | "mistaken" }>;

/** `admin`: the account of whoever said it, if they administer the repository. `seen`: the core reacts to the comment. */
export async function aboutJob(
  said: AboutJob,
  by: Requester,
  comment_id: CommentId,
  admin: () => Promise<string | null>,
): Promise<{ readonly asked: Command; readonly seen: boolean }> {
  const { account } = by;
  switch (said.verb) {
    case "status":
      return { asked: { type: "show", comment_id }, seen: true };
    case "retry":
      return { asked: await retried(said, by, comment_id, admin), seen: true };
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

async function retried(
  { raised }: Extract<AboutJob, { verb: "retry" }>,
  by: Requester,
  comment_id: CommentId,
  admin: () => Promise<string | null>,
): Promise<Command> {
  const more = raised === undefined ? {} : { raised, by_admin: (await admin()) !== null };
  return { type: "retry", by, comment_id, ...more };
}

export function pressed(action: Button["action"], by: Requester, commit: string | undefined): Command {
  if (action === "discard") return { type: action, by };
  return { type: action, by, comment_id: null, ...(action === "run-checks" ? { commit } : {}) };
}
