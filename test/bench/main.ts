/**
 * `npm run bench [-- group …]`: measures the App beside named baselines, each pair in the same run. Trust the ratios,
 * not the times: machines are slow and noisy. Exits 1 when a ratio is over its limit.
 */
import { availableParallelism, loadavg } from "node:os";
import type { Measured } from "./measured.ts";

const GROUPS: Readonly<Record<string, () => Promise<readonly Measured[]>>> = {
  store: async () => (await import("./store.ts")).benchStore(),
  http: async () => (await import("./http.ts")).benchHttp(),
  create: async () => (await import("./create.ts")).benchCreate(),
  agent: async () => (await import("./agent.ts")).benchAgent(),
  job: async () => (await import("./job.ts")).benchJob(),
  sse: async () => (await import("./sse.ts")).benchSse(),
  market: async () => (await import("./market.ts")).benchMarket(),
  "action-mode": async () => (await import("./action-mode.ts")).benchActionMode(),
  start: async () => (await import("./start.ts")).benchStart(),
  notify: async () => (await import("./notify.ts")).benchNotify(),
  containers: async () => (await import("./containers.ts")).benchContainers(),
  image: async () => (await import("./image.ts")).benchImage(),
  schedules: async () => (await import("./schedules.ts")).benchSchedules(),
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in GROUPS));
if (unknown.length > 0) {
  process.stderr.write(`No such group: ${unknown.join(", ")}. There are: ${Object.keys(GROUPS).join(", ")}.\n`);
  process.exit(2);
}

process.stdout.write(`${availableParallelism()} cores, load ${(loadavg()[0] ?? 0).toFixed(1)} before\n`);
let over = 0;
for (const [name, bench] of Object.entries(GROUPS)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  process.stdout.write(`\n${name}\n`);
  for (const { what, value, limit, at_least, detail } of await bench()) {
    const good = at_least === true ? value >= limit : value <= limit;
    if (!good) over += 1;
    const bound = `${at_least === true ? "≥" : "≤"} ${limit}`;
    process.stdout.write(`  ${good ? "ok  " : "OVER"} ${value.toFixed(2).padStart(8)} (${bound})  ${what}\n`);
    for (const line of detail) process.stdout.write(`                          ${line}\n`);
  }
}
process.exit(over > 0 ? 1 : 0);
