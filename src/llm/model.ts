/**
 * The server's client for the model's provider; no other server file calls it. One question and one answer of a given
 * format, with limits on time and attempts. Failures are return values; the provider's message is logged by kind and
 * not shown.
 */
import type { APIError } from "@anthropic-ai/sdk";
import type { z } from "zod";
import { COMPATIBLE, dayOf, fitToModel, type ModelChoice, type RequestedModel } from "../contracts/model-choice.ts";
import type { ListedModel } from "../contracts/model-list.ts";
import type { Secret } from "../contracts/secret.ts";
import type { Log } from "../engine/ports/log.ts";
import { createListedModels } from "./listed-models.ts";

/** Callers have a fallback, so one retry is enough. */
const MAX_RETRIES = 1;
/** An answer has a few sentences; the model's thinking counts too. */
const MAX_TOKENS = 8_000;

export interface ModelSettings extends RequestedModel {
  /** Null: no model is used. */
  readonly api_key: Secret | null;
  readonly base_url: string | null;
}

export interface Question<T> {
  readonly system: string;
  /** Foreign text in it is marked (`foreign-text.ts`). */
  readonly text: string;
  readonly shape: z.ZodType<T>;
  readonly timeout_ms: number;
}

export type ModelAnswer<T> =
  | { readonly kind: "answer"; readonly value: T }
  /** No answer in time; worth a retry. */
  | { readonly kind: "away"; readonly reason: string; readonly after_ms?: number }
  /** A retry would not help. */
  | { readonly kind: "no"; readonly reason: string };

export interface Model {
  /** The provider's latest model list; null when none was fetched yet. */
  listed(): readonly ListedModel[] | null;
  ask<T>(question: Question<T>): Promise<ModelAnswer<T>>;
}

const RETRY_AFTER = /^\d{1,5}$/;

function ofApiError(error: APIError): Exclude<ModelAnswer<never>, { kind: "answer" }> {
  const { status } = error;
  if (status === undefined) return { kind: "away", reason: "The model could not be reached." };
  if (status === 408 || status === 409 || status === 429 || status >= 500) {
    const after = error.headers?.get("retry-after") ?? "";
    const wait = RETRY_AFTER.test(after) ? { after_ms: Number(after) * 1_000 } : {};
    return { kind: "away", reason: `The model's provider answered ${status}.`, ...wait };
  }
  return { kind: "no", reason: `The model's provider refused the question (${status}).` };
}

/** Null when the settings name no key or an unknown provider. */
export function openModel(settings: ModelSettings, log: Log, now: () => number): Model | null {
  const { provider, api_key, base_url } = settings;
  if (api_key === null || (provider !== "anthropic" && provider !== COMPATIBLE)) return null;
  // Loaded late: the SDK is slow to load, and most servers ask nothing in their first minute.
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
  const open = () => (sdk ??= opened());
  const models = createListedModels(async () => (await open()).client, now);
  const said = new Set<string>();

  /** Chosen for each call: the model may be retired while the server runs. */
  const choice = async (): Promise<ModelChoice> => {
    const chosen = fitToModel(settings, dayOf(now()), await models.read());
    for (const note of chosen.notes.filter((one) => !said.has(one))) log.warn({ model: chosen.model }, note);
    for (const note of chosen.notes) said.add(note);
    return chosen;
  };

  return {
    listed: models.last,
    async ask({ system, text, shape, timeout_ms }) {
      const { client, APIError, AnthropicError, zodOutputFormat } = await open();
      const { model, max_tokens } = await choice();
      try {
        const message = await client.messages.parse(
          {
            model,
            max_tokens: Math.min(max_tokens, MAX_TOKENS),
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

const NO_ANSWER = "the model's answer is unusable";
const UNREADABLE = { kind: "no", reason: "The model's answer could not be read." } as const;
