/** The HTTP server: routes each path to the API, to git over HTTP or to the pages. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type Api, answer, type Outgoing } from "./api.ts";
import { isAppPath, serveAppPages } from "./app-pages.ts";
import { isAttachmentPath, serveAttachments } from "./attachment-pages.ts";
import { readBody } from "./body.ts";
import { isCachePath, serveCaches } from "./cache-pages.ts";
import { gitPath, serveGit } from "./git-http.ts";
import { isOauthPath, serveOauth } from "./oauth-pages.ts";
import { isOidcPath, serveOidc } from "./oidc-pages.ts";
import { servePage } from "./pages/serve.ts";

export function createHttpServer(api: () => Api): Server {
  return createServer((request, response) => {
    serve(api(), request, response).catch((error: unknown) => {
      process.emitWarning(`local GitHub: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      if (!response.headersSent) response.writeHead(500, { "content-type": "application/json" });
      response.end('{"message":"Server Error"}');
    });
  });
}

async function serve(api: Api, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://sandbox");
  const method = request.method ?? "GET";
  const git = gitPath(url.pathname);
  if (git) return serveGit(api, git, url, request, response);
  const body = await readBody(request);
  if (body === undefined) {
    response.writeHead(413, { "content-type": "application/json", connection: "close" });
    response.end('{"message":"Payload too large"}');
    return;
  }
  const path = apiPath(url.pathname);
  const page = { method, url, headers: request.headers, body };
  if (isOauthPath(url.pathname)) return serveOauth(api, page, response);
  if (isAppPath(url.pathname)) return serveAppPages(api, page, response);
  if (isAttachmentPath(url.pathname)) return serveAttachments(api.world, page, response);
  if (isCachePath(url.pathname)) return serveCaches(api.world, page, response);
  if (isOidcPath(url.pathname)) return serveOidc(api, page, response);
  if (path === undefined) return servePage(api, page, response);
  // GitHub's clock, by which it accepts tokens or not
  response.setHeader("date", new Date(api.world.now()).toUTCString());
  send(request, response, await answer(api, { method, path, query: url.searchParams, headers: request.headers, body }));
}

/** The path below the API's base; GraphQL is served beside REST as well, as on GitHub Enterprise. */
function apiPath(pathname: string): string | undefined {
  if (pathname === "/api/graphql") return "/graphql";
  if (pathname === "/api/v3" || pathname === "/api/v3/") return "/";
  return pathname.startsWith("/api/v3/") ? pathname.slice("/api/v3".length) : undefined;
}

function send(request: IncomingMessage, response: ServerResponse, reply: Outgoing): void {
  if (reply.drop) {
    if (reply.drop === "cut") request.socket.destroy();
    return;
  }
  const common = {
    "x-github-media-type": "github.v3",
    "x-github-api-version-selected": "2022-11-28",
    ...reply.headers,
  };
  if (reply.raw) {
    response.writeHead(reply.status, { ...common, "content-type": reply.raw.type });
    response.end(reply.raw.data);
  } else if (reply.body === undefined) response.writeHead(reply.status, common).end();
  else {
    response.writeHead(reply.status, { ...common, "content-type": "application/json; charset=utf-8" });
    response.end(JSON.stringify(reply.body));
  }
}
