/** Starts a local GitHub and returns a handle for tests and the demo. */
import { createPublicKey } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Api } from "./api.ts";
import { AppManifests } from "./app-manifest.ts";
import { Attachments } from "./attachments.ts";
import { considerAutoMerge } from "./auto-merge.ts";
import { Caches } from "./caches.ts";
import { Calls } from "./calls.ts";
import { Faults } from "./faults.ts";
import { Feed } from "./feed.ts";
import { privateKeyPem } from "./key-pair.ts";
import { Limits } from "./limits.ts";
import { advance, considerQueues, dequeuePull, enqueuePull } from "./merge-queue.ts";
import { Oauth } from "./oauth.ts";
import { Oidc } from "./oidc.ts";
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
  /** 0 for any free port. */
  readonly port?: number;
  /** The parent folder of the repositories (by default for temporary files); `close` removes them. */
  readonly root?: string;
  readonly appId?: number;
  readonly appSlug?: string;
  /** PEM; a pair is generated when absent. */
  readonly appPrivateKey?: string;
  readonly webhook?: WebhookTarget;
  /** Concurrent webhooks: 1 keeps their order, more does not, as on GitHub. */
  readonly deliveriesAtOnce?: number;
  /** Added to each API call. */
  readonly latencyMs?: number;
  /** `published` enforces GitHub's own limits. */
  readonly limits?: "published" | "off";
  readonly now?: () => number;
  /** False: no webhook may go to a host that the internet does not reach, as on github.com. */
  readonly privateHooks?: boolean;
  /** Markdown shown beside the forms for issues and comments. */
  readonly hint?: string;
}

const HOOK_ID = 424_242;

export async function startGitHub(options: GitHubOptions = {}): Promise<SandboxGitHub> {
  const privateKey = options.appPrivateKey ?? privateKeyPem();
  await mkdir(options.root ?? tmpdir(), { recursive: true });
  const root = await mkdtemp(join(options.root ?? tmpdir(), "sandbox-github-"));
  let api: Api | undefined;
  const server = createHttpServer(() => {
    if (!api) throw new Error("the local GitHub was asked before it was ready");
    return api;
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(options.port ?? 0, "127.0.0.1", () => resolve());
  });
  const world = newWorld(options, `http://127.0.0.1:${portOf(server.address())}`, privateKey);
  const limits = new Limits(world.now, options.limits === "published");
  api = {
    world,
    routes: allRoutes(limits),
    limits,
    faults: new Faults(),
    calls: new Calls(),
    latencyMs: options.latencyMs ?? 0,
  };
  const close = async () => {
    world.webhooks.close();
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
    await world.tasks.settle();
    await rm(root, { recursive: true, force: true });
  };
  return new SandboxGitHub(api, { root, privateKey, close });
}

function newWorld(options: GitHubOptions, url: string, privateKey: string): World {
  const now = options.now ?? Date.now;
  const appId = options.appId ?? 4242;
  const appSlug = options.appSlug ?? "journeyman";
  const publicKey = createPublicKey(privateKey).export({ type: "spki", format: "pem" }).toString();
  const oauth = new Oauth(now);
  const feed = new Feed(now);
  const world: World = {
    appId,
    appSlug,
    setUpUrl: undefined,
    url,
    apiUrl: `${url}/api/v3`,
    now,
    hint: options.hint ?? "",
    state: new State(appSlug),
    oauth,
    manifests: new AppManifests({
      now,
      privateKey,
      reachable: options.privateHooks === false ? isOutside : () => true,
    }),
    oidc: new Oidc(url, now),
    caches: new Caches(),
    attachments: new Attachments(url, now),
    tokens: new Tokens({ appId, publicKeyPem: publicKey, oauth, now }),
    webhooks: new Webhooks({
      appId,
      hookId: HOOK_ID,
      now,
      target: options.webhook,
      atOnce: options.deliveriesAtOnce ?? 1,
      onDelivery: ({ event, action, statusCode, status }) =>
        feed.tell("delivery", undefined, `${event}${action ? `.${action}` : ""} → ${statusCode} ${status}`),
    }),
    feed,
    tasks: new Tasks(),
    pushes: { way: "at once" },
    triggers: new Set(),
    cancels: new Set(),
    reruns: new Set(),
    considerAutoMerge: (repository, headSha) => {
      considerAutoMerge(world, repository, headSha);
      considerQueues(world, repository, headSha);
    },
    queues: {
      enter: (repository, issue, cause) =>
        world.tasks.start(async () => void (await enqueuePull(world, repository, issue, issue.pull.headSha, cause))),
      leave: (repository, issue, cause) => void dequeuePull(world, repository, issue, "MANUAL", cause),
      moved: (repository, branch) => advance(world, repository, branch),
    },
  };
  return world;
}

const isOutside = ({ hostname }: URL): boolean => !/^(?:localhost|127\..*|10\..*|192\.168\..*|\[::1\])$/.test(hostname);

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("the local GitHub has no port");
  return address.port;
}
