/**
 * A Git server over HTTP with LFS beside it, for one bare repository: git's own `http-backend`, and the batch API with
 * uploads that are kept in memory. Notes what authorization each request brought.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import * as z from "zod";

const batchSchema = z.object({
  operation: z.string(),
  objects: z.array(z.object({ oid: z.string(), size: z.number() })),
});

export interface LfsServer {
  readonly url: string;
  readonly objects: ReadonlyMap<string, Buffer>;
  readonly seen: readonly { readonly path: string; readonly authorization: string | undefined }[];
  close(): Promise<void>;
}

/** `root`: holds the repository as `owner/name.git`. */
export async function startLfsServer(root: string): Promise<LfsServer> {
  const objects = new Map<string, Buffer>();
  const seen: { path: string; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", url);
    seen.push({ path: pathname, authorization: request.headers.authorization });
    const answer = pathname.endsWith("/info/lfs/objects/batch")
      ? batch(request, response, url)
      : pathname.startsWith("/objects/")
        ? keep(request, response, pathname)
        : serveGit(request, response, root);
    answer.catch((error: unknown) => response.writeHead(599).end(String(error)));
  });
  async function keep(request: IncomingMessage, response: ServerResponse, pathname: string): Promise<void> {
    objects.set(pathname.slice("/objects/".length), await buffer(request));
    response.writeHead(200).end();
  }
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...{ url, objects, seen },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function batch(request: IncomingMessage, response: ServerResponse, url: string): Promise<void> {
  const { objects } = batchSchema.parse(JSON.parse((await buffer(request)).toString("utf8")));
  const upload = (oid: string) => ({ upload: { href: `${url}/objects/${oid}` } });
  const body = { transfer: "basic", objects: objects.map(({ oid, size }) => ({ oid, size, actions: upload(oid) })) };
  response.writeHead(200, { "content-type": "application/vnd.git-lfs+json" }).end(JSON.stringify(body));
}

async function serveGit(request: IncomingMessage, response: ServerResponse, root: string): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://x");
  const child = spawn("git", ["-c", "http.receivepack=true", "-c", "safe.directory=*", "http-backend"], {
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: pathname,
      QUERY_STRING: searchParams.toString(),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.stdin.end(await buffer(request));
  const answer = await buffer(child.stdout);
  const end = answer.indexOf("\r\n\r\n");
  const headers = answer.subarray(0, end).toString("utf8").split("\r\n");
  const status = headers.find((row) => row.startsWith("Status: "))?.slice("Status: ".length) ?? "200";
  for (const row of headers) {
    const [name = "", value = ""] = row.split(/: (.*)/s);
    if (name !== "Status") response.setHeader(name, value);
  }
  response.writeHead(Number.parseInt(status, 10)).end(answer.subarray(end + 4));
}
