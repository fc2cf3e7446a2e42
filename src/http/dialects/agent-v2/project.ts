/**
 * Resolves the project in the path of the agent v2 dialect to a repository, and checks whether the key may use it. Does
 * not ask GitHub: only creating a job needs to know whether the App is installed.
 */
import type { Request, RequestHandler } from "express";
import { canReachName } from "../../../domain/access.ts";
import { fullName } from "../../../domain/job/job.ts";
import type { ObservedRepository } from "../../../domain/repository/repository.ts";
import type { RepositoryStore } from "../../../engine/ports/repositories.ts";
import { repositoryField } from "../../admin/new-key.ts";
import { principalOf } from "../../middleware/auth.ts";
import { failure, type HttpResult, send } from "../../routing/answer.ts";

export interface Project {
  /** As the caller wrote it, for addresses that lead back here. */
  readonly id: string;
  /** `owner/name` */
  readonly name: string;
  /** Null: never used so far. */
  readonly known: ObservedRepository | null;
}

declare global {
  namespace Express {
    interface Request {
      project?: Project;
    }
  }
}

/** The project of a route that stands behind {@link withProject}. */
export function projectOf(request: Request): Project {
  if (request.project === undefined) throw new Error("a route of a project does not know which one");
  return request.project;
}

const NUMERIC = /^\d{1,15}$/;
const NO_PROJECT = failure(
  400,
  "invalid_field",
  "projectId: must be the numeric id of a repository, or its name as owner/name.",
);

const unknown = (id: string): HttpResult =>
  failure(404, "not_found", `No repository of the id ${id} is known here yet; name it as owner/name.`);

const bound = (repository: string): HttpResult => {
  const sentence = `This key is bound to ${repository}; name the project ${encodeURIComponent(repository)}, or use another key.`;
  return failure(403, "forbidden", sentence);
};

async function find(repositories: Pick<RepositoryStore, "get" | "byId">, id: string): Promise<Project | null> {
  if (NUMERIC.test(id)) {
    const known = await repositories.byId(Number(id));
    return known === null ? null : { id, name: fullName(known), known };
  }
  const [owner = "", name = ""] = id.split("/");
  return { id, name: id, known: await repositories.get(owner, name) };
}

/** `owner/name` may come as one part of the path or as two. */
function idIn({ projectId, projectName }: Request["params"]): string | null {
  if (typeof projectId !== "string") return null;
  return typeof projectName === "string" ? `${projectId}/${projectName}` : projectId;
}

async function projectFor(
  repositories: Pick<RepositoryStore, "get" | "byId">,
  request: Request,
): Promise<Project | HttpResult> {
  const id = idIn(request.params);
  if (id === null) return NO_PROJECT;
  if (!NUMERIC.test(id) && !repositoryField.safeParse(id).success) return NO_PROJECT;
  const principal = principalOf(request);
  const project = await find(repositories, id);
  // a key that is bound elsewhere is told the same of ids that are known and of those that are not
  if (!canReachName(principal, project?.name ?? null)) return bound(principal.repository ?? "");
  return project ?? unknown(id);
}

/** Stands behind authentication; lets the request pass with its project, or answers why not. */
export const withProject =
  (repositories: Pick<RepositoryStore, "get" | "byId">): RequestHandler =>
  async (request, response, next) => {
    const found = await projectFor(repositories, request);
    if ("status" in found) {
      send(request, response, found);
    } else {
      request.project = found;
      next();
    }
  };
