/**
 * What must hold for every answer of the API, whatever the request; violations are returned as sentences. Sends
 * nothing.
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { ERROR_CODES } from "../../src/http/routing/error-codes.ts";
import { asked, type Described, type Operation, type Schema } from "./description.ts";
import type { Answered, Sent, Weather, World } from "./http-fuzz-server.ts";
import { API_KEY, CRON_SECRET, SECRET } from "./http-server.ts";

/** Answers of 5xx that are true at such a moment, and no other ones. */
const TRUE_THEN: readonly { readonly when: (conditions: Weather) => boolean; readonly answers: readonly string[] }[] = [
  {
    when: ({ github }) => github === "away",
    answers: ["createJob 500 branch_not_created", "handInResult 502 github_unavailable"],
  },
  {
    when: ({ paymentProvider }) => paymentProvider === "away",
    answers: ["topUp 502 stripe_unavailable", "receiveStripeEvent 502 stripe_unavailable"],
  },
];

/** Rules that no schema can say: for these, a body that is good by the description may be refused all the same. */
const BESIDE_THE_SCHEMA: readonly string[] = [
  // the scheme, a user name, a private address; another format needs another address
  ...["createWebhook url", "changeWebhook url", "changeWebhook format"],
  ...["createJob callback_url", "createAgentJob callback_url", "runJob callback_url"],
  // in the future, and not everybody's account
  ...["createKey expires_at", "createKey account"],
  // names of their own, and so many characters or bytes together
  ...["runJob envVars", "runJob attachments", "submitJob output_attachments", "submitJob files"],
  ...["runJob attachments[].content", "submitJob output_attachments[].content", "submitJob files[].content"],
  // folders that belong to somebody; another repository than the job's; nothing at all
  ...["submitJob files[].path", "submitJob pull_request", "submitJob "],
];

/** What leads out of the server: its folders, its sources, its stack, its secrets. */
const LEAKS: readonly (string | RegExp)[] = [
  ...[API_KEY, CRON_SECRET, SECRET, process.cwd(), "node_modules", "BEGIN RSA", join(tmpdir(), "http-"), "file://"],
  ...[/\n\s+at \S/, /\.[jt]s:\d+/, /ENOENT|EACCES|ENAMETOOLONG|TypeError|ZodError|SyntaxError|RangeError/],
];

/** An address that cannot be read has reached no route. */
const UNREADABLE = "a % that begins no character";

const errorSchema = z.looseObject({ error: z.string().min(1), code: z.string() });

/** How a path of the description is matched. */
const patternOf = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll(".", "\\.").replace(/\{\w+\}/g, "[^/]+")}/?$`, "i");

/** Which operations such a request may mean; HEAD asks for what GET answers. */
export function meant({ operations }: World, { plan, path }: Sent): readonly Operation[] {
  const method = plan.method === "HEAD" ? "GET" : plan.method;
  const [place = ""] = path.split("?");
  return operations.filter((one) => one.method === method && patternOf(one.path).test(place));
}

const compiled = new WeakMap<Schema, z.ZodType>();

function fits(schema: Schema, described: Described, value: unknown): string | null {
  const known = compiled.get(schema) ?? asked(schema, described);
  compiled.set(schema, known);
  return (
    known
      .safeParse(value)
      .error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`)
      .join("; ") ?? null
  );
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

function* ofError(
  operations: readonly Operation[],
  { status, text }: Answered,
  conditions: Weather,
): Generator<string> {
  const error = errorSchema.safeParse(parsed(text));
  if (!error.success) return yield "an error without error and code";
  const { code } = error.data;
  if (!Object.hasOwn(ERROR_CODES, code)) yield `the code ${code} is not known`;
  const told = operations.some(({ responses }) => responses[status]?.description.includes(`- \`${code}\``));
  const beside =
    operations.length === 0 &&
    ["404 not_found", "405 method_not_allowed", "400 invalid_field"].includes(`${status} ${code}`);
  const unreadable = status === 400 && text.includes(UNREADABLE);
  if (!told && !beside && !unreadable) yield `${status} ${code} is not described`;
  const excused = TRUE_THEN.flatMap(({ when, answers }) => (when(conditions) ? answers : []));
  if (status >= 500 && !operations.some(({ operationId }) => excused.includes(`${operationId} ${status} ${code}`)))
    yield "an answer of 5xx that is not true now";
}

function* ofSuccess(
  operations: readonly Operation[],
  { status, headers, text }: Answered,
  described: Described,
): Generator<string> {
  const type = headers["content-type"]?.split(";")[0];
  const mistakes = operations.flatMap(({ responses }) => {
    const response = responses[status];
    if (response === undefined) return [];
    const [said] = Object.entries(response.content ?? {});
    if (said === undefined) return text === "" ? [null] : ["a body where none is described"];
    if (said[0] !== type) return [`the type ${type}, where ${said[0]} is described`];
    return [fits(said[1].schema ?? {}, described, type === "application/json" ? parsed(text) : text)];
  });
  if (mistakes.length === 0) yield `${status} is not described`;
  else if (!mistakes.includes(null)) yield `the body is not as described: ${mistakes[0]}`;
}

/** The body as the server reads it, where nothing about its transport is odd. */
function bodyOf({ body, headers }: Sent): { readonly value: unknown } | null {
  const odd = headers.some(([name]) => /^content-(?:type|encoding)$/i.test(name));
  if (odd) return null;
  const value = body === undefined || body.length === 0 ? {} : parsed(body.toString());
  return value === undefined ? null : { value };
}

/** Description and server must agree on what is good. */
function* ofAgreement(
  [operation, ...others]: readonly Operation[],
  sent: Sent,
  answered: Answered,
  described: Described,
): Generator<string> {
  const schema = operation?.requestBody?.content["application/json"]?.schema;
  const body = bodyOf(sent);
  if (operation === undefined || others.length > 0 || schema === undefined || body === null) return;
  const mistake = fits(schema, described, body.value);
  if (mistake !== null && answered.status < 300) yield `taken, though the description forbids it: ${mistake}`;
  const { code, error = "" } = Object(parsed(answered.text));
  if (mistake !== null || code !== "invalid_field" || answered.text.includes(UNREADABLE)) return;
  // an odd path may hold a query of its own, which the body has no part in
  const asking = [...new URLSearchParams(sent.path.split("?")[1]).keys()];
  if (asking.some((name) => !operation.parameters.some((one) => one.name === name))) return;
  const field = /^[\w.[\]]+(?=: )/.exec(String(error))?.[0].replace(/\[\d+\]/g, "[]") ?? "";
  const elsewhere = operation.parameters.some(({ name }) => name === field);
  if (!elsewhere && !BESIDE_THE_SCHEMA.includes(`${operation.operationId} ${field}`))
    yield `refused, though the description allows it: ${operation.operationId} ${field}`;
}

/** What is wrong with this answer; empty: nothing. */
export function wrongWith(world: World, sent: Sent, answered: Answered): string[] {
  const operations = meant(world, sent);
  const { status, headers, text } = answered;
  const wrong: string[] = [];
  if (headers["x-request-id"] === undefined) wrong.push("no X-Request-Id");
  const everything = `${JSON.stringify(headers)}\n${text}`;
  for (const leak of LEAKS)
    if (typeof leak === "string" ? everything.includes(leak) : leak.test(everything)) wrong.push(`it tells ${leak}`);
  if (sent.plan.method === "HEAD" && text === "") {
    if (status >= 500) wrong.push("an answer of 5xx");
    return wrong;
  }
  if (status >= 400 && status !== 402) wrong.push(...ofError(operations, answered, world.conditions));
  else if (operations.length === 0) wrong.push("answered, though nothing is described there");
  else wrong.push(...ofSuccess(operations, answered, world.described));
  wrong.push(...ofAgreement(operations, sent, answered, world.described));
  return wrong;
}
