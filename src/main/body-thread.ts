/** The worker thread for large bodies: verifies, parses and reduces them. */
import { parentPort, workerData } from "node:worker_threads";
import * as z from "zod";
import { translateWebhook } from "../github/events/translate.ts";
import type { Task, ThreadReply, ThreadRequest } from "../http/server/body-thread.ts";
import { readHandIn } from "../http/server/handed-in-result.ts";
import { readDelivery } from "../http/server/large-body.ts";

const secret = z.string().parse(workerData);

const readOf = (task: Task): ThreadReply["read"] =>
  task.kind === "delivery" ? readDelivery(task, secret, translateWebhook) : readHandIn(task);

parentPort?.on("message", ({ id, task }: ThreadRequest) => {
  let read: ThreadReply["read"] = null;
  try {
    read = readOf(task);
  } catch {
    // said as null; what was thrown may quote the body
  }
  const told: ThreadReply = { id, read };
  parentPort?.postMessage(told);
});
