/**
 * Queries the gateway next to the agent: whether it is up, and what the run has cost, including calls that commands
 * made.
 */
import { SPENT_PATH, type Spent, spentSchema } from "../../src/contracts/gateway.ts";

/** Both containers start at the same time from one image. */
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

  /** Null when it does not answer. */
  async spent(): Promise<Spent | null> {
    try {
      const answer = await fetch(new URL(SPENT_PATH, this.#address), { signal: AbortSignal.timeout(ASK_MS) });
      return spentSchema.parse(await answer.json());
    } catch {
      return null;
    }
  }

  /** Returns null once it answers, otherwise why it is unusable. */
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
