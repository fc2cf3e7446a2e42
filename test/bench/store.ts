/**
 * Measures what a durable commit, a start and the memory cost, compared with the least that the same disk could do.
 * Samples of each pair are taken in turns, and the lower quartile counts, since other processes only add time.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import type { JobId } from "../../src/domain/job/job.ts";
import type { Store } from "../../src/engine/ports/store.ts";
import type { FileSystem } from "../../src/store/lowdb/disk.ts";
import { openLowdbStore } from "../../src/store/lowdb/open.ts";
import { fillStore } from "./fill-store.ts";
import type { Measured } from "./measured.ts";

const FEW = 100;
const MANY = 100_000;
const COMMITS = 1_000;
/** Not measured: the first ones pay for compiling. */
const WARM_UP = 500;
const MIB = 1024 * 1024;

const lowerQuartile = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 4)] ?? Number.NaN;

interface Filled {
  readonly store: Store;
  readonly ids: readonly JobId[];
  /** Flushes so far. */
  flushes(): number;
}

async function openFilled(dir: string): Promise<Filled> {
  let flushes = 0;
  const fileSystem: FileSystem = {
    ...fs,
    fsyncSync: (fd) => {
      flushes += 1;
      fs.fsyncSync(fd);
    },
  };
  const store = await openLowdbStore({ dir, now: Date.now, fileSystem });
  return { store, ids: await store.jobs.open(), flushes: () => flushes };
}

/** One load, then the commit that is measured: a changed job, a history row and an effect. Milliseconds. */
async function commitOnce({ jobs }: Store, id: JobId | undefined, round: number): Promise<number> {
  const before = id === undefined ? null : await jobs.load(id);
  if (before === null) throw new Error("A stored job is missing.");
  const begun = performance.now();
  const answer = await jobs.commit({
    job: { ...before.job, updated_at: round, notice: `round ${round}` },
    expected_version: before.version,
    at: round,
    history: [{ at: round, event: "looked at", from: before.job.status, to: before.job.status, by: null, note: null }],
    postings: [],
    effects: [{ effect: { type: "sync-comment" }, urgency: "now", not_before: round }],
    done: null,
  });
  const took = performance.now() - begun;
  if (!answer.ok) throw new Error(`A commit was refused: ${answer.why}.`);
  return took;
}

function appendOnce(fd: number, line: string): number {
  const begun = performance.now();
  fs.writeSync(fd, line);
  fs.fdatasyncSync(fd);
  return performance.now() - begun;
}

/** A stride that is no divisor of either count visits jobs all over the folder. */
const pick = (ids: readonly JobId[], round: number): JobId | undefined => ids[(round * 7_919) % ids.length];

/** The record of the job whose turn it is, as long as the commit will write it. */
async function lineOf({ store, ids }: Filled, round: number): Promise<string> {
  const id = pick(ids, round);
  return `${JSON.stringify(id === undefined ? null : await store.jobs.load(id))}\n`;
}

async function benchCommits(root: string, few: Filled, many: Filled): Promise<Measured[]> {
  const journal = fs.openSync(join(root, "append.jsonl"), "a");
  const took = { append: [] as number[], few: [] as number[], many: [] as number[] };
  let bytes = 0;
  let flushes = 0;
  for (let round = 0; round < WARM_UP + COMMITS; round++) {
    const line = await lineOf(few, round);
    const flushed = many.flushes();
    const samples = [
      async () => took.append.push(appendOnce(journal, line)),
      async () => took.few.push(await commitOnce(few.store, pick(few.ids, round), round)),
      async () => took.many.push(await commitOnce(many.store, pick(many.ids, round), round)),
    ];
    // Each is first, second and last in turn: what one leaves to the disk, the next may pay for.
    for (let turn = 0; turn < samples.length; turn++) await samples[(round + turn) % samples.length]?.();
    flushes = Math.max(flushes, many.flushes() - flushed);
    bytes = line.length;
    if (round === WARM_UP) for (const list of Object.values(took)) list.length = 0;
  }
  fs.closeSync(journal);
  const [append, atFew, atMany] = [lowerQuartile(took.append), lowerQuartile(took.few), lowerQuartile(took.many)];
  const ms = (value: number): string => `${value.toFixed(3)} ms`;
  return [
    {
      what: `a durable commit / one append + fdatasync of as many bytes`,
      value: atFew / append,
      limit: 4,
      detail: [`${ms(atFew)} / ${ms(append)}, lower quartiles of ${COMMITS}, ${bytes} bytes at the end`],
    },
    {
      what: `a durable commit at ${MANY} stored jobs / at ${FEW}`,
      value: atMany / atFew,
      limit: 1.2,
      detail: [`${ms(atMany)} / ${ms(atFew)}`],
    },
    { what: "flushes of one commit, at most", value: flushes, limit: 2, detail: [] },
  ];
}

const told = z.object({
  bytes: z.number(),
  read_ms: z.array(z.number()),
  open_ms: z.array(z.number()),
  rss: z.number(),
  peak: z.number(),
  empty: z.number(),
});

/** Start and memory, in a process of its own that has loaded what a server loads. */
async function benchStart(dir: string): Promise<Measured[]> {
  const script = new URL("./store-child.ts", import.meta.url).pathname;
  const child: ChildProcess = fork(script, [dir], { execArgv: ["--expose-gc"] });
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`The measured process ended with ${code}.`);
  });
  const [message] = await Promise.race([once(child, "message"), ended]);
  ended.catch(() => undefined);
  const { bytes, read_ms, open_ms, rss, peak, empty } = told.parse(message);
  const mib = (value: number): string => `${(value / MIB).toFixed(0)} MiB`;
  const [read, open] = [lowerQuartile(read_ms), lowerQuartile(open_ms)];
  return [
    {
      what: `a start with ${MANY} jobs / a plain synchronous read of their files`,
      value: open / read,
      limit: 2,
      detail: [`${open.toFixed(0)} ms / ${read.toFixed(0)} ms for ${mib(bytes)}, lower quartiles of ${open_ms.length}`],
    },
    {
      what: `MiB of a process with Probot loaded and ${MANY} stored jobs, at its highest`,
      value: peak / MIB,
      limit: 400,
      detail: [`${mib(rss)} afterwards, ${mib(empty)} before the store was opened`],
    },
  ];
}

export async function benchStore(): Promise<readonly Measured[]> {
  const root = fs.mkdtempSync(join(tmpdir(), "bench-store-"));
  const dirs = { few: join(root, "few"), many: join(root, "many") };
  try {
    await fillStore(dirs.few, FEW, "open");
    await fillStore(dirs.many, MANY, "open");
    const start = await benchStart(dirs.many);
    const [few, many] = [await openFilled(dirs.few), await openFilled(dirs.many)];
    const commits = await benchCommits(root, few, many);
    await few.store.close();
    await many.store.close();
    return [...commits, ...start];
  } finally {
    fs.rmSync(root, { recursive: true });
  }
}
