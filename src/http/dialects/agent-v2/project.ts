/**
 * Resolves the project in the path of the agent v2 dialect to a repository, and checks whether the key may use it.
 */
import type { Request, RequestHandler } from "express";
import { canReachName, type Principal } from "../../../domain/access.ts";
import { fullName } from "../../../domain/job/job.ts";
import type { ObservedRepository } from "../../../domain/repository/repository.ts";
import type { Log } from "../../../engine/ports/log.ts";
import type { RepositoryStore } from "../../../engine/ports/repositories.ts";
import { repositoryField } from "../../admin/new-key.ts";
import { principalOf } from "../../middleware/auth.ts";
import { failure, type HttpResult, send } from "../../routing/answer.ts";
import { requestId } from "../../server/request-log.ts";
import type { RepositoryByNumber } from "./repository-by-number.ts";

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

const GITHUB_AWAY = failure(502, "github_unavailable", "GitHub could not be asked; try again in a minute.");

const unknown = (id: string): HttpResult =>
  failure(404, "not_found", `Journeyman is installed on no repository of the id ${id}; name it as owner/name.`);

const bound = (repository: string): HttpResult => {
  const sentence = `This key is bound to ${repository}; name the project ${encodeURIComponent(repository)}, or use another key.`;
  return failure(403, "forbidden", sentence);
};

const limited = (wait_ms: number): HttpResult => {
  const sentence =
    "Too many numbers of repositories that are unknown here; name the project as owner/name, or try later.";
  return failure(429, "rate_limited", sentence, { "Retry-After": String(Math.ceil(wait_ms / 1_000)) });
};

interface Lookups {
  readonly log: Pick<Log, "warn">;
  readonly repositories: Pick<RepositoryStore, "get">;
  readonly byNumber: RepositoryByNumber;
}

async function find(
  { repositories, byNumber }: Lookups,
  id: string,
  caller: Principal,
): Promise<Project | HttpResult | null> {
  if (NUMERIC.test(id)) {
    const answer = await byNumber(Number(id), caller);
    if (answer.kind === "limited") return limited(answer.wait_ms);
    return answer.kind === "unknown" ? null : { id, name: fullName(answer.repository), known: answer.repository };
  }
  const [owner = "", name = ""] = id.split("/");
  return { id, name: id, known: await repositories.get(owner, name) };
}

/** `owner/name` may come as one part of the path or as two. */
function idIn({ projectId, projectName }: Request["params"]): string | null {
  if (typeof projectId !== "string") return null;
  return typeof projectName === "string" ? `${projectId}/${projectName}` : projectId;
}

async function projectFor(lookups: Lookups, request: Request): Promise<Project | HttpResult> {
  const id = idIn(request.params);
  if (id === null) return NO_PROJECT;
  if (!NUMERIC.test(id) && !repositoryField.safeParse(id).success) return NO_PROJECT;
  const principal = principalOf(request);
  const project = await find(lookups, id, principal).catch((error: unknown) => {
    lookups.log.warn({ request: requestId(request), err: error }, "a repository could not be found by its number");
    return GITHUB_AWAY;
  });
  if (project !== null && "status" in project) return project;
  // a key that is bound elsewhere is told the same of ids that are known and of those that are not
  if (!canReachName(principal, project?.name ?? null)) return bound(principal.repository ?? "");
  return project ?? unknown(id);
}

/** Stands behind authentication; lets the request pass with its project, or answers why not. */
export const withProject =
  (lookups: Lookups): RequestHandler =>
  async (request, response, next) => {
    const found = await projectFor(lookups, request);
    if ("status" in found) {
      send(request, response, found);
    } else {
      request.project = found;
      next();
    }
  };
