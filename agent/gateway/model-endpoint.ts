/**
 * The agent's way to the model: takes the provider's message calls and no others, for the run's model and what follows it
 * alone, adds the key, and keeps the run's limit of cost whoever calls: the agent, or what the model has started.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { SPENT_PATH } from "../../src/contracts/gateway.ts";
import { findModel, lineageOf } from "../../src/contracts/models.ts";
import { head } from "../../src/text/text.ts";
import { mostOf } from "./answer-usage.ts";
import { type Blanking, createBlanking } from "./blanking.ts";
import { type ReadBody, readBody } from "./bodies.ts";
import { Budget, type Reserved } from "./budget.ts";
import { BODY_ERRORS, NO_KEY, overLimit, sayError, sayJson, TOO_MANY } from "./errors.ts";
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
import { countIn, passOnMessage, passOnWhole } from "./passing-on.ts";
import { type Called, callProvider, type Provider } from "./provider-call.ts";

/** Calls of one run at once; the agent makes one at a time. */
const MOST_CALLS = 4;
/** A model's whole window is about half of it. */
const MAX_BODY = 8 * 1024 * 1024;
const BODY_MS = 30_000;
/** Bodies that are on their way at once; one more takes the place of the oldest, which is slow. */
const MOST_BODIES = 8;

const MESSAGES = "/v1/messages";
const COUNT = "/v1/messages/count_tokens";
/** Never a path that climbs: what stands behind `models/` begins with a letter or digit and holds no slash. */
const MODELS = /^\/v1\/models(?:\/[A-Za-z0-9][\w.:-]{0,199})?(?:\?[\w=&.%-]{0,200})?$/;

const VERSION = /^\d{4}-\d{2}-\d{2}$/;
const DEFAULT_VERSION = "2023-06-01";
/** Betas that change neither the price of a token nor how many there are. */
const BETA = /^(?:prompt-caching|token-efficient-tools|fine-grained-tool-streaming|interleaved-thinking)-[\d-]{10}$/;

export interface EndpointSetup {
  readonly provider: Provider;
  readonly model: string;
  readonly capCents: number;
  /** Told of what is not let through, without a stop at its end. */
  readonly onRefusal: (reason: string) => void;
  readonly bodyMs?: number;
}

/** Paths and names come from whatever the model runs, and go into logs. */
const shown = (text: string): string => head(text.replace(/[^A-Za-z0-9._~:/?=&%-]/g, "?"), 200);

type Headers = Readonly<Record<string, string>>;

/** Whatever else the caller sends, its own credentials above all, stays here. */
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

export class ModelEndpoint {
  readonly #setup: EndpointSetup;
  readonly #budget: Budget;
  readonly #blanking: Blanking;
  /** The agent replaces a model that is retired by what follows it. */
  readonly #models: ReadonlySet<string>;
  readonly #bodies = new Set<AbortController>();
  #underWay = 0;

  constructor(setup: EndpointSetup) {
    this.#setup = setup;
    this.#budget = new Budget(setup.model, setup.capCents, !setup.provider.own || findModel(setup.model) !== null);
    this.#blanking = createBlanking(setup.provider.credentials?.["x-api-key"] ?? null);
    this.#models = new Set(lineageOf(setup.model));
  }

  async handle(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { method = "", url = "" } = asked;
    if (method === "GET" && url === SPENT_PATH) return sayJson(answer, 200, this.#budget.spent);
    const listing = method === "GET" && MODELS.test(url);
    if (!listing && (method !== "POST" || (url !== MESSAGES && url !== COUNT))) {
      const known = `POST ${MESSAGES}, POST ${COUNT} and GET /v1/models`;
      return this.#refuse(answer, `${method} ${shown(url)} is none of the model's calls that jobs may make: ${known}`);
    }
    const { credentials, no_key = NO_KEY } = this.#setup.provider;
    if (credentials === null) return sayError(answer, no_key);
    const body = listing ? ({ ok: true, text: "" } as const) : await this.#bodyOf(asked);
    if (!body.ok) return sayError(answer, BODY_ERRORS[body.why]);
    if (this.#underWay >= MOST_CALLS) return sayError(answer, TOO_MANY);
    this.#underWay += 1;
    const gone = new AbortController();
    answer.once("close", () => gone.abort());
    const headers = headersOf(asked);
    try {
      if (listing) await passOnWhole(await this.#send("GET", url, headers, gone.signal), answer, this.#blanking);
      else if (url === COUNT) await this.#count(body.text, answer, headers, gone.signal);
      else await this.#message(body.text, answer, headers, gone.signal);
    } finally {
      this.#underWay -= 1;
    }
  }

  #refuse(answer: ServerResponse, reason: string): void {
    this.#setup.onRefusal(reason);
    sayError(answer, { type: "permission_error", message: `Not let through: ${reason}.` });
  }

  #send(method: "GET" | "POST", path: string, headers: Headers, signal: AbortSignal, body?: unknown): Promise<Called> {
    const text = body === undefined ? {} : { body: JSON.stringify(body) };
    return callProvider(this.#setup.provider, { method, path, headers, ...text }, signal);
  }

  async #bodyOf(asked: IncomingMessage): Promise<ReadBody> {
    const [oldest] = this.#bodies;
    if (oldest !== undefined && this.#bodies.size >= MOST_BODIES) {
      this.#bodies.delete(oldest);
      oldest.abort();
    }
    const place = new AbortController();
    this.#bodies.add(place);
    const limits = { bytes: MAX_BODY, ms: this.#setup.bodyMs ?? BODY_MS, signal: place.signal };
    const body = await readBody(asked, limits);
    this.#bodies.delete(place);
    return body;
  }

  async #count(body: string, answer: ServerResponse, headers: Headers, signal: AbortSignal): Promise<void> {
    const request = this.#checked(answer, readCount(body));
    if (request === null) return;
    await passOnWhole(await this.#send("POST", COUNT, headers, signal, request), answer, this.#blanking);
  }

  /** Null: it has been answered. */
  #checked<Request extends CountRequest>(answer: ServerResponse, read: ReadRequest<Request>): Request | null {
    if (!read.ok) {
      sayError(answer, { type: "invalid_request_error", message: read.reason });
      return null;
    }
    const { model } = read.request;
    if (this.#models.has(model)) return read.request;
    this.#refuse(answer, `the model ${shown(model)} is not this run's, which is ${this.#setup.model}`);
    return null;
  }

  async #message(body: string, answer: ServerResponse, headers: Headers, signal: AbortSignal): Promise<void> {
    const request = this.#checked(answer, readMessages(body));
    if (request === null) return;
    const reserved = await this.#reserve(request, headers, signal);
    if (reserved.kind === "busy") return sayError(answer, TOO_MANY);
    if (reserved.kind === "over") return sayError(answer, overLimit(reserved.limit));
    const { reservation } = reserved;
    const sent = { ...request, max_tokens: reservation.output };
    try {
      await passOnMessage(await this.#send("POST", MESSAGES, headers, signal, sent), answer, {
        bound: reservation,
        blanking: this.#blanking,
        lowered: reservation.output < request.max_tokens,
        settle: (usage) =>
          usage === null ? this.#budget.release(reservation) : this.#budget.settle(reservation, usage),
      });
    } finally {
      // Whatever went wrong before it was known what the call has cost.
      this.#budget.settle(reservation, mostOf(reservation));
    }
  }

  /** The provider is asked how long the input is only where what is certain without it would not fit. */
  async #reserve(request: MessagesRequest, headers: Headers, signal: AbortSignal): Promise<Reserved> {
    const { model, max_tokens: output } = request;
    const certain = inputBound(request);
    if (this.#budget.fits({ model, input: certain, output }))
      return this.#budget.reserve({ model, input: certain, output });
    const counted = await countIn(await this.#send("POST", COUNT, headers, signal, toCount(request)));
    return this.#budget.reserve({
      model,
      input: Math.min(certain, counted === null ? certain : countedBound(counted)),
      output,
    });
  }
}
