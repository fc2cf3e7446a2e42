/**
 * A single HTTP call with the interface of `fetch`, as Octokit expects. Uses `node:http` with keep-alive, since the
 * streams of `fetch` cost more than everything else in a call. Does not retry.
 */
import http from "node:http";
import https from "node:https";
import { gunzipSync } from "node:zlib";

/** A call without a complete answer by then fails. */
export const CALL_TIMEOUT_MS = 15_000;
/** Idle connections are closed before the server might close them just as they are reused. */
const IDLE_MS = 4_000;

/** The request as Octokit passes it. */
export interface TransportRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: string | Uint8Array;
  /** A longer answer is an error. */
  readonly most_bytes?: number;
  readonly redirect?: "follow" | "error" | "manual";
  readonly signal?: AbortSignal;
}

/** The parts of `Response` that Octokit reads. */
export interface TransportResponse {
  readonly url: string;
  readonly status: number;
  readonly statusText: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
  json(): Promise<unknown>;
  text(): Promise<string>;
  arrayBuffer(): Promise<ArrayBuffer>;
}

const kept = { keepAlive: true, timeout: IDLE_MS };
const plain = new http.Agent(kept);
const secure = new https.Agent(kept);

function begin(url: string, { method = "GET", headers = {}, body, signal }: TransportRequest): http.ClientRequest {
  const options: http.RequestOptions = {
    method,
    headers: {
      "accept-encoding": "gzip",
      ...headers,
      ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }),
    },
    ...(signal === undefined ? {} : { signal }),
  };
  return url.startsWith("https:")
    ? https.request(url, { ...options, agent: secure })
    : http.request(url, { ...options, agent: plain });
}

/** The body's bytes; rejects when it ends early or is too long. */
function received(message: http.IncomingMessage, most_bytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    message.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > most_bytes) message.destroy(new Error("The answer was too long."));
      else chunks.push(chunk);
    });
    message.on("error", reject);
    message.on("end", () => resolve(Buffer.concat(chunks)));
  });
}

async function bytesOf(message: http.IncomingMessage, most_bytes = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const bytes = await received(message, most_bytes);
  if (message.headers["content-encoding"] !== "gzip" || bytes.length === 0) return bytes;
  return gunzipSync(bytes, Number.isFinite(most_bytes) ? { maxOutputLength: most_bytes } : {});
}

function headersOf(message: http.IncomingMessage): Map<string, string> {
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(message.headers))
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  return headers;
}

function answered(url: string, message: http.IncomingMessage, bytes: Buffer): TransportResponse {
  return {
    url,
    status: message.statusCode ?? 0,
    statusText: message.statusMessage ?? "",
    headers: headersOf(message),
    body: bytes,
    json: async () => JSON.parse(bytes.toString("utf8")),
    text: async () => bytes.toString("utf8"),
    arrayBuffer: async () => new Uint8Array(bytes).buffer,
  };
}

function exchange(url: string, asked: TransportRequest): Promise<TransportResponse> {
  return new Promise((resolve, reject) => {
    const request = begin(url, asked);
    const late = (): void => void request.destroy(new Error("There was no answer in time."));
    const timer = setTimeout(late, CALL_TIMEOUT_MS);
    const fail = (error: unknown): void => {
      clearTimeout(timer);
      reject(error);
    };
    request.on("error", fail);
    request.on("response", (message) => {
      bytesOf(message, asked.most_bytes).then((bytes) => {
        clearTimeout(timer);
        resolve(answered(url, message, bytes));
      }, fail);
    });
    request.end(asked.body);
  });
}

const isRedirect = (status: number): boolean => [301, 302, 303, 307, 308].includes(status);

/** GitHub redirects once; longer chains are refused. */
const MAX_REDIRECTS = 3;

/** The request to send to a redirect's target, by the rules of `fetch`. */
function sentOn(asked: TransportRequest, status: number, elsewhere: boolean): TransportRequest {
  const { method = "GET", headers = {}, body, ...rest } = asked;
  const gets = status === 303 || (status < 303 && method === "POST");
  const kept = Object.entries(headers).filter(([name]) => !elsewhere || name.toLowerCase() !== "authorization");
  const sent = { ...rest, headers: Object.fromEntries(kept) };
  if (gets) return { ...sent, method: "GET" };
  return { ...sent, method, ...(body === undefined ? {} : { body }) };
}

/** Redirected answers are rare and may be large, so `fetch` streams them. */
function fetchOnce(url: URL, { method = "GET", headers = {}, body, signal }: TransportRequest): Promise<Response> {
  const signals = [AbortSignal.timeout(CALL_TIMEOUT_MS), ...(signal ? [signal] : [])];
  return fetch(url, {
    method,
    headers: Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]),
    redirect: "manual",
    signal: AbortSignal.any(signals),
    ...(body === undefined ? {} : { body }),
  });
}

/** `another`: called before a redirect's request to the same host, which GitHub counts too. */
export async function transport(
  url: string,
  asked: TransportRequest,
  another: () => Promise<void> = async () => {},
): Promise<TransportResponse | Response> {
  const first = await exchange(url, asked);
  if (asked.redirect === "manual") return first;
  let [answer, from, sent]: [TransportResponse | Response, URL, TransportRequest] = [first, new URL(url), asked];
  for (let hops = 0; hops < MAX_REDIRECTS; hops++) {
    const location = isRedirect(answer.status) ? answer.headers.get("location") : null;
    if (location === null || location === undefined) return answer;
    const to = new URL(location, from);
    const elsewhere = to.origin !== from.origin;
    sent = sentOn(sent, answer.status, elsewhere);
    if (!elsewhere) await another();
    answer = await fetchOnce(to, sent);
    from = to;
  }
  throw new Error("There were too many redirects.");
}
