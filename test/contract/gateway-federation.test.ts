/**
 * The gateway without a key: it exchanges the run's identity for the provider's token, renews it, handles refusals, and
 * keeps it to itself.
 */
import { PassThrough } from "node:stream";
import { expect, onTestFinished, test, vi } from "vitest";
import { askRunAction } from "../../agent/gateway/identity-tokens.ts";
import { readGateway } from "../../agent/gateway/settings.ts";
import { IDENTITY_TOKEN_WANTED, type IdentityAnswer } from "../../src/contracts/gateway.ts";
import type { FederationRule } from "../sandbox/model/federation.ts";
import { type Model, startModel } from "../sandbox/model/server.ts";
import { ask, errorIn, startProvider, startTested } from "./gateway-harness.ts";
import { AUDIENCE, federation, identityToken, RULE, SUBJECT } from "./identity-issuer.ts";

const VARIABLES = {
  ANTHROPIC_API_KEY: "",
  ANTHROPIC_FEDERATION_RULE_ID: RULE.id,
  ANTHROPIC_ORGANIZATION_ID: RULE.organization,
  ANTHROPIC_SERVICE_ACCOUNT_ID: RULE.serviceAccount,
};

/** Everything goes by this clock: provider, gateway, and the SDK's cache of tokens. */
function stopClock(): { pass(seconds: number): void } {
  vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-11-30T12:00:00Z") });
  onTestFinished(() => void vi.useRealTimers());
  return { pass: (seconds) => void vi.setSystemTime(Date.now() + seconds * 1000) };
}

async function start(rule: Partial<FederationRule> = {}, answers?: (nth: number) => IdentityAnswer) {
  const model: Model = await startModel({ federation: federation(rule) });
  onTestFinished(() => model.close());
  let asked = 0;
  const askIdentity = async (): Promise<IdentityAnswer> => {
    asked += 1;
    return answers?.(asked) ?? { token: identityToken(asked) };
  };
  const gateway = await startTested(model, VARIABLES, undefined, {}, { askIdentity, now: Date.now });
  return { model, gateway, asked: () => asked };
}

test("calls carry a token of the provider's, for which the run's identity was exchanged once", async () => {
  const { model, gateway, asked } = await start();
  for (let call = 0; call < 3; call += 1) expect((await gateway.call(ask())).status).toBe(200);
  expect(asked()).toBe(1);
  const [call] = model.requests();
  expect(call?.headers.authorization).toMatch(/^Bearer sk-ant-oat01-/);
  expect(call?.headers["anthropic-beta"]).toBe("oauth-2025-04-20");
  expect(call?.headers).not.toHaveProperty("x-api-key");
});

test("what the caller asks for in beta features stays beside", async () => {
  const { model, gateway } = await start();
  const named = { "anthropic-beta": "prompt-caching-2024-07-31,oauth-2099-01-01" };
  expect((await gateway.call(ask(), named)).status).toBe(200);
  expect(model.requests()[0]?.headers["anthropic-beta"]).toBe("prompt-caching-2024-07-31,oauth-2025-04-20");
});

test("the token is renewed before its end, each time with another identity token", async () => {
  const clock = stopClock();
  const { model, gateway, asked } = await start();
  // twice as long as the identity token had left
  for (let minute = 0; minute < 60; minute += 1) {
    expect((await gateway.call(ask())).status).toBe(200);
    clock.pass(60);
  }
  expect(model.federation.exchanges.every(({ status }) => status === 200)).toBe(true);
  expect(asked()).toBe(model.federation.exchanges.length);
  expect(asked()).toBeGreaterThan(5);
  expect(asked()).toBeLessThan(10);
});

test("after a long pause the token that is over is not tried", async () => {
  const clock = stopClock();
  const { model, gateway } = await start();
  expect((await gateway.call(ask())).status).toBe(200);
  clock.pass(3_600);
  expect((await gateway.call(ask())).status).toBe(200);
  expect(model.federation.exchanges).toHaveLength(2);
  expect(model.requests()).toHaveLength(2);
});

test("a token that is taken back is replaced, and the call is made once more", async () => {
  const { model, gateway } = await start();
  expect((await gateway.call(ask())).status).toBe(200);
  model.federation.revoke();
  expect((await gateway.call(ask())).status).toBe(200);
  expect(model.federation.exchanges).toHaveLength(2);
  expect((await gateway.spent()).calls).toBe(2);
});

test.each([
  ["another repository", { subject: "repo:acme/other:*" }],
  ["another organization", { organization: "org-2" }],
  ["another service account", { serviceAccount: "svac_2" }],
  ["another audience", { audience: "https://other.example.org" }],
])("a rule of %s refuses the run, and the answer says what to compare", async (_, rule) => {
  const { model, gateway } = await start(rule);
  const answer = await gateway.call(ask());
  expect(answer.status).toBe(401);
  expect(await errorIn(answer)).toMatchObject({
    type: "authentication_error",
    no_access: "key_refused",
    message:
      "The provider refused this run's identity (401, invalid_grant: The assertion is not accepted). Check in its " +
      "console that the federation rule fdrl_1 belongs to the organization org-1, leads to the service account svac_1, " +
      `and matches a token with the subject \`${SUBJECT}\` and the audience \`${AUDIENCE}\`.`,
  });
  expect(model.requests()).toEqual([]);
});

test("an identity token that is over is refused", async () => {
  const over = identityToken(1, { exp: Math.floor(Date.now() / 1000) - 1 });
  const { gateway } = await start({}, () => ({ token: over }));
  expect((await gateway.call(ask())).status).toBe(401);
});

test("an identity token that was used before is refused, so none is sent twice", async () => {
  const once = identityToken(1);
  const { model, gateway } = await start({}, () => ({ token: once }));
  expect((await gateway.call(ask())).status).toBe(200);
  model.federation.revoke();
  expect((await gateway.call(ask())).status).toBe(502);
  expect((await gateway.call(ask())).status).toBe(401);
});

test("whoever calls on after a refusal starts no exchange for ten seconds", async () => {
  const clock = stopClock();
  const { model, gateway } = await start({ subject: "repo:acme/other:*" });
  for (let call = 0; call < 20; call += 1) expect((await gateway.call(ask())).status).toBe(401);
  expect(model.federation.exchanges).toHaveLength(1);
  clock.pass(11);
  await gateway.call(ask());
  expect(model.federation.exchanges).toHaveLength(2);
});

test("GitHub's refusal is told, and one that may pass is left for another attempt", async () => {
  const reason = "https://github.example.org answers 500";
  const { gateway } = await start({}, (nth) =>
    nth < 3 ? { reason, again: nth === 1 } : { token: identityToken(nth) },
  );
  const first = await gateway.call(ask());
  expect([first.status, (await errorIn(first)).message]).toEqual([
    502,
    `GitHub gave no identity token for this run: ${reason}.`,
  ]);
  const second = await gateway.call(ask());
  expect([second.status, (await errorIn(second)).no_access]).toEqual([401, "key_refused"]);
});

test("a provider that is away or answers nonsense is one for another attempt, and its answer is bounded", async () => {
  const bodies = ["<html>", "x".repeat(100_000), JSON.stringify({ access_token: "t" })];
  const provider = await startProvider((_, response) => void response.writeHead(200).end(bodies.shift()));
  const askIdentity = async () => ({ token: identityToken(1) });
  const gateway = await startTested(provider, VARIABLES, undefined, {}, { askIdentity });
  for (let call = 0; call < 3; call += 1) {
    const answer = await gateway.call(ask());
    expect(answer.status).toBe(502);
    const { message } = await errorIn(answer);
    expect(message).toMatch(/^The provider did not exchange this run's identity: /);
    expect(message.length).toBeLessThan(500);
  }
});

test("neither token is in an answer, whatever the provider quotes", async () => {
  const token = "sk-ant-oat01-access-token-0123456789";
  const identity = identityToken(1);
  const provider = await startProvider((asked, response) => {
    if (asked.url !== "/v1/oauth/token") return void response.writeHead(400).end(JSON.stringify(asked));
    const answer = { access_token: token, expires_in: 600 };
    response.writeHead(200).end(JSON.stringify(answer));
  });
  const gateway = await startTested(
    provider,
    VARIABLES,
    undefined,
    {},
    { askIdentity: async () => ({ token: identity }) },
  );
  const said = await (await gateway.call(ask())).text();
  expect(said).toContain("Bearer [secret]");
  expect(said).not.toContain(token);

  const quoting = await startProvider((asked, response) => {
    response.writeHead(401).end(JSON.stringify({ error: "invalid_grant", error_description: asked.body }));
  });
  const other = await startTested(
    quoting,
    VARIABLES,
    undefined,
    {},
    { askIdentity: async () => ({ token: identity }) },
  );
  const refused = await (await other.call(ask())).text();
  expect(refused).toContain("invalid_grant");
  expect(refused).not.toContain(identity.slice(0, 100));
});

test("the settings name the id that is missing, a key counts before them, and no token goes over plain HTTP", () => {
  const read = (more: Record<string, string>) => {
    const base = { LLM_MODEL: "claude-sonnet-5-5", LLM_MAX_COST_CENTS: "100" };
    const settings = readGateway({ ...base, ...VARIABLES, ...more });
    return settings.ok ? (settings.settings.provider.federation ?? null) : settings.reason;
  };
  expect(read({})).toMatchObject({ ruleId: "fdrl_1", workspaceId: null });
  expect(read({ ANTHROPIC_WORKSPACE_ID: "wrkspc_1" })).toMatchObject({ workspaceId: "wrkspc_1" });
  expect(read({ ANTHROPIC_API_KEY: "a-key-of-the-provider" })).toBeNull();
  expect(read({ ANTHROPIC_ORGANIZATION_ID: "" })).toBe("ANTHROPIC_ORGANIZATION_ID is not set");
  expect(read({ ANTHROPIC_SERVICE_ACCOUNT_ID: "" })).toBe("ANTHROPIC_SERVICE_ACCOUNT_ID is not set");
  expect(read({ ANTHROPIC_BASE_URL: "http://model.example.org" })).toBe("ANTHROPIC_BASE_URL must begin with https://");
});

test("the run action is asked by a line, each answer serves one who waits, and its end serves all", async () => {
  const input = new PassThrough();
  const printed: string[] = [];
  const askIdentity = askRunAction(input, (line) => printed.push(line));
  const both = [askIdentity(), askIdentity()];
  input.write(`${JSON.stringify({ token: "one" })}\nnonsense\n`);
  expect(await Promise.all(both)).toEqual([
    { token: "one" },
    { reason: "the run action's answer cannot be read", again: false },
  ]);
  expect(printed).toEqual([IDENTITY_TOKEN_WANTED, IDENTITY_TOKEN_WANTED]);
  const last = askIdentity();
  input.end();
  const gone = { reason: "the run action answers no more", again: false };
  expect([await last, await askIdentity()]).toEqual([gone, gone]);
});

test("a question that stays without an answer takes nothing from the next one", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const input = new PassThrough();
  const askIdentity = askRunAction(input, () => {});
  const first = askIdentity();
  await vi.advanceTimersByTimeAsync(45_000);
  expect(await first).toEqual({ reason: "the run action did not answer in time", again: true });
  const second = askIdentity();
  input.write(`${JSON.stringify({ token: "two" })}\n`);
  expect(await second).toEqual({ token: "two" });
});
