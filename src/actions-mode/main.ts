/** The action: one event of a workflow, without a server. */

import { environment } from "../main/environment.ts";
import { runAction } from "./run.ts";

await runAction(environment());
