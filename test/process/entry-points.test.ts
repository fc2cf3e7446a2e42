/** Starts the entry points as a person does: exit codes, output, and answers. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { VERSION } from "../../src/contracts/version.ts";
import { builtProgram } from "../build.ts";
import { appKey } from "../contract/app-key.ts";
import { formOf, openBrowser, type Visit } from "../flows/browser.ts";
import { freePort } from "../sandbox/free-port.ts";
import { type SandboxGitHub, startGitHub } from "../sandbox/github/main.ts";
import { KNOWN_TASKS } from "../sandbox/model/task.ts";

const API_KEY = "the-admin-key-of-this-test";
const DEADLINE = { timeout: 60_000, interval: 100 };

interface Program {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  readonly ended: Promise<number | null>;
}

let dir: string;
const running: Program[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "entries-"));
});
afterEach(async () => {
  for (const { child, ended } of running.splice(0)) {
    child.kill("SIGKILL");
    await ended;
  }
  await rm(dir, { recursive: true, force: true });
});

/** As `npm start` does it, from the sources. */
const fromSource = (path: string): string[] => [process.execPath, join(import.meta.dirname, "../..", path)];

/** Starts an entry in an empty folder, with these variables and no others that concern us. */
function start(
  entry: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  program: (path: string) => string[] = builtProgram,
): Program {
  const [command = "", ...first] = program(entry);
  const child = spawn(command, [...first, ...args], {
    cwd: dir,
    env: { PATH: process.env.PATH ?? "", ...env },
  });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    err += chunk.toString();
  });
  const ended = once(child, "exit").then(([code]) => (typeof code === "number" ? code : null));
  const started = { child, out: () => out, err: () => err, ended };
  running.push(started);
  return started;
}

const settings = (port: number): Record<string, string> => ({
  APP_ID: "1",
  PRIVATE_KEY: appKey,
  WEBHOOK_SECRET: "a secret of this test",
  API_KEY,
  HOST: "127.0.0.1",
  PORT: String(port),
  // a GitHub that is away: the server must start all the same
  GHE_HOST: "127.0.0.1:9",
  GHE_PROTOCOL: "http",
});

const answers = (url: string) => async () => (await fetch(url).catch(() => null))?.status;

describe("npm start", () => {
  it("names all wrong settings at once and exits with 1", async () => {
    const program = start("src/main.ts", [], { APP_ID: "one", PORT: "x", WEBHOOK_SECRET: "development" });
    expect(await program.ended).toBe(1);
    for (const name of ["APP_ID", "PORT", "PRIVATE_KEY", "WEBHOOK_SECRET"])
      expect(program.err()).toContain(`- ${name}:`);
  });

  it("serves the App, answers /ping, and drains and exits with 0 on SIGTERM", async () => {
    const port = await freePort();
    const program = start("src/main.ts", [], settings(port), fromSource);
    await expect.poll(answers(`http://127.0.0.1:${port}/ping`), DEADLINE).toBe(200);
    expect(await answers(`http://127.0.0.1:${port}/api/keys`)()).toBe(401);
    program.child.kill("SIGTERM");
    expect(await program.ended).toBe(0);
    expect(`${program.out()}${program.err()}`).not.toContain(API_KEY);
  });

  it("says at its start what it is, and at its end why it ends and what is left: on SIGHUP as on SIGTERM", async () => {
    const port = await freePort();
    const program = start("src/main.ts", [], settings(port));
    await expect.poll(answers(`http://127.0.0.1:${port}/ready`), DEADLINE).toBe(200);
    program.child.kill("SIGHUP");
    expect(await program.ended).toBe(0);
    const lines = program
      .out()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.find(({ msg }) => msg === "Journeyman is ready")).toMatchObject({
      ...{ version: VERSION, node: process.version, mode: "server", store: "lowdb", port },
      ...{ public_url: null, github: "http://127.0.0.1:9", model: "anthropic/claude-sonnet-5-5" },
    });
    expect(lines.at(-1)).toMatchObject({
      ...{ msg: "Journeyman has stopped", reason: "SIGHUP", ms: expect.any(Number) },
      ...{ effects_pending: 0, deliveries_pending: 0 },
    });
  });

  it.each(["json", "pretty"])("ends in time when nobody reads its %s log any more", async (LOG_FORMAT) => {
    const port = await freePort();
    const program = start("src/main.ts", [], { ...settings(port), LOG_FORMAT });
    await expect.poll(answers(`http://127.0.0.1:${port}/ready`), DEADLINE).toBe(200);
    program.child.stdout?.destroy();
    expect(await answers(`http://127.0.0.1:${port}/api/keys`)()).toBe(401);
    program.child.kill("SIGTERM");
    expect(await program.ended).toBe(0);
  });

  it("ends in order when npm is killed over it", async () => {
    const port = await freePort();
    const root = join(import.meta.dirname, "../..");
    const npm = spawn("npm", ["start"], {
      cwd: root,
      env: { PATH: process.env.PATH ?? "", HOME: dir, DATA_DIR: join(dir, "data"), ...settings(port) },
      stdio: ["ignore", "pipe", "ignore"],
    });
    let out = "";
    npm.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString();
    });
    // the pipe is the server's too, and is closed when that has ended
    const ended = once(npm.stdout, "close");
    await expect.poll(answers(`http://127.0.0.1:${port}/ready`), DEADLINE).toBe(200);
    npm.kill("SIGKILL");
    await ended;
    expect(out).toContain('"reason":"npm is gone"');
  });

  it("says so when the port is taken, and exits with 1", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const address = taken.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const program = start("src/main.ts", [], settings(port));
    expect(await program.ended).toBe(1);
    expect(program.err()).toContain(`Port ${port} is in use`);
    taken.close();
  });

  it("makes an admin key where none is set, says where it is, and never what it is", async () => {
    const port = await freePort();
    const { API_KEY: _, ...keyless } = settings(port);
    const first = start("src/main.ts", [], keyless);
    await expect.poll(answers(`http://127.0.0.1:${port}/ping`), DEADLINE).toBe(200);
    const file = join(dir, "data/api.key");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const key = readFileSync(file, "utf8").trim();
    const listed = await fetch(`http://127.0.0.1:${port}/api/keys`, { headers: { "x-api-key": key } });
    expect(listed.status).toBe(200);
    expect(first.out()).toContain(`no API_KEY is set, so an admin key was made: it is in the file ${file}`);
    // the command line finds it too
    const created = start("src/main/cli.ts", ["keys", "create", "--account", "octocat", "--repository", "*"], {
      PORT: String(port),
      HOST: "127.0.0.1",
    });
    expect(await created.ended).toBe(0);
    first.child.kill("SIGTERM");
    expect(await first.ended).toBe(0);

    const second = start("src/main.ts", [], keyless);
    await expect.poll(answers(`http://127.0.0.1:${port}/ping`), DEADLINE).toBe(200);
    second.child.kill("SIGTERM");
    expect(await second.ended).toBe(0);
    expect(readFileSync(file, "utf8").trim()).toBe(key);
    expect(second.out()).not.toContain("no API_KEY");
    for (const { out, err } of [first, second]) expect(`${out()}${err()}`).not.toContain(key);
  });

  it.each(["short", "too-short-a-key"])("refuses the weak API_KEY %j, and makes none in its place", async (weak) => {
    const program = start("src/main.ts", [], { ...settings(await freePort()), API_KEY: weak });
    expect(await program.ended).toBe(1);
    expect(program.err()).toContain("- API_KEY: must have at least 16 characters.");
    expect(existsSync(join(dir, "data/api.key"))).toBe(false);
  });
});

describe("npm start without an App", () => {
  let github: SandboxGitHub;
  beforeEach(async () => {
    github = await startGitHub();
    github.createUser("ada");
    github.createRepository({ owner: "ada", name: "demo" });
  });
  afterEach(() => github.close());

  const ownGitHub = (port: number): Record<string, string> => ({
    ...{ HOST: "127.0.0.1", PORT: String(port), NODE_ENV: "production" },
    ...{ GHE_HOST: new URL(github.url).host, GHE_PROTOCOL: "http" },
  });

  const invitation = /^No App yet: open (\S+) and enter this token, which works once: (\S+)$/m;

  /** The token that was printed, once the page is there. */
  async function invited(program: Program): Promise<string> {
    await expect.poll(() => invitation.test(program.out()), DEADLINE).toBe(true);
    return invitation.exec(program.out())?.[2] ?? "";
  }

  it("stops at once on SIGTERM, and prints another token at each start", async () => {
    const port = await freePort();
    const tokens: string[] = [];
    for (const _ of [1, 2]) {
      const program = start("src/main.ts", [], ownGitHub(port));
      tokens.push(await invited(program));
      expect(await answers(`http://127.0.0.1:${port}/setup`)()).toBe(401);
      expect(await answers(`http://127.0.0.1:${port}/api/keys`)()).toBe(404);
      program.child.kill("SIGTERM");
      expect(await program.ended).toBe(0);
    }
    expect(new Set(tokens).size).toBe(2);
  });

  it("makes one by the set-up page, goes on with it in the same process, and finds it at the next start", async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const program = start("src/main.ts", [], ownGitHub(port));
    const token = await invited(program);
    const browser = openBrowser();
    const send = (page: Visit, fields: Record<string, string>) => {
      const { action, fields: shown } = formOf(page.text);
      const kept = shown.filter(([name]) => !(name in fields));
      return browser.post(new URL(action, page.url).href, [...kept, ...Object.entries(fields)]);
    };
    const form = await send(await browser.get(`${url}/setup`), { token });
    const made = await send(await send(await send(form, { address: url }), {}), {});
    expect([made.status, made.url.pathname]).toEqual([200, "/setup/callback"]);
    const install = /href="(\S+\/installations\/new)"/.exec(made.text)?.[1] ?? "";
    await expect.poll(answers(`${url}/ready`), DEADLINE).toBe(200);

    const installed = await send(await browser.get(install), { repository: "ada/demo" });
    expect(installed.url.href).toMatch(new RegExp(`^${url}/installed\\?installation_id=\\d+&setup_action=install$`));
    expect(installed.text).toContain("Journeyman is set up");
    await github.idle();
    expect(github.deliveries().map(({ event, statusCode }) => `${event} ${statusCode}`)).toEqual(["installation 200"]);
    expect(github.calls().filter(({ route, status }) => route === "/app" && status === 200).length).toBeGreaterThan(0);

    expect(await answers(`${url}/setup`)()).toBe(200);
    expect((await browser.post(`${url}/setup/token`, [["token", token]])).status).toBe(404);
    program.child.kill("SIGTERM");
    expect(await program.ended).toBe(0);
    const printed = `${program.out()}${program.err()}`;
    expect(printed.split(token)).toHaveLength(2);
    expect(printed).not.toContain(github.clientSecret);

    const again = start("src/main.ts", [], ownGitHub(port));
    await expect.poll(answers(`${url}/ready`), DEADLINE).toBe(200);
    expect(again.out()).not.toMatch(invitation);
    again.child.kill("SIGTERM");
    expect(await again.ended).toBe(0);
  });

  it("is refused where half of an App is set, since that would be mixed with the one that is made", async () => {
    const program = start("src/main.ts", [], { WEBHOOK_SECRET: "a secret of this test" });
    expect(await program.ended).toBe(1);
    expect(program.err()).toContain("APP_ID: is missing beside WEBHOOK_SECRET");
  });
});

describe("the keys command", () => {
  const keys = (...args: string[]) => start("src/main/cli.ts", ["keys", ...args], {});

  it("creates, lists, rotates and revokes on the folder while no server runs", async () => {
    const created = keys("create", "--account", "octocat", "--repository", "*", "--scopes", "read");
    expect(await created.ended).toBe(0);
    expect(created.out()).toMatch(/^jm_[A-Za-z0-9_-]{43}\n$/);

    const listed = keys("list");
    expect(await listed.ended).toBe(0);
    expect(listed.out()).toMatch(/octocat {2}any repository {2}read {2}expires never/);
    expect(listed.out()).not.toContain(created.out().trim());

    const id = listed.out().split(" ")[0] ?? "";
    const rotated = keys("rotate", id, "--overlap", "7d");
    expect(await rotated.ended).toBe(0);
    expect(rotated.out()).toMatch(/^jm_[A-Za-z0-9_-]{43}\n$/);
    expect(rotated.err()).toMatch(new RegExp(`^Key [0-9a-f]{12} replaces ${id}, which works until 2`));
    for (const [overlap, sentence] of [
      ["31d", "--overlap: must be a time such as"],
      ["0", `replaced by ${rotated.err().split(" ")[1]} already`],
    ] as const) {
      const refused = keys("rotate", id, "--overlap", overlap);
      expect(await refused.ended).toBe(1);
      expect(refused.err()).toContain(sentence);
    }

    expect(await keys("revoke", id).ended).toBe(0);
    const again = keys("revoke", id);
    expect(await again.ended).toBe(1);
    expect(again.err()).toContain(`There is no key ${id}`);
  });

  it("works through the server that holds the folder, and says what it needs for that", async () => {
    const port = await freePort();
    start("src/main.ts", [], settings(port));
    await expect.poll(answers(`http://127.0.0.1:${port}/ping`), DEADLINE).toBe(200);

    const lost = keys("create", "--account", "octocat", "--repository", "*");
    expect(await lost.ended).toBe(1);
    expect(lost.err()).toMatch(/in use[\s\S]*set API_KEY/);

    const created = start(
      "src/main/cli.ts",
      ["keys", "create", "--account", "octocat", "--repository", "*"],
      settings(port),
    );
    expect(await created.ended).toBe(0);
    const id = created.err().split(" ")[1] ?? "";
    const rotated = start("src/main/cli.ts", ["keys", "rotate", id], settings(port));
    expect(await rotated.ended).toBe(0);
    expect(rotated.err()).toContain(`replaces ${id}`);
    const key = rotated.out().trim();
    const status = await fetch(`http://127.0.0.1:${port}/api/jobs/status?job_id=zzzzzzzz`, {
      headers: { "x-api-key": key },
    });
    expect(status.status).toBe(404);
  });

  it("answers wrong options with a sentence each and exit code 1", async () => {
    const program = keys(
      "create",
      "--account",
      "two words",
      "--repository",
      "octo/..",
      "--scopes",
      "read,all",
      "--expires",
      "soon",
    );
    expect(await program.ended).toBe(1);
    for (const option of ["--account:", "--repository:", "--scopes:", "--expires:"])
      expect(program.err()).toContain(option);
    expect(program.out()).toBe("");
    const missing = keys("create");
    expect(await missing.ended).toBe(1);
    expect(missing.err()).toContain("--account");
    const unbound = keys("create", "--account", "octocat");
    expect(await unbound.ended).toBe(1);
    expect(unbound.err()).toContain("--repository");
  });
});

describe("the prune command", () => {
  it("says what it would delete, and does so while no server runs", async () => {
    const asked = start("src/main/cli.ts", ["prune", "--dry-run"], {});
    expect(await asked.ended).toBe(0);
    expect(asked.out()).toBe("0 jobs and 0 logs are old enough to be deleted.\n");
    const done = start("src/main/cli.ts", ["prune"], {});
    expect(await done.ended).toBe(0);
    expect(done.out()).toBe("Deleted 0 jobs and 0 logs.\n");
    const wrong = start("src/main/cli.ts", ["prune"], { KEEP_JOBS_DAYS: "many" });
    expect(await wrong.ended).toBe(1);
    expect(wrong.err()).toContain("KEEP_JOBS_DAYS: must be a whole number");
  });
});

describe("the command line", () => {
  it("teaches with --help", async () => {
    const program = start("src/main/cli.ts", ["--help"], {});
    expect(await program.ended).toBe(0);
    for (const command of ["serve", "keys", "prune"]) expect(program.out()).toContain(command);
    // the sandbox is no part of what is installed
    expect(program.out()).not.toContain("sandbox");
    const sandbox = start("src/main/cli.ts", ["sandbox"], {});
    expect(await sandbox.ended).toBe(1);
    expect(sandbox.err()).toContain("unknown command 'sandbox'");
  });
});

describe("the sandbox with --once", () => {
  it("reports a failed job when the App has said its last word, names what the model knows, and exits with 1", async () => {
    const program = start("test/sandbox/cli.ts", ["--once", "Improve everything"], {}, fromSource);
    expect(await program.ended).toBe(1);
    const [, report = ""] = program.out().split("\nNot merged.");
    expect(report).toContain("**Failed**");
    expect(report).not.toContain("**Running**");
    for (const known of KNOWN_TASKS) expect(report).toContain(known);
  });
});
