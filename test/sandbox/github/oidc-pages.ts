/** `/_services/…` over HTTP: the OIDC issuer's metadata and keys, and identity tokens for jobs with permission. */
import type { ServerResponse } from "node:http";
import type { Api } from "./api.ts";
import type { Json } from "./model.ts";
import { ISSUER_PATH } from "./oidc.ts";
import type { PageRequest } from "./pages/serve.ts";
import type { World } from "./world.ts";

export const isOidcPath = (pathname: string): boolean => pathname.startsWith("/_services/");

interface Said {
  readonly status: number;
  readonly body: Json;
}

export function serveOidc(api: Api, request: PageRequest, response: ServerResponse): void {
  const fault = api.faults.take({ method: request.method, path: request.url.pathname, graphql: undefined });
  if (fault?.stall) return;
  if (fault?.drop) {
    response.destroy();
    return;
  }
  const { status, body } = fault
    ? { status: fault.status, body: { message: "Server Error" } }
    : answer(api.world, request);
  const headers = { "content-type": "application/json; charset=utf-8", "cache-control": "no-store, no-cache" };
  response.writeHead(status, headers).end(JSON.stringify(body));
}

function answer(world: World, request: PageRequest): Said {
  const { method, url } = request;
  if (method !== "GET")
    return { status: 405, body: { message: "The requested resource does not support this method." } };
  if (url.pathname === `${ISSUER_PATH}/.well-known/openid-configuration`)
    return { status: 200, body: world.oidc.configuration() };
  if (url.pathname === `${ISSUER_PATH}/.well-known/jwks`) return { status: 200, body: world.oidc.keys() };
  if (url.pathname.endsWith("/idtoken")) return identityToken(world, request);
  return { status: 404, body: { message: "Not Found" } };
}

/** Must be requested with the job's own token: GITHUB_TOKEN does not work, and neither does after the run has ended. */
function identityToken(world: World, { url, headers }: PageRequest): Said {
  const bearer = /^bearer (\S+)$/i.exec(headers.authorization ?? "")?.[1] ?? "";
  const identity = world.oidc.identity(url.pathname, bearer);
  const found = identity && world.state.run(identity.runId);
  if (!identity || !found || found.run.status === "completed")
    return { status: 401, body: { message: "The token that was presented is not valid for this job." } };
  const value = world.oidc.token(url.searchParams.get("audience") || undefined, identity, found.repository, found.run);
  return { status: 200, body: { count: value.length, value } };
}
