/** `GET /api/repositories/{owner}/{name}/health`: what keeps jobs of a repository from running or merging. */
import * as z from "zod";
import { canReach, canReachName, type Principal } from "../../domain/access.ts";
import type { Finding } from "../../domain/repository/findings.ts";
import type { GitHubClient } from "../../engine/ports/github.ts";
import type { Log } from "../../engine/ports/log.ts";
import type { RepositoryStore } from "../../engine/ports/repositories.ts";
import type { JobService } from "../../engine/ports/service.ts";
import { repositoryField } from "../admin/new-key.ts";
import { findRepository } from "../dialects/which-repository.ts";
import { principalOf } from "../middleware/auth.ts";
import { rateLimit } from "../middleware/rate-limit.ts";
import { failure, type HttpResult, success } from "../routing/answer.ts";
import { HEALTH_PER_MINUTE } from "../routing/limits.ts";
import { type Route, route } from "../routing/route.ts";
import { requestId } from "../server/request-log.ts";

export interface HealthParts {
  readonly repositories: Pick<RepositoryStore, "get">;
  readonly githubClient: Pick<GitHubClient, "installation" | "repository">;
  readonly service: Pick<JobService, "examine" | "observe">;
  readonly now: () => number;
  readonly log: Log;
}

const findingSchema = z.object({
  code: z.string().meta({ description: "For programs; it does not change." }),
  level: z
    .enum(["problem", "advice"])
    .meta({ description: "`problem`: jobs do not run or do not merge. `advice`: worth knowing." }),
  certainty: z
    .enum(["certain", "probable"])
    .meta({ description: "`probable`: concluded from runs, since the App may not read it." }),
  problem: z.string(),
  fix: z.string(),
  url: z.string().nullable().meta({ description: "Where it is mended." }),
});

export const healthSchema = z.object({
  repository: z.string(),
  healthy: z.boolean().meta({ description: "No finding is a problem." }),
  findings: z.array(findingSchema).meta({ description: "The most pressing first." }),
});

const EXAMPLE: z.output<typeof healthSchema> = {
  repository: "octocat/hello-world",
  healthy: true,
  findings: [
    {
      code: "merge_method_forbidden",
      level: "advice",
      certainty: "certain",
      problem: "The settings merge by `squash`, which the repository does not allow; `merge` is used instead.",
      fix: "Allow `squash`, or set `auto_merge.method` to `merge`.",
      url: "https://github.com/octocat/hello-world/settings",
    },
  ],
};

const BOUND = failure(403, "forbidden", "This key is bound to another repository; use another key.");
const NOT_INSTALLED = failure(422, "not_installed", "The App is not installed there; install it and try again.");
const GITHUB_AWAY = failure(502, "github_unavailable", "GitHub could not be asked; try again in a minute.");

export const healthOf = (repository: string, findings: readonly Finding[]): z.output<typeof healthSchema> => ({
  repository,
  healthy: findings.every(({ level }) => level !== "problem"),
  findings: [...findings],
});

const paramsSchema = z.object({
  owner: z.string().meta({ description: "The owner's login." }),
  name: z.string().meta({ description: "The repository's name." }),
});

const NO_NAME = failure(400, "invalid_field", "This is no name of a repository; name it as owner/name.");

async function examined(parts: HealthParts, principal: Principal, full_name: string): Promise<HttpResult> {
  const repository = await findRepository(parts, full_name);
  // another one may have the name by now
  if (repository !== null && !canReach(principal, repository)) return BOUND;
  const findings = repository === null ? null : await parts.service.examine(repository);
  return findings === null ? NOT_INSTALLED : success(200, healthOf(full_name, findings));
}

export const healthRoute = (parts: HealthParts): Route =>
  route({
    method: "get",
    path: "/api/repositories/{owner}/{name}/health",
    operation: "getRepositoryHealth",
    group: "repositories",
    summary: "See what keeps jobs of a repository from running or merging",
    about: "The same as `/job doctor` in a comment. GitHub is asked each time.",
    scope: "read",
    params: paramsSchema,
    guards: [
      rateLimit(
        {
          name: "health",
          most: HEALTH_PER_MINUTE,
          window_ms: 60_000,
          keyOf: (request) => principalOf(request).account,
          sentence: `More than ${HEALTH_PER_MINUTE} examinations a minute for this account; wait and try again.`,
        },
        parts.now,
      ),
    ],
    example: { params: { owner: "octocat", name: "hello-world" } },
    answers: {
      200: { about: "The findings; none: all is well.", schema: healthSchema, example: EXAMPLE },
      400: { about: "This is no name of a repository.", codes: ["invalid_field"] },
      403: { about: "The key is bound to another repository.", codes: ["forbidden"] },
      422: { about: "The App is not installed there.", codes: ["not_installed"] },
      502: { about: "GitHub cannot be asked.", codes: ["github_unavailable"] },
    },
    async work({ request, params }) {
      const name = repositoryField.safeParse(`${params.owner}/${params.name}`);
      if (!name.success) return NO_NAME;
      const principal = principalOf(request);
      if (!canReachName(principal, name.data)) return BOUND;
      return examined(parts, principal, name.data).catch((error: unknown) => {
        parts.log.warn({ request: requestId(request), err: error }, "a repository could not be examined");
        return GITHUB_AWAY;
      });
    },
  });
