/**
 * Signs and delivers webhooks over HTTP and keeps the delivery log. As on GitHub, there are no retries and an answer
 * after ten seconds is a failure. `payloads*.ts` build the payloads.
 */
import { createHmac, randomUUID } from "node:crypto";
import pLimit, { type LimitFunction } from "p-limit";
import type { Json } from "./model.ts";
import { WebhookFaults } from "./webhook-faults.ts";

export interface WebhookTarget {
  readonly url: string;
  readonly secret: string;
}

export interface Delivery {
  readonly id: number;
  readonly guid: string;
  readonly event: string;
  readonly action: string | null;
  readonly deliveredAt: number;
  readonly redelivery: boolean;
  /** `OK`, or why not. */
  readonly status: string;
  readonly statusCode: number;
  readonly durationMs: number;
  readonly installationId: number | undefined;
  readonly repositoryId: number | undefined;
  readonly url: string;
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly payload: Json;
  readonly responseBody: string;
}

interface Message {
  readonly guid: string;
  readonly event: string;
  readonly payload: Json;
  readonly body: string;
  readonly installationId: number | undefined;
  readonly repositoryId: number | undefined;
  readonly redelivery: boolean;
}

/** GitHub waits ten seconds for an answer. */
const ANSWER_LIMIT_MS = 10_000;
/** The log keeps three days; beyond this many entries, fewer. */
const LOG_LIFE_MS = 3 * 24 * 3_600_000;
const LOG_LIMIT = 5_000;
const RESPONSE_LIMIT = 10_000;

export class Webhooks {
  readonly faults = new WebhookFaults();
  readonly hookId: number;
  #target: WebhookTarget | undefined;
  readonly #appId: number;
  readonly #now: () => number;
  readonly #few: LimitFunction;
  readonly #delayed = new Set<NodeJS.Timeout>();
  readonly #onDelivery: (delivery: Delivery) => void;
  #log: Delivery[] = [];
  #lastId = 70_000;

  constructor(options: {
    appId: number;
    hookId: number;
    now: () => number;
    target?: WebhookTarget | undefined;
    /** Above 1 the order is not guaranteed, as on GitHub. */
    atOnce: number;
    onDelivery: (delivery: Delivery) => void;
  }) {
    this.#few = pLimit(options.atOnce);
    this.#appId = options.appId;
    this.hookId = options.hookId;
    this.#now = options.now;
    this.#target = options.target;
    this.#onDelivery = options.onDelivery;
  }

  get target(): WebhookTarget | undefined {
    return this.#target;
  }

  setTarget(target: WebhookTarget | undefined): void {
    this.#target = target;
  }

  get idle(): boolean {
    return !this.faults.busy && this.#few.pendingCount + this.#few.activeCount + this.#delayed.size === 0;
  }

  async settle(): Promise<void> {
    // Delayed and reordered events count as in flight.
    if (!this.idle) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  close(): void {
    for (const timer of this.#delayed) clearTimeout(timer);
    this.#delayed.clear();
    this.#few.clearQueue();
  }

  /** The log, newest first. */
  deliveries(): readonly Delivery[] {
    const oldest = this.#now() - LOG_LIFE_MS;
    return this.#log.filter((delivery) => delivery.deliveredAt >= oldest).reverse();
  }

  emit(event: string, payload: Json, installationId: number | undefined, repositoryId: number | undefined): void {
    if (!this.#target) return;
    const body = JSON.stringify(payload);
    const message: Message = {
      guid: randomUUID(),
      event,
      // Copied, since the log must show what was sent, whatever changes later.
      payload: JSON.parse(body),
      body,
      installationId,
      repositoryId,
      redelivery: false,
    };
    const action = typeof payload.action === "string" ? payload.action : undefined;
    const seen = { event, action, payload: message.payload };
    const send = () => this.#schedule(message, seen);
    if (!this.faults.keepsBack(seen, send)) send().catch(deliveryFailed);
  }

  redeliver(delivery: Delivery): void {
    const message = { ...delivery, body: JSON.stringify(delivery.payload), redelivery: true };
    this.#few(() => this.#deliver(message)).catch(deliveryFailed);
  }

  async #schedule(message: Message, seen: { event: string; action: string | undefined; payload: Json }): Promise<void> {
    const fate = this.faults.fateOf(seen);
    if (fate.dropped === "recorded") {
      const answer = { status: "failed to connect to host", statusCode: 502, durationMs: 0, responseBody: "" };
      this.#record(message, {}, answer);
    }
    if (fate.dropped) return;
    if (fate.delayMs > 0) await this.#wait(fate.delayMs);
    const copies = Array.from({ length: fate.copies }, () => this.#few(() => this.#deliver(message)));
    await Promise.all(copies);
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#delayed.delete(timer);
        resolve();
      }, ms);
      this.#delayed.add(timer);
    });
  }

  async #deliver(message: Message): Promise<void> {
    const target = this.#target;
    if (!target) return;
    const headers = {
      "content-type": "application/json",
      "user-agent": "GitHub-Hookshot/sandbox",
      "x-github-event": message.event,
      "x-github-delivery": message.guid,
      "x-github-hook-id": String(this.hookId),
      "x-github-hook-installation-target-id": String(this.#appId),
      "x-github-hook-installation-target-type": "integration",
      "x-hub-signature-256": `sha256=${createHmac("sha256", target.secret).update(message.body).digest("hex")}`,
    };
    const started = performance.now();
    const answer = await post(target.url, headers, message.body);
    this.#record(message, headers, { ...answer, durationMs: Math.round(performance.now() - started) });
  }

  #record(
    message: Message,
    requestHeaders: Record<string, string>,
    answer: Pick<Delivery, "status" | "statusCode" | "durationMs" | "responseBody">,
  ): void {
    this.#lastId += 1;
    const action = message.payload.action;
    const delivery: Delivery = {
      id: this.#lastId,
      guid: message.guid,
      event: message.event,
      action: typeof action === "string" ? action : null,
      deliveredAt: this.#now(),
      redelivery: message.redelivery,
      installationId: message.installationId,
      repositoryId: message.repositoryId,
      url: this.#target?.url ?? "",
      requestHeaders,
      payload: message.payload,
      ...answer,
    };
    this.#log.push(delivery);
    if (this.#log.length > LOG_LIMIT) this.#log = this.#log.slice(-LOG_LIMIT);
    this.#onDelivery(delivery);
  }
}

const deliveryFailed = (error: unknown) => process.emitWarning(`local GitHub: webhook: ${String(error)}`);

async function post(url: string, headers: Record<string, string>, body: string) {
  try {
    const response = await fetch(url, { method: "POST", headers, body, signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
    const responseBody = (await response.text()).slice(0, RESPONSE_LIMIT);
    const status = response.ok ? "OK" : `Invalid HTTP Response: ${response.status}`;
    return { status, statusCode: response.status, responseBody };
  } catch (error) {
    const late = error instanceof DOMException && error.name === "TimeoutError";
    return { status: late ? "timed out" : "failed to connect to host", statusCode: late ? 504 : 502, responseBody: "" };
  }
}
