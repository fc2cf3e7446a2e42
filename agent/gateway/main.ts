/**
 * Entry of the gateway, which runs from the agent's image in a second container and alone holds the provider's key.
 * Prints where it listens, then each refusal.
 */
import "../no-debugger.ts";
import { useRunnerProxy } from "../runner-proxy.ts";
import { askRunAction } from "./identity-tokens.ts";
import { readGateway } from "./settings.ts";
import { serveUntilTold, startGateway } from "./start.ts";

useRunnerProxy(process.env);
const read = readGateway(process.env);
if (!read.ok) {
  console.error(`The gateway cannot start: ${read.reason}`);
  process.exit(2);
}
const print = (sentence: string): void => console.log(sentence);
const keyless = read.settings.provider.federation !== undefined;
const ports = keyless ? { askIdentity: askRunAction(process.stdin, print) } : {};
await serveUntilTold("The gateway", startGateway(read.settings, print, ports));
