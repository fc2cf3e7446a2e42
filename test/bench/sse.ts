/**
 * Measures SSE: a thousand readers of one job's log, compared with a loop that writes the same bytes to every response.
 * Reports server CPU per event and reader, and the memory held while a hundred readers read nothing.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import * as z from "zod";
import { type Measured, median } from "./measured.ts";

const READERS = 1_000;
const DEAF = 100;
const ROUNDS = 7;
/** Events of a round. */
const EVENTS = 50;
/** Events while some read nothing, and how long each is: far more than a socket and its buffers take. */
const FLOOD = 400;
const FLOOD_NOTE = 5_000;
const MEGABYTE = 1024 * 1024;
/** Node's own for a thousand sockets, and what lies about until it is collected. */
const MOST_GROWTH_MB = 64;

const answerSchema = z.object({ cpu_us: z.number(), memory: z.number() });
type Answer = z.infer<typeof answerSchema>;

interface Child {
  readonly port: number;
  ask(what: object): Promise<Answer>;
  stop(): Promise<void>;
}

async function told<T>(child: ChildProcess, schema: z.ZodType<T>): Promise<T> {
  const [message] = await once(child, "message");
  return schema.parse(message);
}

async function start(serve: "ours" | "floor"): Promise<Child> {
  const path = new URL("./sse-child.ts", import.meta.url).pathname;
  const child = fork(path, [serve], { execArgv: ["--expose-gc"], stdio: "inherit" });
  const { port } = await told(child, z.object({ port: z.number() }));
  return {
    port,
    async ask(what) {
      child.send(what);
      return told(child, answerSchema);
    },
    async stop() {
      const ended = once(child, "exit");
      child.disconnect();
      await ended;
    },
  };
}

interface Crowd {
  /** Bytes that the reading ones have got. */
  bytes(): number;
  leave(): void;
}

/** Readers that count what they get; the last `deaf` of them never read. */
async function crowd(port: number, size: number, deaf: number): Promise<Crowd> {
  let bytes = 0;
  const agent = new http.Agent({ maxSockets: Number.POSITIVE_INFINITY });
  const open = (reads: boolean): Promise<http.ClientRequest> =>
    new Promise((resolve, reject) => {
      const request = http.get({ port, host: "127.0.0.1", agent }, (response) => {
        response.on("error", () => {});
        if (reads) response.on("data", (chunk: Buffer) => (bytes += chunk.length));
        else response.pause();
        resolve(request);
      });
      request.on("error", reject);
    });
  const requests = await Promise.all(Array.from({ length: size }, (_, index) => open(index < size - deaf)));
  return {
    bytes: () => bytes,
    leave: () => {
      for (const request of requests) request.destroy();
    },
  };
}

/** Waits until nothing more has come for a moment. */
async function settled(readers: Crowd): Promise<void> {
  for (let seen = -1; seen !== readers.bytes(); ) {
    seen = readers.bytes();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function round(child: Child, readers: Crowd): Promise<number> {
  const before = await child.ask({ do: "tell" });
  const had = readers.bytes();
  await child.ask({ do: "events", count: EVENTS });
  await settled(readers);
  const { cpu_us } = await child.ask({ do: "tell" });
  if (readers.bytes() === had) throw new Error("no reader got anything");
  return (cpu_us - before.cpu_us) / (EVENTS * READERS);
}

async function benchFanOut(): Promise<Measured> {
  const [ours, floor] = [await start("ours"), await start("floor")];
  const [mine, theirs] = [await crowd(ours.port, READERS, 0), await crowd(floor.port, READERS, 0)];
  const spent: { ours: number[]; floor: number[] } = { ours: [], floor: [] };
  await round(floor, theirs);
  await round(ours, mine);
  for (let nth = 0; nth < ROUNDS; nth++) {
    spent.floor.push(await round(floor, theirs));
    spent.ours.push(await round(ours, mine));
  }
  mine.leave();
  theirs.leave();
  await ours.stop();
  await floor.stop();
  const rate = (values: readonly number[]): string =>
    `${median(values).toFixed(2)} µs CPU for each event and reader, ${(1e6 / median(values)).toFixed(0)} a second`;
  return {
    what: `events to ${READERS} readers, beside a bare fan-out loop`,
    value: median(spent.ours.map((cpu, index) => (spent.floor[index] ?? Number.NaN) / cpu)),
    limit: 0.7,
    at_least: true,
    detail: [`ours: ${rate(spent.ours)}`, `floor: ${rate(spent.floor)}`],
  };
}

async function benchMemory(): Promise<Measured> {
  const child = await start("ours");
  const readers = await crowd(child.port, READERS, DEAF);
  await child.ask({ do: "events", count: EVENTS });
  await settled(readers);
  const before = await child.ask({ do: "collect" });
  const had = readers.bytes();
  await child.ask({ do: "events", count: FLOOD, note: FLOOD_NOTE });
  await settled(readers);
  const after = await child.ask({ do: "collect" });
  const each = (readers.bytes() - had) / (READERS - DEAF);
  readers.leave();
  await child.stop();
  return {
    what: `MB that the server keeps more while ${DEAF} of ${READERS} readers read nothing`,
    value: (after.memory - before.memory) / MEGABYTE,
    limit: MOST_GROWTH_MB,
    detail: [
      `${FLOOD} events, ${(each / MEGABYTE).toFixed(1)} MB to each of those who read`,
      `kept for those who do not, it would be ${((each * DEAF) / MEGABYTE).toFixed(0)} MB`,
    ],
  };
}

export const benchSse = async (): Promise<readonly Measured[]> => [await benchFanOut(), await benchMemory()];
