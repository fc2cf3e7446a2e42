/** The commands that people give a job by comments and buttons. */
import { type RepositorySettings as Settings, UNREAD_REPOSITORY_SETTINGS } from "../contracts/settings.ts";
import type { Actor, Command } from "../domain/job/command.ts";
import type { EventRepository, GitHubEvent, SlashCommand } from "../domain/job/github-event.ts";
import type { Admit, PermissionRequest } from "./command-permission.ts";
import type { RepositoryStore } from "./ports/repositories.ts";

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
type Slash = Extract<GitHubEvent, { type: "slash" }>;
type AboutJob = Exclude<
  SlashCommand,
  { verb: "run" | "help" | "doctor" | "usage" | "schedules" | "resume" | "mistaken" }
>;

interface Needs {
  readonly admit: Admit;
  readonly store: { readonly repositories: Pick<RepositoryStore, "get"> };
}

/** `seen`: the core reacts to the comment. */
export async function aboutJob(
  needs: Needs,
  event: Slash,
  said: AboutJob,
  by: Requester,
): Promise<{ readonly asked: Command; readonly seen: boolean }> {
  const { comment_id } = event;
  const { account } = by;
  switch (said.verb) {
    case "status":
      return { asked: { type: "show", comment_id }, seen: true };
    case "retry":
      return { asked: await retried(needs, event, said, by), seen: true };
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

/** As last told or read; undefined: nobody has read them. */
async function allowedNow({ store }: Needs, { owner, name }: EventRepository): Promise<Settings["limits"] | undefined> {
  const known = await store.repositories.get(owner, name);
  if (known === null || (known.settings === null && known.base === null && known.settings_problem === null))
    return undefined;
  return (known.settings ?? UNREAD_REPOSITORY_SETTINGS).limits;
}

async function retried(
  needs: Needs,
  event: Slash,
  { raised, over_budget }: Extract<AboutJob, { verb: "retry" }>,
  by: Requester,
): Promise<Command> {
  const { repository, comment_id } = event;
  if (raised === undefined && over_budget === undefined) return { type: "retry", by, comment_id };
  const by_admin = (await needs.admit(repository, authorOf(event), "admin")) !== null;
  const allowed = await allowedNow(needs, repository);
  return {
    ...{ type: "retry", by, comment_id, by_admin },
    ...(raised === undefined ? {} : { raised }),
    ...(over_budget === undefined ? {} : { over_budget }),
    ...(allowed === undefined ? {} : { allowed }),
  };
}

export function pressed(action: Button["action"], by: Requester, commit: string | undefined): Command {
  if (action === "discard") return { type: action, by };
  return { type: action, by, comment_id: null, ...(action === "run-checks" ? { commit } : {}) };
}
