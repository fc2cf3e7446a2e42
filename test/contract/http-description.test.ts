/**
 * Compares the API's description with the server: nothing is missing or invented, and every example is sent and
 * answered as it says. A failing route is reported in a sentence.
 */
import express from "express";
import { Probot } from "probot";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import packageFile from "../../package.json" with { type: "json" };
import { Secret } from "../../src/contracts/secret.ts";
import { asJobId } from "../../src/domain/job/job.ts";
import type { PaymentProvider } from "../../src/engine/ports/payments.ts";
import type { PushTokens, RunTokens } from "../../src/engine/ports/runs.ts";
import { ERROR_CODES } from "../../src/http/routing/error-codes.ts";
import {
  asked,
  type Described,
  type Operation,
  operationsOf,
  promised,
  readDescription,
  shapeOf,
} from "./description.ts";
import { claimsOf, startRun } from "./http-runs-harness.ts";
import { type Asked, CRON_SECRET, startServer, type TestServer } from "./http-server.ts";
import { type Receiver, startReceiver } from "./receiver.ts";
import { issueSecret, observeTriggers } from "./trigger-harness.ts";

/**
 * The examples in an order in which each of them can be answered: what one makes is there for the next. Put the
 * operation of a new route where it is possible.
 */
const ORDER: readonly string[] = [
  ...["getHealth", "getReady", "ping", "getDescription", "getMetrics"],
  ...["listKeys", "createKey", "rotateKey", "getOwnKey", "rotateOwnKey"],
  ...["createWebhook", "listWebhooks", "getWebhook", "changeWebhook", "testWebhook"],
  ...["listDeliveries", "getDelivery", "replayDelivery"],
  ...["rotateWebhookSecret", "getDefaultSecret", "rotateDefaultSecret", "deleteWebhook"],
  ...["getRepositoryHealth", "listTriggers", "issueTriggerSecret", "callTrigger"],
  ...["createJob", "getJobStatus", "reportLines", "handInResult"],
  ...["creditAccount", "topUp", "receiveStripeEvent", "listAgents", "putAgent"],
  ...[
    "payJob",
    "getBalance",
    "runJob",
    "listJobs",
    "getJob",
    "cancelJob",
    "pullJob",
    "acceptJob",
    "rejectJob",
    "submitJob",
    "failJob",
  ],
  ...["approveJob", "runChecks", "rejectWork", "getAttachment", "followJobLogs", "enforceDeadlines"],
  ...["createAgentJob", "getAgentJob", "listAgentJobs", "messageAgentJob", "cancelAgentJob", "archiveAgentJob"],
  ...["revokeKey", "revokeOwnKey", "listAuditEntries", "getUsage"],
  ...["setAccountBudget", "getAccountBudget", "listAccountBudgets", "removeAccountBudget"],
];

/** Routes of the market that want a key with `work`. */
const WORKERS = ["pullJob", "acceptJob", "rejectJob", "submitJob", "failJob", "listAgents", "putAgent"];

/** How callers are known that have no key. */
const SIGNED: Readonly<Record<string, Record<string, string>>> = {
  enforceDeadlines: { authorization: `Bearer ${CRON_SECRET}` },
  receiveStripeEvent: { "stripe-signature": "t=1,v1=good" },
  reportLines: { authorization: "Bearer of-the-run" },
  handInResult: { authorization: "Bearer of-the-run" },
};

/** Takes every signature, and receives nothing. */
const paymentProvider: PaymentProvider = {
  checkout: async () => ({ id: "cs_1", url: "https://checkout.example.com/cs_1" }),
  readEvent: async () => ({ event: "evt_1", movements: [] }),
};

/** The job whose run speaks. */
let running = "";
/** Whoever comes with a token is its run. */
const run_tokens: RunTokens = {
  verify: async () => ({ kind: "claims", claims: claimsOf(running) }),
};
const push_tokens: PushTokens = {
  create: async () => ({ token: new Secret("ghs_…"), expires_at: "2030-01-31T13:00:00Z" }),
};

/** Too long to be shown in itself. */
const WITHOUT_EXAMPLE: readonly string[] = ["getDescription"];

/** With the secret of this server's trigger. */
let signed = SIGNED;
let server: TestServer;
let described: Described;
let operations: Operation[];
/** Hears the examples that lead to it, and answers nothing: what is sent stays on its way. */
let receiver: Receiver;
/** Of a key that was created, for what API_KEY is too much for. */
let own: string;
beforeAll(async () => {
  server = await startServer({ default_repository: "octocat/hello-world", paymentProvider, run_tokens, push_tokens });
  receiver = await startReceiver();
  receiver.answer = () => {};
  const newKey = await server.ask("POST", "/api/keys", {
    body: { account: "somebody", repository: "*", scopes: ["read", "write"] },
  });
  own = String(Object(newKey.body).key);
  await observeTriggers(server);
  const authorization = `Bearer ${await issueSecret(server, "error-report")}`;
  signed = { ...SIGNED, callTrigger: { authorization, "content-type": "application/json" } };
  described = readDescription((await server.ask("GET", "/api/openapi.json", { key: null })).body);
  operations = operationsOf(described);
});
afterAll(async () => {
  await receiver.close();
  await server.close();
});

const named = ({ method, path }: Operation): string => `${method} ${path}`;
const isOfOneself = ({ path }: Operation): boolean => path.startsWith("/api/keys/self");
const wantsKey = ({ security }: Operation): boolean => security.length > 0;

interface Layer {
  readonly name: string;
  readonly handle: object;
  readonly route?: { readonly path: string; readonly stack: readonly { readonly method?: string }[] };
}

/** What Express has on the router of the app, in its order. */
async function layers(): Promise<Layer[]> {
  const router = express.Router();
  await new Probot(server.probot).load(server.app, { getRouter: () => router });
  return router.stack as unknown as Layer[];
}

describe("the description", () => {
  it("has every route of the router and no other; what is not described is a page", async () => {
    const routes = (await layers()).flatMap(({ route }) =>
      route === undefined
        ? []
        : // what is for every method refuses those that the path does not take
          [
            ...new Set(
              route.stack.flatMap(({ method }) =>
                method ? [`${method.toUpperCase()} ${route.path.replace("{/:projectName}", "")}`] : [],
              ),
            ),
          ],
    );
    const page = /^(?:GET|POST) \/(?:docs(?:\/.*)?|(?:keys|setup)(?:\/callback)?|installed)?$/;
    const pages = routes.filter((route) => page.test(route));
    expect(pages).toHaveLength(13);
    const written = operations.map((one) => named(one).replace(/\{(\w+)\}/g, ":$1"));
    expect(written.toSorted()).toEqual(routes.filter((route) => !pages.includes(route)).toSorted());
  });

  it("cannot be got round: behind the routes stands nothing but the answers to errors", async () => {
    const all = await layers();
    const behind = all.slice(all.findLastIndex(({ route }) => route !== undefined) + 1);
    expect(all.filter(({ route }) => route === undefined)).toEqual(behind);
    expect(behind.filter(({ handle }) => "stack" in handle)).toEqual([]);
  });

  it("is OpenAPI 3.1 of this version, wherever it is read", () => {
    expect(described).toMatchObject({
      openapi: "3.1.1",
      info: { version: packageFile.version },
      servers: [{ url: "/" }],
    });
  });

  it("has a name of its own for every operation", () => {
    const ids = operations.map(({ operationId }) => operationId);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  });

  it("says once what several calls answer alike, so that it stays short", async () => {
    const { body } = await server.ask("GET", "/api/openapi.json", { key: null });
    const calls = Object.values(Object(body).paths).flatMap((path) => Object.values(Object(path)));
    const errors = calls.flatMap((call) =>
      Object.entries(Object(call).responses).flatMap(([status, said]) =>
        Number(status) < 400 || "$ref" in Object(said) ? [] : JSON.stringify([status, said]),
      ),
    );
    expect(errors.filter((one, index) => errors.indexOf(one) !== index)).toEqual([]);
    expect(JSON.stringify(body).length).toBeLessThan(250_000);
  });

  it("costs nothing when it has not changed", async () => {
    const first = await server.ask("GET", "/api/openapi.json", { key: null });
    const tag = first.headers.get("etag") ?? "";
    const again = await server.ask("GET", "/api/openapi.json", { key: null, headers: { "if-none-match": tag } });
    expect([again.status, again.body]).toEqual([304, ""]);
  });
});

/** What a route lacks, a sentence each. */
function lacksOf(operation: Operation): string[] {
  const { operationId, parameters, requestBody, responses } = operation;
  const lacks: string[] = [];
  for (const { name, required, example } of parameters) {
    if (required && example === undefined) lacks.push(`example has no value for the parameter ${name}`);
  }
  const body = requestBody?.content["application/json"];
  if (requestBody !== undefined && body?.example === undefined) lacks.push("example has no body");
  for (const [status, { description, content = {} }] of Object.entries(responses)) {
    const [shown] = Object.values(content);
    const isError = shown?.schema?.$ref === "#/components/schemas/ApiError";
    if (isError && !description.includes("\n- `")) {
      lacks.push(`the answer ${status} names no codes`);
    }
    if (Number(status) < 300 && shown !== undefined && shown.example === undefined) {
      if (!WITHOUT_EXAMPLE.includes(operationId)) lacks.push(`the answer ${status} has no example`);
    }
  }
  if (!ORDER.includes(operationId)) lacks.push(`${operationId} has no place in ORDER of this test`);
  return lacks.map((lack) => `${named(operation)}: ${lack}`);
}

/** What is said by example, each beside the schema that it must be true to. */
const examplesOf = ({ parameters, requestBody, responses }: Operation): (readonly [object, unknown])[] =>
  [
    ...parameters.map(({ schema, example }) => [schema, example] as const),
    ...[requestBody, ...Object.values(responses)].flatMap((one) =>
      Object.values(one?.content ?? {}).map(({ schema = {}, example }) => [schema, example] as const),
    ),
  ].filter(([, example]) => example !== undefined);

describe("every route", () => {
  it("says all that a reader needs", () => {
    expect(operations.flatMap(lacksOf)).toEqual([]);
  });

  it("has examples that are true to their schemas", () => {
    const wrong = operations.flatMap((operation) =>
      examplesOf(operation).flatMap(([schema, example]) => {
        const parsed = asked({ ...schema }, described).safeParse(example);
        return parsed.success ? [] : [`${named(operation)}: ${JSON.stringify(example)}: ${parsed.error.message}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it("has no repository in the example of what a key of the sign-in page sends, which is bound to its own", () => {
    const naming = operations.filter(({ requestBody }) =>
      Object.values(requestBody?.content ?? {}).some(({ example }) => "repository" in Object(example)),
    );
    expect(naming.map(({ operationId }) => operationId)).toEqual(["createKey"]);
  });

  it("names no code that is none, and every code is named by some route", () => {
    const codes = operations.flatMap(({ responses }) =>
      Object.values(responses).flatMap(({ description }) =>
        [...description.matchAll(/^- `(\w+)`/gm)].map(([, code]) => code),
      ),
    );
    expect(codes.filter((code) => code === undefined || !(code in ERROR_CODES))).toEqual([]);
    // no operation answers it: it is for those that are none
    const described = [...codes, "method_not_allowed"];
    expect(Object.keys(ERROR_CODES).filter((code) => !described.includes(code))).toEqual([]);
  });
});

/** Ids of the examples, and what stands for them on this server. */
type Learned = Map<unknown, string>;

function learn(learned: Learned, example: unknown, answer: unknown, name = ""): void {
  if (typeof example === "object" && example !== null && typeof answer === "object" && answer !== null) {
    for (const [key, value] of Object.entries(example))
      learn(learned, value, Object.entries(answer).find(([one]) => one === key)?.[1], key);
  } else if (/(?:^i|_i|I)d$/.test(name) && typeof answer === "string") {
    learned.set(example, answer);
  }
}

interface Request {
  readonly path: string;
  readonly body: unknown;
}

function requestOf({ path, parameters, requestBody }: Operation, learned: Learned): Request {
  const standIn = (example: unknown): string => learned.get(example) ?? String(example);
  const query = new URLSearchParams();
  let filled = path;
  for (const { in: place, name, example } of parameters) {
    if (example === undefined) continue;
    if (place === "path") filled = filled.replace(`{${name}}`, encodeURIComponent(standIn(example)));
    if (place === "query") query.set(name, standIn(example));
  }
  const text = JSON.stringify(requestBody?.content["application/json"]?.example);
  const body: unknown = text && JSON.parse(text.replaceAll("https://example.com/journeyman", receiver.url));
  return { path: query.size === 0 ? filled : `${filled}?${query}`, body };
}

async function send(operation: Operation, learned: Learned): Promise<Asked> {
  const { path, body } = requestOf(operation, learned);
  return server.ask(operation.method, path, {
    ...(wantsKey(operation) ? {} : { key: null }),
    ...(isOfOneself(operation) ? { key: own } : {}),
    headers: signed[operation.operationId] ?? {},
    ...(body === undefined ? {} : { body }),
  });
}

const REPORT = { name: "report.pdf", type: "application/pdf", content: "JVBERg==" };
const ORDER_OF = { prompt: "Research the history of Unix", time_limit_seconds: 3_600, confirmed: true };

/** What effects report once words alone were handed in, and no judge is there. */
async function lookedAt(id: string): Promise<void> {
  const job = asJobId(id);
  if (job === null) throw new Error(`no job was handed in: ${id}`);
  await server.engine.handle(job, { type: "nothing-to-open", round: 1 });
  await server.engine.handle(job, { type: "judged", round: 1, attempt: 1, sha: null, verdict: "none", reasons: [] });
}

/** A job of the market in the state that an example wants; answers its id. */
async function jobIn(state: string): Promise<string> {
  const post = async (path: string, body: object = {}): Promise<string> =>
    String(Object((await server.ask("POST", path, { body })).body).id);
  if (state === "running") {
    running = await startRun(server);
    return running;
  }
  if (state === "unpaid") {
    const id = await post("/api/jobs/run", { ...ORDER_OF, price_cents: 100_000 });
    await post("/api/wallet/credit", { account: "admin", amount_cents: 1_000_000 });
    return id;
  }
  const attachments = state === "enclosed" ? [REPORT] : [];
  const ordered = await post("/api/jobs/run", { ...ORDER_OF, price_cents: 500, attachments });
  if (state === "queued" || state === "enclosed") return ordered;
  const id = await post("/api/jobs/pull");
  if (state === "files") {
    await post(`/api/jobs/${id}/accept`);
    return post(`/api/jobs/${id}/submit`, { files: [{ path: "a.txt", content: "a" }] });
  }
  const steps = ["held", "accept", "submit", "approve"];
  for (const step of steps.slice(1, steps.indexOf(state) + 1)) {
    await post(`/api/jobs/${id}/${step}`, step === "submit" ? { output_text: "Done." } : {});
    if (step === "submit") await lookedAt(id);
  }
  return id;
}

/** What must be so before an example can be answered as it says. */
const STATES: Readonly<Record<string, string>> = {
  ...{ payJob: "unpaid", cancelJob: "queued", pullJob: "queued", acceptJob: "held", rejectJob: "held" },
  ...{ submitJob: "accept", failJob: "accept", approveJob: "submit", rejectWork: "submit", runChecks: "files" },
  ...{ reportLines: "running", handInResult: "running" },
  ...{ getAttachment: "enclosed", followJobLogs: "approve" },
};

describe("every example", () => {
  it("is answered as it says, when it is sent", async () => {
    const learned: Learned = new Map();
    const known = operations.filter(({ operationId }) => ORDER.includes(operationId));
    for (const operation of known.toSorted((a, b) => ORDER.indexOf(a.operationId) - ORDER.indexOf(b.operationId))) {
      const state = STATES[operation.operationId];
      if (state !== undefined) learned.set("ab12cd34", await jobIn(state));
      const answer = await send(operation, learned);
      const { status, answer: promise } = promised(operation, answer.status);
      expect([named(operation), answer.status, answer.body]).toEqual([named(operation), status, answer.body]);
      expect(answer.headers.get("x-request-id"), named(operation)).toBeTruthy();
      const [said] = Object.entries(promise.content ?? {});
      expect(answer.headers.get("content-type")?.split(";")[0], named(operation)).toBe(said?.[0]);
      if (said === undefined) continue;
      const [type, { schema = {}, example }] = said;
      const parsed = asked(schema, described).safeParse(answer.body);
      expect(parsed.error?.message, named(operation)).toBeUndefined();
      if (type === "application/json" && example !== undefined) {
        expect(shapeOf(answer.body), named(operation)).toEqual(shapeOf(example));
        learn(learned, example, answer.body);
      }
    }
  });
});

describe("what every route answers besides", () => {
  const codeOf = ({ status, body }: Asked): string => `${status} ${Object(body).code}`;

  /** Sends the example of each of these as it is changed; answers what was not answered as it should, or not described. */
  async function strange(some: Operation[], change: object, expected: string): Promise<string[]> {
    const strange: string[] = [];
    for (const operation of some) {
      const { path, body } = requestOf(operation, new Map());
      const answer = codeOf(await server.ask(operation.method, path, { body, ...change }));
      const [status = "", code] = expected.split(" ");
      const told = operation.responses[status]?.description.includes(`- \`${code}\``) ?? false;
      if (answer !== expected || !told) strange.push(`${named(operation)}: ${answer}${told ? "" : ", not described"}`);
    }
    return strange;
  }

  it("is 401 without a key, on each that wants one", async () => {
    expect(await strange(operations.filter(wantsKey), { key: null }, "401 unauthorized")).toEqual([]);
  });

  it("is 403 to a key that lacks the scope", async () => {
    const newKey = await server.ask("POST", "/api/keys", {
      body: { account: "nobody", repository: "*", scopes: ["work"] },
    });
    const key = String(Object(newKey.body).key);
    const scoped = operations.filter((one) => wantsKey(one) && !isOfOneself(one));
    const isWork = ({ operationId }: Operation) => WORKERS.includes(operationId);
    const [workers, others] = [scoped.filter(isWork), scoped.filter((one) => !isWork(one))];
    expect(await strange(others, { key }, "403 missing_scope")).toEqual([]);
    const reads = await server.ask("POST", "/api/keys", {
      body: { account: "nobody", repository: "*", scopes: ["read"] },
    });
    const reading = { key: String(Object(reads.body).key) };
    expect(await strange(workers, reading, "403 missing_scope")).toEqual([]);
  });

  it("is 400 to a body that is no JSON, on each that takes one", async () => {
    const some = operations.filter(({ requestBody }) => requestBody !== undefined);
    expect(some.length).toBeGreaterThan(3);
    const isOfRun = ({ path }: Operation): boolean => path.startsWith("/api/runs/");
    expect(
      await strange(
        some.filter((one) => !isOfRun(one) && one.operationId !== "callTrigger"),
        { body: "{" },
        "400 invalid_json",
      ),
    ).toEqual([]);
    // who speaks for a job is asked before a word is read
    running = await startRun(server, "ab12cd34");
    const headers = { authorization: "Bearer of-the-run" };
    expect(await strange(some.filter(isOfRun), { body: "{", key: null, headers }, "400 invalid_json")).toEqual([]);
  });

  it("is what is left of the limit, on each write that is counted", async () => {
    const counted = operations.filter((one) => wantsKey(one) && one.method !== "GET");
    for (const operation of counted) {
      const { path } = requestOf(operation, new Map());
      const { headers } = await server.ask(operation.method, path, { body: "{" });
      expect(headers.get("ratelimit"), named(operation)).toMatch(/r=\d+; t=\d+/);
      expect(Object.keys(operation.responses["429"]?.headers ?? {}), named(operation)).toEqual(
        expect.arrayContaining(["RateLimit", "RateLimit-Policy", "Retry-After"]),
      );
    }
  });
});
