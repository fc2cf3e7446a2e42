/** Where the calls of the agent v2 dialect stand on the router, and within which limits. */
import type { Request, RequestHandler, Router } from "express";
import type { Log } from "../engine/ports.ts";
import * as agent from "./agent-v2.ts";
import { projectLimit } from "./agent-v2-limits.ts";
import { withProject } from "./agent-v2-project.ts";
import { type Answer, answering } from "./answer.ts";
import type { RepeatableRoute } from "./idempotency.ts";
import { inTurn } from "./in-turn.ts";

/** What the routes of every dialect share. */
export interface Chains {
  /** What stands before a route that reads, and before one that writes: authentication, limits, the body. */
  readonly read: readonly RequestHandler[];
  readonly write: readonly RequestHandler[];
  /** Makes a route answer a repeated `Idempotency-Key` as it did before. */
  readonly repeatable: (route: string, work: RepeatableRoute) => (request: Request) => Promise<Answer>;
}

const ROOT = "/v2/agent/:projectId";

export function agentV2Routes(
  router: Router,
  parts: agent.AgentV2Parts & { readonly log: Log },
  { read, write, repeatable }: Chains,
): void {
  const { log } = parts;
  const project = withProject(parts.repositories);
  const job = `${ROOT}/job/:id`;
  const reading = (path: string, route: (request: Request) => Promise<Answer>): void => {
    router.get(path, inTurn(...read, project, answering(route, log)));
  };
  const writing = (path: string, work: RepeatableRoute, ...limits: readonly RequestHandler[]): void => {
    const route = repeatable(`POST ${path}`, work);
    router.post(path, inTurn(...write, project, ...limits, answering(route, log)));
  };

  writing(`${ROOT}/job`, agent.createAgentJob(parts), projectLimit("creates"));
  reading(`${ROOT}/jobs`, agent.listAgentJobs(parts));
  reading(job, agent.getAgentJob(parts));
  writing(`${job}/message`, agent.messageAgentJob(parts), projectLimit("messages"));
  writing(`${job}/cancel`, agent.cancelAgentJob(parts));
  writing(`${job}/archive`, agent.archiveAgentJob(parts));
}
