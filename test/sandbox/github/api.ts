/** Handles an API request from start to end: authentication, faults, limits, route, refusals, ETag, call list. */
import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { levelOf } from "./access.ts";
import type { Calls } from "./calls.ts";
import { notFound, Refusal } from "./errors.ts";
import type { Fault, Faults } from "./faults.ts";
import { answerGraphql, describeQuery } from "./graphql.ts";
import { actorKey, type LimitAnswer, type Limits, secondary } from "./limits.ts";
import type { Json } from "./model.ts";
import { type ApiRequest, findRoute, type Reply, type Route } from "./router.ts";
import type { Actor } from "./tokens.ts";
import type { World } from "./world.ts";

export interface Api {
  readonly world: World;
  readonly routes: readonly Route[];
  readonly limits: Limits;
  readonly faults: Faults;
  readonly calls: Calls;
  readonly latencyMs: number;
}

export interface Incoming {
  readonly method: string;
  /** The path below `/api/v3`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** `drop` cuts the connection; `hang` leaves it open without an answer. */
export type Outgoing = { readonly drop: "cut" | "stall" } | (Reply & { readonly drop?: false });

const ANONYMOUS: Actor = { kind: "anonymous" };

export async function answer(api: Api, incoming: Incoming): Promise<Outgoing> {
  if (api.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, api.latencyMs));
  const note = {
    actor: ANONYMOUS,
    route: incoming.path,
    write: levelOf(incoming.method) === "write",
    graphql: undefined as string | undefined,
  };
  const reply: Outgoing = await respond(api, incoming, note).catch(refusalReply);
  api.calls.add({
    at: api.world.now(),
    method: incoming.method,
    route: note.route,
    path: incoming.path,
    status: reply.drop ? 0 : reply.status,
    actor: note.actor.kind === "token" ? note.actor.token.kind : note.actor.kind,
    kind: note.write ? "write" : "read",
    graphql: note.graphql,
  });
  return reply;
}

interface Note {
  actor: Actor;
  route: string;
  write: boolean;
  graphql: string | undefined;
}

async function respond(api: Api, incoming: Incoming, note: Note): Promise<Outgoing> {
  const { world, limits } = api;
  const isGraphql = incoming.method === "POST" && incoming.path === "/graphql";
  const body = parseJson(incoming.body);
  const query = isGraphql ? describeQuery(body) : undefined;
  note.graphql = query?.name;
  if (query) note.write = query.mutations > 0;
  note.actor = world.tokens.identify(incoming.headers.authorization);
  const fault = api.faults.take({ method: incoming.method, path: incoming.path, graphql: query?.text });
  if (fault && fault.before !== false) return faultReply(fault);
  const found = isGraphql ? undefined : findRoute(api.routes, incoming.method, incoming.path);
  note.route = isGraphql ? "/graphql" : (found?.route.template ?? incoming.path);
  const key = actorKey(note.actor);
  const content = query ? query.mutations : note.write && (found?.route.content ?? true) ? 1 : 0;
  const free = incoming.path === "/rate_limit";
  const no = free ? undefined : limits.enter(key, { write: note.write, graphql: isGraphql, content });
  if (no) return limitReply(no, limits.headers(key, isGraphql));
  try {
    const request: ApiRequest = {
      method: incoming.method,
      path: incoming.path,
      params: found?.params ?? {},
      query: incoming.query,
      body,
      accept: incoming.headers.accept ?? "",
      actor: note.actor,
      rateKey: key,
    };
    const reply = isGraphql ? await answerGraphql(world, request) : await route(world, found?.route, request);
    if (fault) return faultReply(fault);
    const tagged = conditional(reply, incoming);
    if (tagged.status === 304) limits.refund(key);
    return withHeaders(tagged, limits.headers(key, isGraphql));
  } catch (error) {
    return withHeaders(refusalReply(error), limits.headers(key, isGraphql));
  } finally {
    if (!free) limits.leave(key);
  }
}

async function route(world: World, found: Route | undefined, request: ApiRequest): Promise<Reply> {
  if (!found) throw notFound();
  return found.handle(world, request);
}

function parseJson(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new Refusal(400, "Problems parsing JSON");
  }
}

function refusalReply(error: unknown): Reply {
  if (error instanceof Refusal) return { status: error.status, body: error.body, headers: error.headers };
  process.emitWarning(`local GitHub: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return { status: 500, body: { message: "Server Error" } };
}

const withHeaders = (reply: Reply, headers: Record<string, string>): Reply => ({
  ...reply,
  headers: { ...headers, ...reply.headers },
});

function limitReply(limit: LimitAnswer, headers: Record<string, string>): Reply {
  const body: Json = {
    message: limit.message,
    documentation_url: "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api",
  };
  const retry: Record<string, string> =
    limit.retryAfter === undefined ? {} : { "retry-after": String(limit.retryAfter) };
  return { status: limit.status, body, headers: { ...headers, ...retry } };
}

function faultReply(fault: Fault): Outgoing {
  if (fault.drop || fault.stall) return { drop: fault.stall ? "stall" : "cut" };
  const headers: Record<string, string> =
    fault.retryAfter === undefined ? {} : { "retry-after": String(fault.retryAfter) };
  const message = fault.secondary
    ? secondary(fault.retryAfter).message
    : fault.status >= 500
      ? "Server Error"
      : "Forbidden";
  return { status: fault.status, body: { message, documentation_url: "https://docs.github.com/rest" }, headers };
}

/** Adds ETags to reads; an unchanged answer is 304 without a body. */
function conditional(reply: Reply, incoming: Incoming): Reply {
  if (incoming.method !== "GET" || reply.status !== 200 || reply.body === undefined) return reply;
  const etag = `"${createHash("sha256").update(JSON.stringify(reply.body)).digest("hex")}"`;
  const headers = { ...reply.headers, etag };
  const asked = incoming.headers["if-none-match"]?.replace(/^W\//, "");
  return asked === etag ? { status: 304, headers } : { ...reply, headers };
}
