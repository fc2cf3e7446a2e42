/** The subject of the work's commit, from the agent's title. */
import { withoutSkips } from "../../src/wire/commit-words.ts";
import { normalise } from "../../src/wire/normalise.ts";
import type { Result } from "../../src/wire/result.ts";
import { head } from "../../src/wire/text.ts";

const LONGEST = 100;

export function commitMessage(jobId: string, result: Result | null): string {
  const title = withoutSkips(normalise(result?.title ?? ""))
    .replace(/\s+/g, " ")
    .trim();
  return `Job ${jobId}: ${head(title, LONGEST) || result?.outcome || "no result"}`;
}
