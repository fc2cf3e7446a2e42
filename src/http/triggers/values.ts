/** Reads what a call of a trigger brings for the placeholders of its task: body, query and headers. */
import { hash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { isSecretHeader, type TriggerValues } from "../../contracts/trigger-template.ts";
import { isJsonWithinBounds } from "../../text/json-bounds.ts";
import { failure, type HttpResult } from "../routing/answer.ts";
import { NO_JSON, TOO_DEEP } from "../routing/checked.ts";
import { MAX_TRIGGER_VALUES } from "../routing/limits.ts";

export interface TriggerRequest {
  readonly headers: IncomingHttpHeaders;
  /** With its query. */
  readonly url: string;
  readonly body: Buffer;
}

const NO_TEXT = failure(415, "unsupported_encoding", "Send the body as JSON, as a form or as text, in UTF-8.");
const TOO_MANY = failure(400, "invalid_body", `The form or the query has more than ${MAX_TRIGGER_VALUES} fields.`);

/** Of several of one name the last counts. */
function fieldsOf(text: string): Readonly<Record<string, string>> | null {
  if (text.split("&", MAX_TRIGGER_VALUES + 2).length > MAX_TRIGGER_VALUES) return null;
  return Object.fromEntries(new URLSearchParams(text));
}

const queryOf = (url: string): string => (url.includes("?") ? url.slice(url.indexOf("?") + 1) : "");

type Read = { readonly value: unknown } | { readonly answer: HttpResult };

/** Undefined: there is none. */
function bodyOf({ headers, body }: TriggerRequest): Read {
  if (body.length === 0) return { value: undefined };
  const type = (headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (/^application\/(?:[\w.+-]{1,100}\+)?json$/.test(type)) return jsonOf(body);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    return { answer: NO_TEXT };
  }
  if (type !== "application/x-www-form-urlencoded") return { value: text };
  const fields = fieldsOf(text);
  return fields === null ? { answer: TOO_MANY } : { value: fields };
}

function jsonOf(body: Buffer): Read {
  if (!isJsonWithinBounds(body, MAX_TRIGGER_VALUES)) return { answer: TOO_DEEP };
  try {
    return { value: JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)) };
  } catch {
    return { answer: NO_JSON };
  }
}

const publicHeaders = (headers: IncomingHttpHeaders): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      typeof value === "string" && !isSecretHeader(name) ? [[name, value]] : [],
    ),
  );

export function valuesOf(
  request: TriggerRequest,
): { readonly values: TriggerValues } | { readonly answer: HttpResult } {
  const body = bodyOf(request);
  if ("answer" in body) return body;
  const query = fieldsOf(queryOf(request.url));
  if (query === null) return { answer: TOO_MANY };
  return { values: { body: body.value, query, headers: publicHeaders(request.headers) } };
}

/** How senders name a delivery, the most usual first. */
const NAMES = ["webhook-id", "x-github-delivery", "idempotency-key"] as const;
const MINUTE_MS = 60_000;

/** The same for the same delivery: as its sender names it; without a name, the same call within one minute. */
export function newsOf({ headers, url, body }: TriggerRequest, now: number): string {
  for (const name of NAMES) {
    const id = headers[name];
    if (typeof id === "string" && id !== "") return `${name} ${id}`;
  }
  const minute = Math.floor(now / MINUTE_MS);
  return `call ${minute} ${hash("sha256", Buffer.concat([Buffer.from(`${queryOf(url)}\n`), body]))}`;
}
