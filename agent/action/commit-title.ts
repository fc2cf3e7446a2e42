/** The subject of the work's commit, from the agent's title. */
import type { Result } from "../../src/wire/result.ts";

const LONGEST = 100;
/** Words that would keep CI from running; removing one can join another. */
const SKIPS = /\[(?:skip ci|ci skip|no ci|skip actions|actions skip)\]|skip-checks:\s*true/gi;

export function commitMessage(jobId: string, result: Result | null): string {
  let title = (result?.title ?? "").replace(/[\p{C}\s]+/gu, " ");
  for (let before = ""; before !== title; ) {
    before = title;
    title = title.replace(SKIPS, "");
  }
  const clean = title.replace(/ +/g, " ").trim();
  return `Job ${jobId}: ${[...clean].slice(0, LONGEST).join("") || result?.outcome || "no result"}`;
}
