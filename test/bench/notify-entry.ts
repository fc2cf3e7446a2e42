/** Measures in a process of its own, started by `notify.ts` in its compiled form. */
import { measureNotify } from "./notify-measures.ts";

const measured = await measureNotify();
process.send?.(measured, undefined, undefined, () => process.disconnect());
