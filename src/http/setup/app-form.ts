/** The form, and the page from which it goes on to GitHub. What was begun travels along in a cookie. */
import { randomBytes } from "node:crypto";
import type { Request, Response } from "express";
import * as z from "zod";
import type { Log } from "../../engine/ports/log.ts";
import type { SealedBox } from "../../engine/ports/sealed-box.ts";
import { sealedCookie } from "../pages/sealed-cookie.ts";
import { type AppForm, type AppRequest, appFormOf, appRequestOf, type Known, needsProxy } from "./app-request.ts";
import { type ManifestTemplate, manifestOf, webhookAddress } from "./manifest.ts";
import { browsedAt, type Page, show } from "./page.ts";
import { formPage, reviewPage } from "./pages.ts";
import { hasLoopbackHost } from "./public-address.ts";
import { SET_UP_LIFE_MS, type Sessions } from "./session.ts";

export interface FormParts extends Known {
  readonly template: ManifestTemplate;
  readonly github_web_url: string;
  readonly box: SealedBox;
  /** A new channel of smee.io. */
  readonly newChannel: () => Promise<string>;
  readonly log: Log;
  readonly now: () => number;
}

const NO_CHANNEL = "smee.io gave no channel; try again, or name an address that GitHub reaches.";

const begunSchema = z.object({
  state: z.string(),
  public_url: z.string(),
  webhook_proxy_url: z.string().nullable(),
});

/** What GitHub sends back has to fit to what this browser has begun; other sites send the browser here, GitHub first. */
export const beginnings = ({ box, now }: Pick<FormParts, "box" | "now">, secure: boolean) =>
  sealedCookie({
    ...{ name: "journeyman-setup-app", path: "/setup/callback", life_ms: SET_UP_LIFE_MS, schema: begunSchema },
    ...{ secure, same_site: "Lax", box, now },
  });

export function formRoutes(page: Page, parts: FormParts, session: Sessions): void {
  const { public_url, webhook_proxy_url, template, github_web_url } = parts;

  const ask = (response: Response, status: number, form: Omit<AppForm, "smee">, sentence: string | null): void => {
    const offers_smee = URL.canParse(form.address) && needsProxy(form.address, parts);
    show(response, status, formPage({ form, sentence, offers_smee, address_is_set: public_url !== null }));
  };

  page("get", "/setup", (request, response) => {
    if (!session.require(request, response)) return;
    ask(response, 200, { address: public_url ?? addressOf(request), organization: "", name: template.name }, null);
  });

  page("post", "/setup/app", async (request, response) => {
    if (!session.require(request, response)) return;
    const form = appFormOf(request.body);
    const address = public_url ?? form.address;
    const asked = appRequestOf(form, parts);
    if ("sentence" in asked) return ask(response, 400, { ...form, address }, asked.sentence);
    const { app_request } = asked;
    const channel = app_request.smee ? await channelOf(parts) : webhook_proxy_url;
    if (app_request.smee && channel === null) return ask(response, 502, { ...form, address }, NO_CHANNEL);
    const state = randomBytes(32).toString("base64url");
    const begun = { state, public_url: app_request.address, webhook_proxy_url: app_request.smee ? channel : null };
    const here = browsedAt(request);
    response.append("Set-Cookie", beginnings(parts, here.startsWith("https:")).seal(begun));
    show(response, 200, reviewOf(app_request, { channel, here, state, template, github_web_url }));
  });
}

/** The address by which the browser is here, with https where it is another machine's: a proxy may not say so. */
function addressOf(request: Request): string {
  const { host = "" } = request.headers;
  const outside = `https://${host}`;
  if (host === "" || !URL.canParse(outside)) return "";
  const here = browsedAt(request);
  return hasLoopbackHost(outside) && URL.canParse(here) ? new URL(here).origin : new URL(outside).origin;
}

function reviewOf(
  app_request: AppRequest,
  given: Pick<FormParts, "template" | "github_web_url"> & {
    readonly channel: string | null;
    readonly here: string;
    readonly state: string;
  },
): string {
  const { organization } = app_request;
  const webhooks = given.channel ?? webhookAddress(app_request.address);
  const manifest = manifestOf(given.template, app_request, { webhooks, redirect_url: `${given.here}/setup/callback` });
  const owner = organization === null ? "" : `/organizations/${organization}`;
  const action = `${given.github_web_url}${owner}/settings/apps/new?state=${given.state}`;
  return reviewPage({ action, manifest, webhooks, organization });
}

async function channelOf({ newChannel, log }: FormParts): Promise<string | null> {
  try {
    const channel = await newChannel();
    if (!URL.canParse(channel) || new URL(channel).protocol !== "https:")
      throw new Error("smee.io answered no address");
    return channel;
  } catch (error) {
    log.warn({ err: error }, "smee.io gave no channel");
    return null;
  }
}
