/** Webhook faults that a test requests: drop, duplicate, delay, reorder, hold. Selects them; `webhooks.ts` sends. */
import type { Json } from "./model.ts";

export interface HookEvent {
  readonly event: string;
  readonly action: string | undefined;
  readonly payload: Json;
}
export type HookPredicate = (event: HookEvent) => boolean;

/** How one event is sent: how often, after which delay, or held. */
export interface Fate {
  readonly copies: number;
  readonly delayMs: number;
  /** Not sent; `recorded` tells whether the delivery log shows a failed attempt. */
  readonly dropped: false | "recorded" | "silent";
}

/** Resolves when the event was delivered, or will never be. */
type Send = () => Promise<void>;

interface Rule {
  readonly when: HookPredicate;
  left: number;
  readonly fate: Partial<Fate>;
}
interface Gathering {
  readonly when: HookPredicate;
  readonly size: number;
  readonly events: Send[];
}

const anything: HookPredicate = () => true;

export class WebhookFaults {
  #rules: Rule[] = [];
  #gatherings: Gathering[] = [];
  #sending = 0;
  #held: { when: HookPredicate; sends: Send[] } | undefined;

  drop(when: HookPredicate = anything, options: { times?: number; silently?: boolean } = {}): void {
    this.#add(when, options.times, { dropped: options.silently ? "silent" : "recorded" });
  }

  duplicate(when: HookPredicate = anything, options: { times?: number } = {}): void {
    this.#add(when, options.times, { copies: 2 });
  }

  delay(when: HookPredicate, delayMs: number, options: { times?: number } = {}): void {
    this.#add(when, options.times, { delayMs });
  }

  /** Collects `size` matching events, then sends them in reverse order. */
  reorder(when: HookPredicate, size: number): void {
    this.#gatherings.push({ when, size, events: [] });
  }

  /** Holds matching events until `release`. */
  hold(when: HookPredicate = anything): void {
    this.#held = { when, sends: this.#held?.sends ?? [] };
  }

  release(): void {
    const sends = this.#held?.sends ?? [];
    this.#held = undefined;
    this.#sendInTurn(sends);
  }

  /** Removes all faults and sends held events. */
  clear(): void {
    this.#rules = [];
    const gathered = this.#gatherings.flatMap((gathering) => gathering.events);
    this.#gatherings = [];
    this.#sendInTurn(gathered);
    this.release();
  }

  fateOf(event: HookEvent): Fate {
    const fates = this.#rules.filter((rule) => rule.left > 0 && rule.when(event));
    for (const rule of fates) rule.left -= 1;
    return Object.assign({ copies: 1, delayMs: 0, dropped: false }, ...fates.map((rule) => rule.fate));
  }

  /** True when the event was held; `send` is then called later. */
  keepsBack(event: HookEvent, send: Send): boolean {
    const gathering = this.#gatherings.find((candidate) => candidate.when(event));
    if (gathering) {
      gathering.events.push(send);
      if (gathering.events.length >= gathering.size) {
        this.#gatherings = this.#gatherings.filter((candidate) => candidate !== gathering);
        this.#sendInTurn(gathering.events.reverse());
      }
      return true;
    }
    if (!this.#held?.when(event)) return false;
    this.#held.sends.push(send);
    return true;
  }

  /** True while held events are being sent. */
  get busy(): boolean {
    return this.#sending > 0;
  }

  /** One after the other, since their order matters. */
  #sendInTurn(sends: readonly Send[]): void {
    this.#sending += sends.length;
    const turn = sends.reduce<Promise<void>>((before, send) => {
      const done = () => {
        this.#sending -= 1;
      };
      return before.then(send).then(done, done);
    }, Promise.resolve());
    turn.catch(() => undefined);
  }

  #add(when: HookPredicate, times: number | undefined, fate: Partial<Fate>): void {
    this.#rules.push({ when, left: times ?? Number.POSITIVE_INFINITY, fate });
  }
}
