import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { isFinal, type Job } from "../../src/domain/job/job.ts";
import { escrowAccount, userAccount } from "../../src/domain/market/ledger.ts";
import { openLowdbStore } from "../../src/store/lowdb/open.ts";
import { builtProgram } from "../build.ts";
import { scriptedRuns } from "../flows/scripted-runs.ts";
import { type AppProcess, startApp } from "../sandbox/app-process.ts";
import { DEMO, startSandbox } from "../sandbox/environment.ts";

const ADMIN = "market-crash-admin-key-0123456789";

interface Asked {
  readonly path: string;
  readonly body: object;
  readonly key: string;
  /** Under which it is sent again. */
  readonly once: string;
}

interface Told {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Null: the server went away before it answered. */
async function ask(url: string, { path, body, key, once }: Asked): Promise<Told | null> {
  const headers = { "x-api-key": key, "content-type": "application/json", "idempotency-key": once };
  try {
    const response = await fetch(`${url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    return { status: response.status, body: (await response.json()) as Told["body"] };
  } catch {
    return null;
  }
}

const order = (index: number, price_cents: number) => ({
  prompt: `Do thing ${index}`,
  ...{ price_cents, time_limit_seconds: 600, confirmed: true },
});

it("neither loses nor doubles a cent when it is killed among 200 money commands, and all of them are sent again", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "journeyman-market-crash-"));
  const sandbox = await startSandbox({ program: builtProgram, playJob: scriptedRuns });
  let app: AppProcess | null = null;
  onTestFinished(async () => {
    await app?.kill();
    await sandbox.close();
    await rm(dataDir, { recursive: true, force: true });
  });
  const start = (): Promise<AppProcess> =>
    startApp({
      ...{ program: builtProgram, github: sandbox.github, dataDir, port: 0, apiKey: ADMIN },
      ...{ webhookSecret: "crash-webhook-secret-0123456789", defaultRepository: DEMO, onComplaint: () => {} },
      // more of everything than the walk asks for
      more: {
        QUOTA_QUOTES_PER_HOUR: "1000",
        QUOTA_ROUNDS_PER_DAY: "5000",
        QUOTA_OPEN_ORDERS: "1000",
        QUOTA_JOBS_UNDER_WAY: "1000",
      },
    });
  app = await start();
  const { url } = app;
  const good = async (asked: Asked, ...statuses: readonly number[]): Promise<Told> => {
    const told = await ask(url, asked);
    if (told === null || !statuses.includes(told.status)) throw new Error(`${asked.path}: ${JSON.stringify(told)}`);
    return told;
  };

  const newKey = await fetch(`${url}/api/keys`, {
    method: "POST",
    headers: { "x-api-key": ADMIN },
    body: JSON.stringify({ account: "ada", repository: "*" }),
  });
  const { key } = (await newKey.json()) as { key: string };
  const credit = (once: string, amount_cents: number): Asked => ({
    ...{ path: "/api/wallet/credit", key: ADMIN, once, body: { account: "ada", amount_cents } },
  });
  const made = async (index: number, status: number) =>
    (await good({ path: "/api/jobs/run", body: order(index, 100), key, once: `before-${index}` }, status)).body.id;

  // thirty that wait for payment, thirty that are paid
  const unpaid = await Promise.all(Array.from({ length: 30 }, (_, index) => made(index, 402)));
  await good(credit("first", 3_000), 201);
  const paid = await Promise.all(Array.from({ length: 30 }, (_, index) => made(100 + index, 201)));
  await good(credit("second", 20_000), 201);

  const commands: Asked[] = [
    ...Array.from({ length: 60 }, (_, index) => credit(`credit-${index}`, 50)),
    ...Array.from({ length: 80 }, (_, index) => ({
      ...{ path: "/api/jobs/run", body: order(200 + index, 100 + index), key, once: `order-${index}` },
    })),
    ...unpaid.map((id) => ({ path: `/api/jobs/${id}/pay`, body: {}, key, once: `pay-${id}` })),
    ...paid.map((id) => ({ path: `/api/jobs/${id}/cancel`, body: {}, key, once: `cancel-${id}` })),
  ];
  // of every kind some come early
  const mixed = commands.map((command, index) => ({ command, at: (index * 7_919) % commands.length }));
  const shuffled = mixed.sort((a, b) => a.at - b.at).map(({ command }) => command);
  expect(shuffled).toHaveLength(200);
  const before = new Map<string, Told>();
  const enough = Promise.withResolvers<void>();
  const waiting = [...shuffled];
  // fifty at once, and no more once it is killed: some are under way then, and some were never sent
  const first = Array.from({ length: 50 }, async () => {
    for (let asked = waiting.shift(); asked !== undefined && before.size < 40; asked = waiting.shift()) {
      const told = await ask(url, asked);
      if (told !== null) before.set(asked.once, told);
      if (before.size >= 40) enough.resolve();
    }
  });
  await enough.promise;
  await app.kill();
  await Promise.all(first);
  expect(before.size).toBeLessThan(200);

  app = await start();
  const again = app.url;
  for (const asked of shuffled) {
    const told = await ask(again, asked);
    expect([asked.path, told?.status]).toEqual([asked.path, expect.toSatisfy((status) => status < 300)]);
    const acknowledged = before.get(asked.once);
    if (acknowledged !== undefined) expect(told).toEqual(acknowledged);
  }
  await app.stop();

  const store = await openLowdbStore({ dir: dataDir, now: Date.now });
  try {
    const { jobs } = store;
    const all: Job[] = [];
    for (let cursor: string | undefined = ""; cursor !== undefined; ) {
      const page: Awaited<ReturnType<typeof jobs.list>> = await jobs.list({
        limit: 200,
        ...(cursor ? { cursor } : {}),
      });
      all.push(...page.jobs);
      cursor = page.cursor ?? undefined;
    }
    expect(all).toHaveLength(140);
    let escrows = 0;
    for (const job of all) {
      const escrow = await jobs.balance(escrowAccount(job.id));
      expect(escrow).toBe(isFinal(job.status) || job.status === "pending_payment" ? 0 : job.price_cents);
      escrows += escrow;
    }
    const count = (status: string) => all.filter((job) => job.status === status).length;
    expect([count("queued"), count("cancelled"), count("pending_payment")]).toEqual([110, 30, 0]);
    const credited = 3_000 + 20_000 + 60 * 50;
    expect(await jobs.balance("outside")).toBe(-credited);
    expect((await jobs.balance(userAccount("ada"))) + escrows + (await jobs.balance("fees"))).toBe(credited);
  } finally {
    await store.close();
  }
}, 120_000);
