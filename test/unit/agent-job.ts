/** A checkout with a job in it, for the agent's tests, and the agent run on it in this process. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Cancellation } from "../../agent/loop/cancellation.ts";
import { runJob } from "../../agent/run.ts";
import { readSettings } from "../../agent/settings.ts";
import type { Brief } from "../../src/contracts/brief.ts";
import { type LogLine, parseLog } from "../../src/contracts/log-line.ts";
import { parseResult, type Result } from "../../src/contracts/result.ts";

export const JOB_ID = "ab12cd34";

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
  attempt: 1,
  round: 1,
  issue: 7,
  pull_request: null,
  app_url: null,
  failure: null,
  failed_checks: [],
  history: [],
};

export interface Checkout {
  readonly folder: string;
  readonly file: (path: string) => string;
  readonly result: () => Result;
  readonly log: () => LogLine[];
  readonly remove: () => void;
}

export type Files = Readonly<Record<string, string | { readonly link: string }>>;

/** A git repository of two commits: the base holds `files`, the job's branch adds the job and `later`. */
export function makeCheckout(
  brief: { readonly [Key in keyof Brief]?: unknown } = {},
  files: Files = {},
  later: Files = {},
  task = "Create HELLO.md that says hello.",
): Checkout {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "agent-test-")));
  const git = (...args: string[]) => execFileSync("git", args, { cwd: folder, stdio: "pipe", encoding: "utf8" }).trim();
  const commit = (some: Files, message: string): string => {
    for (const [path, text] of Object.entries(some)) {
      mkdirSync(join(folder, path, ".."), { recursive: true });
      if (typeof text === "string") writeFileSync(join(folder, path), text);
      else symlinkSync(text.link, join(folder, path));
    }
    git("add", "-A");
    git("-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "-m", message);
    return git("rev-parse", "HEAD");
  };
  git("init", "--quiet", "--initial-branch", `job/${JOB_ID}`);
  const sha = commit({ "README.md": "# Shop\n", ...files }, "first");
  const config = JSON.stringify({ ...BRIEF, base: { branch: "main", sha }, ...brief });
  const job = { [`.jobs/${JOB_ID}/job.md`]: task, [`.jobs/${JOB_ID}/job.config.json`]: config };
  commit({ ...later, ...job }, `Run job ${JOB_ID}: Say hello`);
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
