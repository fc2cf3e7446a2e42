/**
 * The real server as a process whose loop is watched, between a local GitHub and whoever sends it things. Answers what held
 * the loop: the CPU that the main thread used in one go, so that a busy machine alters nothing.
 */
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json, text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import * as z from "zod";
import { builtProgram } from "../build.ts";
import { until } from "../flows/harness.ts";
import { startApp } from "../sandbox/app-process.ts";
import { DEMO, type Sandbox, startSandbox, WRITER } from "../sandbox/environment.ts";
import { freePort } from "../sandbox/free-port.ts";
import { waitingWorkflow } from "./event-loop-workflow.ts";

const MOST_MS = 50;
/** What the watcher's measure takes on the machine for which that number is meant. */
const MEASURE_MS = 45;
/** An input that is over it once may have met the collector or a compiler; one that always is, is not let through. */
const TRIES = 4;
/** Looked at together, since each look waits for rest. */
const TOGETHER = 12;

export const SECRET = "loop-webhook-secret-0123456789";
export const ADMIN = "loop-admin-key-0123456789";
export const STRIPE = "whsec_loop-0123456789";

const seenSchema = z.object({ longest_ms: z.number(), measure_ms: z.number(), rss: z.number() });

export interface Act {
  readonly name: string;
  readonly act: () => Promise<unknown>;
}

export interface Asked {
  readonly status: number;
  readonly text: string;
}

export interface Stand {
  readonly url: string;
  readonly sandbox: Sandbox;
  /** Where the runs of the environment's jobs leave their identity, and wait for a word. */
  readonly folder: string;
  /** Keys of the accounts `user-0`, `user-1` …, which may do everything. */
  readonly keys: readonly string[];
  /** What a payload of GitHub's says of where it comes from. */
  readonly source: object;
  /** For how long the loop may be held, on this machine. */
  readonly most_ms: number;
  /** What the loop was held for at most since this was last asked, once the process is at rest. */
  seen(path?: string): Promise<z.infer<typeof seenSchema>>;
  /** Those that hold it too long, as sentences. */
  tooLong(acts: readonly Act[]): Promise<string[]>;
  /** The same for what can be done once only. */
  tooLongOnce(acts: readonly Act[]): Promise<string[]>;
  /** Signed as GitHub does it; it must be taken. A text is JSON already. */
  deliver(event: string, payload: object | string): Promise<void>;
  /** With one key after the other, since each may write so often in a minute. */
  ask(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Asked>;
  close(): Promise<void>;
}

/** The server, and the keys that it has made. */
async function begin(folder: string) {
  const watching = pathToFileURL(join(import.meta.dirname, "event-loop-watch.ts"));
  watching.searchParams.set("socket", join(folder, "watch.sock"));
  const program = (path: string): string[] => {
    const [node = "", ...rest] = builtProgram(path);
    return path === "src/main.ts" ? [node, "--import", watching.href, ...rest] : [node, ...rest];
  };
  const port = await freePort();
  const files = { ".github/workflows/run-job.yml": waitingWorkflow(folder) };
  const sandbox = await startSandbox({
    ...{ program: builtProgram, files },
    cancelLimits: { grace: { interruptMs: 100, terminateMs: 100 } },
  });
  sandbox.github.setVariable(DEMO, "APP_URL", `http://127.0.0.1:${port}`);
  const app = await startApp({
    ...{ program, github: sandbox.github, dataDir: mkdtempSync(join(folder, "data-")), port, webhookSecret: SECRET },
    ...{ apiKey: ADMIN, defaultRepository: DEMO, onComplaint: () => {} },
    // a refusal to push would keep from the loop what it is watched for
    more: { STRIPE_SECRET_KEY: "sk_test_loop-0123456789", STRIPE_WEBHOOK_SECRET: STRIPE, PUSHES_PER_MINUTE: "1000" },
  });
  const keys: string[] = [];
  for (let at = 0; at < 12; at += 1) {
    const body = JSON.stringify({ account: `user-${at}`, repository: "*", scopes: ["read", "write", "work", "admin"] });
    const made = await fetch(`${app.url}/api/keys`, { method: "POST", body, headers: { "x-api-key": ADMIN } });
    keys.push(z.object({ key: z.string() }).parse(await made.json()).key);
  }
  sandbox.github.openIssue(DEMO, { title: "Something", by: WRITER });
  const payload = await until("a delivery", () => sandbox.github.deliveries().at(-1)?.payload);
  return {
    sandbox,
    app,
    keys,
    source: z.object({ installation: z.unknown(), repository: z.unknown() }).parse(payload),
  };
}

const answerTo = (asked: ClientRequest): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => asked.on("response", resolve).on("error", reject));

export async function startStand(): Promise<Stand> {
  const folder = mkdtempSync(join(tmpdir(), "loop-"));
  const { sandbox, app, keys, source } = await begin(folder);
  let nth = 0;

  const seen: Stand["seen"] = async (path = "/") => {
    const asked = request({ socketPath: join(folder, "watch.sock"), path }).end();
    return seenSchema.parse(await json(await answerTo(asked)));
  };
  const most_ms = MOST_MS * Math.max(1, (await seen()).measure_ms / MEASURE_MS);

  /** Since the process was looked at last: what it does between two looks counts for what comes after them. */
  const heldBy = async (acts: readonly Act[]): Promise<number> => {
    for (const { act } of acts) await act();
    return (await seen()).longest_ms;
  };

  const tooLongOnce = async (acts: readonly Act[], attempts = 1): Promise<string[]> => {
    const long: string[] = [];
    await seen();
    for (const one of acts) {
      let least = Number.POSITIVE_INFINITY;
      for (let at = 0; at < attempts && least > most_ms; at += 1) least = Math.min(least, await heldBy([one]));
      if (least > most_ms) long.push(`${one.name}: ${Math.round(least)} ms`);
    }
    return long;
  };

  return {
    ...{ url: app.url, sandbox, folder, keys, source, most_ms, seen, tooLongOnce },
    async tooLong(acts) {
      const long: string[] = [];
      await seen();
      for (let at = 0; at < acts.length; at += TOGETHER) {
        const some = acts.slice(at, at + TOGETHER);
        if ((await heldBy(some)) > most_ms) long.push(...(await tooLongOnce(some, TRIES)));
      }
      return long;
    },
    async deliver(event, payload) {
      const body = Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload));
      // `fetch` copies a body, more than once
      const sent = request(`${app.url}/api/github/webhooks`, {
        ...{ method: "POST", agent: false },
        headers: {
          ...{ "content-type": "application/json", "x-github-event": event, "x-github-delivery": `loop-${++nth}` },
          "x-hub-signature-256": `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`,
        },
      }).end(body);
      const response = await answerTo(sent);
      const answer = await text(response);
      if (response.statusCode !== 200) throw new Error(`${event} was answered ${response.statusCode}: ${answer}`);
    },
    async ask(method, path, body, headers = {}) {
      const response = await fetch(`${app.url}${path}`, {
        ...{ method, redirect: "manual", headers: { "x-api-key": keys[++nth % keys.length] ?? ADMIN, ...headers } },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      return { status: response.status, text: await response.text() };
    },
    async close() {
      await app.kill();
      await sandbox.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
