/**
 * How soon the server answers after it was started, beside a stock Probot server with one route: installed as anybody
 * would install it, in a folder of its own, so that nothing of ours is in it. In turn, so that a busy machine is as
 * busy for both.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { bundle, bundleFolder } from "../../esbuild.config.ts";
import { type Measured, median } from "./measured.ts";
import { type Program, type Started, startServer } from "./start-process.ts";

const ROUNDS = 9;
const READY = 1;
const ALIVE = 0.3;

const ROOT = join(import.meta.dirname, "..", "..");
const STOCK = join(ROOT, "node_modules", ".cache", "stock-probot");

const SERVER = `import { run } from "probot";

run((app, { getRouter }) => {
  app.on("issues.opened", async () => {});
  getRouter("/hello").get("/", (_request, response) => void response.send("hello"));
});
`;

const packageSchema = z.object({ version: z.string() });
const versionIn = (path: string): string => packageSchema.parse(JSON.parse(readFileSync(path, "utf8"))).version;

/** Installed once; anew when our own Probot is another one. */
function stockProbot(): Program {
  const version = versionIn(join(ROOT, "node_modules", "probot", "package.json"));
  const installed = join(STOCK, "node_modules", "probot", "package.json");
  const server = join(STOCK, "server.js");
  if (!existsSync(installed) || versionIn(installed) !== version || !existsSync(server)) {
    process.stdout.write(`  (installing probot ${version} by itself, once)\n`);
    rmSync(STOCK, { recursive: true, force: true });
    mkdirSync(STOCK, { recursive: true });
    const wanted = { private: true, type: "module", dependencies: { probot: version } };
    writeFileSync(join(STOCK, "package.json"), JSON.stringify(wanted));
    execFileSync("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: STOCK });
    writeFileSync(server, SERVER);
  }
  return { script: server, env: {} };
}

/** Starts and stops once, as the first start on a machine: it leaves Node's compiled code for the next ones. */
async function once(program: Program): Promise<void> {
  const started = await startServer(program);
  await started.answers("/ping");
  await started.stop();
}

interface Times {
  readonly health: number;
  readonly ready: number;
  readonly cpu: number;
}

async function timed(program: Program, paths: { readonly health: string; readonly ready: string }): Promise<Times> {
  const started: Started = await startServer(program);
  try {
    const health = await started.answers(paths.health);
    const ready = await started.answers(paths.ready);
    return { health, ready, cpu: started.cpu() };
  } finally {
    await started.kill();
  }
}

const inMs = (value: number): string => `${Math.round(value)} ms`;
const told = (name: string, times: readonly Times[]): string =>
  `${name}: ready after ${inMs(median(times.map(({ ready }) => ready)))}, ${inMs(median(times.map(({ cpu }) => cpu)))} of CPU`;

export async function benchStart(): Promise<readonly Measured[]> {
  await bundle("server");
  const stock = stockProbot();
  const ours: Program = { script: join(bundleFolder("server"), "main.js"), env: {} };
  const first: Program = { ...ours, env: { NODE_DISABLE_COMPILE_CACHE: "1" } };
  for (const program of [stock, ours]) await once(program);

  const times = { stock: [] as Times[], ours: [] as Times[], first: [] as Times[] };
  for (let round = 0; round < ROUNDS; round++) {
    times.stock.push(await timed(stock, { health: "/ping", ready: "/ping" }));
    times.ours.push(await timed(ours, { health: "/health", ready: "/ping" }));
    times.first.push(await timed(first, { health: "/health", ready: "/ping" }));
  }
  const anchor = median(times.stock.map(({ ready }) => ready));
  const ratio = (of: readonly Times[], what: "health" | "ready"): number => median(of.map((one) => one[what])) / anchor;
  const beside = told("stock Probot with one route", times.stock);
  return [
    {
      what: "spawn to /ping, x a stock Probot server with one route",
      value: ratio(times.ours, "ready"),
      limit: READY,
      detail: [told("Journeyman", times.ours), beside],
    },
    {
      what: "the same at the first start, without Node's compiled code of an earlier one",
      value: ratio(times.first, "ready"),
      limit: READY,
      detail: [told("Journeyman", times.first)],
    },
    {
      what: "spawn to /health, x the stock server's /ping",
      value: ratio(times.ours, "health"),
      limit: ALIVE,
      detail: [`Journeyman: alive after ${inMs(median(times.ours.map(({ health }) => health)))}`],
    },
  ];
}
