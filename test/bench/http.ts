/**
 * Measures what a delivery and a status read cost the server, compared with the least that could do the same. Uses
 * server CPU per request, since throughput on a busy machine tells little; 50 connections, rounds in turns.
 */
import { type ChildProcess, fork } from "node:child_process";
import { createHmac, generateKeyPairSync, randomUUID } from "node:crypto";
import { once } from "node:events";
import fs from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import autocannon, { type Options, type Request } from "autocannon";
import * as z from "zod";
import { fillStore } from "./fill-store.ts";
import type { Role } from "./http-child.ts";
import { type Measured, median } from "./measured.ts";

/** Short ones in turns, each compared with its neighbour: what else the machine does falls on both. */
const ROUNDS = 15;
const SECONDS = 1;
const WARM_UP_SECONDS = 2;
const CONNECTIONS = 50;
const STORED_JOBS = 100_000;
const SECRET = "a webhook secret for the bench";
const API_KEY = "an-admin-key-for-the-bench";

interface Child {
  readonly url: string;
  readonly keys: readonly string[];
  cpu(): Promise<number>;
  stop(): Promise<void>;
}

async function told<T>(child: ChildProcess, schema: z.ZodType<T>): Promise<T> {
  const listening = new AbortController();
  const options = { signal: listening.signal };
  const ended = once(child, "exit", options).then(([code]) => {
    throw new Error(`a measured server ended with ${code}`);
  });
  try {
    const [message] = await Promise.race([once(child, "message", options), ended]);
    return schema.parse(message);
  } finally {
    listening.abort();
  }
}

async function start(role: Role, dir: string): Promise<Child> {
  const log = fs.openSync(join(dir, `${role.serve}.log`), "w");
  const path = new URL("./http-child.ts", import.meta.url).pathname;
  const child = fork(path, [JSON.stringify(role)], {
    stdio: ["ignore", log, "inherit", "ipc"],
  });
  const { port, keys } = await told(child, z.object({ port: z.number(), keys: z.array(z.string()) }));
  return {
    keys,
    url: `http://127.0.0.1:${port}`,
    async cpu() {
      child.send("cpu");
      return (await told(child, z.object({ cpu_us: z.number() }))).cpu_us;
    },
    async stop() {
      const ended = once(child, "exit");
      child.disconnect();
      await ended;
    },
  };
}

interface Round {
  readonly cpu_us: number;
  readonly per_second: number;
  readonly p99_ms: number;
}

async function load(child: Child, options: Omit<Options, "url">, seconds: number): Promise<Round> {
  const before = await child.cpu();
  const result = await autocannon({ url: child.url, connections: CONNECTIONS, duration: seconds, ...options });
  const spent = (await child.cpu()) - before;
  const good = result["2xx"];
  if (result.errors > 0 || result.non2xx > 0) {
    throw new Error(`${result.errors} errors and ${result.non2xx} bad answers under load`);
  }
  return { cpu_us: spent / good, per_second: good / seconds, p99_ms: result.latency.p99 };
}

/** Both under the same load, in turns, after a warm-up each. */
async function compare(ours: Child, floor: Child, options: Omit<Options, "url">) {
  const rounds: { ours: Round[]; floor: Round[] } = { ours: [], floor: [] };
  await load(ours, options, WARM_UP_SECONDS);
  await load(floor, options, WARM_UP_SECONDS);
  for (let round = 0; round < ROUNDS; round++) {
    rounds.floor.push(await load(floor, options, SECONDS));
    rounds.ours.push(await load(ours, options, SECONDS));
  }
  const cpu = (of: readonly Round[]): number => median(of.map((round) => round.cpu_us));
  const said = (name: string, of: readonly Round[]): string => {
    const rate = median(of.map((round) => round.per_second));
    const p99 = median(of.map((round) => round.p99_ms));
    return `${name}: ${cpu(of).toFixed(0)} µs CPU a request, ${rate.toFixed(0)} a second, p99 ${p99.toFixed(0)} ms`;
  };
  return {
    ratio: median(rounds.ours.map((round, index) => round.cpu_us / (rounds.floor[index]?.cpu_us ?? Number.NaN))),
    detail: [said("ours", rounds.ours), said("floor", rounds.floor)],
  };
}

const environment = (dir: string): Record<string, string> => ({
  APP_ID: "1",
  PRIVATE_KEY: generateKeyPairSync("rsa", { modulusLength: 2048 })
    .privateKey.export({ type: "pkcs1", format: "pem" })
    .toString(),
  WEBHOOK_SECRET: SECRET,
  API_KEY,
  // one key asks for all of it
  QUOTA_JOBS_UNDER_WAY: "1000000",
  QUOTA_ROUNDS_PER_DAY: "1000000",
  DATA_DIR: join(dir, "data"),
  HOST: "127.0.0.1",
  PORT: "0",
  // nobody: neither a status read nor the record of a delivery may need GitHub
  GHE_HOST: "127.0.0.1:9",
  GHE_PROTOCOL: "http",
});

const examplesSchema = z.array(
  z.object({ name: z.string(), examples: z.array(z.looseObject({ action: z.string().optional() })) }),
);

/** A run of a job's workflow, as GitHub tells it: recorded, then looked up and found to be of no job of ours. */
function delivery(): string {
  const events = examplesSchema.parse(createRequire(import.meta.url)("@octokit/webhooks-examples"));
  const runs = events.find((event) => event.name === "workflow_run")?.examples ?? [];
  const example = runs.find((one) => one.action === "completed");
  const schema = z.looseObject({ workflow_run: z.looseObject({}), repository: z.looseObject({ id: z.number() }) });
  const payload = schema.parse(example);
  const head_repository = payload.repository;
  const workflow_run = { ...payload.workflow_run, head_branch: "job/zzzzzzzz", run_attempt: 1, head_repository };
  return JSON.stringify({ ...payload, workflow_run, installation: { id: 1 } });
}

async function benchWebhook(dir: string): Promise<Measured> {
  const body = delivery();
  const headers = {
    "content-type": "application/json",
    "x-github-event": "workflow_run",
    "x-hub-signature-256": `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`,
  };
  const ours = await start({ serve: "ours", env: environment(dir) }, dir);
  const floor = await start({ serve: "webhook-floor", dir, secret: SECRET }, dir);
  const { ratio, detail } = await compare(ours, floor, {
    method: "POST",
    body,
    headers,
    requests: [
      {
        path: "/api/github/webhooks",
        setupRequest: (request) => ({ ...request, headers: { ...headers, "x-github-delivery": randomUUID() } }),
      },
    ],
  });
  await ours.stop();
  await floor.stop();
  const size = `${body.length} bytes a delivery, each of another id`;
  return {
    what: "a delivery, CPU beside verify + parse + one flush",
    value: ratio,
    limit: 2,
    detail: [...detail, size],
  };
}

async function benchStatus(dir: string): Promise<Measured> {
  const env = environment(dir);
  const id = await fillStore(join(dir, "data"), STORED_JOBS, "over");
  const ours = await start({ serve: "ours", env }, dir);
  const path = `/api/jobs/status?job_id=${id}`;
  const headers = { "x-api-key": API_KEY };
  const answer = await fetch(`${ours.url}${path}`, { headers });
  if (!answer.ok) throw new Error(`the status read answered ${answer.status}`);
  const body = z.record(z.string(), z.unknown()).parse(await answer.json());
  const floor = await start({ serve: "express", body }, dir);
  const { ratio, detail } = await compare(ours, floor, { headers, requests: [{ path }] });
  await ours.stop();
  await floor.stop();
  const what = `a status read with key and log line among ${STORED_JOBS} jobs, CPU beside a bare Express route`;
  return { what, value: ratio, limit: 1.3, detail };
}

interface Paid {
  readonly what: string;
  /** Each request has an `Idempotency-Key`. */
  readonly repeatable: boolean;
  readonly whole: boolean;
  readonly limit: number;
}

const PAID: readonly Paid[] = [
  { what: "authentication, validation, idempotency", repeatable: true, whole: false, limit: 1.25 },
  { what: "key, limit, body, schema, log line", repeatable: false, whole: true, limit: 1.25 },
  { what: "the same with an Idempotency-Key", repeatable: true, whole: true, limit: 1.4 },
];

/** Each connection with a key of its own. */
async function benchPost(dir: string, { what, repeatable, whole, limit }: Paid): Promise<Measured> {
  const body = JSON.stringify({ job: "create HELLO.md that says hello", repository: "octocat/hello-world" });
  const ours = await start({ serve: "mounted-post", dir: join(dir, "data"), whole }, dir);
  const floor = await start({ serve: "express", body: { job_id: "ab12cd34", branch: "job/ab12cd34" } }, dir);
  let clients = 0;
  const { ratio, detail } = await compare(ours, floor, {
    method: "POST",
    body,
    setupClient: (client) => {
      // another key in each round, or one would come to its limit of writes
      const key = ours.keys[clients++ % ours.keys.length] ?? "";
      const headers = { "content-type": "application/json", "x-api-key": key };
      const once: Request = {
        ...{ method: "POST", path: "/api/create-job", body, headers },
        setupRequest: (request) => ({ ...request, headers: { ...headers, "idempotency-key": randomUUID() } }),
      };
      client.setRequests([repeatable ? once : { method: "POST", path: "/api/create-job", body, headers }]);
    },
  });
  await ours.stop();
  await floor.stop();
  return { what: `a POST without work: ${what}, CPU beside a bare Express JSON route`, value: ratio, limit, detail };
}

export async function benchHttp(): Promise<readonly Measured[]> {
  const measured: Measured[] = [];
  const posts = PAID.map((paid) => (dir: string) => benchPost(dir, paid));
  for (const bench of [benchWebhook, benchStatus, ...posts]) {
    const dir = fs.mkdtempSync(join(tmpdir(), "bench-http-"));
    try {
      measured.push(await bench(dir));
    } finally {
      fs.rmSync(dir, { recursive: true, force: true });
    }
  }
  return measured;
}
