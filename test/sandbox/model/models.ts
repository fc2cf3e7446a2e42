/**
 * The endpoint's model list by date, and its refusals of retired or unknown models and of answer limits that are too
 * high. In the format of the real `GET /v1/models`.
 */
import { findModel, MODELS, withoutDate } from "../../../src/contracts/models.ts";
import { errorBody } from "./protocol.ts";

export const MODELS_PATH = "/v1/models";

export interface ModelEntry {
  readonly type: "model";
  readonly id: string;
  readonly display_name: string;
  readonly lifecycle: "active" | "deprecated" | "retired";
  readonly max_input_tokens: number;
  readonly max_tokens: number;
  readonly retires_at: string | null;
}

export interface Refusal {
  readonly status: number;
  readonly body: unknown;
}

const refusal = (status: number, type: string, text: string): Refusal => ({ status, body: errorBody(type, text) });

export function entryOf(name: string, today: string): ModelEntry | null {
  const facts = findModel(name);
  if (facts === null) return null;
  const { retires, window, output } = facts;
  return {
    type: "model",
    id: name,
    display_name: withoutDate(name),
    lifecycle: retires === null ? "active" : retires <= today ? "retired" : "deprecated",
    max_input_tokens: window,
    max_tokens: output,
    retires_at: retires === null ? null : `${retires}T00:00:00Z`,
  };
}

/** A page of the list, or the model that the path names. Retired ones are listed only on request. */
export function answerModels(url: URL, today: string): Refusal {
  const name = decodeURIComponent(url.pathname.slice(MODELS_PATH.length + 1));
  if (name !== "") {
    const entry = entryOf(name, today);
    return entry === null ? refusal(404, "not_found_error", `model: ${name}`) : { status: 200, body: entry };
  }
  const wanted = url.searchParams.getAll("lifecycle[]");
  const stages = wanted.length === 0 ? ["active", "deprecated"] : wanted;
  const limit = Number(url.searchParams.get("limit") ?? 20);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000)
    return refusal(400, "invalid_request_error", "limit: must be between 1 and 1000");
  const all = Object.keys(MODELS).flatMap((one) => entryOf(one, today) ?? []);
  const listed = all.filter(({ lifecycle }) => stages.includes(lifecycle));
  const data = listed.slice(0, limit);
  const ends = { first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
  return { status: 200, body: { data, has_more: listed.length > data.length, ...ends } };
}

/** The endpoint's error for a message to this model; null when there is none. */
export function refuseModel(name: string, max_tokens: number, today: string): Refusal | null {
  const entry = entryOf(name, today);
  if (entry === null || entry.lifecycle === "retired") return refusal(404, "not_found_error", `model: ${name}`);
  if (max_tokens <= entry.max_tokens) return null;
  const words = `max_tokens: ${max_tokens} > ${entry.max_tokens}, which is the maximum allowed number of output tokens for ${name}`;
  return refusal(400, "invalid_request_error", words);
}
