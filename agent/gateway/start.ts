/** Assembles the gateway of a run, or the stand-alone proxy for workflows without a gateway. */
import { type Access, fixedAccess } from "./access.ts";
import { createAllowList } from "./allow-list.ts";
import { type DialPorts, INTERNET } from "./dial.ts";
import { NO_KEY } from "./errors.ts";
import { FederatedAccess } from "./federated-access.ts";
import type { AskIdentity } from "./identity-tokens.ts";
import { createKeyRedactor } from "./key-redactor.ts";
import { ModelEndpoint } from "./model-endpoint.ts";
import { createProxy } from "./proxy.ts";
import { Refusals } from "./refusals.ts";
import { type Serving, startServer } from "./server.ts";
import type { EgressSettings, GatewaySettings, Provider } from "./settings.ts";

type Print = (sentence: string) => void;

export interface GatewayPorts {
  readonly dialPorts?: DialPorts;
  /** Needed where the run signs in without a key. */
  readonly askIdentity?: AskIdentity;
  readonly now?: () => number;
}

function accessTo(provider: Provider, { askIdentity, now = Date.now }: GatewayPorts): Access {
  const { url, credentials, no_key: error = NO_KEY, federation } = provider;
  if (federation !== undefined && askIdentity !== undefined)
    return new FederatedAccess({ url, federation, askIdentity, now });
  if (credentials === null) return fixedAccess({ ok: false, error });
  const redactor = createKeyRedactor([credentials["x-api-key"] ?? ""]);
  return fixedAccess({ ok: true, authorization: { headers: credentials, betas: [], redactor } });
}

export async function startGateway(
  settings: GatewaySettings,
  print: Print,
  ports: GatewayPorts = {},
): Promise<Serving> {
  const { dialPorts = INTERNET } = ports;
  const { hosts, listen, port } = settings;
  const refusals = new Refusals(print);
  const onRefusal = (reason: string): void => refusals.add(reason);
  const endpoint = new ModelEndpoint({ ...settings, access: accessTo(settings.provider, ports), onRefusal });
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
