/**
 * Entry of the proxy that a job's network ends at: the agent's image, started a second time beside it. Says on stdout
 * where it listens, then what it refuses; run-job.yml waits for the first of these lines.
 */
import { createAllowList } from "./egress/allow-list.ts";
import { INTERNET } from "./egress/dial.ts";
import { startProxy } from "./egress/proxy.ts";
import { readEgress } from "./egress/settings.ts";

const read = readEgress(process.env);
if (!read.ok) {
  console.error(`The proxy cannot start: ${read.reason}`);
  process.exit(2);
}
const { hosts, listen, provider } = read.settings;
const setup = {
  allows: createAllowList(hosts, provider),
  world: INTERNET,
  onRefusal: (sentence: string) => console.log(sentence),
};
const proxy = await startProxy(setup, listen).catch((error: unknown) => {
  console.error(`The proxy cannot start: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(2);
});
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => {
    proxy.close();
    process.exit(0);
  });
}
console.log(`listening on ${proxy.port}`);
