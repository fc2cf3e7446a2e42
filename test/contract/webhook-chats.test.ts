/** Tells chats: receivers that answer as Slack, Discord and Teams do, a store whose files are read, and addresses that are secrets. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { emittedEventOf } from "../../src/domain/job/job-events.ts";
import type { StoredDelivery } from "../../src/engine/ports/outgoing-deliveries.ts";
import { changeSubscription } from "../../src/engine/ports/subscriptions.ts";
import { until } from "../flows/harness.ts";
import { sampleJob } from "./store/sample.ts";
import { openNotifyBench } from "./webhook-harness.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

const tokens = { slack: "T0/B0/slack-token", discord: "1/discord-token", teams: "workflows?sig=teams-token" };

const failed = (id: string) => {
  const job = sampleJob(id, { status: "failed", failure: "No tests ran." });
  const row = (event: string) =>
    ({ at: job.created_at, event, from: null, to: job.status, by: null, note: null }) as const;
  return {
    job,
    effect: { type: "announce", announcement: emittedEventOf(job, [row("queued"), row("failed")], 1) },
  } as const;
};

it("tells each chat in its own shape of what a person wants to know, and others of everything", async () => {
  const bench = await openNotifyBench();
  const receiver = await bench.receiver();
  await bench.subscribe(`${receiver.url}/all`);
  for (const format of ["slack", "discord", "teams"] as const)
    await bench.subscribe(`${receiver.url}/${tokens[format]}`, format);
  const { job, effect } = failed("1");
  await bench.notify.eventPublisher.perform(effect, job, false);
  await until("all to come", () => receiver.received.length >= 5);
  const sent = (path: string): unknown[] =>
    receiver.received.filter((one) => one.path.includes(path)).map(({ body }) => JSON.parse(body));
  expect(sent("/all")).toMatchObject([{ type: "job.queued" }, { type: "job.failed" }]);
  const sentence = expect.stringContaining("failed");
  expect(sent("slack-token")).toMatchObject([
    { text: sentence, blocks: [{}, { text: { text: "No tests ran." } }, {}] },
  ]);
  expect(sent("discord-token")).toMatchObject([{ content: sentence, embeds: [{}], allowed_mentions: { parse: [] } }]);
  expect(sent("teams-token")).toMatchObject([
    { type: "message", attachments: [{ content: { type: "AdaptiveCard", version: "1.4" } }] },
  ]);
  expect(receiver.received).toHaveLength(5);
});

it("tells a chat whatever its subscription names", async () => {
  const bench = await openNotifyBench();
  const receiver = await bench.receiver();
  const { subscription } = await bench.subscribe(receiver.url, "slack");
  await changeSubscription(bench.store.subscriptions, subscription.id, (before) => ({
    ...before,
    events: ["job.queued"],
  }));
  const { job, effect } = failed("1");
  await bench.notify.eventPublisher.perform(effect, job, false);
  await until("it to come", () => receiver.received.length === 1);
  expect(JSON.parse(receiver.received[0]?.body ?? "")).toMatchObject({
    text: expect.stringContaining("waits for a run"),
  });
});

it("keeps a chat's address sealed, also on the disk, and finds it again after a restart", async () => {
  const bench = await openNotifyBench();
  const receiver = await bench.receiver();
  const issued = await bench.subscribe(`${receiver.url}/${tokens.teams}`, "teams");
  expect(issued.subscription.url).toBe(`${new URL(receiver.url).origin}/…`);
  await bench.tested(issued, ({ state }) => state === "delivered");
  await bench.restart();
  await bench.tested(issued, ({ state }) => state === "delivered");
  expect(receiver.received.map(({ path }) => path)).toEqual([
    "/hook/workflows?sig=teams-token",
    "/hook/workflows?sig=teams-token",
  ]);
  const files = readdirSync(bench.dir, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  expect(files.length).toBeGreaterThan(2);
  for (const { parentPath, name } of files)
    expect(readFileSync(join(parentPath, name), "utf8")).not.toContain("teams-token");
  expect(bench.logged.join("\n")).not.toContain("teams-token");
});

it("waits as long as Discord's answer says, with all that is for that channel", async () => {
  const bench = await openNotifyBench();
  const receiver = await bench.receiver();
  receiver.answer = (_received, response) =>
    void response
      .writeHead(429, { "content-type": "application/json" })
      .end(JSON.stringify({ message: "You are being rate limited.", retry_after: 64.57, global: false }));
  const issued = await bench.subscribe(receiver.url, "discord");
  const first = await bench.tested(issued, ({ tries }) => tries === 1);
  expect(Number(first.next_at) - Number(first.attempts[0]?.at)).toBeGreaterThanOrEqual(64_570);
  expect(first.attempts[0]).toMatchObject({ status: 429 });
  const { id } = await bench.notify.webhooks.test(issued.subscription);
  receiver.answer = (_received, response) => void response.writeHead(204).end();
  bench.clock.pass(60 * SECOND);
  expect(await bench.store.outgoing.get(id)).toMatchObject({ tries: 0, state: "pending" });
  const both = (one: StoredDelivery) => one.state === "delivered";
  bench.clock.pass(MINUTE);
  await bench.until(id, both);
  await bench.until(first.id, both);
  expect(receiver.received).toHaveLength(3);
});

it("waits as long as Slack's header says", async () => {
  const bench = await openNotifyBench();
  const receiver = await bench.receiver();
  receiver.answer = (_received, response) => void response.writeHead(429, { "retry-after": "30" }).end("rate_limited");
  const { attempts, next_at } = await bench.tested(
    await bench.subscribe(receiver.url, "slack"),
    ({ tries }) => tries === 1,
  );
  expect(Number(next_at) - Number(attempts[0]?.at)).toBeGreaterThanOrEqual(30 * SECOND);
});

it.each([
  ['{"retry_after":-1}', 5 * SECOND],
  ['{"retry_after":"soon"}', 5 * SECOND],
  ["{", 5 * SECOND],
  ["[".repeat(4_000), 5 * SECOND],
  ['{"retry_after":1e300}', 6 * 60 * MINUTE],
])("waits no longer than a receiver may ask for (%s)", async (said, wait) => {
  const bench = await openNotifyBench();
  const receiver = await bench.receiver();
  receiver.answer = (_received, response) => void response.writeHead(429).end(said);
  const issued = await bench.subscribe(receiver.url, "discord");
  const { attempts, next_at } = await bench.tested(issued, ({ tries }) => tries === 1);
  const { at, took_ms } = attempts[0] ?? { at: 0, took_ms: 0 };
  expect(Number(next_at) - at - took_ms).toBe(wait);
});

it.each([404, 410])("disables a chat's webhook that answers %i, and says what to do", async (status) => {
  const bench = await openNotifyBench();
  const receiver = await bench.receiver();
  receiver.answer = (_received, response) => void response.writeHead(status).end("no_service");
  const issued = await bench.subscribe(receiver.url, "slack");
  await bench.tested(issued, ({ state }) => state === "dead");
  const { id } = issued.subscription;
  const disabled = await until("it to be disabled", async () => (await bench.store.subscriptions.get(id))?.disabled);
  expect(disabled.reason).toBe(
    `The chat answered ${status}: its webhook or channel was removed. Make another there, and PATCH its address as url with "enabled": true.`,
  );
});

it("tries again at a receiver of events that answers 404, which may be starting", async () => {
  const bench = await openNotifyBench();
  const receiver = await bench.receiver();
  receiver.answer = (_received, response) => void response.writeHead(404).end();
  const { state } = await bench.tested(await bench.subscribe(receiver.url), ({ tries }) => tries === 1);
  expect(state).toBe("pending");
});

const HELLO = { id: 42, owner: "octo", name: "hello", installation_id: 1 };
const PAUSED = {
  type: "schedule.paused",
  timestamp: "2030-01-31T12:00:00.000Z",
  data: { repository: "octo/hello", subject: "nightly", text: "Its last three runs failed." },
} as const;

/** Subscriptions of ada's: to octo/hello, to another repository, and to none in particular. */
async function openTied() {
  const bench = await openNotifyBench();
  const receiver = await bench.receiver();
  for (const [path, repository, repository_id] of [
    ["hello", "octo/hello", 42],
    ["other", "octo/other", 43],
    ["all", null, null],
  ] as const) {
    const asked = { account: "ada", format: "journeyman", events: null, repository, repository_id } as const;
    await bench.notify.webhooks.subscribe({ ...asked, url: `${receiver.url}/${path}` });
  }
  return { bench, receiver, publisher: bench.notify.eventPublisher };
}

it("tells of a repository those who named it and may hear of it, once however often it is performed", async () => {
  const { bench, receiver, publisher } = await openTied();
  expect(await publisher.publish(PAUSED, HELLO, async () => false)).toEqual({ ended: "done" });
  const asked: unknown[] = [];
  const may = async (account: string, { id }: { readonly id?: number }): Promise<boolean> => {
    asked.push([account, id]);
    return true;
  };
  for (let times = 0; times < 2; times++) await publisher.publish(PAUSED, HELLO, may);
  await bench.restart();
  await until("it to come", () => receiver.received.length >= 1);
  await bench.notify.eventPublisher.publish({ ...PAUSED, type: "budget.exhausted" }, HELLO, may);
  await until("the next to come", () => receiver.received.length >= 2);
  expect(receiver.received.map(({ path, body }) => [path, JSON.parse(body).type])).toEqual([
    ["/hook/hello", "schedule.paused"],
    ["/hook/hello", "budget.exhausted"],
  ]);
  expect(asked).toEqual([
    ["ada", 42],
    ["ada", 42],
    ["ada", 42],
  ]);
});

it("tells nobody, and tries again, where GitHub does not say who may hear of it", async () => {
  const { receiver, publisher } = await openTied();
  const unsure = { ended: "later", reason: "GitHub did not say who may hear of it" };
  expect(await publisher.publish(PAUSED, HELLO, async () => null)).toEqual(unsure);
  expect(receiver.received).toEqual([]);
});

it("tells of jobs that a repository starts by itself as of the repository", async () => {
  const { receiver, publisher, bench } = await openTied();
  const job = sampleJob("1", { account: "repository@42", repository: HELLO });
  const row = { at: job.created_at, event: "merged", from: null, to: job.status, by: null, note: null } as const;
  const effect = { type: "announce", announcement: emittedEventOf(job, [row], 1) } as const;
  expect(await bench.notify.subscriptionMatcher.listens(job, ["job.merged"])).toBe(true);
  await publisher.perform(effect, job, false);
  expect(receiver.received).toEqual([]);
  await publisher.perform(effect, job, false, async () => true);
  await until("it to come", () => receiver.received.length === 1);
  expect(receiver.received[0]?.path).toBe("/hook/hello");
});
