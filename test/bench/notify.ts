/**
 * Measures outgoing webhooks in their compiled form, as shipped. The loader that runs sources names every created
 * function, which doubles the cost of code with many small functions, as ours, but not of Node's own `fetch`.
 */
import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import * as z from "zod";
import type { Measured } from "./measured.ts";

const PROJECT = join(import.meta.dirname, "..", "..");
/** Below node_modules, so that what is compiled finds its packages and git does not see it. */
const BUILD = join(PROJECT, "node_modules", ".cache", "journeyman-bench");

const measuredSchema = z.array(
  z.object({
    what: z.string(),
    value: z.number(),
    limit: z.number(),
    at_least: z.boolean().default(false),
    detail: z.array(z.string()),
  }),
);

export async function benchNotify(): Promise<readonly Measured[]> {
  const tsc = join(PROJECT, "node_modules", "typescript", "bin", "tsc");
  execFileSync(process.execPath, [tsc, "-p", PROJECT, "--noEmit", "false", "--rootDir", PROJECT, "--outDir", BUILD]);
  const child = fork(join(BUILD, "test", "bench", "notify-entry.js"), [], { execArgv: [] });
  const ended = once(child, "exit").then(([code]): never => {
    throw new Error(`The measured process ended with ${code}.`);
  });
  ended.catch(() => undefined);
  const [message] = await Promise.race([once(child, "message"), ended]);
  return measuredSchema.parse(message);
}
