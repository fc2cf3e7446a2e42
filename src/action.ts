/** The action: one event of a workflow, without a server. */
import { runAction } from "./actions/run.ts";
import { environment } from "./environment.ts";

await runAction(environment());
