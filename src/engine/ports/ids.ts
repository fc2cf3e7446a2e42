/** Job ids, injected. */
import type { JobId } from "../../domain/job/job.ts";

/** Ids, injected. */
export interface Ids {
  jobId(): JobId;
}
