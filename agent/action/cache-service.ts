/**
 * GitHub's cache service (v2), as `@actions/cache` speaks to it, in the calls that are needed here: that package would make
 * this action five times its size. What a run saves is seen by its own branch; of the default branch, by all.
 */
import { createHash } from "node:crypto";
import { openAsBlob } from "node:fs";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import * as z from "zod";
import type { Secret } from "../../src/contracts/secret.ts";

const CALL_LIMIT_MS = 30_000;
const TRANSFER_LIMIT_MS = 5 * 60_000;
const ANSWER_LIMIT = 64 * 1024;
const SERVICE = "twirp/github.actions.results.api.v1.CacheService";
/** Of the archive's format: others of the same key are not ours. */
const VERSION = createHash("sha256").update("journeyman cache 1: tar, gzip").digest("hex");

export interface CacheAccess {
  readonly url: string;
  readonly bearer: Secret;
}

export interface FoundCache {
  readonly url: string;
  readonly key: string;
}

const address = z.url({ protocol: /^https?$/ }).max(8_192);
const found = z.object({
  ok: z.boolean().default(false),
  signed_download_url: address,
  matched_key: z.string().max(512),
});
const created = z.object({ ok: z.boolean().default(false), signed_upload_url: address });
const finalized = z.object({ ok: z.boolean().default(false) });

/** The service failed; the message is a sentence without its end. */
export class CacheFailure extends Error {}

interface Called {
  readonly status: number;
  readonly body: unknown;
}

async function call({ url, bearer }: CacheAccess, method: string, asked: object): Promise<Called> {
  const answer = await fetch(new URL(`/${SERVICE}/${method}`, url), {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${bearer.reveal()}` },
    body: JSON.stringify(asked),
    redirect: "error",
    signal: AbortSignal.timeout(CALL_LIMIT_MS),
  }).catch(() => null);
  if (answer === null) throw new CacheFailure("GitHub's cache service was not reached");
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of answer.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > ANSWER_LIMIT) throw new CacheFailure("GitHub's cache service answered too much");
  }
  return { status: answer.status, body: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The newest cache of the first of these keys, which are prefixes but for the first. */
export async function findCache(
  access: CacheAccess,
  key: string,
  prefixes: readonly string[],
): Promise<FoundCache | null> {
  const { status, body } = await call(access, "GetCacheEntryDownloadURL", {
    key,
    restore_keys: prefixes,
    version: VERSION,
  });
  if (status === 404) return null;
  if (status !== 200) throw new CacheFailure(`GitHub's cache service answered ${status}`);
  const answer = found.safeParse(body);
  return answer.success && answer.data.ok
    ? { url: answer.data.signed_download_url, key: answer.data.matched_key }
    : null;
}

export async function downloadCache({ url }: FoundCache): Promise<Readable> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(TRANSFER_LIMIT_MS) }).catch(() => null);
  if (answer?.status !== 200 || answer.body === null) throw new CacheFailure("the cache could not be downloaded");
  return Readable.fromWeb(answer.body as ReadableStream);
}

/** Whether it was saved; false: there is one of this key. */
export async function saveCache(access: CacheAccess, key: string, file: string): Promise<boolean> {
  const about = { key, version: VERSION };
  const begun = await call(access, "CreateCacheEntry", about);
  if (begun.status === 409) return false;
  const place = created.safeParse(begun.body);
  if (begun.status !== 200 || !place.success || !place.data.ok)
    throw new CacheFailure(`GitHub's cache service refused a new cache (${begun.status})`);
  const body = await openAsBlob(file);
  const sent = await fetch(place.data.signed_upload_url, {
    method: "PUT",
    headers: { "x-ms-blob-type": "BlockBlob", "content-type": "application/octet-stream" },
    body,
    signal: AbortSignal.timeout(TRANSFER_LIMIT_MS),
  }).catch(() => null);
  if (sent?.status !== 201) throw new CacheFailure("the cache could not be uploaded");
  const ended = await call(access, "FinalizeCacheEntryUpload", { ...about, size_bytes: String(body.size) });
  if (ended.status !== 200 || finalized.safeParse(ended.body).data?.ok !== true)
    throw new CacheFailure("GitHub's cache service did not take the uploaded cache");
  return true;
}
