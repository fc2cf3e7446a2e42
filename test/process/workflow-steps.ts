/**
 * Runs the steps of run-job.yml as they stand in the file: real bash, real git, a bare repository as the remote, and a
 * `docker` that notes its command line and then runs a script in place of the agent, or the courier itself with the
 * variables that it is given.
 */
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { z } from "zod";
import type { Brief } from "../../src/wire/brief.ts";
import { builtProgram } from "../build.ts";
import { BRIEF, JOB_ID } from "../unit/agent-job.ts";

const file = fileURLToPath(new URL("../../.github/workflows/run-job.yml", import.meta.url));
const workflow = z
  .object({
    jobs: z.object({
      run: z.object({
        steps: z.array(
          z.object({ name: z.string(), run: z.string().optional(), env: z.record(z.string(), z.string()).default({}) }),
        ),
      }),
    }),
  })
  .parse(parse(readFileSync(file, "utf8")));

/** Notes how it is called; is done with that unless it starts the agent, whose script follows. */
const DOCKER = `
printf '%s\\n' "$@" >> "$TEST_TOP/docker-args"
[ "$1" = run ] || exit 0
given=("PATH=$PATH") words=("$@")
for at in "\${!words[@]}"; do
  name="\${words[at + 1]:-}"
  if [ "\${words[at]}" = -e ]; then given+=("$name=\${!name:-}"); fi
  if [ "\${words[at]}" = --entrypoint ]; then exec env -i "\${given[@]}" ${builtProgram("agent/courier.ts").join(" ")} "\${words[@]:at + 3}"; fi
done`;

export type StepName = "Prepare" | "Run the agent" | "Push the work";

export interface Setup {
  readonly brief?: Partial<Brief>;
  readonly task?: string;
  readonly tries?: number;
  /** Checked out as for a brief that names folders: the contents of files are left out, but for the job's own. */
  readonly partial?: boolean;
}

export interface Stepped {
  readonly code: number | null;
  readonly output: string;
}

export class Runner {
  readonly top = realpathSync(mkdtempSync(join(tmpdir(), "run-job-test-")));
  readonly workspace = join(this.top, "workspace");
  readonly remote = join(this.top, "acme", "shop.git");
  readonly branch = `job/${JOB_ID}`;
  readonly #temp = join(this.top, "temp");
  readonly #bin = join(this.top, "bin");

  /** `tries`: briefs that were pushed one after the other, the last of which is checked out. */
  constructor(
    files: Record<string, string> = {},
    { brief: change = {}, task = "Say hello.", tries = 1, partial = false }: Setup = {},
  ) {
    for (const folder of [this.#temp, this.#bin, this.remote]) mkdirSync(folder, { recursive: true });
    this.git(this.remote, "init", "--quiet", "--bare", "--initial-branch=main");
    for (const may of ["allowAnySHA1InWant", "allowFilter"])
      this.git(this.remote, "config", `uploadpack.${may}`, "true");
    const job = `.jobs/${JOB_ID}`;
    this.commit("main", { "README.md": "# Shop\n", ".github/workflows/ci.yml": "on: push\n", ...files }, "first");
    const base = { branch: "main", sha: this.git(this.remote, "rev-parse", "main") };
    for (let attempt = 1; attempt <= tries; attempt += 1) {
      const brief = { ...BRIEF, base, attempt, ...change };
      const asked = { [`${job}/job.md`]: task, [`${job}/job.config.json`]: JSON.stringify(brief) };
      this.commit(this.branch, asked, `Run job ${JOB_ID}: Say hello`, attempt === 1 ? "main" : this.branch);
    }
    this.git(
      this.top,
      "clone",
      "--quiet",
      "--depth=2",
      ...(partial ? ["--filter=blob:none", "--sparse"] : []),
      `--branch=${this.branch}`,
      `file://${this.remote}`,
      "workspace",
    );
    if (partial) this.git(this.workspace, "sparse-checkout", "set", ".jobs");
  }

  git(folder: string, ...args: string[]): string {
    const who = ["-c", "user.name=ada", "-c", "user.email=ada@example.com"];
    return execFileSync("git", [...who, ...args], { cwd: folder, encoding: "utf8", stdio: "pipe" }).trim();
  }

  /** A commit by someone else, straight to the remote. */
  commit(branch: string, files: Record<string, string>, message: string, from = branch): void {
    const clone = mkdtempSync(join(this.top, "clone-"));
    this.git(clone, "clone", "--quiet", this.remote, ".");
    const known = this.git(clone, "branch", "-r", "--list", `origin/${from}`) !== "";
    this.git(clone, "checkout", "--quiet", "-B", branch, ...(known ? [`origin/${from}`] : []));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(clone, path, ".."), { recursive: true });
      writeFileSync(join(clone, path), text);
    }
    this.git(clone, "add", "-A", "-f");
    this.git(clone, "commit", "--quiet", "-m", message);
    this.git(clone, "push", "--quiet", "origin", branch);
  }

  /** What stands in for the agent: a bash script that runs in the checkout. `docker`: for what else docker is asked. */
  agent(script: string, docker = ""): void {
    this.program("docker", `${docker}\n${DOCKER}\ncd "$TEST_TOP/workspace"\n${script}`);
  }

  /** Stands first on the path of the steps. */
  program(name: string, script: string): void {
    writeFileSync(join(this.#bin, name), `#!/bin/bash\n${script}\n`);
    chmodSync(join(this.#bin, name), 0o755);
  }

  /** Starts one step; `env` replaces what `${{ }}` would have given. */
  step(name: StepName, env: Record<string, string> = {}) {
    const step = workflow.jobs.run.steps.find((one) => one.name === name);
    if (step?.run === undefined) throw new Error(`run-job.yml has no step ${name}`);
    const script = join(this.top, "step.sh");
    writeFileSync(script, step.run);
    const plain = Object.fromEntries(
      Object.entries(step.env).map(([key, text]) => [key, text.includes("${{") ? "" : text]),
    );
    const child = spawn("bash", ["--noprofile", "--norc", "-eo", "pipefail", script], {
      cwd: this.workspace,
      env: {
        PATH: `${this.#bin}:${process.env.PATH}`,
        HOME: this.top,
        TEST_TOP: this.top,
        GITHUB_WORKSPACE: this.workspace,
        GITHUB_REF: `refs/heads/${this.branch}`,
        GITHUB_REF_NAME: this.branch,
        GITHUB_SERVER_URL: `file://${this.top}`,
        GITHUB_REPOSITORY: "acme/shop",
        GITHUB_STEP_SUMMARY: join(this.top, "summary.md"),
        RUNNER_TEMP: this.#temp,
        ...plain,
        ...(step.env.GITHUB_TOKEN !== undefined ? { GITHUB_TOKEN: "workflow-token-1234" } : {}),
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
    const ended = new Promise<Stepped>((resolve) => child.once("close", (code) => resolve({ code, output })));
    return { child, ended };
  }

  /** All three steps, the last one always, as in the file. */
  async run(script: string, env: Record<string, string> = {}, docker = ""): Promise<Record<StepName, Stepped>> {
    this.agent(script, docker);
    const more = { AGENT_IMAGE: "agent:test", ...env };
    const prepared = await this.step("Prepare").ended;
    const ran = await this.step("Run the agent", more).ended;
    return { Prepare: prepared, "Run the agent": ran, "Push the work": await this.step("Push the work", more).ended };
  }

  /** A file on the remote's job branch, or null. */
  pushed(path: string): string | null {
    try {
      return this.git(this.remote, "show", `${this.branch}:${path}`);
    } catch {
      return null;
    }
  }

  log(format: string): string {
    return this.git(this.remote, "log", "-1", `--format=${format}`, this.branch);
  }

  read(path: string): string {
    return readFileSync(join(this.top, path), "utf8");
  }

  remove(): void {
    rmSync(this.top, { recursive: true, force: true });
  }
}
