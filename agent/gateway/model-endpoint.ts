/**
 * Forwards model calls to the provider: only message calls for the run's model and its successors. Adds the key and
 * enforces the run's cost limit for every caller, the agent or programs that the model started.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { SPENT_PATH } from "../../src/contracts/gateway.ts";
import { MAX_IMAGES_BYTES } from "../../src/contracts/images.ts";
import { findModel, hasPrice, lineageOf } from "../../src/contracts/models.ts";
import { head } from "../../src/text/text.ts";
import type { Access, Authorization } from "./access.ts";
import { mostOf } from "./answer-usage.ts";
import { Budget, type Reserved } from "./budget.ts";
import { BODY_ERRORS, overLimit, sendError, sendJson, TOO_MANY } from "./errors.ts";
import { countIn, forwardMessage, forwardWhole, type Sent } from "./forward-answer.ts";
import { createKeyRedactor } from "./key-redactor.ts";
import {
  type CountRequest,
  countedBound,
  inputBound,
  type MessagesRequest,
  type ReadRequest,
  readCount,
  readMessages,
  toCount,
} from "./model-request.ts";
import { type Call, callProvider } from "./provider-call.ts";
import { type ReadBody, readBody } from "./read-body.ts";
import type { Provider } from "./settings.ts";

/** Concurrent calls of one run; the agent makes one at a time. */
const MAX_CALLS = 4;
/** Bytes; about twice a model's full context window, and the images of a brief in base64. */
const MAX_BODY = 8 * 1024 * 1024 + Math.ceil((MAX_IMAGES_BYTES * 4) / 3);
const BODY_MS = 30_000;
/** Concurrent uploads of bodies. One more replaces the oldest, which is slow. */
const MAX_BODIES = 8;

const MESSAGES = "/v1/messages";
const COUNT = "/v1/messages/count_tokens";
/** Allows no path traversal: an id begins with a letter or digit and holds no slash. */
const MODELS = /^\/v1\/models(?:\/[A-Za-z0-9][\w.:-]{0,199})?(?:\?[\w=&.%-]{0,200})?$/;

const VERSION = /^\d{4}-\d{2}-\d{2}$/;
const DEFAULT_VERSION = "2023-06-01";
/** Beta features that change neither the price nor the number of tokens. */
const BETA = /^(?:prompt-caching|token-efficient-tools|fine-grained-tool-streaming|interleaved-thinking)-[\d-]{10}$/;

export interface EndpointSetup {
  readonly provider: Pick<Provider, "url" | "own">;
  readonly access: Access;
  readonly model: string;
  readonly capCents: number;
  /** Calls of a model without a known price are refused. */
  readonly budgeted?: boolean;
  /** Called with each refusal, a sentence without its full stop. */
  readonly onRefusal: (reason: string) => void;
  readonly bodyMs?: number;
}

/** Paths and names come from programs that the model runs and go into logs. */
const shown = (text: string): string => head(text.replace(/[^A-Za-z0-9._~:/?=&%-]/g, "?"), 200);

type Headers = Readonly<Record<string, string>>;

interface Caller {
  readonly headers: Headers;
  /** Aborted when the caller is gone. */
  readonly signal: AbortSignal;
}

const NO_KEYS = createKeyRedactor([]);

/** Builds the headers anew; the caller's own, credentials above all, are not forwarded. */
function headersOf({ headers }: IncomingMessage): Headers {
  const version = String(headers["anthropic-version"] ?? "");
  const betas = String(headers["anthropic-beta"] ?? "")
    .split(",")
    .map((name) => name.trim());
  const known = betas.filter((name) => BETA.test(name)).join(",");
  return {
    "anthropic-version": VERSION.test(version) ? version : DEFAULT_VERSION,
    ...(known === "" ? {} : { "anthropic-beta": known }),
  };
}

function authorized(headers: Headers, { headers: own, betas }: Authorization): Headers {
  const names = [headers["anthropic-beta"] ?? "", ...betas].filter((name) => name !== "");
  return { ...headers, ...own, ...(names.length > 0 && { "anthropic-beta": names.join(",") }) };
}

export class ModelEndpoint {
  readonly #setup: EndpointSetup;
  readonly #budget: Budget;
  /** The agent replaces a retired model by its successor. */
  readonly #models: ReadonlySet<string>;
  readonly #bodies = new Set<AbortController>();
  #underWay = 0;

  constructor(setup: EndpointSetup) {
    this.#setup = setup;
    this.#budget = new Budget(setup.model, setup.capCents, !setup.provider.own || findModel(setup.model) !== null);
    this.#models = new Set(lineageOf(setup.model));
  }

  async handle(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { method = "", url = "" } = incoming;
    if (method === "GET" && url === SPENT_PATH) return sendJson(answer, 200, this.#budget.spent);
    const listing = method === "GET" && MODELS.test(url);
    if (!listing && (method !== "POST" || (url !== MESSAGES && url !== COUNT))) {
      const known = `POST ${MESSAGES}, POST ${COUNT} and GET /v1/models`;
      return this.#refuse(answer, `${method} ${shown(url)} is not an allowed model call; allowed are ${known}`);
    }
    const access = await this.#setup.access.authorize();
    if (!access.ok) return sendError(answer, access.error);
    const body = listing ? ({ ok: true, text: "" } as const) : await this.#bodyOf(incoming);
    if (!body.ok) return sendError(answer, BODY_ERRORS[body.why]);
    if (this.#underWay >= MAX_CALLS) return sendError(answer, TOO_MANY);
    this.#underWay += 1;
    const gone = new AbortController();
    answer.once("close", () => gone.abort());
    const caller = { headers: headersOf(incoming), signal: gone.signal };
    try {
      if (listing) await forwardWhole(await this.#send("GET", url, caller), answer);
      else if (url === COUNT) await this.#count(body.text, answer, caller);
      else await this.#message(body.text, answer, caller);
    } finally {
      this.#underWay -= 1;
    }
  }

  #refuse(answer: ServerResponse, reason: string): void {
    this.#setup.onRefusal(reason);
    sendError(answer, { type: "permission_error", message: `Blocked: ${reason}.` });
  }

  #send(method: Call["method"], path: string, caller: Caller, body?: unknown): Promise<Sent> {
    const text = body === undefined ? {} : { body: JSON.stringify(body) };
    return this.#sendAuthorized({ method, path, headers: caller.headers, ...text }, caller.signal, true);
  }

  /** `again`: an authorization that is over before its time is renewed once; a refused call costs nothing. */
  async #sendAuthorized(call: Call, signal: AbortSignal, again: boolean): Promise<Sent> {
    const { access, provider } = this.#setup;
    const current = await access.authorize();
    if (!current.ok) {
      const reason = current.error.message.replace(/\.$/, "");
      return { called: { ok: false, charged: false, reason }, redactor: NO_KEYS };
    }
    const { authorization } = current;
    const called = await callProvider(
      provider.url,
      { ...call, headers: authorized(call.headers, authorization) },
      signal,
    );
    if (!again || !called.ok || called.response.statusCode !== 401 || !access.renew())
      return { called, redactor: authorization.redactor };
    called.response.destroy();
    return this.#sendAuthorized(call, signal, false);
  }

  async #bodyOf(incoming: IncomingMessage): Promise<ReadBody> {
    const [oldest] = this.#bodies;
    if (oldest !== undefined && this.#bodies.size >= MAX_BODIES) {
      this.#bodies.delete(oldest);
      oldest.abort();
    }
    const place = new AbortController();
    this.#bodies.add(place);
    const limits = { bytes: MAX_BODY, ms: this.#setup.bodyMs ?? BODY_MS, signal: place.signal };
    const body = await readBody(incoming, limits);
    this.#bodies.delete(place);
    return body;
  }

  async #count(body: string, answer: ServerResponse, caller: Caller): Promise<void> {
    const request = this.#checked(answer, readCount(body));
    if (request === null) return;
    await forwardWhole(await this.#send("POST", COUNT, caller, request), answer);
  }

  /** Null when the request has been answered. */
  #checked<Request extends CountRequest>(answer: ServerResponse, read: ReadRequest<Request>): Request | null {
    if (!read.ok) {
      sendError(answer, { type: "invalid_request_error", message: read.reason });
      return null;
    }
    const { model } = read.request;
    if (this.#models.has(model)) return read.request;
    this.#refuse(answer, `the model ${shown(model)} is not this run's, which is ${this.#setup.model}`);
    return null;
  }

  async #message(body: string, answer: ServerResponse, caller: Caller): Promise<void> {
    const request = this.#checked(answer, readMessages(body));
    if (request === null) return;
    if (this.#setup.budgeted === true && !hasPrice(request.model))
      return this.#refuse(
        answer,
        `${shown(request.model)} has no known price, and this run's cost limit is a budget's`,
      );
    const reserved = await this.#reserve(request, caller);
    if (reserved.kind === "busy") return sendError(answer, TOO_MANY);
    if (reserved.kind === "over") return sendError(answer, overLimit(reserved.limit));
    const { reservation } = reserved;
    const sent = { ...request, max_tokens: reservation.output };
    try {
      await forwardMessage(await this.#send("POST", MESSAGES, caller, sent), answer, {
        bound: reservation,
        lowered: reservation.output < request.max_tokens,
        settle: (usage) =>
          usage === null ? this.#budget.release(reservation) : this.#budget.settle(reservation, usage),
      });
    } finally {
      // The actual cost is unknown, so the maximum counts.
      this.#budget.settle(reservation, mostOf(reservation));
    }
  }

  /** Asks the provider for a token count only when the cost bound known without it would not fit. */
  async #reserve(request: MessagesRequest, caller: Caller): Promise<Reserved> {
    const { model, max_tokens: output } = request;
    const certain = inputBound(request);
    if (this.#budget.fits({ model, input: certain, output }))
      return this.#budget.reserve({ model, input: certain, output });
    const counted = await countIn((await this.#send("POST", COUNT, caller, toCount(request))).called);
    return this.#budget.reserve({
      model,
      input: Math.min(certain, counted === null ? certain : countedBound(counted)),
      output,
    });
  }
}
