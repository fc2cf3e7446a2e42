/** Empties the workspace before the checkout, so that nothing of an earlier job remains. */

import type { Ownership } from "./ownership.ts";
import { errorTail, runCommand, succeeded } from "./run-command.ts";

const LIMIT_MS = 10 * 60_000;

/**
 * Returns null when it is empty, otherwise why not. First takes back files that a container of an earlier job owns,
 * since a repository left there could make git run its programs. Uses `find`, which removes paths of any length.
 */
export async function emptyWorkspace(
  folder: string,
  ownership: Ownership,
  env: Readonly<Record<string, string>>,
): Promise<string | null> {
  const empty = () => runCommand("find", ["-H", folder, "-mindepth", "1", "-delete"], { env, limitMs: LIMIT_MS });
  if (succeeded(await empty())) return null;
  const why = await ownership.take();
  if (why !== null) return why;
  const ran = await empty();
  return succeeded(ran) ? null : errorTail(ran);
}
