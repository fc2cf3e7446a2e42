/** `/api/webhooks` over a real socket: access, error sentences, and which secrets are shown. */
import { afterAll, beforeAll, expect, it } from "vitest";
import * as z from "zod";
import { CHAT_EVENTS } from "../../src/domain/published-events.ts";
import { until } from "../flows/harness.ts";
import { type Asked, startServer, type TestServer } from "./http-server.ts";
import { type Receiver, startReceiver, verified } from "./receiver.ts";

let server: TestServer;
let receiver: Receiver;
let keys: Record<"ada" | "reader" | "bound" | "bob", string>;

const issuedSchema = z.looseObject({ id: z.string(), secret: z.string() });
const deliveriesSchema = z.array(z.looseObject({ id: z.string(), event: z.string(), status: z.string() }));

async function createKey(account: string, differs: object = {}): Promise<string> {
  const { body } = await server.ask("POST", "/api/keys", {
    body: { account, repository: "*", scopes: ["read", "write"], ...differs },
  });
  return z.object({ key: z.string() }).parse(body).key;
}

beforeAll(async () => {
  server = await startServer({ default_repository: "octo/demo" });
  receiver = await startReceiver();
  keys = {
    ada: await createKey("ada"),
    reader: await createKey("ada", { scopes: ["read"] }),
    bound: await createKey("ada", { repository: "octo/demo" }),
    bob: await createKey("bob"),
  };
});

afterAll(async () => {
  await receiver.close();
  await server.close();
});

const ask = (method: string, path: string, key: string, body?: unknown): Promise<Asked> =>
  server.ask(method, path, { key, ...(body === undefined ? {} : { body }) });

async function subscribe(key: string, body: object): Promise<z.infer<typeof issuedSchema>> {
  const answer = await ask("POST", "/api/webhooks", key, body);
  expect(answer.status).toBe(201);
  return issuedSchema.parse(answer.body);
}

it("shows the secret once, and all the rest whenever it is asked", async () => {
  const made = await ask("POST", "/api/webhooks", keys.ada, {
    url: receiver.url,
    events: ["job.merged", "job.merged"],
  });
  expect(made.status).toBe(201);
  expect(made.headers.get("cache-control")).toBe("no-store");
  const { secret, ...rest } = issuedSchema.parse(made.body);
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(rest).toMatchObject({ url: receiver.url, events: ["job.merged"], repository: null, enabled: true });
  expect((await ask("GET", `/api/webhooks/${rest.id}`, keys.reader)).body).toEqual(rest);
  expect((await ask("GET", "/api/webhooks", keys.reader)).body).toContainEqual(rest);
  expect(server.logged.join("")).not.toContain(secret);
});

it("shows a chat's address by its host alone, and writes it nowhere", async () => {
  const url = `${receiver.url}/services/T0/B0/hidden-token`;
  const made = await ask("POST", "/api/webhooks", keys.ada, { url, format: "slack" });
  const { secret, ...rest } = issuedSchema.parse(made.body);
  expect(rest).toMatchObject({ format: "slack", url: `${new URL(url).origin}/…`, events: CHAT_EVENTS });
  const { id } = rest;
  await ask("POST", `/api/webhooks/${id}/test`, keys.ada, {});
  await until("the message", () => receiver.received.some(({ path }) => path.endsWith("hidden-token")));
  for (const message of receiver.received.filter(({ path }) => path.endsWith("hidden-token")))
    expect(verified(secret, message)).toMatchObject({ text: "This is a test: Journeyman tells its news here." });
  const shown = [made, await ask("GET", `/api/webhooks/${id}`, keys.ada), await ask("GET", "/api/webhooks", keys.ada)];
  shown.push(await ask("GET", `/api/webhooks/${id}/deliveries`, keys.ada), await server.ask("GET", "/api/audit"));
  expect(JSON.stringify(shown)).not.toContain("hidden-token");
  expect(server.logged.join("")).not.toContain("hidden-token");
});

it("changes a format only together with the address", async () => {
  const { id } = await subscribe(keys.ada, { url: `${receiver.url}/before` });
  const path = `/api/webhooks/${id}`;
  expect(await ask("PATCH", path, keys.ada, { format: "discord" })).toMatchObject({
    status: 400,
    body: { code: "invalid_field", error: expect.stringMatching(/^format: changes only together with url/) },
  });
  expect((await ask("PATCH", path, keys.ada, { format: "journeyman" })).status).toBe(200);
  const url = `${receiver.url}/other-token`;
  const chat = await ask("PATCH", path, keys.ada, { format: "discord", url });
  expect(chat.body).toMatchObject({ format: "discord", url: `${new URL(url).origin}/…` });
  const moved = await ask("PATCH", path, keys.ada, { url: `${receiver.url}/third-token` });
  expect(moved.body).toMatchObject({ format: "discord", url: `${new URL(url).origin}/…` });
  const back = await ask("PATCH", path, keys.ada, { format: "journeyman", url });
  expect(back.body).toMatchObject({ format: "journeyman", url, events: expect.arrayContaining(["job.created"]) });
});

it.each([
  [{}, "url: must be a string."],
  [{ url: "https://example.com/", format: "irc" }, "format: must be one of journeyman, slack, discord, teams."],
  [{ url: "https://hooks.slack.com/services/T0/B0/x" }, 'url: is an address of Slack; say "format": "slack" with it.'],
  [
    { url: "https://discord.com/api/webhooks/1/x", format: "teams" },
    'url: is an address of Discord; say "format": "discord" with it.',
  ],
  [{ url: "ftp://example.com/" }, "url: must be a URL"],
  [{ url: "https://u:p@example.com/" }, "url: must hold no user name"],
  [{ url: "https://example.com/", events: ["job.done"] }, "job.created, job.queued"],
  [{ url: "https://example.com/", events: [] }, "events: must name at least one event."],
  [{ url: "https://example.com/", repository: "none" }, "repository: must name a repository"],
  [{ url: "https://example.com/", repository: `${"x".repeat(40)}/demo` }, "repository: must name a repository"],
])("refuses %j and says why", async (body, sentence) => {
  const answer = await ask("POST", "/api/webhooks", keys.ada, body);
  expect(answer).toMatchObject({
    status: 400,
    body: { code: "invalid_field", error: expect.stringContaining(sentence) },
  });
});

it("refuses private targets where they are not allowed, for webhooks and for callbacks", async () => {
  const strict = await startServer({ default_repository: "octo/demo", allow_private: false });
  try {
    const refused = (field: string) => ({ status: 400, body: { error: expect.stringMatching(`^${field}: must`) } });
    const url = "https://[::ffff:127.0.0.1]/";
    expect(await strict.ask("POST", "/api/webhooks", { body: { url } })).toMatchObject(refused("url"));
    const job = { job: "x", callback_url: url };
    expect(await strict.ask("POST", "/api/create-job", { body: job })).toMatchObject(refused("callback_url"));
    const agent = { prompt: "x", callback_url: "http://example.com/" };
    expect(await strict.ask("POST", "/v2/agent/octo%2Fdemo/job", { body: agent })).toMatchObject(
      refused("callback_url"),
    );
  } finally {
    await strict.close();
  }
});

it("lets an account see and change its own alone, and an admin all", async () => {
  const { id } = await subscribe(keys.ada, { url: receiver.url });
  const path = `/api/webhooks/${id}`;
  for (const [method, to] of [
    ["GET", path],
    ["PATCH", path],
    ["DELETE", path],
    ["POST", `${path}/rotate`],
    ["POST", `${path}/test`],
    ["GET", `${path}/deliveries`],
  ] as const)
    expect((await ask(method, to, keys.bob, method === "GET" || method === "DELETE" ? undefined : {})).status).toBe(
      404,
    );
  expect((await ask("PATCH", path, keys.reader, { enabled: false })).status).toBe(403);
  expect((await server.ask("GET", path)).status).toBe(200);
  expect((await ask("DELETE", path, keys.ada)).status).toBe(204);
  expect((await ask("GET", path, keys.ada)).status).toBe(404);
});

it("binds what a bound key makes to its repository, and shows it nothing else", async () => {
  const bound = await subscribe(keys.bound, { url: receiver.url });
  expect(bound).toMatchObject({ repository: "octo/demo" });
  const elsewhere = { url: receiver.url, repository: "octo/other" };
  expect((await ask("POST", "/api/webhooks", keys.bound, elsewhere)).status).toBe(403);
  const free = await subscribe(keys.ada, { url: receiver.url });
  expect((await ask("GET", `/api/webhooks/${free.id}`, keys.bound)).status).toBe(404);
  const moved = await ask("PATCH", `/api/webhooks/${bound.id}`, keys.bound, { repository: null });
  expect(moved.body).toMatchObject({ repository: "octo/demo" });
});

it("sends a test event, lists it, shows it with its body, and sends it again", async () => {
  const { id, secret } = await subscribe(keys.ada, { url: `${receiver.url}/test` });
  const sent = await ask("POST", `/api/webhooks/${id}/test`, keys.ada, {});
  expect(sent).toMatchObject({ status: 202, body: { event: "webhook.test", status: "pending", job_id: null } });
  const list = async () =>
    deliveriesSchema.parse((await ask("GET", `/api/webhooks/${id}/deliveries`, keys.reader)).body);
  await until("the delivery", async () => (await list())[0]?.status === "delivered");
  const [first] = await list();
  const one = `/api/webhooks/${id}/deliveries/${first?.id}`;
  const mine = () => receiver.received.filter(({ path }) => path.endsWith("/test"));
  expect((await ask("GET", one, keys.reader)).body).toMatchObject({
    body: mine()[0]?.body,
    attempts: [{ status: 204 }],
  });
  expect((await ask("POST", `${one}/replay`, keys.reader, {})).status).toBe(403);
  expect((await ask("POST", `${one}/replay`, keys.bob, {})).status).toBe(404);
  expect((await ask("POST", `${one}/replay`, keys.ada, {})).status).toBe(202);
  await until("it to come again", () => mine().length === 2);
  expect(new Set(mine().map((received) => received.id))).toEqual(new Set([first?.id]));
  for (const received of mine()) verified(secret, received);
  expect((await ask("GET", `/api/webhooks/${id}/deliveries/none`, keys.ada)).status).toBe(404);
});

it("pages the deliveries by its Link", async () => {
  const { id } = await subscribe(keys.ada, { url: `${receiver.url}/pages` });
  for (let index = 0; index < 5; index++) await ask("POST", `/api/webhooks/${id}/test`, keys.ada, {});
  const found = new Set<string>();
  let path: string | undefined = `/api/webhooks/${id}/deliveries?limit=2`;
  while (path !== undefined) {
    const page: Asked = await ask("GET", path, keys.ada);
    for (const delivery of deliveriesSchema.parse(page.body)) found.add(delivery.id);
    path = /<([^>]+)>; rel="next"/.exec(page.headers.get("link") ?? "")?.[1];
  }
  expect(found.size).toBe(5);
  expect((await ask("GET", `/api/webhooks/${id}/deliveries?limit=0`, keys.ada)).status).toBe(400);
});

it("puts a webhook to rest and takes it up again", async () => {
  const { id } = await subscribe(keys.ada, { url: receiver.url });
  const off = await ask("PATCH", `/api/webhooks/${id}`, keys.ada, { enabled: false, events: ["job.failed"] });
  expect(off.body).toMatchObject({ enabled: false, disabled_reason: expect.any(String), events: ["job.failed"] });
  const test = await ask("POST", `/api/webhooks/${id}/test`, keys.ada, {});
  expect(test).toMatchObject({ status: 409, body: { code: "webhook_disabled" } });
  const on = await ask("PATCH", `/api/webhooks/${id}`, keys.ada, { enabled: true, events: null });
  expect(on.body).toMatchObject({ enabled: true, disabled_at: null, events: expect.arrayContaining(["job.created"]) });
});

it("tells of a job at its callback address, signed with the account's own secret", async () => {
  const callback_url = `${receiver.url}/callback?token=hidden`;
  const created = await ask("POST", "/api/create-job", keys.bob, { job: "say hello", callback_url });
  expect(created.status).toBe(200);
  const { secret } = z
    .object({ secret: z.string() })
    .parse((await ask("GET", "/api/webhooks/default/secret", keys.bob)).body);
  const mine = () => receiver.received.filter(({ path }) => path.endsWith("token=hidden"));
  await until("job.created", () => mine().length === 1);
  const [received] = mine();
  if (received === undefined) throw new Error("nothing was received");
  const { job_id } = z.object({ job_id: z.string() }).parse(created.body);
  expect(verified(secret, received)).toMatchObject({ type: "job.created", data: { id: job_id, status: "queued" } });
  const log = await ask("GET", "/api/webhooks/default/deliveries", keys.bob);
  expect(deliveriesSchema.parse(log.body)[0]).toMatchObject({ id: received.id, job_id });
  expect(JSON.stringify(log.body)).not.toContain("hidden");
  const rotated = await ask("POST", "/api/webhooks/default/rotate", keys.bob, {});
  expect(z.object({ secret: z.string() }).parse(rotated.body).secret).not.toBe(secret);
  expect((await ask("GET", "/api/webhooks/default/secret", keys.reader)).status).toBe(403);
  expect((await ask("GET", "/api/webhooks", keys.bob)).body).toEqual([]);
});

it("tells of a job while GitHub lets its branch wait", async () => {
  await subscribe(keys.bob, { url: `${receiver.url}/waits` });
  let push = (): void => {};
  server.github.push = () => new Promise((resolve) => (push = () => resolve("done")));
  const job = { prompt: "say hello" };
  expect((await ask("POST", "/v2/agent/octo%2Fdemo/job", keys.bob, job)).status).toBe(201);
  await until("job.created", () => receiver.received.some(({ path }) => path.endsWith("/waits")));
  server.github.push = () => "done";
  push();
});

it("keeps no more webhooks of one account than it says", async () => {
  const many = await createKey("many");
  for (let index = 0; index < 100; index++) await subscribe(many, { url: receiver.url });
  const one = await ask("POST", "/api/webhooks", many, { url: receiver.url });
  expect(one).toMatchObject({ status: 409, body: { code: "too_many_webhooks" } });
});
