/**
 * Routes about the server itself for load balancers, monitors and code generators: health, readiness, metrics and the
 * description of the API.
 */
import { createHash } from "node:crypto";
import * as z from "zod";
import { VERSION } from "../../contracts/version.ts";
import type { JobService } from "../../engine/ports/service.ts";
import type { Metrics } from "../admin/metrics.ts";
import { type HttpResult, success } from "../routing/answer.ts";
import type { Described } from "../routing/describe.ts";
import { type Route, route } from "../routing/route.ts";
import type { RouteGroup } from "../routing/route-group.ts";

export interface ServerParts {
  readonly service: Pick<JobService, "health">;
  readonly metrics: Pick<Metrics, "exposition">;
  /** Where this server is reached from outside; null: not known. */
  readonly public_url: string | null;
}

const shared = { lenient: true, method: "get", group: "server", scope: null, quiet: true } as const;
const NO_STORE = { "Cache-Control": "no-store" };

const healthSchema = z.object({ status: z.literal("ok"), version: z.string() });
const ALIVE = { status: "ok", version: VERSION } as const;

const readySchema = z.object({
  ready: z.boolean(),
  reason: z.string().optional().meta({ description: "What is wrong, in a sentence; absent where nothing is." }),
});
const UNREADY = { ready: false, reason: "The data folder cannot be written to; look at its disk and rights." };

const probes = ({ service }: ServerParts): Route[] => [
  route({
    ...shared,
    path: "/health",
    operation: "getHealth",
    summary: "Is the process alive",
    answers: {
      200: { about: "It is.", schema: healthSchema, example: ALIVE },
    },
    work: async () => success(200, ALIVE, NO_STORE),
  }),
  route({
    ...shared,
    path: "/ready",
    operation: "getReady",
    summary: "Does the server work",
    about:
      "Not while it starts or stops, while its store cannot be written to, or while GitHub refuses its credentials. While " +
      "GitHub cannot be reached it is, and says so.",
    answers: {
      200: { about: "It does.", schema: readySchema, example: { ready: true } },
      503: { about: "It does not, or not yet.", schema: readySchema, example: UNREADY },
    },
    async work() {
      const { ready, reason } = await service.health();
      return success(ready ? 200 : 503, { ready, ...(reason === null ? {} : { reason }) }, NO_STORE);
    },
  }),
  route({
    ...shared,
    path: "/ping",
    operation: "ping",
    summary: "Answer once the start is over",
    answers: { 200: { about: "It does.", type: "text/plain", schema: z.literal("PONG"), example: "PONG" } },
    work: async () => ({
      status: 200,
      text: { type: "text/plain; charset=utf-8", content: "PONG" },
      headers: NO_STORE,
    }),
  }),
];

const metricsRoute = ({ metrics }: ServerParts): Route =>
  route({
    ...shared,
    scope: "admin",
    path: "/metrics",
    operation: "getMetrics",
    summary: "How the server is doing, for Prometheus",
    answers: {
      200: {
        about: "All metrics in Prometheus' text format.",
        type: "text/plain",
        schema: z.string(),
        example: 'journeyman_jobs{status="queued"} 0\n',
      },
    },
    work: async () => ({ status: 200, text: await metrics.exposition(), headers: NO_STORE }),
  });

interface Printed {
  readonly content: string;
  readonly tag: string;
}

/** Loaded when somebody first asks: the start does not wait for it. */
async function print(api: Described, address: string | null): Promise<Printed> {
  const { describe } = await import("../routing/describe.ts");
  const content = JSON.stringify(describe(api, address));
  return { content, tag: `"${createHash("sha256").update(content).digest("base64url").slice(0, 22)}"` };
}

function descriptionRoute({ public_url }: ServerParts, api: () => Described): Route {
  let printing: Promise<Printed> | null = null;
  return route({
    ...shared,
    path: "/api/openapi.json",
    operation: "getDescription",
    summary: "This description",
    about: "OpenAPI 3.1, for people at `/docs`.",
    answers: {
      200: {
        about: "The document.",
        schema: z.looseObject({ openapi: z.string(), paths: z.record(z.string(), z.unknown()) }),
        headers: { ETag: "Of this version of it." },
      },
      304: { about: "Nothing has changed since the `ETag` that came as `If-None-Match`." },
    },
    async work({ request }): Promise<HttpResult> {
      printing ??= print(api(), public_url);
      const { content, tag } = await printing;
      const headers = { ETag: tag, "Cache-Control": "public, no-cache" };
      if (request.headers["if-none-match"] === tag) return { status: 304, headers };
      return { status: 200, text: { type: "application/json; charset=utf-8", content }, headers };
    },
  });
}

/** `api`: all that is to be described, these routes among it. */
export const serverRoutes = (api: () => Described): RouteGroup => ({
  sections: { server: "The server itself: is it up, is it ready, how is it doing, what does it offer." },
  routes: (services) => [...probes(services), metricsRoute(services), descriptionRoute(services, api)],
});
