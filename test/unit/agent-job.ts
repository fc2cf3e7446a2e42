/** A checkout with a job in it, for the agent's tests, and the agent run on it in this process. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Assignment, readAssignment, readBrief } from "../../agent/loop/assignment.ts";
import { Cancellation } from "../../agent/loop/cancellation.ts";
import { runJob } from "../../agent/run.ts";
import { readSettings, type Settings } from "../../agent/settings.ts";
import type { Brief } from "../../src/contracts/brief.ts";
import { type LogLine, parseLog } from "../../src/contracts/log-line.ts";
import { parseResult, type Result } from "../../src/contracts/result.ts";
import { GitStore } from "../sandbox/github/git-store.ts";

/** In the names of containers: tests of two clones on one Docker engine must not end each other's. */
export const JOB_ID = `j${randomBytes(4).toString("hex").slice(1)}`;

export const BRIEF: Brief = {
  version: 1,
  id: JOB_ID,
  repository: "acme/shop",
  branch: `job/${JOB_ID}`,
  base: { branch: "main", sha: "0".repeat(40) },
  title: "Say hello",
  runner: "actions",
  requester: "ada",
  llm: { provider: "anthropic", model: "claude-sonnet-5-5", max_tokens: 1024, notes: [] },
  limits: { minutes: 5, turns: 10, cost_cents: 500 },
  instructions: "",
  forbidden_paths: [],
  checkout_paths: [],
  egress: null,
  container: null,
  cache: null,
  attempt: 1,
  round: 1,
  issue: 7,
  pull_request: null,
  app_url: null,
  failure: null,
  failed_checks: [],
  discussion: [],
  discussion_notes: [],
  images: [],
  missing_attachments: [],
  trigger_values: [],
  reviews: [],
  their_pull_request: null,
  history: [],
};

export interface Checkout {
  readonly folder: string;
  readonly file: (path: string) => string;
  readonly result: () => Result;
  readonly log: () => LogLine[];
  readonly remove: () => void;
}

const SOMEBODY = { name: "t", email: "t@example.com", at: 1_900_000_000_000 };
const BY_SOMEBODY = { author: SOMEBODY, committer: SOMEBODY };

export type Files = Readonly<Record<string, string | { readonly link: string }>>;

/** A git repository of two commits: the base holds `files`, the job's branch adds the job and `later`. */
export function makeCheckout(
  brief: { readonly [Key in keyof Brief]?: unknown } = {},
  files: Files = {},
  later: Files = {},
  task = "Create HELLO.md that says hello.",
): Checkout {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "agent-test-")));
  const branch = `job/${JOB_ID}`;
  // commits are written in this process, since each git command is a process of its own
  const store = new GitStore(join(folder, ".git"), branch);
  writeFileSync(join(folder, ".git", "config"), "[core]\n\trepositoryformatversion = 0\n\tbare = false\n");
  const commit = (some: Files, message: string, parent?: string): string => {
    const entries = Object.entries(some).map(([path, text]) => {
      mkdirSync(join(folder, path, ".."), { recursive: true });
      if (typeof text === "string") writeFileSync(join(folder, path), text);
      else symlinkSync(text.link, join(folder, path));
      const [mode, content] = typeof text === "string" ? ["100644", text] : ["120000", text.link];
      return [path, { mode, sha: store.writeBlob(content) }] as const;
    });
    const tree = store.editTree(parent === undefined ? undefined : store.commit(parent)?.tree, new Map(entries));
    return store.writeCommit({ tree, parents: parent === undefined ? [] : [parent], ...BY_SOMEBODY, message });
  };
  const sha = commit({ "README.md": "# Shop\n", ...files }, "first");
  const config = JSON.stringify({ ...BRIEF, base: { branch: "main", sha }, ...brief });
  const job = { [`.jobs/${JOB_ID}/job.md`]: task, [`.jobs/${JOB_ID}/job.config.json`]: config };
  store.refs.set(`refs/heads/${branch}`, commit({ ...later, ...job }, `Run job ${JOB_ID}: Say hello`, sha));
  execFileSync("git", ["reset", "--quiet"], { cwd: folder, stdio: "pipe" });
  const file = (path: string) => readFileSync(join(folder, path), "utf8");
  return {
    folder,
    file,
    result: () => {
      const result = parseResult(file(`.jobs/${JOB_ID}/result.json`));
      if (result === null) throw new Error("result.json is not a result");
      return result;
    },
    log: () => parseLog(file(`.jobs/${JOB_ID}/log.jsonl`)),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export interface Ran {
  readonly code: number;
  readonly printed: string;
  readonly cancellation: Cancellation;
}

/** Runs the agent here, with the given environment beside what every run has. */
export async function runAgent(
  checkout: Checkout,
  environment: Record<string, string>,
  cancellation = new Cancellation(),
): Promise<Ran> {
  const base = {
    PATH: process.env.PATH ?? "",
    JOB_ID,
    WORKSPACE: checkout.folder,
    ANTHROPIC_API_KEY: "test-key-123456",
  };
  const read = readSettings({ ...base, ...environment }, "/");
  if (!read.ok) throw new Error(read.reason);
  const printed: string[] = [];
  const code = await runJob(read.settings, {
    cancellation,
    now: () => new Date(),
    print: (line) => printed.push(line),
    pause: async () => {},
  });
  return { code, printed: printed.join("\n"), cancellation };
}

/** What the agent is told, or why it cannot be. */
export async function readJob(
  settings: Settings,
): Promise<{ readonly ok: true; readonly assignment: Assignment } | { readonly ok: false; readonly reason: string }> {
  const read = await readBrief(settings);
  return read.ok ? { ok: true, assignment: await readAssignment(settings, read) } : read;
}
