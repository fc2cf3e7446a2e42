/** REST: the repository itself and its people. */
import { mayWrite, roleOf } from "./access.ts";
import { notFound, Refusal } from "./errors.ts";
import { repositoryJson, userJson } from "./payloads.ts";
import { ok, type Reply, type RepositoryRequest, type Route, repositoryRoute, route } from "./router.ts";
import type { World } from "./world.ts";

function getRepository(world: World, request: RepositoryRequest): Reply {
  const { repository, actor } = request;
  const push = mayWrite(actor, repository, "contents");
  const admin = actor.kind === "user" && roleOf(repository, actor.user.login) === "admin";
  return ok({
    ...repositoryJson(world, repository),
    permissions: { admin, maintain: admin, push, triage: push, pull: true },
    // Shown only to those who may push.
    ...(push
      ? {
          allow_auto_merge: repository.autoMergeAllowed,
          delete_branch_on_merge: repository.deleteBranchOnMerge,
          allow_merge_commit: repository.mergeMethods.merge,
          allow_squash_merge: repository.mergeMethods.squash,
          allow_rebase_merge: repository.mergeMethods.rebase,
        }
      : {}),
  });
}

/** `permission` has four values; `role_name` is exact. */
const SIMPLE = {
  admin: "admin",
  maintain: "write",
  write: "write",
  triage: "read",
  read: "read",
  none: "none",
} as const;

function collaboratorPermission(world: World, request: RepositoryRequest): Reply {
  const user = world.state.user(request.params.username ?? "");
  if (!user) throw notFound();
  if (request.actor.kind === "anonymous") throw new Refusal(401, "Requires authentication");
  if (request.actor.kind === "user" && !mayWrite(request.actor, request.repository, "metadata"))
    throw new Refusal(403, "Must have push access to view collaborator permission.");
  const role = roleOf(request.repository, user.login);
  const permission = SIMPLE[role];
  return ok({ permission, user: { ...userJson(world, user), role_name: role }, role_name: role });
}

export const repositoryRoutes: readonly Route[] = [
  repositoryRoute("GET ", "metadata:read", getRepository),
  repositoryRoute("GET /collaborators/:username/permission", "metadata:read", collaboratorPermission),
];

export const baseRoutes: readonly Route[] = [
  route("GET /", (world) =>
    ok({ current_user_url: `${world.apiUrl}/user`, repository_url: `${world.apiUrl}/repos/{owner}/{repo}` }),
  ),
];
