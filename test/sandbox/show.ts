/** Prints a job's progress on a terminal: what happened, and how long after the start. */
import type { Call, Change } from "./github/main.ts";

/** Events that a reader wants to see, without every webhook delivery. */
const SHOWN: ReadonlySet<Change["kind"]> = new Set([
  "branch",
  "push",
  "issue",
  "comment",
  "pull_request",
  "merge",
  "review",
  "check_run",
  "run",
]);

const STAMP_WIDTH = 7;
const KIND_WIDTH = 13;

export interface Show {
  change(change: Change): void;
  /** Output of a workflow: shows the agent's own lines, not the runner's housekeeping. */
  workflow(text: string): void;
  complaint(text: string): void;
  say(text: string): void;
}

/** Control characters could repaint the terminal and invisible ones hide text; workflow output is untrusted. */
const plain = (text: string): string =>
  text
    .replace(/\p{Cf}/gu, "")
    .replace(/\p{Cc}/gu, " ")
    .trimEnd();

/** A line of the agent in a workflow's log, after the runner's time stamp. */
const AGENT = /^\S+ agent \| /;

export function createShow(write: (line: string) => void, now: () => number): Show {
  const start = now();
  const row = (kind: string, text: string): void => {
    const stamp = `${((now() - start) / 1000).toFixed(1)}s`;
    write(`${stamp.padStart(STAMP_WIDTH)}  ${kind.padEnd(KIND_WIDTH)} ${plain(text)}\n`);
  };
  return {
    change: (change) => {
      if (SHOWN.has(change.kind)) row(change.kind, change.text);
    },
    workflow: (text) => {
      for (const line of text.split("\n")) if (AGENT.test(line)) row("agent", line.replace(AGENT, ""));
    },
    complaint: (text) => row("app", text),
    say: (text) => row("", text),
  };
}

/** The job's calls to GitHub by route, as the App and as its installation. */
export function callTable(calls: readonly Call[]): string {
  const counted = calls.filter((call) => call.actor === "app" || call.actor === "installation");
  const rows = new Map<string, number>();
  for (const call of counted) {
    const name = `${call.kind === "read" ? "read " : "write"} ${call.method} ${call.route}${call.graphql ? ` (${call.graphql})` : ""}`;
    rows.set(name, (rows.get(name) ?? 0) + 1);
  }
  const lines = [...rows].sort(([a], [b]) => a.localeCompare(b)).map(([name, count]) => `  ${count} × ${name}`);
  const reads = counted.filter((call) => call.kind === "read").length;
  return [`${counted.length} calls to GitHub: ${counted.length - reads} writes, ${reads} reads`, ...lines].join("\n");
}
