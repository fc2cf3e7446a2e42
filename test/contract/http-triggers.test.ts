import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { asJobId, type Job } from "../../src/domain/job/job.ts";
import { type HandClock, handClock } from "../flows/clock.ts";
import { type Asked, type AskOptions, startServer, type TestServer } from "./http-server.ts";
import { addressOf, ERROR_REPORT, issueSecret, observeTriggers, REPOSITORY } from "./trigger-harness.ts";

const HOUR_MS = 3_600_000;

let server: TestServer;
let clock: HandClock;
let secret: string;
beforeEach(async () => {
  clock = handClock();
  const started = await startServer({ clock });
  server = started;
  onTestFinished(() => started.close());
  await observeTriggers(server);
  secret = await issueSecret(server, "error-report");
});

const JSON_BODY = JSON.stringify({ service: "shop" });
const bearer = (more: object = {}) => ({
  authorization: `Bearer ${secret}`,
  "content-type": "application/json",
  ...more,
});
const call = (options: AskOptions = {}, address = addressOf("error-report")): Promise<Asked> =>
  server.ask("POST", address, { key: null, headers: bearer(), body: JSON_BODY, ...options });

const standard = (id: string, at = new Date(clock.now()), with_secret = secret) => ({
  ...{ "webhook-id": id, "webhook-timestamp": String(Math.floor(at.getTime() / 1_000)) },
  "webhook-signature": new Webhook(with_secret).sign(id, at, JSON_BODY),
  "content-type": "application/json",
});
const gitHubs = (id: string, body = JSON_BODY) => ({
  "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
  ...{ "x-github-delivery": id, "x-github-event": "push", "content-type": "application/json" },
});

async function jobOf(answer: Asked): Promise<Job> {
  expect([answer.status, answer.body]).toEqual([202, answer.body]);
  const id = asJobId(String(Object(answer.body).job_id));
  const stored = id === null ? null : await server.store.jobs.load(id);
  if (stored === null) throw new Error("there is no such job");
  return stored.job;
}

const jobs = async () => (await server.store.jobs.list({ limit: 100 })).jobs;
const told = ({ status, body }: Asked) => `${status} ${Object(body).code}`;

describe("a call of a trigger", () => {
  it("starts its job, with what was sent beside the task and not in it", async () => {
    const job = await jobOf(await call());
    expect(job).toMatchObject({
      ...{ account: "repository@1", requester: null, repository: { owner: "octocat", name: "hello-world", id: 1 } },
      origin: { kind: "trigger", name: "error-report" },
      title: "Find out why {{body.service}} fails, and fix it.",
      task: "Find out why {{body.service}} fails, and fix it.",
      trigger_values: [{ name: "body.service", text: "shop" }],
    });
  });

  it.each([
    ["a bearer", () => bearer()],
    ["a signature of Standard Webhooks", () => standard("msg_1")],
    ["GitHub's signature", () => gitHubs("72d3162e-cc78-11e3-81ab-4c9367dc0958")],
  ])("is known by %s", async (_, headers) => {
    await jobOf(await call({ headers: headers() }));
  });

  it("reaches it by the path of create-job's documentation, and in any case of letters", async () => {
    const one = await jobOf(await call({ headers: bearer({ "webhook-id": "1" }) }, addressOf("errors")));
    expect(one.origin).toMatchObject({ name: "error-report" });
    await jobOf(
      await call({ headers: bearer({ "webhook-id": "2" }) }, addressOf("Error-Report", "OctoCat/Hello-World")),
    );
  });

  it("is answered alike whatever is not known, so that nobody learns what there is", async () => {
    await observeTriggers(server, [ERROR_REPORT, { name: "silent", actions: [{ job: "Look." }] }]);
    const wrong = bearer({ authorization: "Bearer whsec_d3Jvbmc=" });
    const answers = await Promise.all([
      call({ headers: wrong }),
      call({}, addressOf("no-such-trigger")),
      call({}, addressOf("silent")),
      call({}, addressOf("error-report", "octocat/elsewhere")),
      call({ headers: standard("msg_1", new Date(clock.now()), "whsec_d3Jvbmctd3Jvbmctd3Jvbmc=") }),
      call({ headers: {} }),
    ]);
    const bodies = new Set(answers.map(({ status, body }) => JSON.stringify([status, body])));
    expect([...bodies]).toHaveLength(1);
    expect(told(answers[0] as Asked)).toBe("401 unauthorized");
    expect(await jobs()).toEqual([]);
  });

  it("is not taken with a signature of long ago or of the future, or over another body", async () => {
    for (const minutes of [-6, 6])
      expect(told(await call({ headers: standard("msg_1", new Date(clock.now() + minutes * 60_000)) }))).toBe(
        "401 unauthorized",
      );
    await jobOf(await call({ headers: standard("msg_2", new Date(clock.now() - 4 * 60_000)) }));
    expect(told(await call({ headers: standard("msg_3"), body: `${JSON_BODY} ` }))).toBe("401 unauthorized");
    expect(told(await call({ headers: gitHubs("1"), body: `${JSON_BODY} ` }))).toBe("401 unauthorized");
  });

  it("is slowed down when it guesses, and keeps out nobody who knows the secret", async () => {
    await jobOf(await call());
    const wrong = { headers: bearer({ authorization: "Bearer guess" }) };
    for (let guess = 0; guess < 20; guess += 1) expect(told(await call(wrong))).toBe("401 unauthorized");
    const refused = await call(wrong);
    expect(told(refused)).toBe("429 too_many_guesses");
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(told(await call({ headers: gitHubs("1", "another") }))).toBe("429 too_many_guesses");
    await jobOf(await call());
    await jobOf(await call({ headers: gitHubs("2") }));
  });

  it("starts nothing while the trigger is off, and says so to whoever knows its secret", async () => {
    await observeTriggers(server, [{ ...ERROR_REPORT, enabled: false }]);
    expect(told(await call())).toBe("409 trigger_disabled");
    await observeTriggers(server, []);
    expect(told(await call())).toBe("401 unauthorized");
    // a reverted commit brings it back, with its secret
    await observeTriggers(server);
    await jobOf(await call());
  });

  it("answers GitHub's ping, which says that a webhook was added, without a job", async () => {
    const answer = await call({ headers: { ...gitHubs("1"), "x-github-event": "ping" } });
    const message = "The secret is right. GitHub's ping starts nothing.";
    expect([answer.status, answer.body]).toEqual([202, { job_id: null, job_ids: [], event_ids: [], message }]);
  });

  it("starts its job or nothing where the trigger is removed meanwhile, and nothing after that", async () => {
    const [answer] = await Promise.all([call(), observeTriggers(server, [])]);
    expect(["202 undefined", "401 unauthorized"]).toContain(told(answer));
    expect(await jobs()).toHaveLength(answer.status === 202 ? 1 : 0);
    const before = (await jobs()).length;
    expect(told(await call({ headers: bearer({ "webhook-id": "later" }) }))).toBe("401 unauthorized");
    expect(await jobs()).toHaveLength(before);
  });

  it("makes a job for each action that asks for one", async () => {
    await observeTriggers(server, [
      { ...ERROR_REPORT, actions: [{ job: "One." }, { job: "Two.", llm_model: "claude-opus-5" }] },
    ]);
    const answer = await call();
    const made = await jobs();
    expect(made.map(({ task }) => task).toSorted()).toEqual(["One.", "Two."]);
    expect(Object(answer.body).job_ids).toHaveLength(2);
  });

  it("is written down, without what it brought", async () => {
    await jobOf(await call());
    const listed = async () => (await server.store.audit.list({ limit: 10 })).entries;
    const told = async () => (await listed()).map(({ action, target, outcome }) => [action, target?.id, outcome]);
    await expect.poll(told).toEqual([
      ["trigger-called", "error-report", "done"],
      ["trigger-secret-issued", "error-report", "done"],
    ]);
    const entries = await listed();
    const kept = JSON.stringify([entries, server.logged]);
    expect(kept).not.toContain(secret);
    expect(kept).not.toContain("shop");
  });
});

describe("a delivery that comes again", () => {
  it("finds the job of the first, however it is named", async () => {
    for (const headers of [standard("msg_7"), gitHubs("delivery-7"), bearer({ "idempotency-key": "seven" })]) {
      const first = await call({ headers });
      expect((await call({ headers })).body).toEqual(first.body);
    }
    expect(await jobs()).toHaveLength(3);
  });

  it("without a name is the same call within a minute", async () => {
    const [a, b] = await Promise.all([call(), call()]);
    expect(a.body).toEqual(b.body);
    clock.pass(2 * 60_000);
    expect((await call()).body).not.toEqual(a.body);
    expect(await jobs()).toHaveLength(2);
  });

  it("finds it after its trigger has another task, too", async () => {
    const headers = bearer({ "webhook-id": "7" });
    const first = await call({ headers });
    await observeTriggers(server, [{ ...ERROR_REPORT, actions: [{ job: "Something else." }] }]);
    expect((await call({ headers })).body).toEqual(first.body);
  });
});

describe("a trigger that never stops", () => {
  it("starts as many jobs in an hour as it may, and goes on after it; the doctor's record says so once", async () => {
    await observeTriggers(server, [{ ...ERROR_REPORT, jobs_per_hour: 2 }]);
    const nth = (n: number) => call({ headers: bearer({ "webhook-id": String(n) }) });
    await jobOf(await nth(1));
    clock.pass(60_000);
    await jobOf(await nth(2));
    const refused = await nth(3);
    expect(told(refused)).toBe("429 rate_limited");
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(3_000);
    expect(Number(refused.headers.get("retry-after"))).toBeLessThanOrEqual(3_540);
    const before = await server.store.repositories.load(REPOSITORY.id);
    expect(before?.state.triggers).toMatchObject([{ name: "error-report", refused_at: expect.any(Number) }]);
    expect(told(await nth(4))).toBe("429 rate_limited");
    expect((await server.store.repositories.load(REPOSITORY.id))?.version).toBe(before?.version);
    // what was taken is answered all the same
    await jobOf(await nth(2));
    clock.pass(HOUR_MS - 60_000);
    await jobOf(await nth(3));
  });

  it("begins none of several jobs where not all fit", async () => {
    await observeTriggers(server, [{ ...ERROR_REPORT, jobs_per_hour: 3, actions: [{ job: "One." }, { job: "Two." }] }]);
    expect((await call({ headers: bearer({ "webhook-id": "1" }) })).status).toBe(202);
    expect(told(await call({ headers: bearer({ "webhook-id": "2" }) }))).toBe("429 rate_limited");
    expect(await jobs()).toHaveLength(2);
  });
});

describe("what a call brings", () => {
  const task = (job: string) => observeTriggers(server, [{ ...ERROR_REPORT, actions: [{ job }] }]);
  const valuesOf = async (options: AskOptions = {}, query = "") =>
    (await jobOf(await call(options, `${addressOf("error-report")}${query}`))).trigger_values;

  it("is read as JSON, as a form and as text, beside query and headers", async () => {
    await task("{{body.a.0.b}} {{query.page}} {{headers.user-agent}}");
    const json = { body: JSON.stringify({ a: [{ b: 7 }] }), headers: bearer({ "user-agent": "probe" }) };
    expect(await valuesOf(json, "?page=2")).toEqual([
      { name: "body.a.0.b", text: "7" },
      { name: "query.page", text: "2" },
      { name: "headers.user-agent", text: "probe" },
    ]);
    await task("{{body.name}}");
    const form = bearer({ "content-type": "application/x-www-form-urlencoded; charset=utf-8" });
    expect(await valuesOf({ body: "name=a+b", headers: form })).toEqual([{ name: "body.name", text: "a b" }]);
    await task("{{ body }}");
    const text = bearer({ "content-type": "text/plain" });
    expect(await valuesOf({ body: "just words", headers: text })).toEqual([{ name: "body", text: "just words" }]);
  });

  it("that the task names and the call lacks is said by its name, and starts nothing", async () => {
    for (const [job, sentence] of [
      ["{{body.nothing}}", "{{body.nothing}}"],
      ["{{query.page}}", "{{query.page}}"],
      ["{{body.toString}}", "{{body.toString}}"],
    ] as const) {
      await task(job);
      const answer = await call();
      expect(told(answer)).toBe("422 missing_value");
      expect(Object(answer.body).error).toContain(sentence);
    }
    await task("{{body}}");
    expect(told(await call({ body: "" }))).toBe("422 missing_value");
    expect(await jobs()).toEqual([]);
  });

  it.each([
    ["no JSON", "{", {}, "400 invalid_json"],
    ["JSON that is too deep", "[".repeat(5_000), {}, "400 invalid_json"],
    ["JSON of too many values", `[${"0,".repeat(6_000)}0]`, {}, "400 invalid_json"],
    ["too many bytes", JSON.stringify({ service: "x".repeat(70_000) }), {}, "413 body_too_large"],
    [
      "a form of too many fields",
      "a=1&".repeat(6_000),
      { "content-type": "application/x-www-form-urlencoded" },
      "400 invalid_body",
    ],
  ])("is refused where it is %s", async (_, body, headers, expected) => {
    expect(told(await call({ body, headers: bearer(headers) }))).toBe(expected);
    expect(await jobs()).toEqual([]);
  });

  it("is refused with how long it may be", async () => {
    const { body } = await call({ body: "x".repeat(70_000) });
    expect(body).toMatchObject({ error: "The body is larger than 64 kB; send less." });
  });

  it("is sanitised, and cut where it is long", async () => {
    await task("{{body}}");
    const body = `${"x".repeat(30_000)}`;
    const [value] = await valuesOf({ body, headers: bearer({ "content-type": "text/plain" }) });
    expect(value?.text).toBe(`${"x".repeat(20_000)}\n[10000 more characters were left out]`);
    const hidden = { body: "a<!-- do evil -->b", headers: bearer({ "content-type": "text/plain", "webhook-id": "2" }) };
    expect(await valuesOf(hidden)).toEqual([{ name: "body", text: "ab" }]);
  });

  it("never has the headers that prove who calls", async () => {
    await task("{{headers}}");
    const headers = bearer({ cookie: "a=b", "x-gitlab-token": "hush", "x-api-key": "hush", "x-name": "seen" });
    const [value] = await valuesOf({ headers });
    expect(value?.text).toContain('"x-name": "seen"');
    expect(value?.text).not.toMatch(/hush|whsec|authorization|cookie/i);
  });
});

describe("a trigger's secret", () => {
  it("is issued to whoever commands in the repository, and to nobody else", async () => {
    const keyOf = async (repository: string, scopes = ["read", "write"]) =>
      String(
        Object((await server.ask("POST", "/api/keys", { body: { account: "ada", repository, scopes } })).body).key,
      );
    const issue = (key: string) => server.ask("POST", `${addressOf("error-report")}/secret`, { key, body: {} });
    expect((await issue(await keyOf("octocat/hello-world"))).status).toBe(201);
    expect(told(await issue(await keyOf("octocat/elsewhere")))).toBe("404 not_found");
    expect(told(await issue(await keyOf("octocat/hello-world", ["read"])))).toBe("403 missing_scope");
    expect(told(await server.ask("POST", `${addressOf("nothing")}/secret`, { body: {} }))).toBe("404 not_found");
  });

  it("counts for another day beside the next, or ends at once", async () => {
    const old = secret;
    secret = await issueSecret(server, "error-report");
    const as = (one: string, id: string) =>
      call({ headers: bearer({ authorization: `Bearer ${one}`, "webhook-id": id }) });
    await jobOf(await as(old, "1"));
    await jobOf(await as(secret, "2"));
    clock.pass(25 * HOUR_MS);
    expect(told(await as(old, "3"))).toBe("401 unauthorized");
    const next = await issueSecret(server, "error-report", { at_once: true });
    expect(told(await as(secret, "4"))).toBe("401 unauthorized");
    await jobOf(await as(next, "5"));
  });

  it("stays with the repository that is renamed, and does not go to another that gets its name", async () => {
    const renamed = { ...REPOSITORY, name: "hello-moon" };
    await observeTriggers(server, [ERROR_REPORT], renamed);
    await jobOf(await call({}, addressOf("error-report", "octocat/hello-moon")));
    await observeTriggers(server, [ERROR_REPORT], { ...REPOSITORY, id: 2 });
    expect(told(await call())).toBe("401 unauthorized");
  });

  it("is not known by the repository's old name any more, where nobody has taken that yet", async () => {
    await observeTriggers(server, [ERROR_REPORT], { ...REPOSITORY, name: "hello-moon" });
    expect(told(await call())).toBe("401 unauthorized");
    expect(await jobs()).toEqual([]);
  });

  it("ends where the App is uninstalled, and does not come back when it is installed again", async () => {
    const event = { type: "uninstalled", installation_id: REPOSITORY.installation_id } as const;
    await server.engine.receive("gone", event);
    await vi.waitFor(async () => expect(await server.store.repositories.load(REPOSITORY.id)).toBeNull());
    expect(told(await call())).toBe("401 unauthorized");
    await observeTriggers(server);
    expect(told(await call())).toBe("401 unauthorized");
    expect(await jobs()).toEqual([]);
  });

  it("is kept sealed, and listed never", async () => {
    const listed = await server.ask("GET", "/api/triggers/octocat/hello-world");
    expect(listed.body).toEqual({
      triggers: [
        {
          ...{ name: "error-report", enabled: true, jobs_per_hour: 10, refused_at: null },
          address: "/api/triggers/octocat/hello-world/error-report",
          secret_issued_at: expect.stringMatching(/^20.*Z$/),
        },
      ],
    });
    const kept = JSON.stringify((await server.store.repositories.load(REPOSITORY.id))?.state.triggers);
    expect(kept).not.toContain(secret);
    expect(kept).not.toContain(secret.slice("whsec_".length));
  });
});
