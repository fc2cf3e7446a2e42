/** For those who may command in a repository: its triggers with their addresses, and a new secret for one. */
import { randomBytes } from "node:crypto";
import type { Request } from "express";
import * as z from "zod";
import { Secret } from "../../contracts/secret.ts";
import { canCommandIn, canReach } from "../../domain/access.ts";
import { fullName } from "../../domain/job/job.ts";
import type { RepositoryState } from "../../domain/repository/repository.ts";
import { triggerState } from "../../domain/repository/triggers.ts";
import type { GitHubClient } from "../../engine/ports/github.ts";
import type { JobService } from "../../engine/ports/service.ts";
import { actorOf } from "../middleware/actor.ts";
import { principalOf } from "../middleware/auth.ts";
import { failure, type HttpResult, success } from "../routing/answer.ts";
import { type Route, route } from "../routing/route.ts";
import { requestId } from "../server/request-log.ts";
import { type TriggerParts, triggerParams } from "./call-trigger.ts";
import { findTrigger, OVERLAP_MS, secretPurpose } from "./find-trigger.ts";
import { SECRET_BYTES, SECRET_PREFIX } from "./signature.ts";

export interface OwnTriggerParts extends TriggerParts {
  readonly githubClient: Pick<GitHubClient, "installation" | "repository">;
  readonly service: Pick<JobService, "fireTrigger" | "issueTriggerSecret" | "observe">;
  /** Where this server is reached from outside; null: not known, so that addresses begin with their path. */
  readonly public_url: string | null;
}

const NO_STORE = { "Cache-Control": "no-store" };
const NOT_HERE = failure(
  404,
  "not_found",
  "No repository of this name is known here, or this key does not reach it; install the App there, or use another key.",
);
const NO_TRIGGER = failure(
  404,
  "not_found",
  "The default branch has no trigger of this name; GET /api/triggers/{owner}/{name} lists those that it has.",
);
const GITHUB_AWAY = failure(502, "github_unavailable", "GitHub could not be asked; try again in a minute.");

const viewSchema = z
  .object({
    name: z.string(),
    enabled: z.boolean(),
    address: z.string().meta({ description: "Where it is called, by `POST`." }),
    jobs_per_hour: z.number(),
    secret_issued_at: z.string().nullable().meta({ description: "Null: it has no secret yet, so nobody can call it." }),
    refused_at: z
      .string()
      .nullable()
      .meta({ description: "When it was last called more often than `jobs_per_hour` allows." }),
  })
  .meta({ id: "Trigger" });
const EXAMPLE: z.output<typeof viewSchema> = {
  name: "error-report",
  enabled: true,
  address: "https://example.com/api/triggers/octocat/hello-world/error-report",
  jobs_per_hour: 10,
  secret_issued_at: "2030-01-31T12:00:00.000Z",
  refused_at: null,
};

const called = ({ automation: { triggers } }: RepositoryState) => triggers.filter(({ on }) => on === undefined);

const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

function viewOf(
  { public_url }: OwnTriggerParts,
  state: RepositoryState,
  { name, enabled, jobs_per_hour }: RepositoryState["automation"]["triggers"][number],
): z.output<typeof viewSchema> {
  const { secret, refused_at } = triggerState(state, name);
  const address = `${public_url ?? ""}/api/triggers/${fullName(state)}/${name}`;
  const times = { secret_issued_at: iso(secret?.issued_at ?? null), refused_at: iso(refused_at) };
  return { name, enabled, address, jobs_per_hour, ...times };
}

/** As it is known, read from GitHub where a trigger is asked for that is not; null: not to be reached. */
async function reached(
  parts: OwnTriggerParts,
  request: Request,
  { owner, name, trigger }: { readonly owner: string; readonly name: string; readonly trigger?: string },
): Promise<RepositoryState | null> {
  const principal = principalOf(request);
  const known = await parts.repositories.get(owner, name);
  if (known === null || !canReach(principal, known) || !canCommandIn(principal, known)) return null;
  if (trigger === undefined || findTrigger(known, trigger) !== null) return known;
  const read = await parts.githubClient.repository(known, known);
  if (read === null || read.id !== known.id) return known;
  await parts.service.observe(read);
  return parts.repositories.get(owner, name);
}

const awayOr =
  (parts: OwnTriggerParts, request: Request) =>
  (error: unknown): HttpResult => {
    parts.log.warn({ request: requestId(request), err: error }, "a repository could not be read");
    return GITHUB_AWAY;
  };

async function issue(
  parts: OwnTriggerParts,
  request: Request,
  asked: z.output<typeof triggerParams>,
  at_once: boolean,
): Promise<HttpResult> {
  const state = await reached(parts, request, asked);
  if (state === null) return NOT_HERE;
  const trigger = findTrigger(state, asked.trigger);
  if (trigger === null) return NO_TRIGGER;
  const secret = new Secret(`${SECRET_PREFIX}${randomBytes(SECRET_BYTES).toString("base64")}`);
  const sealed = parts.box.seal(secret, secretPurpose(state.id, trigger.name));
  await parts.service.issueTriggerSecret(state.id, trigger.name, sealed, at_once ? 0 : OVERLAP_MS);
  const now = (await parts.repositories.get(asked.owner, asked.name)) ?? state;
  const target = { type: "trigger", id: trigger.name } as const;
  const what = { action: "trigger-secret-issued", target, repository: fullName(state), outcome: "done" };
  parts.record(actorOf(request), what);
  return success(201, { ...viewOf(parts, now, trigger), secret: secret.reveal() }, NO_STORE);
}

const shared = { group: "triggers" } as const;
const UNKNOWN = { 404: { about: "No such repository or trigger.", codes: ["not_found"] } } as const;
const AWAY = { 502: { about: "GitHub cannot be asked.", codes: ["github_unavailable"] } } as const;
const PLACE = { owner: "octocat", name: "hello-world" };

export const ownTriggerRoutes = (parts: OwnTriggerParts): readonly Route[] => [
  route({
    ...shared,
    method: "get",
    path: "/api/triggers/{owner}/{name}",
    operation: "listTriggers",
    summary: "List the triggers of a repository",
    about: "Those of its default branch that are called from outside, with their addresses.",
    scope: "read",
    params: triggerParams.omit({ trigger: true }),
    example: { params: PLACE },
    answers: {
      200: {
        about: "The triggers.",
        schema: z.object({ triggers: z.array(viewSchema) }),
        example: { triggers: [EXAMPLE] },
      },
      ...UNKNOWN,
    },
    async work({ request, params }) {
      const state = await reached(parts, request, params);
      if (state === null) return NOT_HERE;
      return success(200, { triggers: called(state).map((one) => viewOf(parts, state, one)) });
    },
  }),
  route({
    ...shared,
    method: "post",
    path: "/api/triggers/{owner}/{name}/{trigger}/secret",
    operation: "issueTriggerSecret",
    summary: "Issue a trigger's secret, or a new one",
    about: "Shown this once. The one before counts for another 24 hours, unless `at_once` is true.",
    scope: "write",
    params: triggerParams,
    body: z.strictObject({
      at_once: z.boolean().default(false).meta({ description: "The secret before is over now: it was lost." }),
    }),
    example: { params: { ...PLACE, trigger: "error-report" }, body: { at_once: false } },
    answers: {
      201: {
        about: "The trigger, with its secret.",
        schema: viewSchema
          .extend({ secret: z.string().meta({ description: "Shown this once." }) })
          .meta({ id: "TriggerSecret" }),
        example: { ...EXAMPLE, secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=" },
      },
      ...UNKNOWN,
      ...AWAY,
    },
    work: ({ request, params, body }) => issue(parts, request, params, body.at_once).catch(awayOr(parts, request)),
  }),
];
