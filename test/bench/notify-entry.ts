/** The entry of the webhook measurements, started by `notify.ts` in its compiled form as a separate process. */
import { measureNotify } from "./notify-measures.ts";

const measured = await measureNotify();
process.send?.(measured, undefined, undefined, () => process.disconnect());
