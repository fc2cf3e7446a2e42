/** A checkout with a job in it, for the agent's tests, and the agent run on it in this process. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Interruption } from "../../agent/interruption.ts";
import { runJob } from "../../agent/run.ts";
import { readSettings } from "../../agent/settings.ts";
import type { Brief } from "../../src/wire/brief.ts";
import { type LogLine, parseLog } from "../../src/wire/log-line.ts";
import { parseResult, type Result } from "../../src/wire/result.ts";

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
  llm: { provider: "anthropic", model: "claude-sonnet-4-20250514", max_tokens: 1024 },
  limits: { minutes: 5, turns: 10, cost_cents: 500 },
  attempt: 1,
  round: 1,
  issue: 7,
  pull_request: null,
  failure: null,
  history: [],
};

export interface Checkout {
  readonly folder: string;
  readonly file: (path: string) => string;
  readonly result: () => Result;
  readonly log: () => LogLine[];
  readonly remove: () => void;
}

/** A git repository with one commit that holds `files` and the job. */
export function makeCheckout(
  brief: { readonly [Key in keyof Brief]?: unknown } = {},
  files: Record<string, string> = {},
): Checkout {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "agent-test-")));
  const all = {
    "README.md": "# Shop\n",
    ...files,
    [`.jobs/${JOB_ID}/job.md`]: files["job.md"] ?? "Create HELLO.md that says hello.",
    [`.jobs/${JOB_ID}/job.config.json`]: JSON.stringify({ ...BRIEF, ...brief }),
  };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const git = (...args: string[]) => execFileSync("git", args, { cwd: folder, stdio: "ignore" });
  git("init", "--quiet", "--initial-branch", `job/${JOB_ID}`);
  git("add", "-A");
  git("-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "-m", `Run job ${JOB_ID}: Say hello`);
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
  readonly interruption: Interruption;
}

/** Runs the agent here, with the given environment beside what every run has. */
export async function runAgent(
  checkout: Checkout,
  environment: Record<string, string>,
  interruption = new Interruption(),
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
    interruption,
    now: () => new Date(),
    print: (line) => printed.push(line),
  });
  return { code, printed: printed.join("\n"), interruption };
}
