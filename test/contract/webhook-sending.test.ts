/** Sends webhooks to real receivers that accept, refuse, redirect, hang, or never stop talking. */

import { expect, it } from "vitest";
import type { Job } from "../../src/domain/job/job.ts";
import { emittedEventOf } from "../../src/domain/job/job-events.ts";
import { changeSubscription } from "../../src/engine/ports/subscriptions.ts";
import { MAX_CONCURRENT, SLOW_MS } from "../../src/webhooks/sender.ts";
import { MAX_SUBSCRIPTIONS } from "../../src/webhooks/webhooks.ts";
import { until } from "../flows/harness.ts";
import { verified } from "./receiver.ts";
import { sampleJob } from "./store/sample.ts";
import { openNotifyBench } from "./webhook-harness.ts";

const SECOND = 1_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const announced = (job: Job, version = 1) => {
  const row = { at: job.created_at, event: "created", from: null, to: job.status, by: null, note: null } as const;
  return { type: "announce", announcement: emittedEventOf(job, [row], version) } as const;
};

it("signs what it sends with the subscriber's secret, as Standard Webhooks says", async () => {
  const bench = await openNotifyBench();
  const receiver = await bench.receiver();
  const issued = await bench.subscribe(receiver.url);
  const { id, attempts } = await bench.tested(issued, ({ state }) => state === "delivered");
  expect(attempts).toEqual([{ at: expect.any(Number), took_ms: expect.any(Number), status: 204, error: null }]);
  const [received] = receiver.received;
  if (received === undefined) throw new Error("nothing was received");
  expect(received.id).toBe(id);
  expect(received.headers).toMatchObject({ "content-type": "application/json", host: new URL(receiver.url).host });
  expect(verified(issued.secret.reveal(), received)).toMatchObject({
    type: "webhook.test",
    timestamp: expect.stringMatching(/Z$/),
    data: { subscription: issued.subscription.id },
  });
  const other = await bench.subscribe(receiver.url);
  expect(() => verified(other.secret.reveal(), received)).toThrow("No matching signature");
});

it("signs with both secrets for a day after a rotation, and with the new one alone from then on", async () => {
  const bench = await openNotifyBench();
  const receiver = await bench.receiver();
  const issued = await bench.subscribe(receiver.url);
  const rotated = await bench.notify.webhooks.rotate(issued.subscription.id);
  if (rotated === null) throw new Error("the webhook is gone");
  await bench.tested(rotated, ({ state }) => state === "delivered");
  const [both] = receiver.received;
  if (both === undefined) throw new Error("nothing was received");
  for (const { secret } of [issued, rotated]) verified(secret.reveal(), both);
  bench.clock.pass(DAY);
  await bench.tested(rotated, ({ state }) => state === "delivered");
  const signatures = String(receiver.received[1]?.headers["webhook-signature"]).split(" ");
  expect(String(both.headers["webhook-signature"]).split(" ")).toHaveLength(2);
  expect(signatures).toHaveLength(1);
});

it("tells everybody who subscribes and the job's callback, each once, however often it is performed", async () => {
  const bench = await openNotifyBench();
  const receiver = await bench.receiver();
  const { notify } = bench;
  const issued = await bench.subscribe(`${receiver.url}/one`);
  await bench.subscribe(`${receiver.url}/two`);
  const job = sampleJob("1", { callback_url: `${receiver.url}/callback` });
  for (let times = 0; times < 3; times++) await notify.eventPublisher.perform(announced(job), job, times > 0);
  await until("all to come", () => receiver.received.length >= 3);
  await notify.eventPublisher.perform(announced(job, 2), job, false);
  await until("the next ones to come", () => receiver.received.length >= 6);
  const paths = receiver.received.map(({ path }) => path).sort();
  expect(paths).toEqual(["/hook/callback", "/hook/callback", "/hook/one", "/hook/one", "/hook/two", "/hook/two"]);
  expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(6);
  const own = await notify.webhooks.ownOf("ada");
  for (const received of receiver.received) {
    const mine = received.path.endsWith("callback") ? own : received.path.endsWith("one") ? issued : null;
    if (mine !== null)
      expect(verified(mine.secret.reveal(), received)).toMatchObject({ type: "job.created", data: { id: job.id } });
  }
});

it("listens for nobody where nobody subscribes", async () => {
  const { notify } = await openNotifyBench();
  expect(await notify.subscriptionMatcher.listens(sampleJob("1"), ["job.created"])).toBe(false);
  await notify.webhooks.subscribe({
    account: "ada",
    format: "journeyman",
    url: "http://127.0.0.1:1/",
    events: ["job.merged"],
    repository: null,
    repository_id: null,
  });
  expect(await notify.subscriptionMatcher.listens(sampleJob("1"), ["job.created"])).toBe(false);
  expect(await notify.subscriptionMatcher.listens(sampleJob("1"), ["job.verified", "job.merged"])).toBe(true);
  expect(await notify.subscriptionMatcher.listens(sampleJob("1", { account: "bob" }), ["job.merged"])).toBe(false);
  expect(
    await notify.subscriptionMatcher.listens(sampleJob("1", { callback_url: "http://127.0.0.1:1/" }), ["job.queued"]),
  ).toBe(true);
});

it("tries again when its time has come, and says what every attempt brought", async () => {
  const bench = await openNotifyBench();
  const receiver = await bench.receiver();
  const answers = [500, 503, 200];
  receiver.answer = (_received, response) =>
    void response.writeHead(answers[receiver.received.length - 1] ?? 200).end();
  const issued = await bench.subscribe(receiver.url);
  const { id } = await bench.tested(issued, ({ tries }) => tries === 1);
  bench.clock.pass(6 * SECOND);
  await bench.until(id, ({ tries }) => tries === 2);
  bench.clock.pass(31 * SECOND);
  const { attempts } = await bench.until(id, ({ state }) => state === "delivered");
  expect(attempts.map(({ status }) => status)).toEqual(answers);
  expect(new Set(receiver.received.map((one) => one.id))).toEqual(new Set([id]));
  expect(new Set(receiver.received.map((one) => one.body)).size).toBe(1);
});

it("waits as long as a busy receiver asks for", async () => {
  const bench = await openNotifyBench();
  const receiver = await bench.receiver();
  receiver.answer = (_received, response) => void response.writeHead(429, { "retry-after": "3600" }).end();
  const { attempts, next_at } = await bench.tested(await bench.subscribe(receiver.url), ({ tries }) => tries === 1);
  expect(Number(next_at) - Number(attempts[0]?.at)).toBeGreaterThanOrEqual(HOUR);
});

it("never follows a redirect, and says so", async () => {
  const bench = await openNotifyBench();
  const elsewhere = await bench.receiver();
  const receiver = await bench.receiver();
  receiver.answer = (_received, response) => void response.writeHead(307, { location: elsewhere.url }).end();
  const { attempts, state } = await bench.tested(await bench.subscribe(receiver.url), ({ tries }) => tries === 1);
  expect(attempts[0]).toMatchObject({ status: 307, error: "redirects are not followed" });
  expect(state).toBe("pending");
  expect(elsewhere.received).toEqual([]);
});

it("gives up at once where the receiver is gone, and sends it nothing more until it is enabled", async () => {
  const bench = await openNotifyBench();
  const receiver = await bench.receiver();
  receiver.answer = (_received, response) => void response.writeHead(410).end();
  const issued = await bench.subscribe(receiver.url);
  await bench.tested(issued, ({ state }) => state === "dead");
  const { id } = issued.subscription;
  const disabled = await until("it to be disabled", async () => (await bench.store.subscriptions.get(id))?.disabled);
  expect(disabled.reason).toContain("410");
  const { attempts } = await bench.tested(issued, ({ state }) => state === "dead");
  expect(attempts[0]).toMatchObject({ status: null, error: "the subscription is disabled" });
  expect(receiver.received).toHaveLength(1);
  receiver.answer = (_received, response) => void response.writeHead(200).end();
  await changeSubscription(bench.store.subscriptions, id, (before) => ({ ...before, disabled: null }));
  await bench.tested(issued, ({ state }) => state === "delivered");
});

it("ends a request that is not answered after ten seconds, and an answer that does not end as well", async () => {
  const bench = await openNotifyBench();
  const receiver = await bench.receiver();
  receiver.answer = () => {};
  const issued = await bench.subscribe(receiver.url);
  const { id } = await bench.notify.webhooks.test(issued.subscription);
  await until("the request", () => receiver.received.length === 1);
  bench.clock.pass(11 * SECOND);
  const hung = await bench.until(id, ({ tries }) => tries === 1);
  expect(hung.attempts[0]).toMatchObject({ status: null, error: "there was no answer in time" });

  receiver.answer = (_received, response) => void response.writeHead(200).write("and so on");
  const other = await bench.subscribe(receiver.url);
  const { id: endless } = await bench.notify.webhooks.test(other.subscription);
  await until("the next request", () => receiver.received.length === 2);
  const answered = until("the answer that counts", async () => {
    bench.clock.pass(11 * SECOND);
    return (await bench.store.outgoing.get(endless))?.state === "delivered";
  });
  await answered;
});

it("reads no more of an answer than a few kilobytes, and takes its status all the same", async () => {
  const bench = await openNotifyBench();
  const receiver = await bench.receiver();
  let cut = false;
  receiver.answer = (_received, response) => {
    response.writeHead(200).on("close", () => {
      cut = true;
    });
    const more = (): void => {
      while (!response.destroyed && response.write("x".repeat(16_384)));
    };
    response.on("drain", more);
    more();
  };
  await bench.tested(await bench.subscribe(receiver.url), ({ state }) => state === "delivered");
  await until("the connection to be cut", () => cut);
});

it("says why nobody was reached", async () => {
  const bench = await openNotifyBench();
  const refused = await bench.tested(await bench.subscribe("http://127.0.0.1:1/"), ({ tries }) => tries === 1);
  expect(refused.attempts[0]).toMatchObject({ status: null, error: "the connection was refused" });
});

it("is dead after a day, with the record of every attempt, and can be sent again by hand", async () => {
  const bench = await openNotifyBench();
  const receiver = await bench.receiver();
  receiver.answer = (_received, response) => void response.writeHead(500).end();
  const issued = await bench.subscribe(receiver.url);
  const { id } = await bench.tested(issued, ({ tries }) => tries === 1);
  // each attempt at its time, and no sooner than the one before has ended
  let dead = await bench.until(id, ({ tries }) => tries === 1);
  while (dead.state === "pending") {
    const { tries, next_at } = dead;
    bench.clock.pass(Math.max(0, Number(next_at) - bench.clock.now()));
    dead = await bench.until(id, (now) => now.tries > tries);
  }
  expect(dead.attempts.length).toBeGreaterThan(5);
  expect(dead.attempts.every(({ status }) => status === 500)).toBe(true);
  receiver.answer = (_received, response) => void response.writeHead(200).end();
  expect(await bench.notify.webhooks.replay(id)).toMatchObject({ state: "pending", tries: 0 });
  bench.clock.pass(HOUR);
  const sent = await bench.until(id, ({ state }) => state === "delivered");
  expect(sent.attempts).toHaveLength(dead.attempts.length + 1);
  expect(receiver.received.at(-1)?.id).toBe(id);
});

it("goes on after a restart with what was pending", async () => {
  const bench = await openNotifyBench();
  const receiver = await bench.receiver();
  receiver.answer = (_received, response) => void response.writeHead(500).end();
  const issued = await bench.subscribe(receiver.url);
  const { id } = await bench.tested(issued, ({ tries }) => tries === 1);
  receiver.answer = (_received, response) => void response.writeHead(200).end();
  await bench.restart();
  bench.clock.pass(6 * SECOND);
  const { attempts } = await bench.until(id, ({ state }) => state === "delivered");
  expect(attempts.map(({ status }) => status)).toEqual([500, 200]);
});

it("does not let receivers that hang hold up the others, though they hold every place", async () => {
  const bench = await openNotifyBench();
  const [hanging, quick] = [await bench.receiver(), await bench.receiver()];
  hanging.answer = () => {};
  const { webhooks, eventPublisher } = bench.notify;
  const accounts = ["bob", "eve"];
  const each = MAX_SUBSCRIPTIONS;
  for (const account of accounts)
    for (let index = 0; index < each; index++)
      await webhooks.subscribe({
        account,
        format: "journeyman",
        url: `${hanging.url}/${index}`,
        events: null,
        repository: null,
        repository_id: null,
      });
  for (const account of accounts) {
    const job = sampleJob("1", { account });
    // two for each: a receiver that hangs holds one place, not one for each delivery
    for (const version of [1, 2]) await eventPublisher.perform(announced(job, version), job, false);
  }
  await until("every place to be held", () => hanging.received.length >= MAX_CONCURRENT);
  await bench.subscribe(quick.url);
  const job = sampleJob("2");
  await eventPublisher.perform(announced(job), job, false);
  bench.clock.pass(SLOW_MS);
  await until("the quick one", () => quick.received.length === 1);
  const asked = () => new Set(hanging.received.map(({ id }) => id)).size;
  await until("a request to each that hangs", () => asked() >= accounts.length * each);
  expect((await bench.store.outgoing.pending()).length).toBe(2 * accounts.length * each);
});

it("ties a webhook of before to its repository's number at the first event, and follows it to a new name", async () => {
  const bench = await openNotifyBench();
  const receiver = await bench.receiver();
  const { notify } = bench;
  const format = "journeyman" as const;
  const asked = {
    account: "ada",
    format,
    url: receiver.url,
    events: null,
    repository: "octo/HELLO",
    repository_id: null,
  };
  const issued = await notify.webhooks.subscribe(asked);
  const id = issued?.subscription.id ?? "";
  const about = async (job: Job) => {
    if (await notify.subscriptionMatcher.listens(job, ["job.created"]))
      await notify.eventPublisher.perform(announced(job), job, false);
    const { repository, repository_id } = (await bench.store.subscriptions.get(id)) ?? {};
    return { repository, repository_id };
  };
  const inRepository = (name: string, number: number, nth: number) =>
    sampleJob(String(nth), { repository: { owner: "octo", name, id: number, installation_id: 1 } });
  expect(await about(inRepository("hello", 42, 1))).toEqual({ repository: "octo/hello", repository_id: 42 });
  expect(await about(inRepository("hello", 43, 2))).toEqual({ repository: "octo/hello", repository_id: 42 });
  expect(await about(inRepository("greetings", 42, 3))).toEqual({ repository: "octo/greetings", repository_id: 42 });
  await until("both to come", () => receiver.received.length >= 2);
  expect(receiver.received).toHaveLength(2);
  expect(bench.recorded).toEqual([`webhook-tied ${id} octo/hello`]);
});
