/**
 * GitHub's cache service (v2) over HTTP. Archives are uploaded and downloaded at addresses that hold their own secret, as
 * at Azure.
 */
import type { ServerResponse } from "node:http";
import * as z from "zod";
import type { Json } from "./model.ts";
import type { PageRequest } from "./pages/serve.ts";
import type { World } from "./world.ts";

const SERVICE = "/twirp/github.actions.results.api.v1.CacheService/";
const ARCHIVES = "/_services/caches/";

export const isCachePath = (pathname: string): boolean => pathname.startsWith(SERVICE) || pathname.startsWith(ARCHIVES);

const asked = z.object({
  key: z.string().min(1).max(512),
  version: z.string().min(1),
  restore_keys: z.array(z.string()).max(10).default([]),
  size_bytes: z.coerce.number().optional(),
});

interface Said {
  readonly status: number;
  readonly body: Json;
}

const refuse = (status: number, code: string, msg: string): Said => ({ status, body: { code, msg } });

export function serveCaches(world: World, request: PageRequest, response: ServerResponse): void {
  if (request.url.pathname.startsWith(ARCHIVES)) {
    serveArchive(world, request, response);
    return;
  }
  const { status, body } = answer(world, request);
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function answer(world: World, { method, url, headers, body }: PageRequest): Said {
  const identity = world.caches.identity(/^bearer (\S+)$/i.exec(headers.authorization ?? "")?.[1] ?? "");
  const found = identity && world.state.run(identity.runId);
  if (!identity || !found) return refuse(401, "unauthenticated", "the token is not valid");
  const { repository } = found;
  const read = asked.safeParse(parsed(body.toString()));
  if (method !== "POST" || !read.success) return refuse(400, "malformed", "the request is malformed");
  const { key, version, restore_keys, size_bytes } = read.data;
  const about = { repository: repository.id, ref: identity.ref, key, version };
  switch (url.pathname.slice(SERVICE.length)) {
    case "GetCacheEntryDownloadURL": {
      const refs = [identity.ref, `refs/heads/${repository.defaultBranch}`];
      const entry = world.caches.find(about, [key, ...restore_keys], refs);
      if (!entry) return { status: 200, body: { ok: false, signed_download_url: "", matched_key: "" } };
      const at = `${world.url}${ARCHIVES}${entry.secret}`;
      return { status: 200, body: { ok: true, signed_download_url: at, matched_key: entry.key } };
    }
    case "CreateCacheEntry": {
      const entry = world.caches.create(about);
      if (!entry)
        return refuse(409, "already_exists", "cache entry with the same key, version, and scope already exists");
      return { status: 200, body: { ok: true, signed_upload_url: `${world.url}${ARCHIVES}${entry.secret}` } };
    }
    case "FinalizeCacheEntryUpload": {
      const entry = world.caches.begun(about);
      if (entry?.data === undefined || entry.data.length !== size_bytes)
        return refuse(400, "invalid_argument", "the upload is not complete");
      entry.finalized = true;
      return { status: 200, body: { ok: true, entry_id: "1" } };
    }
    default:
      return refuse(404, "bad_route", "no such method");
  }
}

function serveArchive(world: World, { method, url, headers, body }: PageRequest, response: ServerResponse): void {
  const entry = world.caches.bySecret(url.pathname.slice(ARCHIVES.length));
  if (!entry) response.writeHead(404).end();
  else if (method === "GET" && entry.data !== undefined) response.writeHead(200).end(entry.data);
  else if (method === "PUT" && headers["x-ms-blob-type"] === "BlockBlob" && !entry.finalized) {
    entry.data = body;
    response.writeHead(201).end();
  } else response.writeHead(400).end();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
