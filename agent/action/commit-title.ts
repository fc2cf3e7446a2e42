/** Builds the commit subject from the agent's title. */

import type { Result } from "../../src/contracts/result.ts";
import { withoutSkips } from "../../src/text/commit-words.ts";
import { normalise } from "../../src/text/normalise.ts";
import { head } from "../../src/text/text.ts";

const MAX_LENGTH = 100;

export function commitMessage(jobId: string, result: Result | null): string {
  const title = withoutSkips(normalise(result?.title ?? ""))
    .replace(/\s+/g, " ")
    .trim();
  return `Job ${jobId}: ${head(title, MAX_LENGTH) || result?.outcome || "no result"}`;
}
