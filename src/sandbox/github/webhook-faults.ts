/** Tricks on webhooks that a test asks for: drop, double, delay, reorder, hold. Decides only; `webhooks.ts` sends. */
import type { Json } from "./model.ts";

export interface HookEvent {
  readonly event: string;
  readonly action: string | undefined;
  readonly payload: Json;
}
export type HookPredicate = (event: HookEvent) => boolean;

/** What becomes of one event: sent so often, after so long, or kept back. */
export interface Fate {
  readonly copies: number;
  readonly delayMs: number;
  /** Not sent; `recorded` says whether the delivery log shows a failed attempt. */
  readonly dropped: false | "recorded" | "silent";
}

interface Rule {
  readonly when: HookPredicate;
  left: number;
  readonly fate: Partial<Fate>;
}
interface Gathering {
  readonly when: HookPredicate;
  readonly size: number;
  readonly events: (() => void)[];
}

const anything: HookPredicate = () => true;

export class WebhookFaults {
  #rules: Rule[] = [];
  #gatherings: Gathering[] = [];
  #held: { when: HookPredicate; sends: (() => void)[] } | undefined;

  drop(when: HookPredicate = anything, options: { times?: number; silently?: boolean } = {}): void {
    this.#add(when, options.times, { dropped: options.silently ? "silent" : "recorded" });
  }

  duplicate(when: HookPredicate = anything, options: { times?: number } = {}): void {
    this.#add(when, options.times, { copies: 2 });
  }

  delay(when: HookPredicate, delayMs: number, options: { times?: number } = {}): void {
    this.#add(when, options.times, { delayMs });
  }

  /** Gathers `size` matching events, then sends them last first. */
  reorder(when: HookPredicate, size: number): void {
    this.#gatherings.push({ when, size, events: [] });
  }

  /** Keeps matching events back until `release`. */
  hold(when: HookPredicate = anything): void {
    this.#held = { when, sends: this.#held?.sends ?? [] };
  }

  release(): void {
    const sends = this.#held?.sends ?? [];
    this.#held = undefined;
    for (const send of sends) send();
  }

  /** Forgets every trick; what was kept back is sent. */
  clear(): void {
    this.#rules = [];
    const gathered = this.#gatherings.flatMap((gathering) => gathering.events);
    this.#gatherings = [];
    for (const send of gathered) send();
    this.release();
  }

  fateOf(event: HookEvent): Fate {
    const fates = this.#rules.filter((rule) => rule.left > 0 && rule.when(event));
    for (const rule of fates) rule.left -= 1;
    return Object.assign({ copies: 1, delayMs: 0, dropped: false }, ...fates.map((rule) => rule.fate));
  }

  /** True when the event was kept back; `send` is then called later. */
  keepsBack(event: HookEvent, send: () => void): boolean {
    const gathering = this.#gatherings.find((candidate) => candidate.when(event));
    if (gathering) {
      gathering.events.push(send);
      if (gathering.events.length >= gathering.size) {
        this.#gatherings = this.#gatherings.filter((candidate) => candidate !== gathering);
        for (const kept of gathering.events.reverse()) kept();
      }
      return true;
    }
    if (!this.#held?.when(event)) return false;
    this.#held.sends.push(send);
    return true;
  }

  #add(when: HookPredicate, times: number | undefined, fate: Partial<Fate>): void {
    this.#rules.push({ when, left: times ?? Number.POSITIVE_INFINITY, fate });
  }
}
