/** The folder that the runner gives to a job: emptied before the checkout, so that nothing of an earlier job counts. */
import { lastWords, runCommand, succeeded } from "./command.ts";
import type { Ownership } from "./ownership.ts";

const LIMIT_MS = 10 * 60_000;

/**
 * Null when it is empty, else why not. What a container of an earlier job owns is taken back first: a repository of its
 * could make git run its programs here. By `find`, which removes paths of any length.
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
  return succeeded(ran) ? null : lastWords(ran);
}
