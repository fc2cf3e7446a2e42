/**
 * Outgoing webhooks: subscriptions, the recording of events, and the operations of the API. Messages are recorded
 * before they are sent; the sender does the rest.
 */
import { hash, randomBytes } from "node:crypto";
import { fullName, type Job } from "../domain/job/job.ts";
import type { EmittedEvent } from "../domain/job/job-events.ts";
import type { Recorder } from "../engine/ports/audit.ts";
import type { Clock } from "../engine/ports/clock.ts";
import type { Log } from "../engine/ports/log.ts";
import { type NewDelivery, type OutgoingStore, TEST_EVENT } from "../engine/ports/outgoing-deliveries.ts";
import type { SealedBox } from "../engine/ports/sealed-box.ts";
import type {
  Issued,
  StoredSubscription,
  SubscriptionRequest,
  SubscriptionStore,
} from "../engine/ports/subscriptions.ts";
import type { EventPublisher, SubscriptionMatcher, Webhooks } from "../engine/ports/webhooks.ts";
import { targetMistake } from "./address.ts";
import type { Poster, PosterParts } from "./post-request.ts";
import { Sender } from "./sender.ts";
import { createSigningSecrets } from "./signing.ts";

/** Per account. */
export const MAX_SUBSCRIPTIONS = 100;

export interface OutgoingWebhooksParts {
  readonly subscriptions: SubscriptionStore;
  readonly outgoing: OutgoingStore;
  readonly box: SealedBox;
  readonly clock: Clock;
  readonly log: Log;
  readonly allow_private: boolean;
  readonly record: Recorder;
  /** 0 ≤ n < 1; spreads retries. */
  readonly random?: () => number;
}

export interface OutgoingWebhooks {
  readonly subscriptionMatcher: SubscriptionMatcher;
  readonly eventPublisher: EventPublisher;
  readonly webhooks: Webhooks;
  start(): Promise<void>;
  /** Lets requests in progress finish. */
  stop(): Promise<void>;
}

const ID_BYTES = 20;

/** The record with the secret for an account's callbacks. No subscription has such an id. */
const ownIdOf = (account: string): string => `own-${account}`;

/** The same for the same event and subscriber, so that recording is idempotent. */
const deliveryId = (...of: readonly (string | number)[]): string =>
  `msg_${hash("sha256", JSON.stringify(of), "buffer").subarray(0, ID_BYTES).toString("base64url")}`;

/** Loaded when there is something to send: its HTTP client takes a tenth of the server's start time. */
function latePoster(parts: PosterParts): Poster {
  let opening: Promise<Poster> | null = null;
  const opened = (): Promise<Poster> => {
    opening ??= import("./post-request.ts").then(({ createPoster }) => createPoster(parts));
    return opening;
  };
  return {
    post: async (url, headers, body) => (await opened()).post(url, headers, body),
    close: () => void opening?.then((poster) => poster.close()),
  };
}

export function createOutgoingWebhooks(parts: OutgoingWebhooksParts): OutgoingWebhooks {
  const { subscriptions, outgoing, box, clock, log, allow_private, record, random = Math.random } = parts;
  const secrets = createSigningSecrets(box);
  const poster = latePoster({ clock, allow_private });
  const sender = new Sender({ outgoing, subscriptions, secrets, post: poster.post, clock, log, random });
  const webhooks = createWebhooks(parts, secrets, sender);

  /** A subscription to a repository follows its number from the first event on, and is shown under the current name. */
  const follow = async ({ id, repository, repository_id }: StoredSubscription, job: Job): Promise<void> => {
    const { id: number } = job.repository;
    const name = fullName(job.repository);
    if (repository === null || number === undefined || (repository_id === number && repository === name)) return;
    await subscriptions.change(id, (before) => ({ ...before, repository: name, repository_id: number }));
    if (repository_id !== null) return;
    const target = { type: "subscription", id } as const;
    record(
      { account: job.account, login: null },
      { action: "webhook-tied", target, repository: name, outcome: "done" },
    );
  };

  const matching = async (job: Job, { version, events }: EmittedEvent): Promise<readonly NewDelivery[]> => {
    const deliveries: NewDelivery[] = [];
    const own = job.callback_url === null ? null : await webhooks.ownOf(job.account);
    for (const [index, event] of events.entries()) {
      const subscribers = await subscriptions.matching(job.account, job.repository, event.type);
      for (const subscriber of subscribers) await follow(subscriber, job);
      const told = subscribers.map(({ id }) => ({ subscription: id, url: null as string | null }));
      if (own !== null) told.push({ subscription: own.subscription.id, url: job.callback_url });
      const shared = { event: event.type, job: job.id, at: clock.now(), body: JSON.stringify(event) };
      for (const one of told)
        deliveries.push({ ...shared, ...one, id: deliveryId(job.id, version, index, one.subscription) });
    }
    return deliveries;
  };

  return {
    subscriptionMatcher: {
      async listens(job, events) {
        if (job.callback_url !== null) return true;
        for (const event of events)
          if ((await subscriptions.matching(job.account, job.repository, event)).length > 0) return true;
        return false;
      },
    },
    eventPublisher: {
      async perform({ announcement }, job) {
        const deliveries = await matching(job, announcement);
        sender.send(await outgoing.record(deliveries));
        return { ended: "done" };
      },
    },
    webhooks,
    start: () => sender.start(),
    async stop() {
      await sender.stop();
      poster.close();
    },
  };
}

function createWebhooks(
  { subscriptions, outgoing, clock, allow_private }: OutgoingWebhooksParts,
  secrets: ReturnType<typeof createSigningSecrets>,
  sender: Sender,
): Webhooks {
  const issue = (id: string, asked: Omit<SubscriptionRequest, "url"> & { readonly url: string | null }): Issued => {
    const { secret, sealed } = secrets.issue(id);
    const { account, url, events, repository, repository_id } = asked;
    const state = { created_at: clock.now(), disabled: null, secret: sealed, old_secret: null };
    return { secret, subscription: { id, account, url, events, repository, repository_id, ...state } };
  };

  const kept = (subscription: StoredSubscription): Issued => ({ subscription, secret: secrets.reveal(subscription) });

  return {
    validateTarget: (url) => targetMistake(url, { allow_private }),
    async subscribe(asked) {
      const issued = issue(`wh_${randomBytes(9).toString("base64url")}`, asked);
      return (await subscriptions.add(issued.subscription, MAX_SUBSCRIPTIONS)) ? issued : null;
    },
    async rotate(id) {
      const { secret, sealed } = secrets.issue(id);
      const subscription = await subscriptions.change(id, (before) => secrets.rotated(before, sealed, clock.now()));
      return subscription === null ? null : { subscription, secret };
    },
    async ownOf(account) {
      const id = ownIdOf(account);
      const before = await subscriptions.get(id);
      if (before !== null) return kept(before);
      const issued = issue(id, { account, url: null, events: null, repository: null, repository_id: null });
      try {
        await subscriptions.add(issued.subscription, MAX_SUBSCRIPTIONS);
        return issued;
      } catch (error) {
        // Another request of the account may have come first.
        const first = await subscriptions.get(id);
        if (first === null) throw error;
        return kept(first);
      }
    },
    async test({ id, account }) {
      const at = clock.now();
      const event = { type: TEST_EVENT, timestamp: new Date(at).toISOString(), data: { subscription: id, account } };
      const about = { subscription: id, url: null, event: TEST_EVENT, job: null, at } as const;
      const delivery = { ...about, id: deliveryId(randomBytes(16).toString("hex")), body: JSON.stringify(event) };
      const [recorded] = await outgoing.record([delivery]);
      if (recorded === undefined) throw new Error(`Drew the id of a delivery that exists: ${delivery.id}`);
      sender.send([recorded]);
      return recorded;
    },
    async replay(id) {
      const delivery = await outgoing.replay(id, clock.now());
      if (delivery !== null) sender.send([delivery]);
      return delivery;
    },
  };
}
