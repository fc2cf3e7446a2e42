/** REST: the App itself, its installations, tokens and webhook deliveries; users. */
import * as z from "zod";
import { allows } from "./access.ts";
import { notFound, parseBody, Refusal } from "./errors.ts";
import type { Installation, Json, Repository, User } from "./model.ts";
import { appJson, installationJson, repositoryJson, userJson } from "./payloads.ts";
import {
  type ApiRequest,
  created,
  noContent,
  numberParam,
  ok,
  paged,
  pageSize,
  type Reply,
  type Route,
  route,
} from "./router.ts";
import type { AccessToken } from "./tokens.ts";
import type { Delivery } from "./webhooks.ts";
import { iso, type World } from "./world.ts";

function mustBeApp(request: ApiRequest): void {
  if (request.actor.kind !== "app") throw new Refusal(401, "A JSON web token could not be decoded");
}

function installationParam(world: World, request: ApiRequest): Installation {
  mustBeApp(request);
  const found = world.state.installations.get(numberParam(request, "installation_id"));
  if (!found) throw notFound();
  return found;
}

function getApp(world: World, request: ApiRequest): Reply {
  mustBeApp(request);
  return ok({ ...appJson(world), installations_count: world.state.installations.size });
}

function listInstallations(world: World, request: ApiRequest): Reply {
  mustBeApp(request);
  const all = [...world.state.installations.values()];
  return paged(world, request, all, (page) => page.map((one) => installationJson(world, one)));
}

const tokenBody = z.object({
  repositories: z.array(z.string()).max(500).optional(),
  repository_ids: z.array(z.number()).max(500).optional(),
  permissions: z.record(z.string(), z.string()).optional(),
});

function createToken(world: World, request: ApiRequest): Reply {
  const installation = installationParam(world, request);
  const body = parseBody(tokenBody, request.body);
  const own = [...installation.repositoryIds].flatMap((id) => world.state.repositories.get(id) ?? []);
  const asked = narrowed(own, body);
  for (const [name, level] of Object.entries(body.permissions ?? {})) {
    if (level !== "read" && level !== "write" && level !== "admin")
      throw new Refusal(422, `Invalid permission ${name}: ${level}`);
    if (!allows(installation.permissions, `${name}:${level === "read" ? "read" : "write"}`))
      throw new Refusal(422, "The permissions requested are not granted to this installation.");
  }
  const permissions = { metadata: "read", ...(body.permissions ?? installation.permissions) };
  const token = world.tokens.createInstallationToken(installation, world.state.bot, permissions, asked);
  return created({
    token: token.value,
    expires_at: iso(token.expiresAt),
    permissions,
    repository_selection: "selected",
    ...(asked ? { repositories: asked.map((one) => repositoryJson(world, one)) } : {}),
  });
}

function narrowed(own: Repository[], body: z.infer<typeof tokenBody>): Repository[] | undefined {
  if (!body.repositories && !body.repository_ids) return undefined;
  const missing = () =>
    new Refusal(
      422,
      "There is at least one repository that does not exist or is not accessible to the parent installation.",
    );
  const byName = (body.repositories ?? []).map((name) =>
    own.find((one) => one.name.toLowerCase() === name.toLowerCase()),
  );
  const byId = (body.repository_ids ?? []).map((id) => own.find((one) => one.id === id));
  return [...byName, ...byId].map((one) => {
    if (!one) throw missing();
    return one;
  });
}

function repositoryInstallation(world: World, request: ApiRequest): Reply {
  mustBeApp(request);
  const { owner = "", repo = "" } = request.params;
  const repository = world.state.repository(owner, repo);
  const installation = repository && world.state.installationOf(repository);
  if (!installation) throw notFound();
  return ok(installationJson(world, installation));
}

/** GitHub documents neither address by number; its redirects for renamed repositories lead to them. */
function numberedInstallation(world: World, request: ApiRequest): Reply {
  mustBeApp(request);
  const repository = world.state.repositories.get(numberParam(request, "id"));
  const installation = repository && world.state.installationOf(repository);
  if (!installation) throw notFound();
  return ok(installationJson(world, installation));
}

function numberedRepository(world: World, request: ApiRequest): Reply {
  const { installation, repositoryIds } = installationToken(request);
  const id = numberParam(request, "id");
  const repository = world.state.repositories.get(id);
  if (!repository || !(repositoryIds ?? installation.repositoryIds).has(id)) throw notFound();
  return ok(repositoryJson(world, repository));
}

function installationToken(request: ApiRequest): AccessToken & { installation: Installation } {
  const { actor } = request;
  if (actor.kind !== "token" || !actor.token.installation)
    throw new Refusal(
      403,
      "You must authenticate with an installation access token in order to list repositories for an installation.",
    );
  return { ...actor.token, installation: actor.token.installation };
}

function installationRepositories(world: World, request: ApiRequest): Reply {
  const token = installationToken(request);
  const ids = [...(token.repositoryIds ?? token.installation.repositoryIds)];
  const all = ids.flatMap((id) => world.state.repositories.get(id) ?? []);
  return paged(world, request, all, (page) => ({
    total_count: all.length,
    repository_selection: "selected",
    repositories: page.map((one) => repositoryJson(world, one)),
  }));
}

function revokeToken(world: World, request: ApiRequest): Reply {
  world.tokens.revoke(installationToken(request).value);
  return noContent;
}

function deliveryJson(delivery: Delivery): Json {
  return {
    id: delivery.id,
    guid: delivery.guid,
    delivered_at: iso(delivery.deliveredAt),
    redelivery: delivery.redelivery,
    duration: delivery.durationMs / 1000,
    status: delivery.status,
    status_code: delivery.statusCode,
    event: delivery.event,
    action: delivery.action,
    installation_id: delivery.installationId ?? null,
    repository_id: delivery.repositoryId ?? null,
    throttled_at: null,
  };
}

/** Newest first; the cursor names the first delivery of the next page. */
function listDeliveries(world: World, request: ApiRequest): Reply {
  mustBeApp(request);
  const cursor = request.query.get("cursor");
  const wanted = request.query.get("status");
  const all = world.webhooks
    .deliveries()
    .filter((one) => (wanted === null ? true : one.statusCode < 400 === (wanted === "success")));
  const start = cursor === null ? 0 : all.findIndex((one) => `v1_${one.id}` === cursor);
  if (start < 0) throw new Refusal(422, "Invalid cursor");
  const size = pageSize(request.query);
  const next = all[start + size];
  const query = new URLSearchParams(request.query);
  if (next) query.set("cursor", `v1_${next.id}`);
  return {
    status: 200,
    body: all.slice(start, start + size).map(deliveryJson),
    ...(next ? { headers: { link: `<${world.apiUrl}/app/hook/deliveries?${query}>; rel="next"` } } : {}),
  };
}

function deliveryParam(world: World, request: ApiRequest): Delivery {
  mustBeApp(request);
  const id = numberParam(request, "delivery_id");
  const found = world.webhooks.deliveries().find((one) => one.id === id);
  if (!found) throw notFound();
  return found;
}

function getDelivery(world: World, request: ApiRequest): Reply {
  const delivery = deliveryParam(world, request);
  return ok({
    ...deliveryJson(delivery),
    url: delivery.url,
    request: { headers: delivery.requestHeaders, payload: delivery.payload },
    response: { headers: {}, payload: delivery.responseBody },
  });
}

function redeliver(world: World, request: ApiRequest): Reply {
  world.webhooks.redeliver(deliveryParam(world, request));
  return { status: 202, body: {} };
}

const hookConfig = (world: World): Json => ({
  content_type: "json",
  insecure_ssl: "0",
  secret: "********",
  url: world.webhooks.target?.url ?? "",
});

function getHookConfig(world: World, request: ApiRequest): Reply {
  mustBeApp(request);
  return ok(hookConfig(world));
}

const configBody = z.object({
  url: z.url().optional(),
  secret: z.string().optional(),
  content_type: z.literal("json").optional(),
});

function patchHookConfig(world: World, request: ApiRequest): Reply {
  mustBeApp(request);
  const body = parseBody(configBody, request.body);
  const { url = "", secret = "" } = world.webhooks.target ?? {};
  world.webhooks.setTarget({ url: body.url ?? url, secret: body.secret ?? secret });
  return ok(hookConfig(world));
}

const profile = (world: World, user: User): Json => ({ ...userJson(world, user), name: user.login, public_repos: 0 });

function getUser(world: World, request: ApiRequest): Reply {
  const user = world.state.user(request.params.username ?? "");
  if (!user) throw notFound();
  return ok(profile(world, user));
}

function currentUser(world: World, request: ApiRequest): Reply {
  if (request.actor.kind === "anonymous") throw new Refusal(401, "Requires authentication");
  if (request.actor.kind !== "user" && request.actor.kind !== "user-to-server")
    throw new Refusal(403, "Resource not accessible by integration");
  return ok(profile(world, request.actor.user));
}

function getUserById(world: World, request: ApiRequest): Reply {
  const id = numberParam(request, "account_id");
  const user = [...world.state.users.values()].find((one) => one.id === id);
  if (!user) throw notFound();
  return ok(profile(world, user));
}

const userTokenBody = z.object({ access_token: z.string() });

/** The App revokes a token that a person gave it. */
function revokeUserToken(world: World, request: ApiRequest): Reply {
  if (request.actor.kind !== "client" || request.params.client_id !== world.oauth.clientId) throw notFound();
  if (!world.tokens.revokeUserToken(parseBody(userTokenBody, request.body).access_token)) throw notFound();
  return noContent;
}

/** The App's credentials, once: whoever has the code needs no other proof. */
function convertManifest(world: World, request: ApiRequest): Reply {
  const credentials = world.manifests.convert(request.params.code ?? "");
  if (!credentials) throw notFound();
  return created(credentials);
}

export const appRoutes: readonly Route[] = [
  route("GET /app", getApp),
  route("POST /app-manifests/:code/conversions", convertManifest, { content: false }),
  route("GET /app/installations", listInstallations),
  route("GET /app/installations/:installation_id", (world, request) =>
    ok(installationJson(world, installationParam(world, request))),
  ),
  route("POST /app/installations/:installation_id/access_tokens", createToken, { content: false }),
  route("GET /app/hook/config", getHookConfig),
  route("PATCH /app/hook/config", patchHookConfig),
  route("GET /app/hook/deliveries", listDeliveries),
  route("GET /app/hook/deliveries/:delivery_id", getDelivery),
  route("POST /app/hook/deliveries/:delivery_id/attempts", redeliver, { content: false }),
  route("GET /repos/:owner/:repo/installation", repositoryInstallation),
  route("GET /repositories/:id/installation", numberedInstallation),
  route("GET /repositories/:id", numberedRepository),
  route("GET /installation/repositories", installationRepositories),
  route("DELETE /installation/token", revokeToken, { content: false }),
  route("DELETE /applications/:client_id/token", revokeUserToken, { content: false }),
  route("GET /users/:username", getUser),
  route("GET /user/:account_id", getUserById),
  route("GET /user", currentUser),
];
