/**
 * People of the market on the App's real server: each has an account and a key and speaks HTTP; the clock is manual.
 */
import { rm } from "node:fs/promises";
import { onTestFinished } from "vitest";
import * as z from "zod";
import type { QuotaLimits } from "../../src/domain/job/quotas.ts";
import type { PaymentProvider } from "../../src/engine/ports/payments.ts";
import { dataFolder } from "../data-folder.ts";
import { type HandClock, handClock, stillClock } from "../flows/clock.ts";
import { API_KEY, type Asked, type AskOptions, startServer, type TestServer } from "./http-server.ts";

/** A job as the API shows it, as far as tests look at it. */
export const viewSchema = z.looseObject({
  id: z.string(),
  status: z.string(),
  price_cents: z.number(),
  attempt_count: z.number(),
  repository: z.string(),
});
export type View = z.infer<typeof viewSchema>;

export interface Person {
  readonly account: string;
  readonly key: string;
  ask(method: string, path: string, body?: unknown, options?: AskOptions): Promise<Asked>;
  /** Orders a job at this price, confirmed at once; answers it, paid or not. */
  order(price_cents?: number, more?: Readonly<Record<string, unknown>>): Promise<View>;
  balance(): Promise<number>;
  pull(body?: unknown): Promise<View | null>;
  accept(id: string): Promise<Asked>;
}

export interface Market {
  readonly server: TestServer;
  readonly clock: HandClock;
  person(account: string, cents?: number): Promise<Person>;
  /** Stops the server and starts another on the same data. */
  restart(): Promise<void>;
}

const keySchema = z.object({ key: z.string() });
const balanceSchema = z.looseObject({ balance_cents: z.number() });

const expected = (answer: Asked, ...statuses: readonly number[]): unknown => {
  if (statuses.includes(answer.status)) return answer.body;
  throw new Error(`answered ${answer.status}: ${JSON.stringify(answer.body)}`);
};

let orders = 0;

async function personOn(serverNow: () => TestServer, account: string): Promise<Person> {
  const newKey = await serverNow().ask("POST", "/api/keys", { key: API_KEY, body: { account, repository: "*" } });
  const { key } = keySchema.parse(expected(newKey, 201));
  const ask: Person["ask"] = (method, path, body, options = {}) =>
    serverNow().ask(method, path, { key, ...(body === undefined ? {} : { body }), ...options });
  return {
    account,
    key,
    ask,
    async order(price_cents = 500, more = {}) {
      const prompt = `Do the thing number ${++orders}`;
      const body = { prompt, price_cents, time_limit_seconds: 3600, confirmed: true, ...more };
      return viewSchema.parse(expected(await ask("POST", "/api/jobs/run", body), 201, 402));
    },
    async balance() {
      return balanceSchema.parse(expected(await ask("GET", "/api/wallet/balance"), 200)).balance_cents;
    },
    async pull(body = {}) {
      const answer = await ask("POST", "/api/jobs/pull", body);
      return answer.status === 204 ? null : viewSchema.parse(expected(answer, 200));
    },
    accept: (id) => ask("POST", `/api/jobs/${id}/accept`),
  };
}

export async function startMarket(
  given: { paymentProvider?: PaymentProvider; still?: true; quotas?: Partial<QuotaLimits> } = {},
): Promise<Market> {
  const clock = given.still ? stillClock() : handClock();
  const dir = dataFolder("market-");
  const start = () =>
    startServer({
      ...{ default_repository: "octo/demo", clock, dir, quotas: given.quotas ?? {} },
      ...(given.paymentProvider ? { paymentProvider: given.paymentProvider } : {}),
    });
  let server = await start();
  onTestFinished(async () => {
    await server.close();
    await rm(dir, { recursive: true, force: true });
  });
  return {
    get server() {
      return server;
    },
    clock,
    async restart() {
      await server.close();
      server = await start();
    },
    async person(account, cents = 0) {
      const person = await personOn(() => server, account);
      const credit = { account, amount_cents: cents };
      if (cents > 0) expected(await server.ask("POST", "/api/wallet/credit", { key: API_KEY, body: credit }), 201);
      return person;
    },
  };
}

/** A sender with money and a worker without. */
export async function twoPeople(cents = 10_000): Promise<Market & { readonly ada: Person; readonly bob: Person }> {
  const market = await startMarket();
  const people = { ada: await market.person("ada", cents), bob: await market.person("bob") };
  return Object.assign(market, people);
}
