/** Validates webhook targets: only addresses on the public internet. Pure. */
import ipaddr from "ipaddr.js";
import { isPublic } from "../contracts/public-address.ts";
import type { WebhookFormat } from "../domain/webhook-format.ts";

/** The host as sockets take it: without brackets around IPv6. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, "$1");

const MAX_URL_LENGTH = 2_000;
/** Names that never resolve to the public internet. */
const LOCAL_NAME = /(?:^|\.)(?:localhost|local|internal|home\.arpa)\.?$/i;

export interface TargetRules {
  /** For development: allows any address, and http. */
  readonly allow_private: boolean;
}

/** What is wrong with a target, as the end of a sentence about the field; null when it is valid. */
export function targetMistake(text: string, { allow_private }: TargetRules): string | null {
  if (text.length > MAX_URL_LENGTH) return `must have at most ${MAX_URL_LENGTH} characters.`;
  const url = URL.canParse(text) ? new URL(text) : null;
  const schemes = allow_private ? ["https:", "http:"] : ["https:"];
  if (url === null || !schemes.includes(url.protocol))
    return `must be a URL that begins with https://${allow_private ? " or http://" : ""}.`;
  if (url.username !== "" || url.password !== "")
    return "must hold no user name or password; put a token into its path.";
  if (url.port === "0") return "must have a port from 1 to 65535.";
  if (allow_private) return null;
  const host = hostOf(url);
  if (LOCAL_NAME.test(host) || (ipaddr.isValid(host) && !isPublic(host)))
    return "must lead to the public internet; private and loopback addresses are refused.";
  return null;
}

/** Hosts of chats, with the path below which their webhooks are; Discord takes messages in Slack's shape as well. */
const CHATS: readonly { readonly format: WebhookFormat; readonly name: string; readonly address: RegExp }[] = [
  { format: "slack", name: "Slack", address: /^hooks\.slack(?:-gov)?\.com\// },
  {
    format: "discord",
    name: "Discord",
    address: /^(?:(?:ptb|canary)\.)?discord(?:app)?\.com\/api\/(?:v\d+\/)?webhooks\/\d+\/[^/]+\/?$/,
  },
];

/** A chat's address under another format, which it would refuse and which would show it: what to say; null: it may fit. */
export function formatMistake(text: string, format: WebhookFormat): string | null {
  const { host, pathname } = new URL(text);
  const chat = CHATS.find(({ address }) => address.test(host + pathname));
  return chat === undefined || chat.format === format
    ? null
    : `url: is an address of ${chat.name}; say "format": "${chat.format}" with it.`;
}

/** What may be shown of an address whose path is a secret. */
export const hiddenPath = (text: string): string => `${new URL(text).origin}/…`;
