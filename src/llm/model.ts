/**
 * The only file that speaks to the model's provider for the server: one question, one answer of a given shape, bounded
 * in time and tries. Failures come back as values; the provider's own words are logged by kind and never shown.
 */
import type { APIError } from "@anthropic-ai/sdk";
import type { z } from "zod";
import type { Log } from "../engine/ports.ts";
import type { Secret } from "../wire/secret.ts";

/** One repetition inside a question: whoever asks has a way of its own to go on without an answer. */
const MAX_RETRIES = 1;
/** An answer is a few sentences; a model's word on a long change is cut here. */
const MAX_TOKENS = 2_000;

export interface ModelSettings {
  readonly provider: string;
  readonly model: string;
  readonly max_tokens: number;
  /** Null: no model answers. */
  readonly api_key: Secret | null;
  readonly base_url: string | null;
}

export interface Question<T> {
  readonly system: string;
  /** Everything foreign in it is marked (`words.ts`). */
  readonly text: string;
  readonly shape: z.ZodType<T>;
  readonly timeout_ms: number;
}

export type Answered<T> =
  | { readonly kind: "answer"; readonly value: T }
  /** Nobody answered in time: worth another try. */
  | { readonly kind: "away"; readonly reason: string; readonly after_ms?: number }
  /** Asking the same again would not help. */
  | { readonly kind: "no"; readonly reason: string };

export interface Model {
  readonly name: string;
  ask<T>(question: Question<T>): Promise<Answered<T>>;
}

const RETRY_AFTER = /^\d{1,5}$/;

function ofApiError(error: APIError): Exclude<Answered<never>, { kind: "answer" }> {
  const { status } = error;
  if (status === undefined) return { kind: "away", reason: "The model could not be reached." };
  if (status === 408 || status === 409 || status === 429 || status >= 500) {
    const after = error.headers?.get("retry-after") ?? "";
    const wait = RETRY_AFTER.test(after) ? { after_ms: Number(after) * 1_000 } : {};
    return { kind: "away", reason: `The model's provider answered ${status}.`, ...wait };
  }
  return { kind: "no", reason: `The model's provider refused the question (${status}).` };
}

/** Null where the settings name no key, or a provider that is not known here. */
export function openModel(settings: ModelSettings, log: Log): Model | null {
  const { provider, model, api_key, base_url } = settings;
  if (api_key === null || provider !== "anthropic") return null;
  // the SDK takes its time to load, and most servers ask nothing in their first minute
  const opened = async () => {
    const [{ default: Anthropic, APIError, AnthropicError }, { zodOutputFormat }] = await Promise.all([
      import("@anthropic-ai/sdk"),
      import("@anthropic-ai/sdk/helpers/zod"),
    ]);
    const client = new Anthropic({
      apiKey: api_key.reveal(),
      authToken: null,
      ...(base_url === null ? {} : { baseURL: base_url }),
      maxRetries: MAX_RETRIES,
      logLevel: "off",
    });
    return { client, APIError, AnthropicError, zodOutputFormat };
  };
  let sdk: ReturnType<typeof opened> | null = null;

  return {
    name: model,
    async ask({ system, text, shape, timeout_ms }) {
      sdk ??= opened();
      const { client, APIError, AnthropicError, zodOutputFormat } = await sdk;
      try {
        const message = await client.messages.parse(
          {
            model,
            max_tokens: Math.min(settings.max_tokens, MAX_TOKENS),
            system,
            messages: [{ role: "user", content: text }],
            output_config: { format: zodOutputFormat(shape) },
          },
          { timeout: timeout_ms, signal: AbortSignal.timeout(timeout_ms) },
        );
        if (message.parsed_output !== null) return { kind: "answer", value: message.parsed_output };
        return { kind: "no", reason: "The model's answer was empty." };
      } catch (error) {
        if (!(error instanceof AnthropicError)) throw error;
        const ended = error instanceof APIError ? ofApiError(error) : UNREADABLE;
        log.warn({ model, status: error instanceof APIError ? error.status : null, reason: ended.reason }, NO_ANSWER);
        return ended;
      }
    },
  };
}

const NO_ANSWER = "the model gave no answer that can be used";
const UNREADABLE = { kind: "no", reason: "The model's answer could not be read." } as const;
