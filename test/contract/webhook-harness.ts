/** Outgoing webhooks on a real store and a manual clock, for one test. */
import { rm } from "node:fs/promises";
import { inspect } from "node:util";
import { onTestFinished } from "vitest";
import type { WebhookFormat } from "../../src/domain/webhook-format.ts";
import type { Log } from "../../src/engine/ports/log.ts";
import type { StoredDelivery } from "../../src/engine/ports/outgoing-deliveries.ts";
import type { Store } from "../../src/engine/ports/store.ts";
import type { Issued } from "../../src/engine/ports/subscriptions.ts";
import { createSealedBox } from "../../src/main/seal.ts";
import { openLowdbStore } from "../../src/store/lowdb/open.ts";
import { createOutgoingWebhooks, type OutgoingWebhooks } from "../../src/webhooks/webhooks.ts";
import { dataFolder } from "../data-folder.ts";
import { type HandClock, handClock } from "../flows/clock.ts";
import { until } from "../flows/harness.ts";
import { type Receiver, startReceiver } from "./receiver.ts";

export interface NotifyBench {
  /** What went into the audit log. */
  readonly recorded: readonly string[];
  /** What was logged. */
  readonly logged: readonly string[];
  /** Where the store has its files. */
  readonly dir: string;
  readonly clock: HandClock;
  readonly store: Store;
  readonly notify: OutgoingWebhooks;
  /** Stops the room and its store, and starts both again on the same data. */
  restart(): Promise<void>;
  receiver(): Promise<Receiver>;
  subscribe(url: string, format?: WebhookFormat): Promise<Issued>;
  /** Sends a test event, and answers its delivery when this holds of it. */
  tested(issued: Issued, holds: (delivery: StoredDelivery) => boolean): Promise<StoredDelivery>;
  until(id: string, holds: (delivery: StoredDelivery) => boolean): Promise<StoredDelivery>;
}

export async function openNotifyBench({ allow_private = true } = {}): Promise<NotifyBench> {
  const dir = dataFolder("notify-");
  const clock = handClock();
  const recorded: string[] = [];
  const logged: string[] = [];
  const write = (...line: unknown[]): void => void logged.push(inspect(line, { depth: 10 }));
  const log: Log = { debug: write, info: write, warn: write, error: write };
  const open = async () => {
    const store = await openLowdbStore({ dir, now: clock.now });
    const { subscriptions, outgoing } = store;
    const box = createSealedBox({ encryption_key: null, data_dir: dir });
    const notify = createOutgoingWebhooks({
      ...{ subscriptions, outgoing, box, clock, log, allow_private, random: () => 0 },
      web_url: "https://github.com",
      record: (_by, { action, target, repository }) => void recorded.push(`${action} ${target?.id} ${repository}`),
    });
    await notify.start();
    return { store, notify };
  };
  let here = await open();
  const close = async (): Promise<void> => {
    await here.notify.stop();
    await here.store.close();
  };
  const receivers: Receiver[] = [];
  onTestFinished(async () => {
    for (const receiver of receivers) await receiver.close();
    await close();
    await rm(dir, { recursive: true });
  });
  const untilDelivery = (id: string, holds: (delivery: StoredDelivery) => boolean): Promise<StoredDelivery> =>
    until("the delivery to be so", async () => {
      const delivery = await here.store.outgoing.get(id);
      return delivery !== null && holds(delivery) ? delivery : null;
    });
  return {
    clock,
    recorded,
    logged,
    dir,
    get store() {
      return here.store;
    },
    get notify() {
      return here.notify;
    },
    async restart() {
      await close();
      here = await open();
    },
    async receiver() {
      const receiver = await startReceiver();
      receivers.push(receiver);
      return receiver;
    },
    async subscribe(url, format = "journeyman") {
      const issued = await here.notify.webhooks.subscribe({
        account: "ada",
        format,
        url,
        events: null,
        repository: null,
        repository_id: null,
      });
      if (issued === null) throw new Error("the account has too many webhooks");
      return issued;
    },
    async tested({ subscription }, holds) {
      const { id } = await here.notify.webhooks.test(subscription);
      return untilDelivery(id, holds);
    },
    until: untilDelivery,
  };
}
