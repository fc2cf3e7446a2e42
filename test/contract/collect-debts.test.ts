/** A sender who merges rejected work by hand owes what the wallet lacks, and cannot order until it is paid. */
import { expect, it } from "vitest";
import * as z from "zod";
import { asJobId } from "../../src/domain/job/job.ts";
import { until } from "../flows/harness.ts";
import { API_KEY } from "./http-server.ts";
import { type Market, type Person, startMarket, viewSchema } from "./market-harness.ts";

const ADAS_NUMBER = 1;

interface World {
  readonly market: Market;
  readonly ada: Person;
  readonly bob: Person;
}

async function handIn({ market, bob }: World, id: string): Promise<number> {
  const pulled = await bob.pull();
  expect(pulled?.id).toBe(id);
  await bob.accept(id);
  await bob.ask("POST", `/api/jobs/${id}/submit`, { output_text: "Done." });
  let number = 0;
  await until("a pull request is open", async () => {
    const job = asJobId(id);
    const stored = job === null ? null : await market.server.store.jobs.load(job);
    number = stored?.job.status === "submitted" ? (stored.job.pull_request?.number ?? 0) : 0;
    return number > 0;
  });
  return number;
}

/** Ada has turned bob's work down twice, has her money back, and merges the first of it. */
async function taken(cents_left: number): Promise<World & { readonly id: string }> {
  const market = await startMarket();
  market.server.github.opens = true;
  const world = { market, ada: await market.person("ada", 500), bob: await market.person("bob") };
  const { id } = await world.ada.order(500);
  const first = await handIn(world, id);
  await world.ada.ask("POST", `/api/jobs/${id}/reject-work`, {});
  await handIn(world, id);
  await world.ada.ask("POST", `/api/jobs/${id}/reject-work`, {});
  expect(await world.ada.balance()).toBe(500);
  // with somebody else's job her money is out of the way
  await world.ada.order(500 - cents_left);
  const job = asJobId(id);
  if (job === null) throw new Error(`no id: ${id}`);
  const merged = {
    type: "merged",
    pull_request: first,
    by: "ada",
    by_id: ADAS_NUMBER,
    at: market.clock.now(),
  } as const;
  expect((await market.server.engine.handle(job, merged)).ok).toBe(true);
  return { ...world, id };
}

const credit = ({ market }: World, amount_cents: number) =>
  market.server.ask("POST", "/api/wallet/credit", { key: API_KEY, body: { account: "ada", amount_cents } });

const order = ({ ada }: World) =>
  ada.ask("POST", "/api/jobs/run", { prompt: "Another thing", price_cents: 100, confirmed: true });

it("is paid from the next money, part by part, and blocks orders until then", async () => {
  const world = await taken(200);
  expect([await world.ada.balance(), await world.bob.balance()]).toEqual([0, 200]);
  const refused = await order(world);
  expect(refused).toMatchObject({
    status: 402,
    body: { code: "in_debt", error: expect.stringContaining("ada owes 300 cents") },
  });
  expect(refused.body).toMatchObject({ error: expect.stringContaining("top up at least 300 cents") });
  await world.market.restart();
  expect((await order(world)).status).toBe(402);
  await credit(world, 100);
  expect([await world.ada.balance(), await world.bob.balance()]).toEqual([0, 300]);
  await credit(world, 400);
  expect([await world.ada.balance(), await world.bob.balance()]).toEqual([200, 350]);
  expect((await order(world)).status).toBe(201);
});

it("leaves an Idempotency-Key free for the same order after it is paid", async () => {
  const world = await taken(0);
  const body = { prompt: "Another thing", price_cents: 100, confirmed: true };
  const again = () => world.ada.ask("POST", "/api/jobs/run", body, { headers: { "idempotency-key": "order-1" } });
  expect((await again()).status).toBe(402);
  await credit(world, 600);
  expect((await again()).status).toBe(201);
});

it("is paid from what comes back from other jobs, and from nobody else's money", async () => {
  const world = await taken(0);
  await world.market.person("eve", 5_000);
  expect(await world.bob.balance()).toBe(0);
  const { jobs } = z.object({ jobs: z.array(viewSchema) }).parse({
    jobs: (await world.ada.ask("GET", "/api/jobs?status=queued")).body,
  });
  expect((await world.ada.ask("POST", `/api/jobs/${jobs[0]?.id}/cancel`)).status).toBe(200);
  await until("bob is paid", async () => (await world.bob.balance()) === 350);
  expect(await world.ada.balance()).toBe(0);
});

it("blocks no job of the repository's own runners, and no other account", async () => {
  const world = await taken(0);
  expect((await world.ada.ask("POST", "/api/create-job", { job: "x" })).status).toBe(200);
  const eve = await world.market.person("eve", 500);
  expect((await eve.order(500)).status).toBe("queued");
});

it("keeps every cent: over all accounts and escrows the postings sum to zero", async () => {
  const world = await taken(120);
  await credit(world, 50);
  await credit(world, 1_000);
  const { jobs, wallet } = world.market.server.store;
  let sum = 0;
  for (const account of ["user:ada", "user:bob", "fees", "outside"] as const) sum += await wallet.balance(account);
  for (const { id } of (await jobs.list({ limit: 100 })).jobs) sum += await wallet.balance(`escrow:${id}`);
  expect(sum).toBe(0);
  expect(await wallet.balance("fees")).toBe(150);
});
