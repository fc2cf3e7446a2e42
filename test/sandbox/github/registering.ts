/** Registers the App that a manifest describes. There is one App here, so a new one takes the place of the old. */
import { randomBytes } from "node:crypto";
import type { MadeApp } from "./app-manifest.ts";
import type { User } from "./model.ts";
import { appJson } from "./payloads.ts";
import type { World } from "./world.ts";

const MAX_NAME = 34;

const slugOf = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");

/** What GitHub says of this name; undefined: nobody has it. */
export function nameProblem(world: World, name: string, owner: User): string | undefined {
  const slug = slugOf(name);
  if (slug === "" || name.length > MAX_NAME) return `Name is too long (maximum is ${MAX_NAME} characters) or empty`;
  const namesake = world.state.user(slug);
  return namesake !== undefined && namesake.id !== owner.id ? "Name is already taken" : undefined;
}

/** The code that the App's credentials are handed over for. */
export function makeApp(world: World, app: MadeApp): string {
  const { manifest, owner, name } = app;
  const secret = randomBytes(20).toString("hex");
  world.appSlug = slugOf(name);
  world.state.renameBot(world.appSlug);
  world.manifests.made = app;
  const hook = manifest.hook_attributes;
  world.webhooks.setTarget(hook === undefined ? undefined : { url: hook.url, secret });
  world.oauth.setCallbacks(manifest.callback_urls);
  const { clientId: client_id, clientSecret: client_secret } = world.oauth;
  world.feed.tell("app", undefined, `${name} was made for ${owner.login}`);
  return world.manifests.code({
    ...appJson(world),
    client_id,
    client_secret,
    webhook_secret: hook === undefined ? null : secret,
  });
}
