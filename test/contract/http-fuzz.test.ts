/**
 * Fuzzes every operation of the API's description, with sensible and senseless requests. A new route is included as
 * soon as it is described. `http-fuzz-expectations.ts` says what must hold for each answer.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { escrowAccount, type LedgerAccount, userAccount } from "../../src/domain/market/ledger.ts";
import { meant, wrongWith } from "./http-fuzz-expectations.ts";
import { type Plan, requestsFor } from "./http-fuzz-requests.ts";
import { type Answered, FINE, type Sent, startWorld, type Weather, type World } from "./http-fuzz-server.ts";

/** How many requests to each operation, and how many walks of how many steps. */
const EACH = 16;
const WALKS = 8;
const STEPS = 50;
/** After so many operations there is new furniture: what they are about has been used up by then. */
const OPERATIONS = 6;
/** Finding a smaller failure goes on no longer. */
const TIMEOUT_MS = 30_000;

let world: World;
/** Operations that have done what they are there for. */
const done = new Set<string>();
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

const shortened = (text: string): string => (text.length > 600 ? `${text.slice(0, 600)}… (${text.length})` : text);

/** The request and the answer, for whoever has to find out. */
const shown = ({ plan, path, headers, body }: Sent, { status, text }: Answered): string =>
  [
    `${plan.method} ${path} (${plan.operation.operationId}, as ${plan.who})`,
    ...headers.map(([name, value]) => `${name}: ${shortened(value)}`),
    shortened(JSON.stringify(body?.toString() ?? "")),
    `answered ${status} ${shortened(text)}`,
  ].join("\n");

let read = 0;
/** Lines of the log since the last look that say that something went wrong which nobody has provided for. */
function alarms(): string[] {
  const lines = world.server.logged.slice(read);
  read += lines.length;
  return lines.filter((line) => Number(JSON.parse(line).level) >= 50);
}

async function sendAll(plans: readonly Plan[]): Promise<void> {
  const all = await Promise.all(plans.map((plan) => world.send(plan)));
  for (const { sent, answered } of all) {
    const wrong = wrongWith(world, sent, answered);
    if (wrong.length > 0) throw new Error(`${wrong.join("\n")}\n${shown(sent, answered)}`);
    if (answered.status < 300) for (const { operationId } of meant(world, sent)) done.add(operationId);
  }
  const logged = alarms();
  if (logged.length > 0)
    throw new Error([...logged, ...all.map(({ sent, answered }) => shown(sent, answered))].join("\n"));
}

/** What all accounts hold together: of people, of jobs, of the operator and of the outside. */
async function sumOfAll({ server, knowledge }: World): Promise<number> {
  const accounts = new Set<LedgerAccount>(["fees", "outside"]);
  for (const name of knowledge.accounts) accounts.add(userAccount(name));
  let cursor: string | null | undefined;
  while (cursor !== null) {
    const page = await server.store.jobs.list({ limit: 100, ...(cursor === undefined ? {} : { cursor }) });
    for (const { id, account } of page.jobs) accounts.add(escrowAccount(id)).add(userAccount(account));
    cursor = page.cursor;
  }
  let sum = 0;
  for (const account of accounts) {
    const cents = await server.store.wallet.balance(account);
    if (cents < 0 && account !== "outside") throw new Error(`${account} holds ${cents}`);
    sum += cents;
  }
  return sum;
}

/** It still answers, can still write, and its books are even. */
async function isUnharmed(): Promise<void> {
  expect(await world.server.ask("GET", "/ping", { key: null })).toMatchObject({ status: 200, body: "PONG" });
  expect(await world.server.ask("GET", "/ready", { key: null })).toMatchObject({ status: 200 });
  expect(await sumOfAll(world)).toBe(0);
  expect(alarms()).toEqual([]);
}

const conditions: fc.Arbitrary<Weather> = fc.record({
  github: fc.constantFrom("fine", "fine", "fine", "refuses", "away", "not installed"),
  paymentProvider: fc.constantFrom("fine", "away"),
});

/** A few requests at once, after so much time, in such a weather. */
const step = (requests: fc.Arbitrary<Plan>) =>
  fc.record({
    plans: fc.oneof(
      { weight: 4, arbitrary: fc.tuple(requests) },
      { weight: 1, arbitrary: requests.map((plan) => [plan, plan, plan]) },
      { weight: 1, arbitrary: fc.array(requests, { minLength: 2, maxLength: 4 }) },
    ),
    later_ms: fc.oneof(
      { weight: 8, arbitrary: fc.constant(0) },
      fc.constantFrom(31_000, 61_000, 3_700_000, 90_000_000),
    ),
    conditions: fc.oneof({ weight: 5, arbitrary: fc.constant(FINE) }, { weight: 1, arbitrary: conditions }),
  });

describe("whatever is asked", () => {
  it("every operation answers as it is described, and never that it is our fault", async () => {
    for (const [index, operation] of world.operations.entries()) {
      if (index % OPERATIONS === 0) await world.prepare();
      const requests = requestsFor(operation, [world.receiver.url]);
      await fc.assert(
        fc.asyncProperty(requests, (plan) => sendAll([plan])),
        { numRuns: EACH, interruptAfterTimeLimit: TIMEOUT_MS },
      );
    }
    await isUnharmed();
    const idle = world.operations.filter(({ operationId }) => !done.has(operationId));
    // what is only ever refused has not been tried
    expect(idle.length, idle.map(({ operationId }) => operationId).join()).toBeLessThan(world.operations.length / 3);
  });

  it("the same holds in any order, at once, later, and with what earlier answers told", async () => {
    const requests = fc.oneof(...world.operations.map((one) => requestsFor(one, [world.receiver.url])));
    await fc.assert(
      fc.asyncProperty(fc.array(step(requests), { minLength: 5, maxLength: STEPS, size: "max" }), async (steps) => {
        await world.prepare();
        for (const { plans, later_ms, conditions } of steps) {
          world.clock.pass(later_ms);
          world.conditions = conditions;
          await sendAll(plans);
        }
        expect(await sumOfAll(world)).toBe(0);
      }),
      { numRuns: WALKS, interruptAfterTimeLimit: TIMEOUT_MS },
    );
    await isUnharmed();
  });
});
