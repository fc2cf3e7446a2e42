import { afterEach, describe, expect, it } from "vitest";
import { WRONG_KEYS_PER_MINUTE } from "../../src/http/middleware/wrong-key-throttling.ts";
import { handClock } from "../flows/clock.ts";
import { API_KEY, CRON_SECRET, startServer, type TestServer } from "./http-server.ts";

const MINUTE_MS = 60_000;

let server: TestServer;
afterEach(() => server.close());

/** A clock that stands still, at the first moment of a minute, until it is moved. */
function stoppedClock() {
  const hand = handClock();
  let now = Math.ceil(Date.now() / MINUTE_MS) * MINUTE_MS;
  return { ...hand, now: () => now, pass: (ms: number) => (now += ms) };
}

const from = (address: string | null): Record<string, string> =>
  address === null ? {} : { "x-forwarded-for": address };

const read = (key: string | null, address: string | null = null) =>
  server.ask("GET", "/api/jobs/status?job_id=zzzzzzzz", { key, headers: from(address) });

async function guess(times: number, address: string | null = null): Promise<number[]> {
  const seen: number[] = [];
  for (let count = 0; count < times; count++) seen.push((await read(`jm_wrong-${count}`, address)).status);
  return seen;
}

describe("an address with too many wrong keys", () => {
  it("is turned away whatever it presents, until the minute is over", async () => {
    const clock = stoppedClock();
    server = await startServer({ clock });
    expect(await guess(WRONG_KEYS_PER_MINUTE)).toEqual(Array(WRONG_KEYS_PER_MINUTE).fill(401));
    clock.pass(20_000);
    const answer = await read("jm_wrong-again");
    expect(answer).toMatchObject({ status: 429, body: { code: "too_many_guesses" } });
    expect(answer.headers.get("retry-after")).toBe("40");
    expect([(await read(API_KEY)).status, (await read(null)).status]).toEqual([429, 429]);
    clock.pass(40_000);
    expect([(await read(API_KEY)).status, (await read("jm_wrong-again")).status]).toEqual([404, 401]);
  });

  it("is one with as many wrong secrets of the scheduler, too", async () => {
    server = await startServer({ clock: stoppedClock() });
    const cron = async (secret: string) => {
      const headers = { authorization: `Bearer ${secret}` };
      return (await server.ask("GET", "/api/cron/enforce-deadlines", { key: null, headers })).status;
    };
    const wrong = async (count: number) => cron(`wrong-${count}`);
    expect(await cron(CRON_SECRET)).toBe(200);
    for (let count = 0; count < WRONG_KEYS_PER_MINUTE; count++) expect(await wrong(count)).toBe(401);
    expect([await wrong(99), (await read(API_KEY)).status, await cron(CRON_SECRET)]).toEqual([429, 429, 200]);
  });

  it("is not one that merely forgot its key, nor one whose keys are good", async () => {
    server = await startServer({ clock: stoppedClock() });
    for (let count = 0; count <= WRONG_KEYS_PER_MINUTE; count++) expect((await read(null)).status).toBe(401);
    for (let count = 0; count <= WRONG_KEYS_PER_MINUTE; count++) expect((await read(API_KEY)).status).toBe(404);
    expect((await read("jm_wrong")).status).toBe(401);
  });

  it("still lets keys in that were good from there before, as long as they are good", async () => {
    server = await startServer({ clock: stoppedClock() });
    const made = await server.ask("POST", "/api/keys", { body: { account: "octocat", repository: "*" } });
    const { id, key } = made.body as { id: string; key: string };
    expect((await read(key)).status).toBe(404);
    await guess(WRONG_KEYS_PER_MINUTE);
    expect([(await read(key)).status, (await read(API_KEY)).status]).toEqual([404, 404]);
    await server.store.keys.remove(id);
    expect((await read(key)).status).toBe(401);
  });

  it("is held to it when all guesses come at once", async () => {
    server = await startServer({ clock: stoppedClock() });
    const answers = await Promise.all(Array.from({ length: 60 }, (_, count) => read(`jm_wrong-${count}`)));
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(WRONG_KEYS_PER_MINUTE);
  });
});

describe("behind a proxy that is trusted", () => {
  it("addresses are those that it names, and a whole network of IPv6 is one", async () => {
    server = await startServer({ clock: stoppedClock(), trust_proxy: 1 });
    await guess(WRONG_KEYS_PER_MINUTE, "192.0.2.1");
    expect((await read(API_KEY, "192.0.2.1")).status).toBe(429);
    expect((await read(API_KEY, "::ffff:192.0.2.1")).status).toBe(429);
    expect((await read(API_KEY, "192.0.2.2")).status).toBe(404);
    // what a client writes in front of what the proxy adds is not believed
    expect((await read(API_KEY, "192.0.2.9, 192.0.2.1")).status).toBe(429);
    for (let part = 0; part < WRONG_KEYS_PER_MINUTE; part++) await guess(1, `2001:db8:0:7::${part.toString(16)}`);
    expect((await read(API_KEY, "2001:db8:0:7:ffff::1")).status).toBe(429);
    expect((await read(API_KEY, "2001:db8:0:8::1")).status).toBe(404);
  });

  it("a key is known at the addresses where it was good, not on the proxy's connection", async () => {
    server = await startServer({ clock: stoppedClock(), trust_proxy: 1 });
    expect((await read(API_KEY, "192.0.2.1")).status).toBe(404);
    await guess(WRONG_KEYS_PER_MINUTE, "192.0.2.1");
    await guess(WRONG_KEYS_PER_MINUTE, "192.0.2.2");
    expect([(await read(API_KEY, "192.0.2.1")).status, (await read(API_KEY, "192.0.2.2")).status]).toEqual([404, 429]);
  });
});

it("without a trusted proxy nobody gets another address by a header", async () => {
  server = await startServer({ clock: stoppedClock() });
  for (let count = 0; count < WRONG_KEYS_PER_MINUTE; count++) await guess(1, `192.0.2.${count}`);
  expect((await read(API_KEY, "192.0.2.99")).status).toBe(429);
});
