/** What an actor may do in a repository; the only place that decides 401, 403 and 404. */
import { notAccessible, notFound, Refusal } from "./errors.ts";
import type { Cause, CollaboratorRole, Level, PermissionMap, Repository, User } from "./model.ts";
import type { State } from "./state.ts";
import type { AccessToken, Actor } from "./tokens.ts";

/** e.g. `contents:write`; several mean any of them. */
export type Need = `${string}:${"read" | "write"}`;

const RANK: Readonly<Record<string, number>> = { none: 0, read: 1, triage: 2, write: 3, maintain: 4, admin: 5 };
/** What any user who can see a repository may write in it. */
const OPEN_TO_READERS = ["issues", "pull_requests", "metadata"];

export function roleOf(repository: Repository, login: string): CollaboratorRole {
  if (repository.owner.login.toLowerCase() === login.toLowerCase()) return "admin";
  const role = repository.collaborators.get(login.toLowerCase());
  return role ?? (repository.private ? "none" : "read");
}

export function hasRole(repository: Repository, login: string, least: CollaboratorRole): boolean {
  return (RANK[roleOf(repository, login)] ?? 0) >= (RANK[least] ?? 0);
}

export function allows(permissions: PermissionMap, need: Need): boolean {
  const [name = "", level = "read"] = need.split(":");
  const granted = permissions[name] ?? (name === "metadata" ? "read" : "none");
  return granted === "admin" || granted === "write" || (granted === "read" && level === "read");
}

const covers = (token: AccessToken, repository: Repository) =>
  token.repositoryIds?.has(repository.id) ?? token.installation?.repositoryIds.has(repository.id) ?? false;

/** Throws unless the actor may do one of the named things. */
export function authorize(actor: Actor, repository: Repository | undefined, needs: readonly Need[]): Repository {
  if (!repository) throw notFound();
  const writes = needs.every((need) => need.endsWith(":write"));
  switch (actor.kind) {
    case "anonymous":
      if (repository.private) throw notFound();
      if (writes) throw new Refusal(401, "Requires authentication");
      return repository;
    case "app":
    case "client":
    case "user-to-server":
      throw notAccessible();
    case "token":
      if (!covers(actor.token, repository)) {
        if (repository.private) throw notFound();
        if (writes) throw notAccessible();
        return repository;
      }
      if (!needs.some((need) => allows(actor.token.permissions, need))) throw notAccessible();
      return repository;
    case "user":
      return authorizeUser(actor.user, repository, needs, writes);
    default: {
      const never: never = actor;
      return never;
    }
  }
}

function authorizeUser(user: User, repository: Repository, needs: readonly Need[], writes: boolean): Repository {
  if (!hasRole(repository, user.login, "read")) throw notFound();
  if (!writes || needs.some((need) => OPEN_TO_READERS.includes(need.split(":")[0] ?? ""))) return repository;
  if (needs.every((need) => need.startsWith("checks:")))
    throw new Refusal(403, "You must authenticate via a GitHub App.");
  if (!hasRole(repository, user.login, "write")) throw new Refusal(403, "Must have push access to repository");
  return repository;
}

/** Whether the actor has a level beyond what `authorize` checked, e.g. for label edits or merging by a user. */
export function mayWrite(actor: Actor, repository: Repository, permission: string): boolean {
  if (actor.kind === "token")
    return covers(actor.token, repository) && allows(actor.token.permissions, `${permission}:write`);
  return actor.kind === "user" && hasRole(repository, actor.user.login, "write");
}

export function causeOf(state: State, actor: Actor, appId: number): Cause {
  switch (actor.kind) {
    case "user":
    case "user-to-server":
      return { user: actor.user, byWorkflowToken: false };
    case "token":
      return actor.token.kind === "workflow"
        ? { user: actor.token.user, byWorkflowToken: true }
        : { user: actor.token.user, byWorkflowToken: false, appId };
    case "app":
    case "client":
      return { user: state.bot, byWorkflowToken: false, appId };
    case "anonymous":
      throw new Refusal(401, "Requires authentication");
    default: {
      const never: never = actor;
      return never;
    }
  }
}

export const levelOf = (method: string): Level => (method === "GET" || method === "HEAD" ? "read" : "write");
