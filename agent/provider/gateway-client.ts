/**
 * What the agent asks of the gateway beside it, calls of the model aside: whether it is there yet, and what the run has
 * cost, the calls that commands made included.
 */
import { SPENT_PATH, type Spent, spentSchema } from "../../src/contracts/gateway.ts";

/** Both containers are started at once; the second one's image is here already. */
const WAIT_MS = 60_000;
const BETWEEN_MS = 100;
const ASK_MS = 2_000;

export interface WaitPorts {
  readonly elapsedMs: () => number;
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
}

export class GatewayClient {
  readonly #address: string;

  constructor(address: string) {
    this.#address = address;
  }

  /** Null: it does not answer. */
  async spent(): Promise<Spent | null> {
    try {
      const answer = await fetch(new URL(SPENT_PATH, this.#address), { signal: AbortSignal.timeout(ASK_MS) });
      return spentSchema.parse(await answer.json());
    } catch {
      return null;
    }
  }

  /** Why it cannot be worked with, or null once it answers. */
  async waitFor({ elapsedMs, pause, signal }: WaitPorts): Promise<string | null> {
    const until = elapsedMs() + WAIT_MS;
    while (!signal.aborted) {
      if ((await this.spent()) !== null) return null;
      if (elapsedMs() >= until) break;
      await pause(BETWEEN_MS, signal);
    }
    return `The gateway beside the agent, which leads to the model, did not answer within ${WAIT_MS / 1_000} s.`;
  }
}
