/** Builds the commit message of the work from the agent's title. */

import { BRIEF_PREFIX } from "../../src/contracts/brief.ts";
import type { Result } from "../../src/contracts/result.ts";
import { withoutSkips } from "../../src/text/commit-words.ts";
import { normalise } from "../../src/text/normalise.ts";
import { head } from "../../src/text/text.ts";

const MAX_LENGTH = 100;

/** The title stands alone, so that it can meet a repository's rules for subjects. */
export function commitMessage(jobId: string, result: Result | null): string {
  const words = withoutSkips(normalise(result?.title ?? ""))
    .replace(/\s+/g, " ")
    .trim();
  const title = head(words, MAX_LENGTH).replace(BRIEF_PREFIX, "$1-");
  return title === "" ? `Job ${jobId}: ${result?.outcome ?? "no result"}` : `${title}\n\nJob: ${jobId}`;
}
