/** The create-job dialect: one call creates a job and answers with its branch, another returns its status. */
import type { Dialect } from "../dialect.ts";
import { createJob, NAME } from "./create-job.ts";
import { jobStatus } from "./job-status.ts";

export const createJobDialect: Dialect = {
  name: NAME,
  sections: { "create-job": "Ask for a job and see how it stands." },
  // the status is asked for most often, and Express looks through routes in their order
  routes: (services) => [jobStatus(services), createJob(services)],
};
