/** The HTTP server of the scripted model: an Anthropic-compatible endpoint on this machine. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import * as z from "zod";
import { defaultScript } from "./default-script.ts";
import { Federation, type FederationSetup, TOKEN_PATH } from "./federation.ts";
import { imageProblem } from "./images.ts";
import { answerModels, MODELS_PATH, refuseModel } from "./models.ts";
import { errorBody, type ModelReply, type ModelRequest, readRequest, type Script } from "./protocol.ts";
import { jsonAnswer, messageOf, sseAnswer } from "./reply.ts";
import { countTokens } from "./usage.ts";

/** The real endpoint's limit is 32 MB. */
const BODY_LIMIT = 32 * 1024 * 1024;
/** Requests kept for `requests()`; the oldest are dropped first. */
const KEPT_REQUESTS = 1_000;

export interface SeenRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface ModelOptions {
  /** 0 or undefined for any free port. */
  readonly port?: number;
  /** The address to listen on; by default one that only this machine reaches. */
  readonly host?: string;
  readonly script?: Script;
  readonly now?: () => number;
  /** The federation rules for signing in without a key; none by default. */
  readonly federation?: FederationSetup;
}

export interface Model {
  readonly url: string;
  requests(): readonly SeenRequest[];
  setScript(script: Script): void;
  readonly federation: Federation;
  close(): Promise<void>;
}

export async function startModel(options: ModelOptions = {}): Promise<Model> {
  const seen: SeenRequest[] = [];
  const closing = new AbortController();
  let script = options.script ?? defaultScript;
  const now = options.now ?? Date.now;
  const today = () => new Date(now()).toISOString().slice(0, 10);
  const federation = new Federation(options.federation ?? { rules: [], keys: async () => ({ keys: [] }) }, now);
  const remember = (one: SeenRequest) => {
    seen.push(one);
    if (seen.length > KEPT_REQUESTS) seen.shift();
  };
  const { port = 0, host = "127.0.0.1" } = options;
  const server = createServer((req, res) => {
    serve(req, res, { today, remember, script: () => script, closing: closing.signal, federation }).catch(() =>
      res.destroy(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const address = z.object({ port: z.number() }).parse(server.address());
  return {
    url: `http://${host}:${address.port}`,
    requests: () => [...seen],
    federation,
    setScript: (next) => {
      script = next;
    },
    close: async () => {
      closing.abort();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

const NO_KEY = "x-api-key header is required";

interface Serving {
  /** The day, which decides which models are retired. */
  today(): string;
  remember(one: SeenRequest): void;
  script(): Script;
  readonly closing: AbortSignal;
  readonly federation: Federation;
}

async function serve(req: IncomingMessage, res: ServerResponse, serving: Serving): Promise<void> {
  const url = new URL(req.url ?? "/", "http://localhost");
  const path = url.pathname;
  const text = await readBody(req);
  if (text === undefined) return refuse(res, 413, "request_too_large", "Request exceeds the maximum size");
  const key = req.headers["x-api-key"] ?? /^Bearer (.+)$/.exec(req.headers.authorization ?? "")?.[1];
  const betas = String(req.headers["anthropic-beta"] ?? "");
  if (path === TOKEN_PATH && req.method === "POST") {
    const { status, body } = await serving.federation.exchange(parseJson(text), betas);
    return sendJson(res, status, body);
  }
  const refusal = key !== undefined && federationRefusal(String(key), req, serving.federation);
  if (refusal) return refuse(res, 401, "authentication_error", refusal);
  if (path === MODELS_PATH || path.startsWith(`${MODELS_PATH}/`)) {
    if (req.method !== "GET") return refuse(res, 405, "invalid_request_error", "Method Not Allowed");
    if (!key) return refuse(res, 401, "authentication_error", NO_KEY);
    const { status, body } = answerModels(url, serving.today());
    return sendJson(res, status, body);
  }
  const body = parseJson(text);
  serving.remember({ path, headers: plainHeaders(req), body });
  const counting = path === "/v1/messages/count_tokens";
  if (!counting && path !== "/v1/messages") return refuse(res, 404, "not_found_error", `Not found: ${path}`);
  if (req.method !== "POST") return refuse(res, 405, "invalid_request_error", "Method Not Allowed");
  if (!key) return refuse(res, 401, "authentication_error", NO_KEY);
  const read = readRequest(body, counting);
  if (!read.ok) return refuse(res, 400, "invalid_request_error", read.problem);
  const imageRefusal = imageProblem(read.request.messages);
  if (imageRefusal !== undefined) return refuse(res, 400, "invalid_request_error", imageRefusal);
  const { model, max_tokens = 0 } = read.request;
  const refused = refuseModel(model, max_tokens, serving.today());
  if (refused !== null) return sendJson(res, refused.status, refused.body);
  if (counting) return sendJson(res, 200, { input_tokens: countTokens(read.request) });
  await answer(res, read.request, await serving.script()(read.request), serving.closing);
}

/** An access token is accepted as a bearer token only. */
function federationRefusal(key: string, { headers }: IncomingMessage, federation: Federation): string | null {
  if (!federation.isAccessToken(key)) return null;
  if (headers["x-api-key"] !== undefined) return "invalid x-api-key";
  return federation.refusal(key, String(headers["anthropic-beta"] ?? ""));
}

async function answer(
  res: ServerResponse,
  request: ModelRequest,
  reply: ModelReply,
  closing: AbortSignal,
): Promise<void> {
  if ("stall" in reply) return;
  if ("delayMs" in reply && reply.delayMs !== undefined) await wait(reply.delayMs, undefined, { signal: closing });
  if ("status" in reply) return sendJson(res, reply.status, reply.body, reply.headers);
  const message = messageOf(request, reply);
  const stream = request.stream === true;
  const text = stream ? sseAnswer(message) : jsonAnswer(message);
  res.setHeader("request-id", message.id.replace("msg_", "req_"));
  res.setHeader("content-type", stream ? "text/event-stream; charset=utf-8" : "application/json");
  if (!("cut" in reply)) {
    res.end(text);
    return;
  }
  res.setHeader("content-length", Buffer.byteLength(text));
  res.write(text.slice(0, text.length / 2), () => res.destroy());
}

function sendJson(
  res: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  res.writeHead(status, { "content-type": "application/json", ...headers });
  res.end(JSON.stringify(body));
}

const refuse = (res: ServerResponse, status: number, type: string, text: string): void =>
  sendJson(res, status, errorBody(type, text));

async function readBody(req: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size <= BODY_LIMIT) chunks.push(bytes);
  }
  return size > BODY_LIMIT ? undefined : Buffer.concat(chunks).toString("utf8");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const plainHeaders = (req: IncomingMessage): Record<string, string> =>
  Object.fromEntries(Object.entries(req.headers).map(([name, value]) => [name, [value ?? ""].flat().join(", ")]));
