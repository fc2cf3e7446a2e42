/**
 * A POST without work of its own, to measure what runs before the work: mounted like every route, or behind
 * authentication, validation and idempotency alone. Store, keys and log are real.
 */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type ApplicationFunction, Probot } from "probot";
import * as z from "zod";
import { systemClock } from "../../src/engine/clock.ts";
import { createIds } from "../../src/engine/ids.ts";
import { createMetrics } from "../../src/http/admin/metrics.ts";
import { keyRequestSchema, newKey } from "../../src/http/admin/new-key.ts";
import { authentication } from "../../src/http/middleware/auth.ts";
import { idempotency } from "../../src/http/middleware/idempotency.ts";
import { createAuthThrottle } from "../../src/http/middleware/wrong-key-throttling.ts";
import { answering, success } from "../../src/http/routing/answer.ts";
import { jsonBody } from "../../src/http/routing/body.ts";
import { mount } from "../../src/http/routing/mount.ts";
import { route } from "../../src/http/routing/route.ts";
import { inTurn } from "../../src/http/server/in-turn.ts";
import { createListener } from "../../src/http/server/listener.ts";
import { createMessageClasses } from "../../src/http/server/message-classes.ts";
import { requestLog } from "../../src/http/server/request-log.ts";
import { createLog } from "../../src/main/log.ts";
import { openLowdbStore } from "../../src/store/lowdb/open.ts";
import { appKey } from "../contract/app-key.ts";

/** Each may send 600 writes a minute, and a round must not come to that. */
const KEYS = 1_000;

const ANSWER = { job_id: "ab12cd34", branch: "job/ab12cd34" };

const doNothing = route({
  method: "post",
  path: "/api/create-job",
  operation: "doNothing",
  group: "create-job",
  summary: "Do nothing",
  scope: "write",
  repeatable: true,
  body: z.object({
    job: z.string().max(64_000),
    llm_model: z.string().nullish(),
    repository: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9-]*\/[A-Za-z0-9._-]{1,100}$/)
      .nullish(),
  }),
  answers: { 200: { about: "Done." } },
  work: async () => success(200, ANSWER),
});

export interface MountedPost {
  readonly dir: string;
  /** With its limit, its log line and its metrics. */
  readonly whole: boolean;
}

interface Mounted {
  readonly server: Server;
  readonly keys: readonly string[];
}

export async function mountedPost({ dir, whole }: MountedPost): Promise<Mounted> {
  const { now } = systemClock;
  const store = await openLowdbStore({ dir, now });
  const keys: string[] = [];
  for (let n = 0; n < KEYS; n++) {
    const { key, stored } = newKey(keyRequestSchema.parse({ account: `user-${n}`, repository: "*" }), now());
    await store.keys.add(stored);
    keys.push(key);
  }
  const ids = createIds(systemClock);
  const log = await createLog({ level: "info", format: "json" });
  const metrics = createMetrics({ ...store, budget: () => [], now });
  const parts = {
    authentication: authentication({
      ...{ keys: store.keys, repositories: store.repositories, record: () => {} },
      ...{ api_key: null, authThrottle: createAuthThrottle(now), now },
    }),
    ...{
      repositories: store.repositories,
      now,
      githubClient: { installation: async () => null, repository: async () => null },
    },
    ...{
      log,
      idempotency: store.idempotency,
      clock: systemClock,
      accounts: store.accounts,
      service: { drawId: async () => ids.jobId(), admit: async () => null, observe: async () => {} },
    },
  };
  const app: ApplicationFunction = (_probot, { getRouter }) => {
    const router = getRouter?.("/");
    if (router === undefined) return;
    if (whole) mount(router, [doNothing], parts, requestLog(log, metrics.timed));
    else
      router.post(
        "/api/create-job",
        inTurn(parts.authentication.require("write"), jsonBody()),
        answering(idempotency(parts)("POST /api/create-job", doNothing.run), log),
      );
  };
  const deliveries = {
    isSigned: () => false,
    thread: { delivery: () => Promise.reject(new Error("nothing is delivered here")) },
    ...{ self: () => ({ appId: 1, slug: "" }), act: async () => {}, forged: () => {} },
  };
  const probot = new Probot({ appId: 1, privateKey: appKey, secret: "of nobody" });
  const messages = createMessageClasses();
  const listener = await createListener(probot, app, { timed: metrics.timed, trust_proxy: 0, deliveries, messages });
  const server = createServer(messages, listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, keys };
}
