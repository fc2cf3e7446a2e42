/** Tells those who wait for a job that it has changed. */
import type { JobId } from "../../domain/job/job.ts";

/**
 * Says that something of a job has changed: a commit, an effect that was put off, new lines of its log. The store says so
 * by itself, perhaps twice or late; whoever is told loads what they need.
 */
export interface JobSignals {
  /** Calls back after each change; must not throw. The returned function ends that. */
  follow(id: JobId, tell: () => void): () => void;
}
