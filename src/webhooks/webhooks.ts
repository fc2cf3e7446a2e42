/**
 * Outgoing webhooks: subscriptions, the recording of events, and the operations of the API. Messages are recorded
 * before they are sent; the sender does the rest.
 */

import { randomBytes } from "node:crypto";
import { isChat } from "../domain/webhook-format.ts";
import type { Recorder } from "../engine/ports/audit.ts";
import type { Clock } from "../engine/ports/clock.ts";
import type { Log } from "../engine/ports/log.ts";
import { type OutgoingStore, TEST_EVENT } from "../engine/ports/outgoing-deliveries.ts";
import type { SealedBox } from "../engine/ports/sealed-box.ts";
import type {
  Issued,
  StoredSubscription,
  SubscriptionRequest,
  SubscriptionStore,
} from "../engine/ports/subscriptions.ts";
import { changeSubscription } from "../engine/ports/subscriptions.ts";
import type { EventPublisher, SubscriptionMatcher, Webhooks } from "../engine/ports/webhooks.ts";
import { formatMistake, hiddenPath, targetMistake } from "./address.ts";
import { chatBody } from "./chat-message.ts";
import { createEventPublisher, deliveryId } from "./event-publisher.ts";
import { testNotice } from "./notice.ts";
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
  /** Where GitHub's pages are. */
  readonly web_url: string;
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

/** The record with the secret for an account's callbacks. No subscription has such an id. */
const ownIdOf = (account: string): string => `own-${account}`;

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
  const { subscriptions, outgoing, box, clock, log, allow_private, random = Math.random } = parts;
  const secrets = createSigningSecrets(box);
  const poster = latePoster({ clock, allow_private });
  const sender = new Sender({ outgoing, subscriptions, secrets, post: poster.post, clock, log, random });
  const webhooks = createWebhooks(parts, secrets, sender);
  return {
    subscriptionMatcher: {
      async listens(job, events) {
        if (job.callback_url !== null) return true;
        for (const event of events)
          if ((await subscriptions.matching(job.account, job.repository, event)).length > 0) return true;
        return false;
      },
    },
    eventPublisher: createEventPublisher({ ...parts, webhooks, sender }),
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
  const sealed: Webhooks["sealed"] = (id, format, url) =>
    isChat(format)
      ? { format, url: hiddenPath(url), sealed_url: secrets.sealAddress(id, url) }
      : { format, url, sealed_url: null };

  type Asked = Omit<SubscriptionRequest, "format" | "url"> & Pick<StoredSubscription, "format" | "url" | "sealed_url">;
  const issue = (id: string, asked: Asked): Issued => {
    const { secret, sealed: sealed_secret } = secrets.issue(id);
    const { account, format, url, sealed_url, events, repository, repository_id } = asked;
    const state = { version: 1, created_at: clock.now(), disabled: null, secret: sealed_secret, old_secret: null };
    const place = { format, url, sealed_url, repository, repository_id };
    return { secret, subscription: { id, account, events, ...place, ...state } };
  };

  const kept = (subscription: StoredSubscription): Issued => ({ subscription, secret: secrets.reveal(subscription) });

  return {
    validateTarget: (url) => targetMistake(url, { allow_private }),
    validateFormat: formatMistake,
    sealed,
    async subscribe(asked) {
      const id = `wh_${randomBytes(9).toString("base64url")}`;
      const issued = issue(id, { ...asked, ...sealed(id, asked.format, asked.url) });
      return (await subscriptions.add(issued.subscription, MAX_SUBSCRIPTIONS)) ? issued : null;
    },
    async rotate(id) {
      const { secret, sealed } = secrets.issue(id);
      const subscription = await changeSubscription(subscriptions, id, (before) =>
        secrets.rotated(before, sealed, clock.now()),
      );
      return subscription === null ? null : { subscription, secret };
    },
    async ownOf(account) {
      const id = ownIdOf(account);
      const before = await subscriptions.get(id);
      if (before !== null) return kept(before);
      const nowhere = { format: "journeyman", url: null, sealed_url: null } as const;
      const issued = issue(id, { account, ...nowhere, events: null, repository: null, repository_id: null });
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
    async test({ id, account, format }) {
      const at = clock.now();
      const timestamp = new Date(at).toISOString();
      const event = { type: TEST_EVENT, timestamp, data: { subscription: id, account } };
      const body = isChat(format) ? chatBody(format, testNotice(timestamp)) : JSON.stringify(event);
      const about = { subscription: id, url: null, event: TEST_EVENT, job: null, at } as const;
      const delivery = { ...about, id: deliveryId(randomBytes(16).toString("hex")), body };
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
