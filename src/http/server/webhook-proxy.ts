/** Receives deliveries through a smee channel, for a server that GitHub cannot reach. Loaded only if one is set. */
import type { Log } from "../../engine/ports/log.ts";
import { WEBHOOK_PATH } from "./webhook-receiver.ts";

/** Passes on what arrives at the channel, as soon as it can be reached; the answer ends that. */
export async function receiveFromProxy(channel: string, server: string, log: Log): Promise<() => Promise<void>> {
  const { SmeeClient } = await import("smee-client");
  const smee = new SmeeClient({
    source: channel,
    target: `${server}${WEBHOOK_PATH}`,
    logger: {
      info: (message: unknown) => log.debug({}, `webhook proxy: ${String(message)}`),
      error: (message: unknown) => log.warn({}, `webhook proxy: ${String(message)}`),
    },
  });
  smee.start().catch((error: unknown) => log.warn({ err: error }, "the webhook proxy cannot be reached"));
  return () => smee.stop();
}
