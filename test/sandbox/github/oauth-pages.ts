/**
 * `/login/oauth/…` over HTTP: the authorization page and the exchange of codes. The visitor may choose any account of
 * this local GitHub.
 */
import type { ServerResponse } from "node:http";
import * as z from "zod";
import { type Html, html } from "../../../src/text/html.ts";
import type { Api } from "./api.ts";
import { callbackErrors } from "./oauth.ts";
import { page, policy } from "./pages/layout.ts";
import { isForeign } from "./pages/own-site.ts";
import type { PageRequest } from "./pages/serve.ts";
import type { World } from "./world.ts";

const AUTHORIZE = "/login/oauth/authorize";
const TOKEN = "/login/oauth/access_token";

export const isOauthPath = (pathname: string): boolean => pathname === AUTHORIZE || pathname === TOKEN;

export interface Shown {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

export function serveOauth(api: Api, request: PageRequest, response: ServerResponse): void {
  const fault = api.faults.take({ method: request.method, path: request.url.pathname, graphql: undefined });
  if (fault?.drop) {
    response.destroy();
    return;
  }
  const { status, headers, text } =
    fault === undefined ? answer(api.world, request) : shown(fault.status, "Unicorn!", html`<p>No server is free.</p>`);
  response.writeHead(status, headers).end(text);
}

function answer(world: World, request: PageRequest): Shown {
  const { method, url } = request;
  if (url.pathname === TOKEN && method === "POST") return exchange(world, request);
  if (url.pathname === AUTHORIZE && (method === "GET" || method === "POST")) return authorize(world, request);
  return shown(404, "Not found", html`<p>There is nothing here.</p>`);
}

const one = z.string().max(2_000);
const asked = z.object({
  client_id: one,
  redirect_uri: one.optional(),
  state: one.optional(),
  code_challenge: z
    .string()
    .regex(/^[\w-]{43}$/)
    .optional(),
  code_challenge_method: z.literal("S256").optional(),
  /** The account: chosen on the page, or named in the address by a test. */
  login: one.optional(),
  cancel: one.optional(),
});
type Asked = z.infer<typeof asked>;

/** As documented by GitHub: an invalid redirect URI is reported to the registered one. */
function authorize(world: World, request: PageRequest): Shown {
  const given =
    request.method === "GET" ? request.url.searchParams : new URLSearchParams(request.body.toString("utf8"));
  const parsed = asked.safeParse(Object.fromEntries(given));
  if (request.method === "POST" && isForeign(request.headers, world.url))
    return shown(403, "Refused", html`<p>Foreign origin.</p>`);
  if (!parsed.success) return shown(400, "Refused", html`<p>The request for authorization is malformed.</p>`);
  const params = parsed.data;
  const [registered] = world.oauth.callbacks;
  if (params.client_id !== world.oauth.clientId || registered === undefined)
    return shown(404, "Not found", html`<p>There is no such App, or it has no callback URL.</p>`);
  if ((params.code_challenge === undefined) !== (params.code_challenge_method === undefined))
    return shown(400, "Refused", html`<p>code_challenge and code_challenge_method go together.</p>`);
  const redirectUri = params.redirect_uri ?? registered;
  if (!world.oauth.callbacks.includes(redirectUri)) return back(registered, params, callbackErrors.redirect);
  if (params.cancel !== undefined) return back(redirectUri, params, callbackErrors.denied);
  const user = params.login === undefined ? undefined : world.state.user(params.login);
  if (user?.type !== "User") return consent(world, redirectUri, params);
  return back(redirectUri, params, { code: world.oauth.code(user, redirectUri, params.code_challenge) });
}

function back(to: string, { state }: Asked, said: object): Shown {
  const url = new URL(to);
  for (const [name, value] of Object.entries(said)) url.searchParams.set(name, String(value));
  if (state !== undefined) url.searchParams.set("state", state);
  return { status: 302, headers: { location: url.href, "cache-control": "no-store" }, text: "" };
}

function consent(world: World, redirectUri: string, params: Asked): Shown {
  const { login: _, ...rest } = params;
  const people = [...world.state.users.values()].filter((user) => user.type === "User" && user.login !== "web-flow");
  const body = html`<p>${world.appSlug} would like to know who you are. Sign in as:</p>
<form method="post" action="${AUTHORIZE}">
${Object.entries(rest).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
${people.map((user) => html`<p><button name="login" value="${user.login}">${user.login}</button></p>`)}
<p><button name="cancel" value="1">Cancel</button></p></form>`;
  return shown(200, `Authorize ${world.appSlug}`, body, new URL(redirectUri).origin);
}

const exchangeBody = z.object({
  client_id: one.default(""),
  client_secret: one.default(""),
  code: one.default(""),
  redirect_uri: one.optional(),
  code_verifier: one.optional(),
});

/** Errors are answered with status 200, as GitHub does. */
function exchange(world: World, request: PageRequest): Shown {
  const form = Object.fromEntries(new URLSearchParams(request.body.toString("utf8")));
  const read = exchangeBody.safeParse(form);
  const given = read.success ? read.data : exchangeBody.parse({});
  const who = world.oauth.exchange({
    clientId: given.client_id,
    clientSecret: given.client_secret,
    code: given.code,
    redirectUri: given.redirect_uri,
    verifier: given.code_verifier,
  });
  const said: object = "error" in who ? who : world.tokens.createUserToken(who);
  const json = request.headers.accept?.includes("json") ?? false;
  const type = json ? "application/json" : "application/x-www-form-urlencoded";
  const pairs = Object.entries(said).map(([name, value]): [string, string] => [name, String(value)]);
  return {
    status: 200,
    headers: { "content-type": `${type}; charset=utf-8`, "cache-control": "no-store" },
    text: json ? JSON.stringify(said) : new URLSearchParams(pairs).toString(),
  };
}

/** Browsers apply `form-action` to the redirect after a form, so the page lists its target. */
export function shown(status: number, title: string, body: Html, target = ""): Shown {
  return {
    status,
    headers: { "content-type": "text/html; charset=utf-8", "content-security-policy": policy(target) },
    text: page({ title }, html`<h1>${title}</h1>${body}`),
  };
}
