/** The program of the thread beside the main one: verifies, parses and reduces bodies that are large. */
import { parentPort, workerData } from "node:worker_threads";
import { z } from "zod";
import { hear } from "../github/events/translate.ts";
import type { Asked, Task, Told } from "../http/server/body-thread.ts";
import { readHandIn } from "../http/server/handed-in-result.ts";
import { readDelivery } from "../http/server/large-body.ts";

const secret = z.string().parse(workerData);

const readOf = (task: Task): Told["read"] =>
  task.kind === "delivery" ? readDelivery(task, secret, hear) : readHandIn(task);

parentPort?.on("message", ({ id, task }: Asked) => {
  let read: Told["read"] = null;
  try {
    read = readOf(task);
  } catch {
    // said as null; what was thrown may quote the body
  }
  const told: Told = { id, read };
  parentPort?.postMessage(told);
});
