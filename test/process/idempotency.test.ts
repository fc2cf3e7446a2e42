/** A request with an Idempotency-Key, sent again after the process died in the first attempt: one job, one branch. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import * as z from "zod";
import { openLowdbStore } from "../../src/store/lowdb/open.ts";
import { builtProgram } from "../build.ts";
import { until } from "../flows/harness.ts";
import { type AppProcess, startApp } from "../sandbox/app-process.ts";
import { DEMO, startSandbox } from "../sandbox/environment.ts";
import type { Fault } from "../sandbox/github/main.ts";

const API_KEY = "crash-admin-key-0123456789";

/** What is under way when the process is killed; `before: false`: GitHub has done it already. */
const POINTS: readonly (readonly [string, Fault["match"], { readonly before: boolean }])[] = [
  ["before there is a job", { method: "GET", path: /\/installation$/ }, { before: true }],
  ["when there is a job and no branch", { method: "POST", path: /\/git-receive-pack$/ }, { before: true }],
  [
    "when the branch is made and no event of it has come",
    { method: "POST", path: /\/git-receive-pack$/ },
    { before: false },
  ],
];

it.each(POINTS)(
  "makes one job and one branch when the first attempt was killed %s",
  async (where, match, { before }) => {
    const dataDir = await mkdtemp(join(tmpdir(), "journeyman-idempotency-"));
    const sandbox = await startSandbox({ actions: false });
    const { github } = sandbox;
    let app: AppProcess | null = null;
    onTestFinished(async () => {
      await app?.kill();
      await sandbox.close();
      await rm(dataDir, { recursive: true, force: true });
    });
    const start = (): Promise<AppProcess> =>
      startApp({
        program: builtProgram,
        github,
        dataDir,
        port: 0,
        webhookSecret: "crash-webhook-secret-0123456789",
        apiKey: API_KEY,
        defaultRepository: DEMO,
        onComplaint: () => {},
      });
    const ask = async (url: string) => {
      const headers = { "x-api-key": API_KEY, "idempotency-key": "the-first-job" };
      const answer = await fetch(`${url}/api/create-job`, { method: "POST", headers, body: '{"job": "say hello"}' });
      const replayed = answer.headers.get("idempotency-replayed");
      return { status: answer.status, replayed, body: z.unknown().parse(await answer.json()) };
    };

    app = await start();
    github.faults.add({ match, status: 0, before, stall: true });
    const first = ask(app.url).catch(() => "lost");
    await until(`the call ${where}`, () => github.faults.spent);
    await app.kill();
    expect(await first).toBe("lost");

    app = await start();
    const second = await ask(app.url);
    expect(second).toMatchObject({ status: 200, replayed: null });
    const third = await ask(app.url);
    expect(third).toEqual({ ...second, replayed: "true" });
    await app.stop();

    const store = await openLowdbStore({ dir: dataDir, now: Date.now });
    const { jobs } = await store.jobs.list({ limit: 10 });
    await store.close();
    expect(jobs.map(({ id, branch }) => ({ job_id: id, branch }))).toEqual([second.body]);
    const branches = Object.keys(github.branches(DEMO)).filter((branch) => branch.startsWith("job/"));
    expect(branches).toEqual([jobs[0]?.branch]);
  },
);
