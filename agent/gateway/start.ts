/** Assembles the gateway of a run, or the stand-alone proxy for workflows without a gateway. */
import { createAllowList } from "./allow-list.ts";
import { type DialPorts, INTERNET } from "./dial.ts";
import { ModelEndpoint } from "./model-endpoint.ts";
import { createProxy } from "./proxy.ts";
import { Refusals } from "./refusals.ts";
import { type Serving, startServer } from "./server.ts";
import type { EgressSettings, GatewaySettings } from "./settings.ts";

type Print = (sentence: string) => void;

export async function startGateway(
  settings: GatewaySettings,
  print: Print,
  dialPorts: DialPorts = INTERNET,
): Promise<Serving> {
  const { hosts, listen, port } = settings;
  const refusals = new Refusals(print);
  const onRefusal = (reason: string): void => refusals.add(reason);
  const endpoint = new ModelEndpoint({ ...settings, onRefusal });
  const proxy = hosts === null ? null : createProxy({ allows: createAllowList(hosts), dialPorts, onRefusal });
  return startServer({ endpoint, proxy, refusals, print }, listen, port);
}

export async function startEgress({ hosts, provider, listen }: EgressSettings, print: Print): Promise<Serving> {
  const refusals = new Refusals(print);
  const onRefusal = (reason: string): void => refusals.add(reason);
  const proxy = createProxy({ allows: createAllowList(hosts, provider), dialPorts: INTERNET, onRefusal });
  return startServer({ endpoint: null, proxy, refusals, print }, listen);
}

/** Shared by both programs: prints where it listens, ends on a signal, and explains a failed start. */
export async function serveUntilTold(what: string, started: Promise<Serving>): Promise<void> {
  const serving = await started.catch((error: unknown) => {
    console.error(`${what} cannot start: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(2);
  });
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      serving.close();
      process.exit(0);
    });
  }
  console.log(`listening on ${serving.port}`);
}
