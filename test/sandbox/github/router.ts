/** Defines and finds REST routes. `access.ts` decides who may use them. */
import { authorize, causeOf, type Need } from "./access.ts";
import { Refusal } from "./errors.ts";
import type { Cause, Repository } from "./model.ts";
import type { Actor } from "./tokens.ts";
import type { World } from "./world.ts";

export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: unknown;
  readonly accept: string;
  readonly actor: Actor;
  readonly rateKey: string;
}

export interface RepositoryRequest extends ApiRequest {
  readonly repository: Repository;
  readonly cause: () => Cause;
}

export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  /** Sent as it is instead of JSON. */
  readonly raw?: { readonly type: string; readonly data: Buffer | string };
  readonly headers?: Readonly<Record<string, string>>;
}

export type Handler<R> = (world: World, request: R) => Reply | Promise<Reply>;

export interface Route {
  readonly method: string;
  readonly template: string;
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly handle: Handler<ApiRequest>;
  /** Whether a write counts against the content limits; a deletion creates nothing. */
  readonly content: boolean;
}

export const ok = (body: unknown): Reply => ({ status: 200, body });
export const created = (body: unknown): Reply => ({ status: 201, body });
export const noContent: Reply = { status: 204 };

/** `:name` is one segment, `*name` the rest of the path. */
export function route(line: string, handle: Handler<ApiRequest>, options: { content?: boolean } = {}): Route {
  const [method = "", template = ""] = line.split(" ");
  const names: string[] = [];
  const source = template
    .split("/")
    .map((segment) => {
      const name = segment.slice(1);
      if (segment.startsWith(":")) return names.push(name) && "([^/]+)";
      if (segment.startsWith("*")) return names.push(name) && "(.*)";
      return segment.replace(/[.+]/g, "\\$&");
    })
    .join("/");
  return {
    method,
    template,
    pattern: new RegExp(`^${source}$`),
    names,
    handle,
    content: options.content ?? (method !== "GET" && method !== "DELETE"),
  };
}

/** A route below `/repos/:owner/:repo` for those who have one of the needed permissions. */
export function repositoryRoute(
  line: string,
  needs: Need | readonly Need[],
  handle: Handler<RepositoryRequest>,
): Route {
  const [method, rest = ""] = line.split(" ");
  return route(`${method} /repos/:owner/:repo${rest}`, (world, request) => {
    const { owner = "", repo = "" } = request.params;
    const named = world.state.repository(owner, repo);
    const repository = authorize(request.actor, named, typeof needs === "string" ? [needs] : needs);
    return handle(world, { ...request, repository, cause: () => causeOf(world.state, request.actor, world.appId) });
  });
}

export function findRoute(
  routes: readonly Route[],
  method: string,
  path: string,
): { route: Route; params: Record<string, string> } | undefined {
  for (const candidate of routes) {
    if (candidate.method !== method) continue;
    const match = candidate.pattern.exec(path);
    if (!match) continue;
    const params = candidate.names.map((name, index) => [name, decode(match[index + 1] ?? "")] as const);
    return { route: candidate, params: Object.fromEntries(params) };
  }
  return undefined;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Refusal(400, "Malformed request path");
  }
}

const PAGE_SIZE = 30;
const PAGE_LIMIT = 100;

export function pageSize(query: URLSearchParams): number {
  const asked = Number(query.get("per_page") ?? PAGE_SIZE);
  return Number.isInteger(asked) && asked > 0 ? Math.min(asked, PAGE_LIMIT) : PAGE_SIZE;
}

/** One page of a list, with GitHub's Link header. */
export function paged<T>(
  world: World,
  request: ApiRequest,
  list: readonly T[],
  shape: (items: readonly T[]) => unknown = (items) => items,
): Reply {
  const size = pageSize(request.query);
  const page = Math.max(1, Number(request.query.get("page") ?? 1) || 1);
  const last = Math.max(1, Math.ceil(list.length / size));
  const link = (to: number, rel: string) => {
    const query = new URLSearchParams(request.query);
    query.set("page", String(to));
    return `<${world.apiUrl}${request.path}?${query}>; rel="${rel}"`;
  };
  const links = [
    ...(page > 1 ? [link(page - 1, "prev"), link(1, "first")] : []),
    ...(page < last ? [link(page + 1, "next"), link(last, "last")] : []),
  ];
  return {
    status: 200,
    body: shape(list.slice((page - 1) * size, page * size)),
    ...(links.length > 0 ? { headers: { link: links.join(", ") } } : {}),
  };
}

/** The text as HTML, for those who ask for it with `full` in the media type. */
export const rendered = (world: World, { accept }: ApiRequest, text: string | null): { body_html?: string } =>
  accept.includes(".full+json") ? { body_html: world.attachments.render(text ?? "") } : {};

/** A number in the path, or 404. */
export function numberParam(request: ApiRequest, name: string): number {
  const value = Number(request.params[name]);
  if (!Number.isInteger(value)) throw new Refusal(404, "Not Found");
  return value;
}
