/** The environment of the webhook bench: a real store, the sender and, where jobs are created, the real engine. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { DEFAULT_MODEL } from "../../src/contracts/models.ts";
import type { Draft } from "../../src/domain/job/command.ts";
import { asJobId, type Job } from "../../src/domain/job/job.ts";
import { emittedEventOf } from "../../src/domain/job/job-events.ts";
import { DEFAULT_QUOTAS } from "../../src/domain/job/quotas.ts";
import { create } from "../../src/domain/job/rules/requesting.ts";
import { systemClock } from "../../src/engine/clock.ts";
import type { Log } from "../../src/engine/ports/log.ts";
import type { Performer } from "../../src/engine/ports/performer.ts";
import type { Engine } from "../../src/engine/ports/service.ts";
import type { Store } from "../../src/engine/ports/store.ts";
import { composeEngine } from "../../src/main/compose/engine.ts";
import { createSealedBox } from "../../src/main/seal.ts";
import { openLowdbStore } from "../../src/store/lowdb/open.ts";
import { createOutgoingWebhooks, type OutgoingWebhooks } from "../../src/webhooks/webhooks.ts";
import { absentGitHub, idleRepositoryPerformer } from "../contract/absent-github.ts";

export interface Receivers {
  readonly url: string;
  /** Resolves when that many have come: when each did, by its id. */
  receive(count: number): Promise<ReadonlyMap<string, number>>;
  stop(): Promise<void>;
}

const toldSchema = z.object({ times: z.array(z.tuple([z.string(), z.number()])) });

export async function startReceivers(): Promise<Receivers> {
  // beside this file, compiled or not, as this process runs
  const child: ChildProcess = fork(new URL(import.meta.url.replace("notify-stand", "notify-child")));
  const [first] = await once(child, "message");
  const { port } = z.object({ port: z.number() }).parse(first);
  return {
    url: `http://127.0.0.1:${port}`,
    async receive(count) {
      const told = once(child, "message");
      child.send(count);
      const [message] = await told;
      return new Map(toldSchema.parse(message).times);
    },
    async stop() {
      const ended = once(child, "exit");
      child.disconnect();
      await ended;
    },
  };
}

export const draftOf = (account: string): Omit<Draft, "id"> => ({
  account,
  repository: { owner: "octo", name: "demo", installation_id: 1 },
  runner: "actions",
  origin: { kind: "rest", dialect: "create-job", key_id: null },
  requester: null,
  title: "Say hello in HELLO.md",
  task: `Create HELLO.md that says hello. ${"More of what the task asks for. ".repeat(10)}`,
  choices: { provider: null, model: null, no_merge: false, draft: false },
  callback_url: null,
  base_branch: null,
  price_cents: 0,
  time_limit_seconds: 1_800,
});

export interface NotifyStand {
  readonly store: Store;
  readonly notify: OutgoingWebhooks;
  readonly engine: Engine;
  /** When each job was committed, by its id. */
  readonly committed: Map<string, number>;
  close(): Promise<void>;
}

const LOG: Log = {
  debug() {},
  info() {},
  warn() {},
  error: (facts) => process.stderr.write(`${JSON.stringify(facts)}\n`),
};

const nothing: Performer = { perform: async () => ({ ended: "done" }) };
/** One account asks for all of it. */
const MANY = 1_000_000;
/** As the other processes read it. */
export const timeNow = (): number => performance.timeOrigin + performance.now();

export async function openNotifyStand(): Promise<NotifyStand> {
  const dir = fs.mkdtempSync(join(tmpdir(), "bench-notify-"));
  const store: Store = await openLowdbStore({ dir, now: Date.now });
  const committed = new Map<string, number>();
  const commit = store.jobs.commit.bind(store.jobs);
  store.jobs.commit = async (asked) => {
    const answer = await commit(asked);
    committed.set(asked.job.id, timeNow());
    return answer;
  };
  const box = createSealedBox({ encryption_key: null, data_dir: dir });
  const shared = { clock: systemClock, log: LOG };
  const { subscriptions, outgoing } = store;
  const notify = createOutgoingWebhooks({
    subscriptions,
    outgoing,
    box,
    ...shared,
    record: () => {},
    allow_private: true,
    web_url: "https://github.com",
  });
  const github = { client: absentGitHub, performer: () => nothing, repositoryPerformer: idleRepositoryPerformer };
  const quotas = { ...DEFAULT_QUOTAS, jobs_under_way: MANY, rounds_per_day: MANY };
  const engine = composeEngine(
    { llm: { provider: "anthropic", model: DEFAULT_MODEL, max_tokens: null }, quotas },
    { store, github, publishing: notify, record: () => {}, ...shared },
  );
  await notify.start();
  await engine.start();
  return {
    ...{ store, notify, engine, committed },
    async close() {
      await engine.stop();
      await notify.stop();
      await store.close();
      fs.rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** What the creation of such a job announces. */
export function announcementFor(account: string, number: number) {
  const id = asJobId(String(number).padStart(8, "0"));
  if (id === null) throw new Error(`${number} is no job id`);
  const decision = create({ ...draftOf(account), id }, { now: Date.now(), available_cents: 0 });
  if (decision.kind !== "decided") throw new Error("a job was not created");
  const job: Job = decision.job;
  return { job, effect: { type: "announce", announcement: emittedEventOf(job, decision.history, 1) } } as const;
}

export async function subscribe({ notify }: NotifyStand, account: string, url: string): Promise<string> {
  const issued = await notify.webhooks.subscribe({
    account,
    format: "journeyman",
    url,
    events: null,
    repository: null,
    repository_id: null,
  });
  if (issued === null) throw new Error("the account has too many webhooks");
  return issued.subscription.id;
}
