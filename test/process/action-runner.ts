/**
 * Plays the run action as GitHub's runner does: `main`, then `post`, with the variables that a runner sets, real git, a
 * bare repository as the remote, and a `docker` that notes its command line and then runs a script in place of the agent,
 * which sees the variables that it is given and no others. Stages are played in this process where their own is not the
 * point, since most of a test's time would be the start of two programs.
 */
import { execFileSync, spawn } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runMain } from "../../agent/action/main-stage.ts";
import { runPost } from "../../agent/action/post-stage.ts";
import { endCommands } from "../../agent/action/run-command.ts";
import type { Brief } from "../../src/contracts/brief.ts";
import { builtProgram } from "../build.ts";
import { BRIEF, JOB_ID } from "../unit/agent-job.ts";

/** Notes how it is called; the gateway waits for its end, and the agent's script follows. */
const DOCKER = `
echo "$*" >> "$TEST_TOP/commands"
printf '%s\\n' "$@" "" >> "$TEST_TOP/docker-args"
case "$1 $2" in
"network inspect") echo '[{"Subnet":"172.30.0.0/16"}]'; exit 0;;
esac
[ "$1" = run ] || exit 0
given=("PATH=$PATH" "TEST_TOP=$TEST_TOP" GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory "GIT_CONFIG_VALUE_0=*") words=("$@") program=agent
for at in "\${!words[@]}"; do
  name="\${words[at + 1]:-}"
  if [ "\${words[at]}" = -e ] && [[ "$name" = *=* ]]; then given+=("$name");
  elif [ "\${words[at]}" = -e ] && [ -n "\${!name+set}" ]; then given+=("$name=\${!name}"); fi
  if [ "\${words[at]}" = --entrypoint ]; then program="$name"; fi
done
if [ "$program" = gateway ]; then
  printf '%s\\n' "\${given[@]}" > "$TEST_TOP/gateway-env"; echo $$ > "$TEST_TOP/gateway"
  echo "listening on 8080"; sleep 600 & trap "kill $!; exit 0" TERM; wait
fi
if [ "$program" = /opt/journeyman/lib/ld.so ]; then program=agent; fi
if [ "$program" != agent ]; then exit 0; fi
for _ in $(seq 100); do [ -e "$TEST_TOP/gateway" ] && break; sleep 0.02; done
cd "$TEST_TOP/workspace"
printf '%s\\n' "\${given[@]}" > "$TEST_TOP/agent-env"
exec env -i "\${given[@]}" bash "$TEST_TOP/agent.sh"`;

/** Whatever this machine's git is set up for. */
const OWN_GIT = { ...process.env, GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" };

const quoted = (path: string): string =>
  `"${path.replaceAll(/["\\\n]/g, (one) => (one === "\n" ? "\\n" : `\\${one}`))}"`;

export interface Setup {
  readonly brief?: Partial<Brief>;
  readonly task?: string;
  readonly attempts?: number;
  /** What the brief's message says of folders. */
  readonly partial?: boolean;
  /** After the first attempt's work, the base goes on by so many commits; a last brief is pushed that names its new head. */
  readonly behind?: {
    readonly work: Record<string, string | null>;
    readonly base: Record<string, string | null>;
    readonly commits: number;
  };
}

export interface Stepped {
  readonly code: number | null;
  readonly output: string;
}

export type Stage = "main" | "post";

export interface User {
  readonly uid: number;
  readonly gid: number;
  /** May become root without a password, as on GitHub's own machines. Needs root, and sudo on this machine. */
  readonly sudo?: boolean;
}

export class Runner {
  readonly top = realpathSync(mkdtempSync(join(tmpdir(), "run-job-test-")));
  readonly workspace = join(this.top, "workspace");
  readonly remote = join(this.top, "acme", "shop.git");
  readonly temp = join(this.top, "temp");
  readonly branch = `job/${JOB_ID}`;
  readonly sha: string;
  /** Whom the stages run as; root needs no help to change owners. */
  user: User | null = null;
  readonly #bin = join(this.top, "bin");
  readonly #message: string;

  /** `attempts`: briefs that were pushed one after the other, the last of which is worked on. */
  constructor(
    files: Record<string, string> = {},
    { brief: change = {}, task = "Say hello.", attempts = 1, partial = false, behind }: Setup = {},
  ) {
    for (const folder of [this.temp, this.#bin, this.workspace, this.remote]) mkdirSync(folder, { recursive: true });
    chmodSync(this.top, 0o755);
    this.git(this.remote, "init", "--quiet", "--bare", "--initial-branch=main");
    appendFileSync(join(this.remote, "config"), "[uploadpack]\n\tallowAnySHA1InWant = true\n\tallowFilter = true\n");
    const job = `.jobs/${JOB_ID}`;
    this.commit("main", { "README.md": "# Shop\n", ".github/workflows/ci.yml": "on: push\n", ...files }, "first");
    const baseNow = () => ({ branch: "main", sha: readFileSync(this.#ref("main"), "utf8").trim() });
    this.#message = `Run job ${JOB_ID}: Say hello${partial ? "\n\nJob-Checkout: part" : ""}`;
    const brief = (attempt: number): void => {
      const asked = {
        [`${job}/job.md`]: task,
        [`${job}/job.config.json`]: JSON.stringify({ ...BRIEF, base: baseNow(), attempt, ...change }),
      };
      this.commit(this.branch, asked, this.#message, attempt === 1 ? "main" : this.branch);
    };
    for (let attempt = 1; attempt <= attempts; attempt += 1) brief(attempt);
    if (behind !== undefined) {
      this.commit(this.branch, behind.work, "the first attempt's work");
      this.commit("main", behind.base, "the base goes on", "main", behind.commits - 1);
      brief(attempts + 1);
    }
    this.sha = readFileSync(this.#ref(this.branch), "utf8").trim();
  }

  git(folder: string, ...args: string[]): string {
    const who = ["-c", "user.name=ada", "-c", "user.email=ada@example.com", "-c", "safe.directory=*"];
    return execFileSync("git", [...who, ...args], {
      cwd: folder,
      encoding: "utf8",
      stdio: "pipe",
      env: OWN_GIT,
    }).trim();
  }

  /** A commit by someone else, straight to the remote. A folder's name with a slash at its end makes a submodule of it; null deletes. */
  commit(branch: string, files: Record<string, string | null>, message: string, from = branch, empty = 0): void {
    const bytes = (text: string): string => `data ${Buffer.byteLength(text)}\n${text}\n`;
    const who = `committer ada <ada@example.com> ${Math.floor(Date.now() / 1000)} +0000\n`;
    const commit = (said: string, parent: string): string =>
      `commit refs/heads/${branch}\n${who}${bytes(said)}${existsSync(this.#ref(parent)) ? `from refs/heads/${parent}^0\n` : ""}`;
    const changes = Object.entries(files).map(([path, text]) =>
      text === null
        ? `D ${quoted(path)}\n`
        : path.endsWith("/")
          ? `M 160000 ${text} ${quoted(path.slice(0, -1))}\n`
          : `M 100644 inline ${quoted(path)}\n${bytes(text)}`,
    );
    const pauses = Array.from({ length: empty }, (_, at) => commit(String(empty - at), at === 0 ? from : branch));
    const last = commit(message, empty === 0 ? from : branch);
    execFileSync("git", ["fast-import", "--quiet"], {
      cwd: this.remote,
      input: [...pauses, last, ...changes].join(""),
      env: OWN_GIT,
    });
  }

  #ref(branch: string): string {
    return join(this.remote, "refs", "heads", branch);
  }

  /** What stands in for the agent: a bash script that runs in the checkout. `docker`: for what else docker is asked. */
  agent(script: string, docker = ""): void {
    writeFileSync(join(this.top, "agent.sh"), script);
    this.program("docker", `${docker}\n${DOCKER}`);
  }

  /** Stands first on the path of the stages. */
  program(name: string, script: string): void {
    writeFileSync(join(this.#bin, name), `#!/bin/bash\nexport TEST_TOP='${this.top}'\n${script}\n`);
    chmodSync(join(this.#bin, name), 0o755);
  }

  /** What a runner sets for a stage; `env` comes on top: inputs as `INPUT_…`, variables of the step as they are. */
  #environment(env: Record<string, string>): Record<string, string> {
    const event = join(this.top, "event.json");
    writeFileSync(
      event,
      JSON.stringify({ head_commit: { message: this.#message }, repository: { default_branch: "main" } }),
    );
    return {
      PATH: `${this.#bin}:${process.env.PATH}`,
      HOME: this.top,
      GITHUB_ACTIONS: "true",
      GITHUB_WORKSPACE: this.workspace,
      GITHUB_REF: `refs/heads/${this.branch}`,
      GITHUB_SHA: this.sha,
      GITHUB_EVENT_PATH: event,
      GITHUB_SERVER_URL: `file://${this.top}`,
      GITHUB_REPOSITORY: "acme/shop",
      GITHUB_STEP_SUMMARY: join(this.top, "summary.md"),
      RUNNER_TEMP: this.temp,
      ACTIONS_RUNTIME_TOKEN: "runtime-token-1234",
      INPUT_GITHUB_TOKEN: "workflow-token-1234",
      INPUT_ANTHROPIC_API_KEY: "secret-key-123",
      INPUT_AGENT_IMAGE: "agent:test",
      ...env,
    };
  }

  /** Plays one stage in this process, as its program would. */
  async play(stage: Stage, env: Record<string, string> = {}): Promise<Stepped> {
    let output = "";
    const write = (text: string): void => {
      output += text;
    };
    const environment = this.#environment(env);
    const cancelled = new AbortController().signal;
    const code = await (stage === "main"
      ? runMain({ environment, write, cancelled })
      : runPost({ environment, write }));
    endCommands();
    return { code, output };
  }

  /** Starts one stage's program. */
  start(stage: Stage, env: Record<string, string> = {}) {
    if (this.user !== null) this.#handOver(this.user);
    const program = builtProgram(`agent/action/${stage}.ts`);
    const [file = "", ...args] = this.user?.sudo ? this.#withSudo(this.user, program) : program;
    const child = spawn(file, args, {
      cwd: this.workspace,
      env: this.#environment(env),
      stdio: ["ignore", "pipe", "pipe"],
      ...(this.user?.sudo ? {} : { uid: this.user?.uid, gid: this.user?.gid }),
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
    const ended = new Promise<Stepped>((resolve) => child.once("close", (code) => resolve({ code, output })));
    return { child, ended };
  }

  /** All but the workspace's contents, which may be somebody else's. */
  #handOver({ uid, gid }: User): void {
    for (const folder of [this.top, this.workspace, this.temp]) chownSync(folder, uid, gid);
    execFileSync("chown", ["-R", `${uid}:${gid}`, join(this.top, "acme")]);
  }

  /** Who may become root is said in files of a mount namespace that ends with the stage. */
  #withSudo({ uid, gid }: User, program: readonly string[]): string[] {
    const name = "job-runner";
    writeFileSync(
      join(this.top, "passwd"),
      `${readFileSync("/etc/passwd", "utf8")}${name}:*:${uid}:${gid}::/:/bin/sh\n`,
    );
    writeFileSync(join(this.top, "sudoers"), `${name} ALL=(ALL) NOPASSWD: ALL\n`, { mode: 0o440 });
    const script = `mount --bind "$0/passwd" /etc/passwd && mount --bind "$0/sudoers" /etc/sudoers &&
      exec setpriv --reuid ${uid} --regid ${gid} --clear-groups "$@"`;
    return ["unshare", "--mount", "bash", "-c", script, this.top, ...program];
  }

  /** Both stages, the second one always, in this process. */
  async run(script: string, env: Record<string, string> = {}, docker = ""): Promise<Record<Stage, Stepped>> {
    this.agent(script, docker);
    const main = await this.play("main", env);
    return { main, post: await this.play("post", env) };
  }

  /** The same with the programs that a runner starts. */
  async runPrograms(script: string, env: Record<string, string> = {}, docker = ""): Promise<Record<Stage, Stepped>> {
    this.agent(script, docker);
    const main = await this.start("main", env).ended;
    return { main, post: await this.start("post", env).ended };
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

  /** The command lines of docker so far. */
  commands(): string[] {
    return existsSync(join(this.top, "commands")) ? this.read("commands").trim().split("\n") : [];
  }

  remove(): void {
    // Node's own stops at long paths.
    execFileSync("rm", ["-rf", this.top]);
  }
}

/**
 * What a runner would obey in this output: `::command::` at the start of a line and `##[command]` anywhere in one, while
 * commands are not stopped. Answers name and text of each.
 */
export function obeyed(output: string): string[] {
  const found: string[] = [];
  let stopped: string | null = null;
  for (const row of output.split(/\r\n|\r|\n/)) {
    const command = /^\s*::([^ :]+)(?: [^:]*)?::(.*)$/.exec(row) ?? /##\[([^\]\s]+)[^\]]*\](.*)$/.exec(row);
    if (command === null) continue;
    const [, name = "", text = ""] = command;
    if (stopped !== null) {
      if (name === stopped) stopped = null;
      continue;
    }
    if (name === "stop-commands") stopped = text;
    else found.push(`${name} ${text}`);
  }
  return found;
}
