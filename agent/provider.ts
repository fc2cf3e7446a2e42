/**
 * The only file that speaks to the model's provider. Answers and failures come back as values; retrying is the SDK's.
 * The SDK is loaded here and late, since it is most of the agent's start-up.
 */
import type { APIError } from "@anthropic-ai/sdk";
import type { Message, MessageCreateParamsNonStreaming } from "@anthropic-ai/sdk/resources/messages";
import { z } from "zod";
import type { Stop } from "./stop.ts";

/** 429, 529, 5xx and lost connections are tried again with back-off or after `retry-after`: about 25 s in all. */
const MAX_RETRIES = 6;
/** A single answer may take this long. */
const CALL_TIMEOUT_MS = 10 * 60_000;
/** Above this the SDK refuses to wait without streaming, since idle connections are cut. */
const MAX_PLAIN_TOKENS = 20_000;
const MAX_REASON = 500;

export type Asked = { readonly ok: true; readonly message: Message } | { readonly ok: false; readonly stop: Stop };
export type Ask = (request: MessageCreateParamsNonStreaming, signal: AbortSignal) => Promise<Asked>;
export type Opened = { readonly ok: true; readonly ask: Ask } | { readonly ok: false; readonly stop: Stop };

export interface ProviderSettings {
  readonly provider: string;
  readonly apiKey: string | undefined;
  readonly baseUrl: string | undefined;
}

/** Gateways answer many things with 200; what the loop relies on is checked. */
const answerSchema = z.looseObject({
  content: z.array(z.looseObject({ type: z.string() })),
  stop_reason: z.string().nullable(),
  usage: z.looseObject({ input_tokens: z.number(), output_tokens: z.number() }),
});

export async function openProvider(settings: ProviderSettings): Promise<Opened> {
  if (settings.provider !== "anthropic") {
    const reason = `The provider "${settings.provider}" is not known. Use "anthropic"; ANTHROPIC_BASE_URL serves gateways and local models that speak its API.`;
    return { ok: false, stop: { kind: "misconfigured", reason } };
  }
  if (settings.apiKey === undefined && settings.baseUrl === undefined) {
    const reason = "ANTHROPIC_API_KEY is not set. Add it to the repository's secrets for Actions.";
    return { ok: false, stop: { kind: "misconfigured", reason } };
  }
  const { default: Anthropic } = await import("@anthropic-ai/sdk");
  const client = new Anthropic({
    // Local models want no key, the SDK wants one.
    apiKey: settings.apiKey ?? "none",
    authToken: null,
    ...(settings.baseUrl === undefined ? {} : { baseURL: settings.baseUrl }),
    maxRetries: MAX_RETRIES,
    timeout: CALL_TIMEOUT_MS,
    // Its warnings would go to stdout past the log and its redaction.
    logLevel: "off",
  });
  const ask: Ask = async (request, signal) => {
    try {
      const message =
        request.max_tokens <= MAX_PLAIN_TOKENS
          ? await client.messages.create(request, { signal })
          : await client.messages.stream(request, { signal }).finalMessage();
      if (answerSchema.safeParse(message).success) return { ok: true, message };
      return { ok: false, stop: down("The provider answered something that is not a message.") };
    } catch (error) {
      if (error instanceof Anthropic.APIError) return { ok: false, stop: readError(error, request.model) };
      throw error;
    }
  };
  return { ok: true, ask };
}

const down = (reason: string): Stop => ({ kind: "provider_down", reason: reason.slice(0, MAX_REASON) });
const wrong = (reason: string): Stop => ({ kind: "misconfigured", reason: reason.slice(0, MAX_REASON) });

function readError(error: APIError, model: string): Stop {
  const said = error.message;
  switch (error.status) {
    case 400:
    case 413:
      if (/too long|too large|context window|maximum context/i.test(said)) return { kind: "conversation_full" };
      return wrong(`The provider refused the request: ${said}`);
    case 401:
    case 403:
      return wrong(`The provider refused the key (${error.status}). Check the secret ANTHROPIC_API_KEY.`);
    case 404:
      return wrong(`The provider does not know the model ${model}. Check LLM_MODEL or llm.model. It said: ${said}`);
    case undefined:
      return down(`The provider could not be reached: ${said}`);
    default:
      return down(`The provider kept failing, after ${MAX_RETRIES} retries: ${said}`);
  }
}
