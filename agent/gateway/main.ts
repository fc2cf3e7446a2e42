/**
 * Entry of the gateway: the agent's image, started a second time beside the agent. It alone holds the key of the model's
 * provider. Says on stdout where it listens, then what it refuses.
 */
import "../no-debugger.ts";
import { readGateway } from "./settings.ts";
import { serveUntilTold, startGateway } from "./start.ts";

const read = readGateway(process.env);
if (!read.ok) {
  console.error(`The gateway cannot start: ${read.reason}`);
  process.exit(2);
}
await serveUntilTold(
  "The gateway",
  startGateway(read.settings, (sentence) => console.log(sentence)),
);
