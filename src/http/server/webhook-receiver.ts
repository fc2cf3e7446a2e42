/**
 * Receives GitHub's deliveries. A request that cannot be GitHub's is refused before its body is read; bodies are read
 * within GitHub's own limit. Octokit calls Probot's listeners with small ones; large ones are verified, parsed and
 * translated on a worker thread. Runs before everything else, since most requests are deliveries.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { performance } from "node:perf_hooks";
import type { EmitterWebhookEvent, Webhooks } from "@octokit/webhooks";
import type { TranslatedEvent } from "../../domain/job/github-event.ts";
import type { Timed, Timer } from "../admin/metrics.ts";
import { LARGE_BODY_BYTES, MAX_DELIVERY_BYTES, MAX_DELIVERY_BYTES_UNDER_WAY } from "../routing/limits.ts";
import { boundBodies } from "./bodies-under-way.ts";
import { Segments } from "./body-segments.ts";
import type { BodyThread } from "./body-thread.ts";
import type { DeliveryTask } from "./large-body.ts";
import { requestIds } from "./request-id.ts";
import { SECURITY_HEADERS } from "./security-headers.ts";

export const WEBHOOK_PATH = "/api/github/webhooks";

type Next = (request: IncomingMessage, response: ServerResponse) => void;

/** Checks signatures, and says what becomes of deliveries that Octokit does not see. */
export interface Deliveries {
  /** Is the signature that of these bytes? Octokit would make a text of them first, and of that bytes again. */
  readonly isSigned: (parts: readonly Uint8Array[], signature: string) => boolean;
  /** Told of what is not signed with the secret. */
  readonly forged: (id: string | undefined) => void;
  readonly thread: Pick<BodyThread, "delivery">;
  /** Whom the App knows itself by at the moment. */
  readonly self: () => DeliveryTask["self"];
  /** Resolves when the delivery is on the disk. */
  readonly act: (id: string, event: string, translated: TranslatedEvent) => Promise<void>;
}

/** Probot's set-up page registered the server's root as the place for deliveries, so a POST there counts as one. */
const isDelivery = (request: IncomingMessage): boolean =>
  request.method === "POST" &&
  (request.url === WEBHOOK_PATH || (request.url === "/" && request.headers["x-github-event"] !== undefined));

type Refusal = readonly [status: number, error: string, code: string];

const TOO_LARGE: Refusal = [413, "A delivery has at most 25 MB.", "body_too_large"];
const NO_OBJECT: Refusal = [400, "The payload is not a JSON object.", "invalid_json"];
const FORGED: Refusal = [
  400,
  "The signature does not match the payload and the webhook's secret.",
  "invalid_signature",
];
const BUSY: Refusal = [503, "Too many deliveries are being sent at once; send this one again.", "busy"];
const OUR_FAULT: Refusal = [500, "The delivery could not be recorded; it may be sent again.", "internal_error"];

const SIGNATURE = /^sha256=[0-9a-f]+$/;

/** Why this can be no delivery of GitHub's, by its headers; null: it may be one. */
function refusalOf({ headers }: IncomingMessage): Refusal | null {
  if (Number(headers["content-length"] ?? 0) > MAX_DELIVERY_BYTES) return TOO_LARGE;
  if (headers["content-type"]?.startsWith("application/json") !== true)
    return [415, "A delivery is application/json: choose that as the webhook's content type.", "unsupported_encoding"];
  for (const name of ["x-github-event", "x-github-delivery"])
    if (headers[name] === undefined) return [400, `A delivery carries ${name}.`, "invalid_body"];
  if (!SIGNATURE.test(String(headers["x-hub-signature-256"])))
    return [400, "A delivery carries its signature in X-Hub-Signature-256: give the webhook its secret.", FORGED[2]];
  return null;
}

/** Answers; what is left of the body is not read, but where it is so little that the connection may be used again. */
function refuse(request: IncomingMessage, response: ServerResponse, [status, error, code]: Refusal): void {
  if (response.headersSent) return;
  const small = Number(request.headers["content-length"] ?? Number.POSITIVE_INFINITY) <= LARGE_BODY_BYTES;
  const closing = request.complete || small ? {} : { connection: "close" };
  const retry = status === 503 ? { "retry-after": "1" } : {};
  response.writeHead(status, { "content-type": "application/json", ...closing, ...retry });
  response.end(JSON.stringify({ error, code }));
}

/** GitHub's own number of the delivery is the request's id: both logs then speak of the same. */
const idOf = requestIds("x-github-delivery");

const HEADERS = new Map(Object.entries(SECURITY_HEADERS));

/** What every answer carries, and the note of how long it took. */
function arrive(request: IncomingMessage, response: ServerResponse, timer: Timer): void {
  const begun = performance.now();
  response.setHeaders(HEADERS);
  response.setHeader("X-Request-Id", idOf(request));
  response.once("close", () => {
    const status = response.writableFinished ? response.statusCode : null;
    timer("POST", status, performance.now() - begun);
  });
}

interface RawWebhook {
  readonly id: string;
  readonly name: string;
  readonly payload: unknown;
}

/** GitHub has signed it, and whoever listens reads of it what fits: more is not promised. */
const isEvent = (event: RawWebhook): event is EmitterWebhookEvent =>
  typeof event.payload === "object" && event.payload !== null && !Array.isArray(event.payload);

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

async function deliverSmall(
  webhooks: Webhooks,
  { isSigned }: Deliveries,
  { headers }: IncomingMessage,
  segments: Segments,
): Promise<Refusal | null> {
  if (!isSigned(segments.parts(), String(headers["x-hub-signature-256"]))) return FORGED;
  const [id, name] = [String(headers["x-github-delivery"]), String(headers["x-github-event"])];
  const event = { id, name, payload: parsed(segments.text()) };
  if (!isEvent(event)) return NO_OBJECT;
  await webhooks.receive(event);
  return null;
}

async function deliverLarge(
  { thread, self, act }: Deliveries,
  { headers }: IncomingMessage,
  parts: readonly Uint8Array[],
): Promise<Refusal | null> {
  const event = String(headers["x-github-event"]);
  const signature = String(headers["x-hub-signature-256"]);
  const read = await thread.delivery({ parts, signature, event, self: self() });
  if (read.kind === "forged") return FORGED;
  if (read.kind === "no-json") return NO_OBJECT;
  await act(String(headers["x-github-delivery"]), event, read.translated);
  return null;
}

export function webhookPath(webhooks: Webhooks, next: Next, timed: Timed, deliveries: Deliveries): Next {
  const timer = timed(WEBHOOK_PATH);
  const hold = boundBodies(MAX_DELIVERY_BYTES_UNDER_WAY);

  const turnAway = (request: IncomingMessage, response: ServerResponse, why: Refusal): void => {
    if (why[2] === FORGED[2]) deliveries.forged(request.headers["x-github-delivery"]?.toString());
    refuse(request, response, why);
  };

  return (request, response) => {
    if (!isDelivery(request)) return next(request, response);
    arrive(request, response, timer);
    const refusal = refusalOf(request);
    if (refusal !== null) return turnAway(request, response, refusal);
    const segments = new Segments(Number(request.headers["content-length"] ?? 0));
    const giveUp = (why: Refusal): void => {
      request.off("data", take);
      segments.clear();
      refuse(request, response, why);
    };
    const held = hold(() => giveUp(BUSY));
    const take = (chunk: Buffer): void => {
      segments.add(chunk);
      if (segments.size > MAX_DELIVERY_BYTES) giveUp(TOO_LARGE);
      else held.add(chunk.length);
    };
    response.once("close", held.release);
    request.on("data", take);
    request.once("end", () => {
      if (response.headersSent) return;
      held.whole();
      const delivered =
        segments.size <= LARGE_BODY_BYTES
          ? deliverSmall(webhooks, deliveries, request, segments)
          : deliverLarge(deliveries, request, segments.parts());
      delivered.then(
        (why) => (why === null ? response.end("ok\n") : turnAway(request, response, why)),
        () => refuse(request, response, OUR_FAULT),
      );
    });
  };
}
