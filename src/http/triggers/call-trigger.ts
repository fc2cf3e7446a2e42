/**
 * `POST /api/triggers/{owner}/{name}/{trigger}`: a program outside starts what a trigger asks for. Whoever knows no
 * secret learns nothing, not even whether the repository is known here.
 */
import type { Request, RequestHandler } from "express";
import * as z from "zod";
import type { Trigger } from "../../contracts/automation.ts";
import { Secret } from "../../contracts/secret.ts";
import { CALL_ROOTS } from "../../contracts/trigger-template.ts";
import { accountOfRepository } from "../../domain/job/account.ts";
import { fullName } from "../../domain/job/job.ts";
import type { RepositoryState } from "../../domain/repository/repository.ts";
import type { Recorder } from "../../engine/ports/audit.ts";
import type { Log } from "../../engine/ports/log.ts";
import type { RepositoryStore } from "../../engine/ports/repositories.ts";
import type { SealedBox } from "../../engine/ports/sealed-box.ts";
import type { JobService } from "../../engine/ports/service.ts";
import type { Fired } from "../../engine/ports/triggers.ts";
import { counted } from "../../text/plural.ts";
import { hashOf } from "../middleware/auth.ts";
import type { AuthThrottle } from "../middleware/wrong-key-throttling.ts";
import { failure, type HttpResult, send, success } from "../routing/answer.ts";
import { MAX_TRIGGER_BYTES } from "../routing/limits.ts";
import { refusalToHttp } from "../routing/refusal-to-http.ts";
import { type Route, route } from "../routing/route.ts";
import { clientAddress } from "../server/client-address.ts";
import { requestId } from "../server/request-log.ts";
import { findTrigger, secretsOf } from "./find-trigger.ts";
import { bearerOf, isCalledWith, isSigned, NOBODYS } from "./signature.ts";
import { newsOf, type TriggerRequest, valuesOf } from "./values.ts";

export interface TriggerParts {
  readonly repositories: Pick<RepositoryStore, "get">;
  readonly service: Pick<JobService, "fireTrigger" | "issueTriggerSecret">;
  readonly box: SealedBox;
  readonly record: Recorder;
  readonly authThrottle: AuthThrottle;
  readonly log: Log;
  readonly now: () => number;
}

export const triggerParams = z.object({
  owner: z.string().meta({ description: "The owner's login." }),
  name: z.string().meta({ description: "The repository's name." }),
  trigger: z.string().meta({ description: "The trigger's name; or its `watch_path` without the first slash." }),
});

const UNKNOWN: HttpResult = {
  ...failure(
    401,
    "unauthorized",
    "There is no such trigger here, or this is not its secret. Look at the address, and issue a new secret if need be.",
  ),
  headers: { "WWW-Authenticate": "Bearer" },
};
const OFF = failure(409, "trigger_disabled", "This trigger is off. Set `enabled: true` in the file that it stands in.");
/** GitHub sends one when a webhook is added, to see whether somebody is there. */
const NOTHING = success(202, {
  ...{ job_id: null, job_ids: [], event_ids: [] },
  message: "The secret is right. GitHub's ping starts nothing.",
});

const firedSchema = z.object({
  job_id: z.string().nullable().meta({ description: "The first of them; null: no job was asked for." }),
  job_ids: z.array(z.string()).meta({ description: "One for each action that starts a job." }),
  event_ids: z
    .array(z.string())
    .meta({ description: "One for each action of `type: webhook`: the `id` in the event's data." }),
  message: z.string().meta({ description: "What has come of it, in words." }),
});

const retryAfter = (ms: number) => ({ "Retry-After": String(Math.max(1, Math.ceil(ms / 1_000))) });

/**
 * Stands before the body is read: anybody can come here. A signature cannot be guessed, and many send theirs from the
 * addresses of one service, so nobody is kept from showing a good one.
 */
const caller =
  ({ authThrottle }: TriggerParts): RequestHandler =>
  (request, response, next) => {
    const bearer = bearerOf(request.headers);
    const refusal = isSigned(request.headers) ? null : authThrottle.refusal(request, bearer && hashOf(bearer));
    if (refusal !== null) send(request, response, refusal);
    else if (bearer === null && !isSigned(request.headers)) send(request, response, UNKNOWN);
    else next();
  };

interface Found {
  readonly state: RepositoryState;
  readonly trigger: Trigger;
}

type Params = z.output<typeof triggerParams>;

async function found(parts: TriggerParts, { owner, name, trigger: named }: Params, asked: TriggerRequest) {
  const state = await parts.repositories.get(owner, name);
  const trigger = state === null ? null : findTrigger(state, named);
  const secrets = state === null || trigger === null ? [] : secretsOf(parts.box, state, trigger.name, parts.now());
  const isKnown = isCalledWith(
    secrets.length === 0 ? [new Secret(NOBODYS)] : secrets,
    asked.headers,
    asked.body,
    parts.now(),
  );
  return isKnown && secrets.length > 0 && state !== null && trigger !== null ? { state, trigger } : null;
}

const missing = (placeholder: string): HttpResult =>
  failure(
    422,
    "missing_value",
    `The task names {{${placeholder}}}, and the call brings nothing for it, so nothing was started. Send it, or change the trigger's task.`,
  );

/** The same however often a delivery comes. */
function messageOf({ jobs, events }: Extract<Fired, { kind: "started" }>): string {
  const begun = jobs.length === 0 ? [] : [`${counted(jobs.length, "job")} started`];
  const sent =
    events.length === 0
      ? []
      : [`${counted(events.length, "event")} \`trigger.fired\` sent to this repository's webhooks`];
  return `${[...begun, ...sent].join(", ") || "Nothing to start"}.`;
}

const full = ({ jobs_per_hour }: Trigger, after_ms: number): HttpResult =>
  failure(
    429,
    "rate_limited",
    `This trigger has started ${counted(jobs_per_hour, "job")} within an hour, events counted as well, and may start no more: \`jobs_per_hour\` says how many. Try again later.`,
    retryAfter(after_ms),
  );

async function fire(parts: TriggerParts, { state, trigger }: Found, asked: TriggerRequest): Promise<HttpResult> {
  if (!trigger.enabled) return OFF;
  if (asked.headers["x-github-event"] === "ping") return NOTHING;
  const read = valuesOf(asked);
  if ("answer" in read) return read.answer;
  const { id, owner, name, installation_id } = state;
  const fired = await parts.service.fireTrigger({
    repository: { id, owner, name, installation_id },
    ...{ trigger, news: newsOf(asked, parts.now()), values: read.values, roots: CALL_ROOTS },
  });
  switch (fired.kind) {
    case "started":
      return success(202, {
        ...{ job_id: fired.jobs[0] ?? null, job_ids: [...fired.jobs], event_ids: [...fired.events] },
        message: messageOf(fired),
      });
    case "missing":
      return missing(fired.placeholder);
    case "full":
      return full(trigger, fired.after_ms);
    case "refused":
      return refusalToHttp(fired.refusal, { invalid: 422, unknown_model: 422 });
    default:
      return fired satisfies never;
  }
}

/** Who called is not known; which trigger, and from where, is. */
function recorded(
  { record }: TriggerParts,
  request: Request,
  { state, trigger }: Found,
  answer: HttpResult,
): HttpResult {
  const outcome = answer.status < 400 ? "done" : String(Object(answer.body).code ?? answer.status);
  const via = { key_id: null, address: clientAddress(request), request_id: requestId(request) };
  record(
    { account: accountOfRepository(state.id), login: null, via },
    { action: "trigger-called", target: { type: "trigger", id: trigger.name }, repository: fullName(state), outcome },
  );
  return answer;
}

export const callTriggerRoute = (parts: TriggerParts): Route =>
  route({
    method: "post",
    path: "/api/triggers/{owner}/{name}/{trigger}",
    operation: "callTrigger",
    group: "triggers",
    summary: "Call a trigger",
    about:
      "Known by the trigger's own secret: as `Authorization: Bearer …`, or by a signature of Standard Webhooks or of GitHub. " +
      "The body is JSON, a form or text, of 64 kB at most; it fills the placeholders of the task. The same delivery (`webhook-id`, " +
      "`X-GitHub-Delivery` or `Idempotency-Key`) starts its jobs and sends its events once.",
    scope: null,
    raw: true,
    lenient: true,
    max_body_bytes: MAX_TRIGGER_BYTES,
    callers: [caller(parts)],
    params: triggerParams,
    raw_body: z.record(z.string(), z.unknown()),
    example: { params: { owner: "octocat", name: "hello-world", trigger: "error-report" }, body: { service: "shop" } },
    answers: {
      202: {
        about: "The jobs have begun and the events are sent, now or with the same delivery before.",
        schema: firedSchema,
        example: { job_id: "ab12cd34", job_ids: ["ab12cd34"], event_ids: [], message: "1 job started." },
      },
      401: {
        about: "No such trigger, or not its secret.",
        codes: ["unauthorized"],
        headers: { "WWW-Authenticate": "How to bring the secret." },
      },
      409: {
        about: "The trigger is off, or its repository has as many jobs as it may.",
        codes: ["trigger_disabled", "over_quota"],
      },
      422: { about: "The task names what was not sent.", codes: ["missing_value", "unknown_model", "invalid"] },
      429: {
        about: "Too many.",
        codes: ["rate_limited", "too_many_guesses"],
        headers: { "Retry-After": "In how many seconds to come again." },
      },
    },
    async work({ request, params }) {
      const body: unknown = request.body;
      const asked = {
        headers: request.headers,
        url: request.originalUrl,
        body: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
      };
      const known = await found(parts, params, asked);
      if (known === null) {
        const slowed = parts.authThrottle.refusal(request, null);
        parts.authThrottle.failed(request);
        return slowed ?? UNKNOWN;
      }
      const bearer = bearerOf(request.headers);
      if (bearer !== null) parts.authThrottle.succeeded(request, hashOf(bearer));
      return recorded(parts, request, known, await fire(parts, known, asked));
    },
  });
