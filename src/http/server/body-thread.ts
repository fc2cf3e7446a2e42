/**
 * Client of the worker thread for large bodies: starts it for the first one and sends it one body at a time. A body
 * that ends the thread or takes too long is lost, and so are those waiting; the next one starts the thread again.
 */
import { Worker } from "node:worker_threads";
import { LARGE_BODY_BYTES, LARGE_BODY_MS } from "../routing/limits.ts";
import type { HandInRead, HandInTask } from "./handed-in-result.ts";
import { readHandIn } from "./handed-in-result.ts";
import type { DeliveryRead, DeliveryTask } from "./large-body.ts";

export type Task = DeliveryTask | HandInTask;
export type ThreadRequest = { readonly id: number; readonly task: Task };
/** Null: it could not be read for a reason that is our own. */
export type ThreadReply = { readonly id: number; readonly read: DeliveryRead | HandInRead | null };

export interface BodyThread {
  /** The parts, in memory of their own, are gone from here on. */
  delivery(task: Omit<DeliveryTask, "kind">): Promise<DeliveryRead>;
  /** A small one is read at once. */
  handIn(task: Omit<HandInTask, "kind">): Promise<HandInRead>;
  stop(): Promise<void>;
}

interface Running {
  readonly worker: Worker;
  readonly waiting: Map<
    number,
    { readonly tell: (read: ThreadReply["read"]) => void; readonly fail: (error: Error) => void }
  >;
}

/** Of old objects: twenty times the largest body. */
const MEMORY_MB = 512;

/** `program`: what the thread runs. */
export function createBodyThread(program: URL, secret: string): BodyThread {
  let running: Running | null = null;
  let last = 0;

  const start = (): Running => {
    const worker = new Worker(program, { workerData: secret, resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB } });
    const begun: Running = { worker, waiting: new Map() };
    const end = (error: Error): void => {
      if (running === begun) running = null;
      for (const { fail } of begun.waiting.values()) fail(error);
      begun.waiting.clear();
    };
    worker.on("message", ({ id, read }: ThreadReply) => {
      begun.waiting.get(id)?.tell(read);
      begun.waiting.delete(id);
    });
    worker.on("error", end);
    worker.on("exit", () => end(new Error("the thread for large bodies has ended")));
    worker.unref();
    return begun;
  };

  const ask = async (task: Task): Promise<DeliveryRead | HandInRead> => {
    running ??= start();
    const { worker, waiting } = running;
    const id = ++last;
    const asked: ThreadRequest = { id, task };
    worker.postMessage(asked, [...new Set(task.parts.map(({ buffer }) => buffer))].filter(isOwn));
    const told = new Promise<ThreadReply["read"]>((tell, fail) => waiting.set(id, { tell, fail }));
    const late = setTimeout(() => void worker.terminate(), LARGE_BODY_MS);
    const read = await told.finally(() => clearTimeout(late));
    if (read === null) throw new Error("a large body could not be read");
    return read;
  };

  return {
    async delivery(task) {
      const read = await ask({ kind: "delivery", ...task });
      if (read.kind === "read" || read.kind === "refused") throw new Error("the thread answered something else");
      return read;
    },
    async handIn(task) {
      const size = task.parts.reduce((sum, part) => sum + part.length, 0);
      if (size <= LARGE_BODY_BYTES) return readHandIn({ kind: "hand-in", ...task });
      const read = await ask({ kind: "hand-in", ...task });
      if (read.kind !== "read" && read.kind !== "refused") throw new Error("the thread answered something else");
      return read;
    },
    async stop() {
      await running?.worker.terminate();
    },
  };
}

const isOwn = (buffer: ArrayBufferLike): buffer is ArrayBuffer => buffer instanceof ArrayBuffer;
