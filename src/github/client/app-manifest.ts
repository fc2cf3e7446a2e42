/** Claims the credentials of an App that GitHub has made from a manifest. GitHub hands them over once, within an hour. */
import * as z from "zod";
import { Secret } from "../../contracts/secret.ts";
import type { AppRegistration } from "../../engine/ports/app-registration.ts";
import { UnreadableAnswer } from "./errors.ts";
import { CALL_TIMEOUT_MS } from "./transport.ts";
import { USER_AGENT } from "./user-agent.ts";

const secret = z
  .string()
  .min(1)
  .transform((value) => new Secret(value));

const appSchema = z.object({
  id: z.number().int().positive(),
  name: z.string().min(1),
  html_url: z.url({ protocol: /^https?$/ }),
  client_id: z.string().min(1),
  client_secret: secret,
  webhook_secret: secret,
  pem: secret,
});

/** How GitHub answers for a code that it does not know. */
const UNKNOWN = [404, 422];

export const createAppRegistration = (api_url: string): AppRegistration => ({
  async claim(code) {
    const response = await fetch(`${api_url}/app-manifests/${encodeURIComponent(code)}/conversions`, {
      method: "POST",
      headers: { accept: "application/vnd.github+json", "user-agent": USER_AGENT },
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    });
    if (UNKNOWN.includes(response.status)) return null;
    const app = appSchema.safeParse(await response.json().catch(() => null));
    if (!response.ok || !app.success) throw new UnreadableAnswer(`of an App's manifest (status ${response.status})`);
    const { id: app_id, pem: private_key, html_url: page_url, ...rest } = app.data;
    return { app_id, private_key, page_url, ...rest };
  },
});
