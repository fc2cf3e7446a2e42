/**
 * The market: what a worker's whole way costs beside the least that the same disk could do for it, and what a queue of
 * many jobs costs who pulls from it. Samples of each pair are taken in turns, and of the cycles the lower quartile counts:
 * others on the machine only ever add time. GitHub is one that has not answered yet.
 */
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { DEFAULT_MODEL } from "../../src/contracts/models.ts";
import { NO_USAGE } from "../../src/contracts/result.ts";
import { DEFAULT_REPOSITORY_SETTINGS } from "../../src/contracts/settings.ts";
import { decide } from "../../src/domain/job/decide.ts";
import { type AgentResult, asJobId, type JobId } from "../../src/domain/job/job.ts";
import { DEFAULT_QUOTAS } from "../../src/domain/job/quotas.ts";
import { credit } from "../../src/domain/market/ledger.ts";
import type { GitHubClient } from "../../src/engine/ports/github.ts";
import type { Performer } from "../../src/engine/ports/performer.ts";
import type { Engine } from "../../src/engine/ports/service.ts";
import type { Store } from "../../src/engine/ports/store.ts";
import { composeEngine } from "../../src/main/compose/engine.ts";
import { openLowdbStore } from "../../src/store/lowdb/open.ts";
import { absentGitHub, idleRepositoryPerformer } from "../contract/absent-github.ts";
import { type Measured, median } from "./measured.ts";

const FEW = 100;
const MANY = 20_000;
const PULLS = 1_500;
const WARM_UP = 300;
const CLIENTS = [1, 8, 32] as const;
/** Cycles of one round, whatever the clients; each round beside one of the baseline. */
const CYCLES = 32;
const ROUNDS = 36;
const PRICE = 500;
const SKILLS = ["python", "sql", "research", "writing", "go"] as const;
const TASK = "Analyze the error logs of the last week and write a summary report. ".repeat(6);

const result: AgentResult = {
  ...{ outcome: "done", title: "Analyze the error logs", body: "Done, see the report.", reason: null },
  ...{ model: "unknown", usage: NO_USAGE, cost_cents: null, changed_files: [] },
};

function idOf(number: number): JobId {
  const id = asJobId(number.toString(36).padStart(8, "0"));
  if (id === null) throw new Error(`no id for ${number}`);
  return id;
}

/** Paid jobs of different prices, skills and ages, made through the store itself. */
async function fill(store: Store, jobs: number, from = 0): Promise<void> {
  await store.wallet.post({ id: `fill-${from}`, at: 0, postings: credit("ada", jobs * 2 * PRICE), note: null });
  for (let number = from; number < from + jobs; number++) {
    const decision = decide(
      null,
      {
        type: "create",
        draft: {
          ...{
            id: idOf(number),
            account: "ada",
            runner: "market",
            requester: null,
            base_branch: null,
            callback_url: null,
          },
          repository: { owner: "octocat", name: `repository${number % 50}`, installation_id: 1 },
          origin: { kind: "rest", dialect: "market", key_id: null },
          ...{ title: "Analyze the error logs", task: TASK },
          choices: { provider: null, model: null, no_merge: false, draft: false },
          ...{ price_cents: PRICE + (number % 100), time_limit_seconds: 3_600 },
          offer: {
            ...{ description: TASK, requirements: "A report.", enclosure: null },
            skills: [SKILLS[number % SKILLS.length] ?? "go"],
          },
        },
      },
      { now: number, available_cents: 2 * PRICE },
    );
    if (decision.kind !== "decided") throw new Error(`a job could not be made: ${decision.kind}`);
    const { job, history, postings } = decision;
    const commit = { job, history, postings, expected_version: 0, at: number, effects: [], done: null };
    const answer = await store.jobs.commit(commit);
    if (!answer.ok) throw new Error(`a job could not be stored: ${answer.why}`);
  }
}

const silent: Performer = { perform: () => new Promise(() => {}) };
const client: GitHubClient = {
  ...absentGitHub,
  repository: async ({ owner, name, installation_id }) => ({
    ...{ owner, name, id: 1, installation_id, base: null, settings_problem: null },
    settings: { ...DEFAULT_REPOSITORY_SETTINGS, market: { enabled: true, run_checks: "always" } },
  }),
};

interface Stall {
  readonly store: Store;
  readonly engine: Engine;
}

/** The jobs are made without flushes, which would take minutes; what is measured has them all. */
async function openStall(dir: string, jobs: number): Promise<Stall> {
  const filling = await openLowdbStore({ dir, now: Date.now, fileSystem: { ...fs, fsyncSync: () => {} } });
  await fill(filling, jobs);
  await filling.close();
  const store = await openLowdbStore({ dir, now: Date.now });
  const quotas = { ...DEFAULT_QUOTAS, accepted_jobs: MANY, open_orders: MANY };
  const engine = composeEngine(
    { llm: { provider: "anthropic", model: DEFAULT_MODEL, max_tokens: null }, quotas },
    {
      store,
      github: { client, performer: () => silent, repositoryPerformer: idleRepositoryPerformer },
      log: pino({ level: "silent" }),
      record: () => {},
    },
  );
  return { store, engine };
}

const agent = (number: number) => ({
  ...{ agent_id: `agent-${number % 40}`, account: "bob", repository: null },
  skills: [SKILLS[number % SKILLS.length] ?? "go"],
});

async function pullOnce({ engine }: Stall, number: number): Promise<number> {
  const begun = performance.now();
  const pulled = await engine.pull(agent(number));
  const took = performance.now() - begun;
  if (!pulled?.ok) throw new Error("Nothing was offered.");
  await engine.handle(pulled.job.id, { type: "reject", agent_id: agent(number).agent_id });
  return took;
}

const lowerQuartile = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 4)] ?? Number.NaN;

const p99 = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.99) - 1] ?? Number.NaN;

async function benchPulls(few: Stall, many: Stall): Promise<Measured> {
  const took = { few: [] as number[], many: [] as number[] };
  for (let number = 0; number < WARM_UP + PULLS; number++) {
    const samples = [
      async () => took.few.push(await pullOnce(few, number)),
      async () => took.many.push(await pullOnce(many, number)),
    ];
    for (let turn = 0; turn < samples.length; turn++) await samples[(number + turn) % samples.length]?.();
    if (number === WARM_UP) for (const list of Object.values(took)) list.length = 0;
  }
  const said = (name: string, values: readonly number[]) =>
    `${name}: p99 ${p99(values).toFixed(2)} ms, median ${median(values).toFixed(2)} ms of ${values.length}`;
  return {
    what: `p99 of a pull with ${MANY} queued jobs / with ${FEW}`,
    value: p99(took.many) / p99(took.few),
    limit: 2,
    detail: [said(`${MANY}`, took.many), said(`${FEW}`, took.few)],
  };
}

/** Temporary file, flush, rename, flush of the folder: what any durable replacement of a file comes to. */
function bareCommit(dir: string, folder: number, name: string, text: string): void {
  const temporary = join(dir, `${name}.tmp`);
  const fd = fs.openSync(temporary, "w");
  fs.writeSync(fd, text);
  fs.fsyncSync(fd);
  fs.closeSync(fd);
  fs.renameSync(temporary, join(dir, name));
  fs.fsyncSync(folder);
}

async function cycle({ engine }: Stall, number: number): Promise<void> {
  const who = agent(number);
  const pulled = await engine.pull(who);
  if (!pulled?.ok) throw new Error("Nothing was offered.");
  const { id } = pulled.job;
  const accepted = await engine.handle(id, { type: "accept", agent_id: who.agent_id });
  const submitted = await engine.handle(id, { type: "submit", agent_id: who.agent_id, result });
  if (!accepted.ok || !submitted.ok) throw new Error("A worker was refused.");
}

/** Milliseconds a cycle, with so many clients at once. */
async function cycles(stall: Stall, clients: number, from: number): Promise<number> {
  const begun = performance.now();
  const one = async (client: number) => {
    for (let done = client; done < CYCLES; done += clients) await cycle(stall, from + done);
  };
  await Promise.all(Array.from({ length: clients }, (_, client) => one(client)));
  return (performance.now() - begun) / CYCLES;
}

async function benchCycles(dir: string, stall: Stall): Promise<Measured[]> {
  const stored = await stall.store.jobs.load(idOf(1));
  const text = `${JSON.stringify(stored)}\n`;
  const folder = fs.openSync(dir, "r");
  // of as many files, each replaced three times, as a job's is: to free what was flushed costs more than to free what was not
  for (let file = 0; file < MANY; file++) fs.writeFileSync(join(dir, `${idOf(file)}.json`), text);
  let replaced = 0;
  const bare = (): number => {
    const begun = performance.now();
    for (let written = 0; written < CYCLES * 3; written++) {
      const file = Math.floor(replaced++ / 3) * 7_919;
      bareCommit(dir, folder, `${idOf(file % MANY)}.json`, text);
    }
    return (performance.now() - begun) / CYCLES;
  };
  const took = new Map<number, { ours: number; bare: number }[]>(CLIENTS.map((clients) => [clients, []]));
  let from = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (const clients of CLIENTS) {
      // each is first in turn: what one leaves to the disk, the next may pay for
      const early = round % 2 === 0 ? bare() : null;
      const ours = await cycles(stall, clients, from);
      const floor = early ?? bare();
      from += CYCLES;
      if (round > 1) took.get(clients)?.push({ ours, bare: floor });
    }
  }
  fs.closeSync(folder);
  return [...took].map(([clients, rounds]) => {
    const ours = lowerQuartile(rounds.map((one) => one.ours));
    const floor = lowerQuartile(rounds.map((one) => one.bare));
    const sizes = `lower quartiles of ${rounds.length} rounds of ${CYCLES}, ${text.length} bytes a commit`;
    return {
      what: `pull, accept and submit with ${clients} client(s) / three bare durable commits`,
      value: ours / floor,
      limit: 1.5,
      detail: [`${ours.toFixed(2)} ms / ${floor.toFixed(2)} ms, ${sizes}`],
    };
  });
}

export async function benchMarket(): Promise<readonly Measured[]> {
  const root = fs.mkdtempSync(join(tmpdir(), "bench-market-"));
  try {
    const few = await openStall(join(root, "few"), FEW);
    const many = await openStall(join(root, "many"), MANY);
    const pulls = await benchPulls(few, many);
    fs.mkdirSync(join(root, "bare"));
    const whole = await benchCycles(join(root, "bare"), many);
    await few.store.close();
    await many.store.close();
    return [pulls, ...whole];
  } finally {
    fs.rmSync(root, { recursive: true });
  }
}
