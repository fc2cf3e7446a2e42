/**
 * The smallest `ActionsBackend` for tests of the runner: one bare repository over git's own HTTP backend, and a record
 * of everything the runner reports.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { ActionsBackend, JobStep, NewRun, RunConclusion, RunIdentity, WorkflowTrigger } from "../sandbox/ports.ts";

export const REPOSITORY = { owner: "ada", name: "demo" };

export interface JobRecord {
  readonly id: number;
  readonly runId: number;
  readonly name: string;
  status: string;
  conclusion: RunConclusion | undefined;
  steps: readonly JobStep[];
  log: string;
  summary: string;
}

export interface RunRecord extends NewRun {
  readonly id: number;
  events: string[];
  conclusion: RunConclusion | undefined;
}

export class FakeActionsBackend {
  readonly runs: RunRecord[] = [];
  readonly jobs: JobRecord[] = [];
  readonly permissions: Readonly<Record<string, string>>[] = [];
  readonly liveTokens = new Set<string>();
  /** Of jobs that may ask for identity tokens now. */
  readonly identities = new Map<string, RunIdentity>();
  readonly secrets: Record<string, string> = {};
  readonly variables: Record<string, string> = {};
  readonly folder = mkdtempSync(join(tmpdir(), "fake-backend-"));
  #listeners: ((trigger: WorkflowTrigger) => void)[] = [];
  #cancels: ((runId: number) => void)[] = [];
  #reruns: ((runId: number, attempt: number) => void)[] = [];
  #next = 100;
  #url = "";
  #watchers = new Set<() => void>();
  readonly #server = createServer((req, res) => this.#serve(req, res));

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address() as AddressInfo;
    this.#url = `http://127.0.0.1:${address.port}`;
    this.git("init", "--quiet", "--bare", "-b", "main", join(this.folder, "repos/ada/demo.git"));
    this.git("--git-dir", join(this.folder, "repos/ada/demo.git"), "config", "http.receivepack", "true");
    this.git("init", "--quiet", "-b", "main", join(this.folder, "work"));
    return this;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.folder, { recursive: true, force: true });
  }

  git(...args: string[]): string {
    const who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
    return execFileSync("git", [...who, ...args], {
      encoding: "utf8",
      env: { PATH: process.env.PATH, HOME: this.folder },
    }).trim();
  }

  /** Commits files on a branch and pushes it to the bare repository; returns the commit. */
  commit(files: Record<string, string>, { branch = "main", message = "A change" } = {}): string {
    const work = join(this.folder, "work");
    const git = (...args: string[]) => this.git("-C", work, ...args);
    git("checkout", "--quiet", "-B", branch);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(work, path)), { recursive: true });
      writeFileSync(join(work, path), text);
    }
    git("add", "-A");
    git("commit", "--quiet", "--allow-empty", "-m", message);
    git("push", "--quiet", "--force", join(this.folder, "repos/ada/demo.git"), `${branch}:${branch}`);
    return git("rev-parse", "HEAD");
  }

  /** What a push of that commit tells the runner. */
  push(
    sha: string,
    change: Partial<WorkflowTrigger> & { branch?: string; message?: string; before?: string } = {},
  ): void {
    const { branch = "main", message = "A change", before = "0".repeat(40), ...rest } = change;
    const ref = `refs/heads/${branch}`;
    const payload = { ref, before, after: sha, deleted: false, head_commit: { id: sha, message } };
    this.emit({
      event: "push",
      repository: REPOSITORY,
      sha,
      ref,
      headBranch: branch,
      headSha: sha,
      actor: "ada",
      byWorkflowToken: false,
      payload,
      ...rest,
    });
  }

  emit(trigger: WorkflowTrigger): void {
    for (const listener of this.#listeners) listener(trigger);
  }

  cancel(runId: number): void {
    for (const listener of this.#cancels) listener(runId);
  }

  rerun(runId: number, attempt: number): void {
    for (const listener of this.#reruns) listener(runId, attempt);
  }

  /** Waits for a condition on what was reported, looked at anew after every report. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = setTimeout(
        () => reject(new Error(`waited in vain; logs: ${this.jobs.map((job) => job.log).join("\n")}`)),
        20_000,
      );
      const look = () => {
        if (!condition()) return;
        clearTimeout(stop);
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  get port(): ActionsBackend {
    const must = <T>(value: T | undefined): T => {
      if (value === undefined) throw new Error("unknown id");
      return value;
    };
    const run = (id: number) => must(this.runs.find((one) => one.id === id));
    const job = (id: number) => must(this.jobs.find((one) => one.id === id));
    const told = () => {
      for (const watcher of this.#watchers) watcher();
    };
    return {
      url: this.#url,
      apiUrl: `${this.#url}/api/v3`,
      onTrigger: (listener) => this.#listeners.push(listener),
      onCancel: (listener) => this.#cancels.push(listener),
      onRerun: (listener) => this.#reruns.push(listener),
      workflowFiles: async (_repository, sha) => this.#workflowFiles(sha),
      commitMessage: async (_repository, sha) =>
        this.git("--git-dir", join(this.folder, "repos/ada/demo.git"), "log", "-1", "--format=%B", sha),
      secrets: () => this.secrets,
      variables: () => this.variables,
      workflowToken: (_repository, permissions) => {
        const token = `ghs_fake${this.#next++}token`;
        this.permissions.push(permissions);
        this.liveTokens.add(token);
        return token;
      },
      revokeToken: (token) => void this.liveTokens.delete(token),
      openIdentity: (identity) => {
        const access = {
          url: `${this.#url}/idtoken/${identity.runId}?api-version=2.0`,
          token: `fake-identity-${this.#next++}`,
        };
        this.identities.set(access.token, identity);
        return access;
      },
      closeIdentity: (token) => void this.identities.delete(token),
      openCaches: ({ runId }) => `fake-runtime-${runId}`,
      closeCaches: () => {},
      createRun: (input) => {
        const id = this.#next++;
        this.runs.push({ ...input, id, events: ["queued"], conclusion: undefined });
        told();
        return { id, attempt: 1, htmlUrl: `${this.#url}/runs/${id}` };
      },
      startRun: (id) => {
        run(id).events.push("in_progress");
        told();
      },
      completeRun: (id, conclusion) => {
        run(id).events.push(conclusion);
        run(id).conclusion = conclusion;
        told();
      },
      createJob: (runId, name) => {
        const id = this.#next++;
        this.jobs.push({ id, runId, name, status: "queued", conclusion: undefined, steps: [], log: "", summary: "" });
        return id;
      },
      updateJob: (id, change) => {
        const one = job(id);
        one.status = change.status;
        one.conclusion = change.conclusion ?? one.conclusion;
        one.steps = change.steps ?? one.steps;
        told();
      },
      appendLog: (id, text) => {
        job(id).log += text;
        told();
      },
      setSummary: (id, markdown) => {
        job(id).summary = markdown;
      },
    };
  }

  #workflowFiles(sha: string): Map<string, string> {
    const bare = join(this.folder, "repos/ada/demo.git");
    const paths = this.git("--git-dir", bare, "ls-tree", "-r", "--name-only", sha, ".github/workflows").split("\n");
    return new Map(paths.filter(Boolean).map((path) => [path, this.git("--git-dir", bare, "show", `${sha}:${path}`)]));
  }

  #serve(req: IncomingMessage, res: ServerResponse): void {
    const given = Buffer.from((req.headers.authorization ?? "").replace(/^basic /i, ""), "base64").toString();
    if (!this.liveTokens.has(given.replace("x-access-token:", ""))) {
      res.writeHead(401, { "www-authenticate": 'Basic realm="fake"' }).end();
      return;
    }
    const url = new URL(req.url ?? "/", this.#url);
    const env = {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: join(this.folder, "repos"),
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: url.pathname,
      QUERY_STRING: url.searchParams.toString(),
      REQUEST_METHOD: req.method,
      CONTENT_TYPE: req.headers["content-type"],
      REMOTE_USER: "x-access-token",
      GIT_PROTOCOL: String(req.headers["git-protocol"] ?? ""),
      HTTP_CONTENT_ENCODING: req.headers["content-encoding"],
    };
    const child = spawn("git", ["http-backend"], { env, stdio: ["pipe", "pipe", "ignore"] });
    req.pipe(child.stdin);
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("close", () => {
      const whole = Buffer.concat(chunks);
      const cut = whole.indexOf("\r\n\r\n");
      for (const line of whole.subarray(0, cut).toString().split("\r\n")) {
        const [name = "", value = ""] = line.split(": ");
        if (name === "Status") res.statusCode = Number.parseInt(value, 10);
        else if (name !== "") res.setHeader(name, value);
      }
      res.end(whole.subarray(cut + 4));
    });
  }
}
