/**
 * Entry of the proxy alone, for workflows that start the agent with the provider's key and no gateway. Says on stdout
 * where it listens, then what it refuses; such a workflow waits for the first of these lines.
 */
import { readEgress } from "../gateway/settings.ts";
import { serveUntilTold, startEgress } from "../gateway/start.ts";

const read = readEgress(process.env);
if (!read.ok) {
  console.error(`The proxy cannot start: ${read.reason}`);
  process.exit(2);
}
await serveUntilTold(
  "The proxy",
  startEgress(read.settings, (sentence) => console.log(sentence)),
);
