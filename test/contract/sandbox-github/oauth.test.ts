import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { client, field, text, type World, world } from "./kit.ts";

const CALLBACK = "http://127.0.0.1:1/keys/callback";
const VERIFIER = "v".repeat(43);
const CHALLENGE = createHash("sha256").update(VERIFIER).digest("base64url");
const EIGHT_HOURS_MS = 8 * 3_600_000;

let w: World;
let now = Date.now();
beforeAll(async () => {
  w = await world({ now: () => now });
  w.github.setCallbacks([CALLBACK, "http://127.0.0.1:1/other"]);
});
afterAll(() => w.close());

type Query = Readonly<Record<string, string | undefined>>;
const only = (query: Query): Record<string, string> =>
  Object.fromEntries(Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined));

const ask = (query: Query = {}): Query => ({
  client_id: w.github.clientId,
  redirect_uri: CALLBACK,
  state: "the state",
  code_challenge: CHALLENGE,
  code_challenge_method: "S256",
  login: "writer",
  ...query,
});

const authorize = (query?: Query) =>
  fetch(`${w.github.url}/login/oauth/authorize?${new URLSearchParams(only(ask(query)))}`, { redirect: "manual" });

const sentTo = (response: Response): URL => {
  expect(response.status).toBe(302);
  return new URL(response.headers.get("location") ?? "");
};

const codeOf = async (query?: Query) => sentTo(await authorize(query)).searchParams.get("code") ?? "";

const exchange = async (form: Query, headers: Record<string, string> = { accept: "application/json" }) => {
  const given = { client_id: w.github.clientId, client_secret: w.github.clientSecret, redirect_uri: CALLBACK };
  const body = new URLSearchParams(only({ ...given, code_verifier: VERIFIER, ...form }));
  const response = await fetch(`${w.github.url}/login/oauth/access_token`, { method: "POST", headers, body });
  return { status: response.status, text: await response.text() };
};

const errorOf = async (form: Query): Promise<string> => {
  const answer = await exchange(form);
  expect(answer.status).toBe(200);
  return z.object({ error: z.string(), error_description: z.string() }).parse(JSON.parse(answer.text)).error;
};

const tokenOf = async (form: Query): Promise<string> =>
  z.object({ access_token: z.string() }).parse(JSON.parse((await exchange(form)).text)).access_token;

describe("signing in to the App", () => {
  it("comes back to the registered address with code and state, and the code gives a token once", async () => {
    const back = sentTo(await authorize());
    expect(`${back.origin}${back.pathname}`).toBe(CALLBACK);
    expect(back.searchParams.get("state")).toBe("the state");
    const code = back.searchParams.get("code") ?? "";
    const answer = await exchange({ code });
    expect(JSON.parse(answer.text)).toMatchObject({
      access_token: expect.stringMatching(/^ghu_/),
      token_type: "bearer",
      scope: "",
      expires_in: 28_800,
    });
    expect(await errorOf({ code })).toBe("bad_verification_code");
  });

  it("answers in form encoding, unless JSON is asked for", async () => {
    const answer = await exchange({ code: await codeOf() }, {});
    expect(new URLSearchParams(answer.text).get("access_token")).toMatch(/^ghu_/);
  });

  it("shows a page with a button for each person, which does the same", async () => {
    const response = await authorize({ login: undefined });
    const shown = await response.text();
    expect(response.status).toBe(200);
    expect(shown).toContain('<button name="login" value="writer">');
    expect(shown).not.toContain("[bot]");
    const fields = [...shown.matchAll(/name="(\w+)" value="([^"]*)"/g)].filter(([, name]) => name !== "login");
    const form = new URLSearchParams(fields.map(([, name = "", value = ""]): [string, string] => [name, value]));
    const post = async (more: Record<string, string>, headers: Record<string, string> = {}) => {
      const body = new URLSearchParams({ ...Object.fromEntries(form), ...more });
      if (more.cancel === undefined) body.delete("cancel");
      const init = { method: "POST", headers, body, redirect: "manual" } as const;
      return fetch(`${w.github.url}/login/oauth/authorize`, init);
    };
    expect(await tokenOf({ code: sentTo(await post({ login: "writer" })).searchParams.get("code") ?? "" })).toMatch(
      /^ghu_/,
    );
    expect(sentTo(await post({ cancel: "1" })).searchParams.get("error")).toBe("access_denied");
    expect((await post({ login: "writer" }, { origin: "http://elsewhere" })).status).toBe(403);
  });

  it("refuses an unknown client, and sends a wrong address for the answer to the right one as an error", async () => {
    expect((await authorize({ client_id: "Iv23linobody" })).status).toBe(404);
    const wrong = sentTo(await authorize({ redirect_uri: `${CALLBACK}/elsewhere` }));
    expect(`${wrong.origin}${wrong.pathname}`).toBe(CALLBACK);
    expect([wrong.searchParams.get("error"), wrong.searchParams.get("code")]).toEqual(["redirect_uri_mismatch", null]);
    expect((await authorize({ code_challenge_method: "plain" })).status).toBe(400);
    expect((await authorize({ code_challenge_method: undefined })).status).toBe(400);
  });

  it.each<[string, Query, string]>([
    ["a wrong secret", { client_secret: "0".repeat(40) }, "incorrect_client_credentials"],
    ["a foreign client", { client_id: "Iv23linobody" }, "incorrect_client_credentials"],
    ["a code that was never given", { code: "0".repeat(20) }, "bad_verification_code"],
    ["another verifier", { code_verifier: "w".repeat(43) }, "bad_verification_code"],
    ["no verifier", { code_verifier: undefined }, "bad_verification_code"],
    ["another address", { redirect_uri: "http://127.0.0.1:1/other" }, "redirect_uri_mismatch"],
  ])("gives no token for %s, and says so with status 200", async (_, form, error) => {
    expect(await errorOf({ code: await codeOf(), ...form })).toBe(error);
  });

  it("forgets a code after ten minutes", async () => {
    const code = await codeOf();
    now += 600_000;
    expect(await errorOf({ code })).toBe("bad_verification_code");
  });
});

describe("a token of somebody who has signed in", () => {
  it("says who it is and does nothing else here, for eight hours", async () => {
    const call = client(w.github, `Bearer ${await tokenOf({ code: await codeOf() })}`);
    expect(text(await call("GET /user"), "login")).toBe("writer");
    expect((await call("POST /repos/octo/demo/issues", { title: "x" })).status).toBe(403);
    expect((await call("POST /graphql", { query: "{ viewer { login } }" })).status).toBe(401);
    now += EIGHT_HOURS_MS;
    expect((await call("GET /user")).status).toBe(401);
  });

  it("is taken back by the App with its client's secret, and by nobody else", async () => {
    const token = await tokenOf({ code: await codeOf() });
    const path = `DELETE /applications/${w.github.clientId}/token`;
    const basic = (secret: string) => `Basic ${Buffer.from(`${w.github.clientId}:${secret}`).toString("base64")}`;
    const take = (secret: string, path: string) => client(w.github, basic(secret))(path, { access_token: token });
    expect((await take("0".repeat(40), path)).status).toBe(401);
    expect((await client(w.github, `Bearer ${token}`)(path, { access_token: token })).status).toBe(404);
    expect((await take(w.github.clientSecret, path)).status).toBe(204);
    expect((await take(w.github.clientSecret, path)).status).toBe(404);
    const who = await client(w.github, `Bearer ${token}`)("GET /user");
    expect([who.status, field(who, "message")]).toEqual([401, "Bad credentials"]);
  });
});
