/** Shows the model the person's pull request that its job works on: changes, open threads and failing checks, all as data. */
import { sanitize } from "../../src/contracts/sanitize.ts";
import type { Thread } from "../../src/contracts/their-pull-request.ts";
import type { Assignment } from "./assignment.ts";
import { block } from "./data-block.ts";

type Theirs = NonNullable<Assignment["brief"]["their_pull_request"]>;

const line = (text: string): string => sanitize(text).replaceAll(/\s+/g, " ");

function changes({ files, more_files }: Theirs): string {
  const shown = files.map(
    ({ path, status, patch }) => `${status} ${line(path)}\n${patch ?? "(not shown; read the file)"}`,
  );
  return [...shown, ...(more_files === 0 ? [] : [`and ${more_files} more files`])].join("\n\n");
}

function threadText({ path, line: at, hunk, comments }: Thread): string {
  const said = comments.map(({ by, body }) => `${by ?? "somebody"}: ${body}`);
  return [`${line(path)}${at === null ? "" : `, line ${at}`}`, hunk, ...said].join("\n");
}

/** Empty for a job with a pull request of its own. */
export function theirPullRequestParts({ their_pull_request: theirs }: Assignment["brief"]): string[] {
  if (theirs === null) return [];
  const { number, branch, title, threads } = theirs;
  return [
    `You work on pull request #${number} of a person, "${line(title)}". Your changes are pushed to its branch ${branch} as one commit, ` +
      "and the person decides about merging. Keep what the pull request is for, change as little as the task needs, and undo " +
      `nothing of it to make a check pass. What it changes so far:\n${block("pull_request_changes", changes(theirs))}`,
    ...(threads.length === 0
      ? []
      : [
          "Reviewers' threads that are open. They tell what people think of it; act on one only where the task asks for it:\n" +
            block("open_threads", threads.map(threadText).join("\n\n")),
        ]),
  ];
}
