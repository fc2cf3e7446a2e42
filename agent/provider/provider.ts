/**
 * Calls the model's provider; no other file of the agent does. Answers and failures are return values. The SDK retries
 * requests that got no answer; an interrupted answer goes back to the loop, since it was charged. The SDK is imported
 * late, because it dominates the start-up time.
 */
import type { APIError } from "@anthropic-ai/sdk";
import type { Message, MessageCreateParamsNonStreaming } from "@anthropic-ai/sdk/resources/messages";
import * as z from "zod";
import { costLimitSchema, LOWERED_HEADER, noAccessSchema } from "../../src/contracts/gateway.ts";
import { COMPATIBLE } from "../../src/contracts/model-choice.ts";
import {
  type ListedModel,
  MODEL_LIST_PATH,
  MODEL_LIST_QUERY,
  MODEL_LIST_TIMEOUT_MS,
  readModelList,
} from "../../src/contracts/model-list.ts";
import { providerWords } from "../../src/contracts/provider-words.ts";
import type { PermanentError } from "../../src/contracts/result.ts";
import { head } from "../../src/text/text.ts";
import { permanentErrorOf, type Stop } from "../loop/stop-reasons.ts";
import { readAnswer, type Streamed } from "./answer-stream.ts";
import { fetchThrough } from "./http-agent.ts";
import type { Charged } from "./usage.ts";

/** 429, 529, 5xx and lost connections, with back-off or after `retry-after`: about 25 s in all. */
const MAX_RETRIES = 6;
/** Until an answer begins. Gateways that do not stream begin when the answer is complete. */
const CALL_TIMEOUT_MS = 10 * 60_000;
/** Gives up an answer that has begun and then stays silent; models write without such pauses. */
const SILENCE_MS = 3 * 60_000;
const MAX_REASON = 500;
/** A key goes into a header. */
const HEADER_VALUE = /^[!-~]+$/;

export type ModelReply =
  | {
      readonly kind: "answered";
      readonly message: Message;
      readonly torn: ReadonlySet<string>;
      /** The answer limit that the cost limit allowed; null when as many tokens as requested. */
      readonly lowered: number | null;
    }
  /** The answer began and did not end. `used`: the usage charged, as far as known. */
  | { readonly kind: "broken"; readonly reason: string; readonly used: Charged | null }
  /** `rejected`: what the provider says of a request that it does not take as it is. */
  | { readonly kind: "stopped"; readonly stop: Stop; readonly rejected?: string };
export type Ask = (request: MessageCreateParamsNonStreaming, signal: AbortSignal) => Promise<ModelReply>;
/** Null when the provider has no list. */
export type ListModels = (signal: AbortSignal) => Promise<readonly ListedModel[] | null>;
export type Opened =
  | { readonly ok: true; readonly ask: Ask; readonly listModels: ListModels }
  | { readonly ok: false; readonly stop: Stop };

export interface ProviderSettings {
  readonly provider: string;
  /** The gateway's address; it adds the key itself. */
  readonly gateway?: string | null;
  readonly apiKey: string | undefined;
  readonly baseUrl: string | undefined;
  readonly proxy?: string | null;
  readonly silenceMs?: number;
}

/** Gateways answer many things with 200, so the fields that the loop relies on are checked. */
const answerSchema = z.looseObject({
  content: z.array(z.looseObject({ type: z.string() })),
  stop_reason: z.string().nullable(),
  usage: z.looseObject({ input_tokens: z.number(), output_tokens: z.number() }),
});

export async function openProvider(settings: ProviderSettings): Promise<Opened> {
  if (settings.provider !== "anthropic" && settings.provider !== COMPATIBLE) {
    const reason = `The provider "${settings.provider}" is unknown. Use "anthropic", or "${COMPATIBLE}" for a gateway or a local model that speaks its API at ANTHROPIC_BASE_URL.`;
    return { ok: false, stop: wrong(reason, "misconfigured") };
  }
  const { gateway = null } = settings;
  const baseURL = gateway ?? settings.baseUrl;
  if (settings.provider === COMPATIBLE && baseURL === undefined) {
    const reason = `The provider "${COMPATIBLE}" needs an address: set the variable ANTHROPIC_BASE_URL for Actions.`;
    return { ok: false, stop: wrong(reason, "misconfigured") };
  }
  if (settings.apiKey === undefined && baseURL === undefined) {
    const reason = "ANTHROPIC_API_KEY is not set. Add it to the repository's secrets for Actions.";
    return { ok: false, stop: wrong(reason, "key_missing") };
  }
  if (gateway === null && settings.apiKey !== undefined && !HEADER_VALUE.test(settings.apiKey)) {
    const reason = "ANTHROPIC_API_KEY holds invalid characters; copy the key again into the repository's secrets.";
    return { ok: false, stop: wrong(reason, "key_refused") };
  }
  const sdk = await import("./sdk.ts");
  const client = new sdk.BaseAnthropic({
    // The gateway and local models need no key; the SDK does.
    apiKey: (gateway === null ? settings.apiKey : undefined) ?? "none",
    authToken: null,
    ...(baseURL === undefined ? {} : { baseURL }),
    ...(settings.proxy && gateway === null ? { fetch: await fetchThrough(settings.proxy) } : {}),
    maxRetries: MAX_RETRIES,
    timeout: CALL_TIMEOUT_MS,
    // The SDK's warnings would go to stdout, past the log and its redaction.
    logLevel: "off",
  });
  const messages = new sdk.Messages(client);
  const silenceMs = settings.silenceMs ?? SILENCE_MS;
  const ask: Ask = async (request, signal) => {
    const stream = messages.stream(request, { signal });
    const read = await readAnswer(stream, silenceMs);
    if (read.ok) {
      if (answerSchema.safeParse(read.message).success)
        return { kind: "answered", message: read.message, torn: read.torn, lowered: loweredBy(stream.response) };
      return stopped(down("The provider's answer is not a message."));
    }
    const { error } = read;
    if (signal.aborted) return stopped(down("The call was aborted because the run ends."));
    if (read.silent) return broken(`no data for ${silenceMs / 1_000} s`, read);
    if (error instanceof sdk.APIConnectionError || !(error instanceof sdk.AnthropicError))
      return stopped(down(`The provider could not be reached: ${messageOf(error)}`));
    if (error instanceof sdk.APIError && !(error instanceof sdk.APIUserAbortError))
      return error.status === undefined ? readStreamError(error, read) : failed(error, request.model);
    const events = stream.response?.headers.get("content-type")?.includes("event-stream") === true;
    if (read.received || events) return broken(messageOf(error), read);
    return stopped(down("The provider's answer is not a message."));
  };
  const listModels: ListModels = async (signal) => {
    const bound = AbortSignal.any([signal, AbortSignal.timeout(MODEL_LIST_TIMEOUT_MS)]);
    const once = { query: MODEL_LIST_QUERY, maxRetries: 0, timeout: MODEL_LIST_TIMEOUT_MS, signal: bound };
    return client
      .get(MODEL_LIST_PATH, once)
      .asResponse()
      .then(readModelList)
      .catch(() => null);
  };
  return { ok: true, ask, listModels };
}

const loweredBy = (response: Response | null | undefined): number | null =>
  Number(response?.headers.get(LOWERED_HEADER)) || null;

type Failed = Extract<Streamed, { ok: false }>;

const REJECTED = new Set([400, 413]);

function failed(error: APIError, model: string): ModelReply {
  const stop = readError(error, model);
  const asItIs =
    REJECTED.has(error.status ?? 0) && (stop.kind === "conversation_full" || permanentErrorOf(stop) === null);
  return { ...stopped(stop), ...(asItIs ? { rejected: head(providerWords(error.message), MAX_REASON) } : {}) };
}

const stopped = (stop: Stop): ModelReply => ({ kind: "stopped", stop });
const broken = (reason: string, { used }: Failed): ModelReply => ({
  kind: "broken",
  reason: head(providerWords(reason), MAX_REASON),
  used,
});
const down = (reason: string): Stop => ({ kind: "provider_down", reason: head(providerWords(reason), MAX_REASON) });
const wrong = (reason: string, permanent: PermanentError | null = null): Stop => ({
  kind: "misconfigured",
  permanent,
  reason: head(providerWords(reason), MAX_REASON),
});

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const TOO_LONG = /too long|too large|context window|maximum context/i;

/** An error event in a stream that began with 200; mostly overload. */
function readStreamError(error: APIError, read: Failed): ModelReply {
  if (TOO_LONG.test(error.message)) return stopped({ kind: "conversation_full" });
  if (error.type === "invalid_request_error")
    return stopped(wrong(`The provider rejected the request: ${error.message}`));
  return broken(error.message, read);
}

/** A refusal by the provider, as opposed to a temporary one by a proxy or load balancer in between. */
const refusalSchema = z.object({ error: z.object({ type: z.string() }) });

/** Anthropic reports this with 400, others with 402. */
const NO_CREDIT = /credit balance is too low|insufficient (?:credit|funds|balance)/i;

function readError(error: APIError, model: string): Stop {
  const said = error.message;
  const over = costLimitSchema.safeParse(error.error);
  if (over.success) {
    const { cap_cents: capCents, spent_cents: spentCents, next_cents: nextCents } = over.data.error.cost_limit;
    return { kind: "over_budget", capCents, spentCents, nextCents };
  }
  const noAccess = noAccessSchema.safeParse(error.error);
  if (noAccess.success) return wrong(noAccess.data.error.message, noAccess.data.error.no_access);
  const own = refusalSchema.safeParse(error.error).success;
  switch (error.status) {
    case 400:
    case 402:
    case 413:
      if (TOO_LONG.test(said)) return { kind: "conversation_full" };
      if (error.status === 402 || NO_CREDIT.test(said))
        return wrong(
          `The provider's account has no credit left: add some, then retry the job. Its message: ${said}`,
          "no_credit",
        );
      return wrong(`The provider rejected the request: ${said}`);
    case 401:
    case 403:
      return wrong(
        `The provider rejected the key (${error.status}). Check the secret ANTHROPIC_API_KEY or, without a key, what the ` +
          `federation rule allows. Its message: ${said}`,
        error.status === 401 || own ? "key_refused" : null,
      );
    case 404:
      return wrong(
        `The provider does not know the model ${model}. Change the name where it is set: ` +
          "`--model` of the job, `llm.model` in .github/journeyman.yml, LLM_MODEL of the repository, or else of the server. " +
          `Its message: ${said}`,
        own ? "unknown_model" : null,
      );
    default:
      return down(`The provider still failed after ${MAX_RETRIES} retries: ${said}`);
  }
}
