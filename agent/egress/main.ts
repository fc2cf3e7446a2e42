/**
 * Entry of the stand-alone proxy, for workflows that start the agent with the provider's key and without a gateway.
 * Prints where it listens, for which such a workflow waits, then each refusal.
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
