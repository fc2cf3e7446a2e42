/**
 * A line in the brief's commit by which the App knows its own after a crash: anyone who may push can copy the message, and
 * only the App can make this line for what the commit holds.
 */
import { timingSafeEqual } from "node:crypto";
import type { AttemptRef } from "./brief.ts";
import type { Task } from "./task.ts";

interface Sealed {
  readonly tree: string;
  readonly parent: string;
}

const NAME = "Job-Seal";
const LINE = /^Job-Seal: ([0-9a-f]{32})$/m;

/** Null: there is no key. */
function sealOf({ pushes, job }: Task, { round, attempt }: AttemptRef, { tree, parent }: Sealed): string | null {
  return pushes?.seal(["brief", job.id, round, attempt, parent, tree].join(" ")) ?? null;
}

/** The line with its end; empty without a key. */
export function sealLine(task: Task, attemptRef: AttemptRef, sealed: Sealed): string {
  const seal = sealOf(task, attemptRef, sealed);
  return seal === null ? "" : `${NAME}: ${seal}\n`;
}

export function isSealed(task: Task, attemptRef: AttemptRef, message: string, sealed: Sealed): boolean {
  const [found, expected] = [LINE.exec(message)?.[1], sealOf(task, attemptRef, sealed)];
  return found !== undefined && expected !== null && timingSafeEqual(Buffer.from(found), Buffer.from(expected));
}
