/**
 * Fetches one image from GitHub's image hosts: without credentials, without following redirects, within bounds of size
 * and time, and from public addresses only. Says in the end of a sentence why there is none.
 */
import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import type { LookupFunction } from "node:net";
import { Agent, request } from "undici";
import { type ImageType, imageType, MAX_IMAGE_BYTES } from "../../contracts/images.ts";
import { isPublic } from "../../contracts/public-address.ts";
import { USER_AGENT } from "./user-agent.ts";

/** For one image; they are fetched side by side, and their addresses live five minutes. */
const FETCH_MS = 15_000;

export type Fetched =
  | { readonly ok: true; readonly bytes: Buffer; readonly type: ImageType }
  | { readonly ok: false; readonly why: string };

export interface ImageFetcher {
  /** Where GitHub's pages are; decides which hosts have images. */
  readonly web: URL;
  fetch(address: URL): Promise<Fetched>;
}

export interface ImageFetcherParts {
  readonly web_url: string;
  readonly resolve?: (host: string) => Promise<readonly LookupAddress[]>;
  readonly limit_ms?: number;
}

const NOT_PUBLIC = "it does not lead to the public internet";
const TOO_LARGE = `it is larger than ${MAX_IMAGE_BYTES / 1024 / 1024} MB`;
const NO_IMAGE = "it is no PNG, JPEG, GIF or WebP image";
const NO_ANSWER = "GitHub did not hand it out in time";

const no = (why: string): Fetched => ({ ok: false, why });

/** GitHub Enterprise Server may stand in a private network, to which its operator's settings lead. */
function lookupOf(resolve: Required<ImageFetcherParts>["resolve"], anywhere: boolean): LookupFunction {
  return (host, { all }, callback) => {
    resolve(host).then(
      (found) => {
        const good = anywhere ? [...found] : found.filter(({ address }) => isPublic(address));
        const [first] = good;
        if (first === undefined) callback(Object.assign(new Error(NOT_PUBLIC), { code: NOT_PUBLIC }), "", 0);
        else if (all) callback(null, good);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, "", 0),
    );
  };
}

/** Null when there are more bytes than allowed. */
async function bytesOf(body: AsyncIterable<Buffer>): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_IMAGE_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function fetchOne(address: URL, dispatcher: Agent, limit_ms: number): Promise<Fetched> {
  const { statusCode, headers, body } = await request(address, {
    dispatcher,
    signal: AbortSignal.timeout(limit_ms),
    headers: { accept: "image/png, image/jpeg, image/gif, image/webp", "user-agent": USER_AGENT },
  });
  const refuse = (why: string): Fetched => {
    body.on("error", () => {}).destroy();
    return no(why);
  };
  if (statusCode >= 300 && statusCode < 400) return refuse("it leads elsewhere");
  if (statusCode !== 200) return refuse(`GitHub answered ${statusCode}`);
  if (Number(headers["content-length"] ?? 0) > MAX_IMAGE_BYTES) return refuse(TOO_LARGE);
  const bytes = await bytesOf(body);
  if (bytes === null) return refuse(TOO_LARGE);
  const type = imageType(bytes);
  return type === null ? no(NO_IMAGE) : { ok: true, bytes, type };
}

export function createImageFetcher(parts: ImageFetcherParts): ImageFetcher {
  const { web_url, resolve = (host) => lookup(host, { all: true }), limit_ms = FETCH_MS } = parts;
  const web = new URL(web_url);
  const dispatcher = new Agent({
    connect: { lookup: lookupOf(resolve, web.host !== "github.com") },
    headersTimeout: limit_ms,
    bodyTimeout: limit_ms,
    pipelining: 0,
  });
  return {
    web,
    fetch: (address) =>
      fetchOne(address, dispatcher, limit_ms).catch((error: unknown) =>
        no(error instanceof Error && error.message === NOT_PUBLIC ? NOT_PUBLIC : NO_ANSWER),
      ),
  };
}
