/**
 * Serves a server that has no App yet: prints a token, and shows the page on which its holder creates the App. Stores the
 * App's credentials in the data folder, so that the server can start with them.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import type { Logger } from "probot";
import { Secret } from "../contracts/secret.ts";
import { createAppRegistration } from "../github/client/app-manifest.ts";
import { readManifestTemplate } from "../http/setup/manifest.ts";
import { oneTimeToken } from "../http/setup/one-time-token.ts";
import { createSetUp } from "../http/setup/setup.ts";
import { keepApp } from "./app-file.ts";
import { createSealedBox } from "./seal.ts";
import type { SetupSettings } from "./settings.ts";

/** Beside the bundle as beside the sources, two folders up. */
const TEMPLATE = new URL("../../app.yml", import.meta.url);

/** smee.io answers at once, or it is away. */
const CHANNEL_LIMIT_MS = 10_000;

async function newChannel(): Promise<string> {
  const [{ SmeeClient }, { fetch }] = await Promise.all([import("smee-client"), import("undici")]);
  const signal = AbortSignal.timeout(CHANNEL_LIMIT_MS);
  return SmeeClient.createChannel({ fetch: (url, options) => fetch(url, { ...options, signal }) });
}

export interface SetUpPage {
  readonly listener: RequestListener;
  /** Resolves when the App is kept. */
  readonly made: Promise<void>;
  /** Where the page is and how to come in, for whoever has started the server. */
  readonly invitation: string;
}

/** `url`: where this server listens. */
export function openSetUp(settings: SetupSettings, url: string, log: Logger): SetUpPage {
  const token = randomBytes(24).toString("base64url");
  const box = createSealedBox(settings);
  const { listener, made } = createSetUp({
    ...settings,
    ...{ box, newChannel, now: Date.now, log },
    token: oneTimeToken(new Secret(token)),
    template: readManifestTemplate(readFileSync(TEMPLATE, "utf8")),
    registration: createAppRegistration(settings.github_api_url),
    keep: ({ app_id, client_id, client_secret, webhook_secret, private_key }, where) =>
      keepApp(settings.data_dir, box, { app_id, client_id, client_secret, webhook_secret, private_key, ...where }),
  });
  const page = `${settings.public_url ?? url}/setup`;
  return { listener, made, invitation: `No App yet: open ${page} and enter this token, which works once: ${token}\n` };
}
