/** Starts a local GitHub and gives tests and the demo a handle on it. */
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Api } from "./api.ts";
import { Calls } from "./calls.ts";
import { Faults } from "./faults.ts";
import { Feed } from "./feed.ts";
import { Limits } from "./limits.ts";
import { allRoutes } from "./routes.ts";
import { SandboxGitHub } from "./sandbox-github.ts";
import { createHttpServer } from "./server.ts";
import { State } from "./state.ts";
import { Tasks } from "./tasks.ts";
import { Tokens } from "./tokens.ts";
import { Webhooks, type WebhookTarget } from "./webhooks.ts";
import type { World } from "./world.ts";

export type { Call } from "./calls.ts";
export type { Fault } from "./faults.ts";
export type { Change } from "./feed.ts";
export type { SandboxGitHub } from "./sandbox-github.ts";
export type { FileMap, RepoName } from "./sandbox-records.ts";
export type { RepositorySetup } from "./sandbox-settings.ts";
export type { HookEvent, HookPredicate } from "./webhook-faults.ts";
export type { Delivery, WebhookTarget } from "./webhooks.ts";

export interface GitHubOptions {
  /** 0: any free port. */
  readonly port?: number;
  /** Where the repositories live; a folder of its own that goes with `close` unless given. */
  readonly root?: string;
  readonly appId?: number;
  readonly appSlug?: string;
  /** PEM; a pair is made when absent. */
  readonly appPrivateKey?: string;
  readonly webhook?: WebhookTarget;
  /** Added to each API call. */
  readonly latencyMs?: number;
  /** `published`: GitHub's own limits are enforced. */
  readonly limits?: "published" | "off";
  readonly now?: () => number;
}

const HOOK_ID = 424_242;

export async function startGitHub(options: GitHubOptions = {}): Promise<SandboxGitHub> {
  const now = options.now ?? Date.now;
  const appId = options.appId ?? 4242;
  const appSlug = options.appSlug ?? "journeyman";
  const privateKey =
    options.appPrivateKey ??
    generateKeyPairSync("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    }).privateKey;
  const publicKey = createPublicKey(privateKey).export({ type: "spki", format: "pem" }).toString();
  const root = options.root ?? (await mkdtemp(join(tmpdir(), "sandbox-github-")));
  await mkdir(root, { recursive: true });

  let api: Api | undefined;
  const server = createHttpServer(() => {
    if (!api) throw new Error("the local GitHub was asked before it was ready");
    return api;
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(options.port ?? 0, "127.0.0.1", () => resolve());
  });
  const url = `http://127.0.0.1:${portOf(server.address())}`;

  const feed = new Feed(now);
  const limits = new Limits(now, options.limits === "published");
  const world: World = {
    appId,
    appSlug,
    url,
    apiUrl: `${url}/api/v3`,
    now,
    state: new State(appSlug),
    tokens: new Tokens(appId, publicKey, now),
    webhooks: new Webhooks({
      appId,
      hookId: HOOK_ID,
      now,
      target: options.webhook,
      onDelivery: (one) =>
        feed.tell(
          "delivery",
          undefined,
          `${one.event}${one.action ? `.${one.action}` : ""} → ${one.statusCode} ${one.status}`,
        ),
    }),
    feed,
    tasks: new Tasks(),
    triggers: new Set(),
    cancels: new Set(),
    reruns: new Set(),
  };
  api = {
    world,
    routes: allRoutes(limits),
    limits,
    faults: new Faults(),
    calls: new Calls(),
    latencyMs: options.latencyMs ?? 0,
  };
  return new SandboxGitHub(api, {
    root,
    privateKey,
    close: async () => {
      world.webhooks.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await world.tasks.settle();
      if (options.root === undefined) await rm(root, { recursive: true, force: true });
    },
  });
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("the local GitHub has no port");
  return address.port;
}
