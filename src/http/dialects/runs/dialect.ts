/** The dialect in which workflow runs report about their jobs. Creates no jobs. */
import type { Dialect } from "../dialect.ts";
import { runRoutes } from "./runs.ts";

export const runsDialect: Dialect = {
  name: "runs",
  sections: { runs: "For the workflow runs of jobs alone: how far they are, and what came of it." },
  routes: runRoutes,
};
