/** Outgoing webhooks across crashes: a committed event is sent under one id, however often the process dies. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import * as z from "zod";
import { builtProgram } from "../build.ts";
import { startReceiver, verified } from "../contract/receiver.ts";
import { until } from "../flows/harness.ts";
import { scriptedRuns } from "../flows/scripted-runs.ts";
import { type AppProcess, startApp } from "../sandbox/app-process.ts";
import { DEMO, startSandbox, WRITER } from "../sandbox/environment.ts";

const API_KEY = "crash-admin-key-0123456789";
const eventSchema = z.object({ type: z.string(), data: z.object({ id: z.string(), status: z.string() }) });

it("tells each event of a job under one id, though it is killed whenever one is on its way", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "journeyman-webhooks-"));
  const sandbox = await startSandbox({ program: builtProgram, playJob: scriptedRuns });
  const receiver = await startReceiver();
  let app: AppProcess | null = null;
  onTestFinished(async () => {
    await app?.kill();
    await sandbox.close();
    await receiver.close();
    await rm(dataDir, { recursive: true, force: true });
  });
  const start = (): Promise<AppProcess> =>
    startApp({
      ...{ program: builtProgram, github: sandbox.github, dataDir, port: 0, apiKey: API_KEY, defaultRepository: DEMO },
      webhookSecret: "crash-webhook-secret-0123456789",
      onComplaint: () => {},
    });
  const ask = async (path: string, body: object): Promise<unknown> => {
    const headers = { "x-api-key": API_KEY, "content-type": "application/json" };
    const response = await fetch(`${app?.url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    expect(response.status).toBe(201);
    return response.json();
  };

  app = await start();
  const account = { account: WRITER, repository: "*", scopes: ["read", "write"] };
  const { key } = z.object({ key: z.string() }).parse(await ask("/api/keys", account));
  const subscribed = await fetch(`${app.url}/api/webhooks`, {
    method: "POST",
    headers: { "x-api-key": key, "content-type": "application/json" },
    body: JSON.stringify({ url: receiver.url }),
  });
  const { secret } = z.object({ secret: z.string() }).parse(await subscribed.json());

  /** The first of each is left without an answer: the process dies while it waits for one. */
  const met = new Set<string>();
  let interrupted = 0;
  receiver.answer = (received, response) => {
    const { type } = eventSchema.parse(JSON.parse(received.body));
    if (met.has(type)) response.writeHead(204).end();
    else interrupted += 1;
    met.add(type);
  };
  const issue = sandbox.github.openIssue(DEMO, { title: "Say hello", by: WRITER });
  sandbox.github.comment(DEMO, issue, { body: "/job create HELLO.md that says hello", by: WRITER });
  const EVENTS = ["job.created", "job.accepted", "job.submitted", "job.verified", "job.merged"];
  for (let deaths = 1; met.size < EVENTS.length; deaths++) {
    await until("the next event", () => interrupted >= deaths);
    await app.kill();
    interrupted = deaths;
    app = await start();
  }

  const timesOf = (id: string): number => receiver.received.filter((received) => received.id === id).length;
  await until("every event to come again", () => receiver.received.every(({ id }) => timesOf(id) > 1));
  const told = new Map(receiver.received.map((one) => [one.id, eventSchema.parse(verified(secret, one)).type]));
  // one id for each event: who has seen it once knows it again
  expect([...told.values()].sort()).toEqual(EVENTS.toSorted());
});
