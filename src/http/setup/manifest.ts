/**
 * The manifest that GitHub makes the App from: what `app.yml` says of every server's App, and the addresses of this one.
 * https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
 */
import { parse } from "yaml";
import * as z from "zod";
import { WEBHOOK_PATH } from "../server/webhook-receiver.ts";
import type { AppRequest } from "./app-request.ts";

const templateSchema = z.strictObject({
  name: z.string(),
  description: z.string(),
  public: z.boolean(),
  default_permissions: z.record(z.string(), z.enum(["read", "write"])),
  default_events: z.array(z.string()),
});

export type ManifestTemplate = z.infer<typeof templateSchema>;

export const readManifestTemplate = (text: string): ManifestTemplate => templateSchema.parse(parse(text));

export const webhookAddress = (address: string): string => `${address}${WEBHOOK_PATH}`;
export const signInCallback = (address: string): string => `${address}/keys/callback`;

export const manifestOf = (
  template: ManifestTemplate,
  { address, name }: AppRequest,
  where: { readonly webhooks: string; readonly redirect_url: string },
) => ({
  ...template,
  name,
  url: address,
  hook_attributes: { url: where.webhooks, active: true },
  redirect_url: where.redirect_url,
  callback_urls: [signInCallback(address)],
  setup_url: `${address}/installed`,
});
