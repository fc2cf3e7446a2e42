/**
 * Signing secrets: created, encrypted for storage, rotated and used. Signs as Standard Webhooks defines it, with its
 * own package.
 */
import { randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import { Webhook } from "standardwebhooks";
import { Secret } from "../contracts/secret.ts";
import { VERSION } from "../contracts/version.ts";
import type { SealedBox } from "../engine/ports/sealed-box.ts";
import type { StoredSubscription } from "../engine/ports/subscriptions.ts";

const PREFIX = "whsec_";
const SECRET_BYTES = 32;
/** After a rotation, the old secret signs along with the new one for this long. */
export const ROTATION_MS = 24 * 3_600_000;
/** Cached signers; others are recreated. */
const MAX_OPEN = 2_000;

const addressPurpose = (id: string): string => `address of ${id}`;
const purposeOf = (id: string): string => `webhook secret of ${id}`;

export interface SigningSecrets {
  /** Creates a secret, encrypted for this subscription. */
  issue(id: string): { readonly secret: Secret; readonly sealed: string };
  /** The current secret. */
  reveal(subscription: StoredSubscription): Secret;
  /** The subscription with the new secret first and the old one second. */
  rotated(before: StoredSubscription, sealed: string, now: number): StoredSubscription;
  /** Encrypts the address of a chat, which holds a token. */
  sealAddress(id: string, url: string): string;
  /** Where a subscription's messages go. Throws when it has no address, or one that cannot be decrypted. */
  address(subscription: StoredSubscription): string;
  /** The headers of one attempt, names and values alternating. Throws when the secret cannot be decrypted. */
  headers(subscription: StoredSubscription, id: string, body: string, now: number): string[];
}

export function createSigningSecrets(box: SealedBox): SigningSecrets {
  const signers = new LRUCache<string, Webhook>({ max: MAX_OPEN });

  const signer = (sealed: string, id: string): Webhook => {
    const open = signers.get(sealed);
    if (open !== undefined) return open;
    const made = new Webhook(box.open(sealed, purposeOf(id)).reveal());
    signers.set(sealed, made);
    return made;
  };

  return {
    issue(id) {
      const secret = new Secret(`${PREFIX}${randomBytes(SECRET_BYTES).toString("base64")}`);
      return { secret, sealed: box.seal(secret, purposeOf(id)) };
    },
    reveal: ({ id, secret }) => box.open(secret, purposeOf(id)),
    rotated: (before, sealed, now) => ({
      ...before,
      secret: sealed,
      old_secret: { secret: before.secret, until: now + ROTATION_MS },
    }),
    sealAddress: (id, url) => box.seal(new Secret(url), addressPurpose(id)),
    address({ id, url, sealed_url }) {
      const address = sealed_url === null ? url : box.open(sealed_url, addressPurpose(id)).reveal();
      if (address === null) throw new Error(`Subscription ${id} has no address.`);
      return address;
    },
    headers({ id: subscription, secret, old_secret }, id, body, now) {
      const at = new Date(now);
      const sealed = old_secret !== null && old_secret.until > now ? [secret, old_secret.secret] : [secret];
      const signature = sealed.map((one) => signer(one, subscription).sign(id, at, body)).join(" ");
      return [
        ...["webhook-id", id, "webhook-timestamp", String(Math.floor(now / 1_000)), "webhook-signature", signature],
        ...["content-type", "application/json", "user-agent", `Journeyman-Webhooks/${VERSION}`],
      ];
    },
  };
}
