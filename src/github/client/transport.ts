/**
 * One HTTP call, in the shape that Octokit expects of `fetch`. Over `node:http` with kept connections: the streams that
 * `fetch` builds around every body cost more than all else that we do for a call. No retries and no knowledge of GitHub.
 */
import http from "node:http";
import https from "node:https";
import { gunzipSync } from "node:zlib";

/** A call that is not answered whole by then has failed. */
export const CALL_TIMEOUT_MS = 15_000;
/** A connection is given up before the other side may do so just when it is used again. */
const IDLE_MS = 4_000;

/** What Octokit asks with. */
export interface TransportRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: string;
  readonly redirect?: "follow" | "error" | "manual";
  readonly signal?: AbortSignal;
}

/** What Octokit reads of a `Response`. */
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

/** The bytes of an answer as they were sent; rejects when it ends early. */
function received(message: http.IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    message.on("data", (chunk: Buffer) => chunks.push(chunk));
    message.on("error", reject);
    message.on("end", () => resolve(Buffer.concat(chunks)));
  });
}

async function bytesOf(message: http.IncomingMessage): Promise<Buffer> {
  const bytes = await received(message);
  return message.headers["content-encoding"] === "gzip" && bytes.length > 0 ? gunzipSync(bytes) : bytes;
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
      bytesOf(message).then((bytes) => {
        clearTimeout(timer);
        resolve(answered(url, message, bytes));
      }, fail);
    });
    request.end(asked.body);
  });
}

const isRedirect = (status: number): boolean => [301, 302, 303, 307, 308].includes(status);

/** GitHub sends people on once; a longer chain is none of its. */
const MOST_HOPS = 3;

/** What is asked at the place that an answer names; as `fetch` would. */
function sentOn(asked: TransportRequest, status: number, elsewhere: boolean): TransportRequest {
  const { method = "GET", headers = {}, body, ...rest } = asked;
  const gets = status === 303 || (status < 303 && method === "POST");
  const kept = Object.entries(headers).filter(([name]) => !elsewhere || name.toLowerCase() !== "authorization");
  const sent = { ...rest, headers: Object.fromEntries(kept) };
  if (gets) return { ...sent, method: "GET" };
  return { ...sent, method, ...(body === undefined ? {} : { body }) };
}

/** What is sent on is rare and may be large, so it is left to `fetch`, which hands the body over as it comes. */
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

/** `another`: before a further call to the same place, which GitHub counts as the first. */
export async function transport(
  url: string,
  asked: TransportRequest,
  another: () => Promise<void> = async () => {},
): Promise<TransportResponse | Response> {
  const first = await exchange(url, asked);
  if (asked.redirect === "manual") return first;
  let [answer, from, sent]: [TransportResponse | Response, URL, TransportRequest] = [first, new URL(url), asked];
  for (let hops = 0; hops < MOST_HOPS; hops++) {
    const location = isRedirect(answer.status) ? answer.headers.get("location") : null;
    if (location === null || location === undefined) return answer;
    const to = new URL(location, from);
    const elsewhere = to.origin !== from.origin;
    sent = sentOn(sent, answer.status, elsewhere);
    if (!elsewhere) await another();
    answer = await fetchOnce(to, sent);
    from = to;
  }
  throw new Error("There was one redirect after another.");
}
