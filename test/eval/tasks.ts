/** The evaluation set. */
import type { EvalTask } from "./task.ts";
import { CODE_TASKS } from "./tasks-code.ts";
import { JUDGEMENT_TASKS } from "./tasks-judgement.ts";

export const TASKS: readonly EvalTask[] = [...CODE_TASKS, ...JUDGEMENT_TASKS];
