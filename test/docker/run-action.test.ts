/**
 * The run action with real containers: agent and gateway on real networks, against a scripted model on this machine, as
 * root, as a user with sudo and without, open and narrowed.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from "vitest";
import type { Brief } from "../../src/contracts/brief.ts";
import { parseResult } from "../../src/contracts/result.ts";
import { Runner, type Setup } from "../process/action-runner.ts";
import { type Model, startModel } from "../sandbox/model/server.ts";
import { JOB_ID } from "../unit/agent-job.ts";
import { describeContainers, docker, imageOf, type Opened, openToContainers, until } from "./containers.ts";
import { REQUEST_TOKEN, startKeylessWorld } from "./keyless-world.ts";

const KEY = "run-action-model-key-0123456789";
/** Somebody who is neither root nor may become it, but may speak to the engine. */
const nobody = () => ({
  uid: 12_345,
  gid: statSync(new URL(process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock").pathname).gid,
});
const FOLDER = `.jobs/${JOB_ID}`;

/** What a program tries that does not mean to ask the proxy, a word for each; without `then`, which parts two tasks. */
const attempts = (model: string): string =>
  [
    `direct() { curl -sS --noproxy '*' -m 5 -o /dev/null "$2" 2>/dev/null && echo "$1 reached" || echo "$1 shut"; }`,
    `direct runner ${model}/`,
    `direct gateway http://$(hostname -I | cut -d. -f1-3).1:${new URL(model).port}/`,
    "direct internet http://1.1.1.1/",
    `getent hosts example.org >/dev/null && echo "names known" || echo "names shut"`,
    `echo "elsewhere $(curl -sS -o /dev/null -w '%{http_connect}' https://elsewhere.example.org/ 2>/dev/null)"`,
  ].join("; ");

/** Only root can play another user. */
const asRoot = test.runIf(process.getuid?.() === 0);

describeContainers("the run action with real containers", () => {
  let model: Model;
  let opened: Opened;
  const runners: Runner[] = [];

  beforeAll(async () => {
    model = await startModel();
    opened = await openToContainers(model.url);
  });
  afterEach(() => {
    for (const runner of runners.splice(0)) runner.remove();
  });
  afterAll(async () => {
    opened?.close();
    await model?.close();
  });

  function start(task: string, brief: Partial<Brief> = {}, behind: Setup["behind"] = undefined) {
    const runner = new Runner({ "script.sh": "echo hi\n" }, { brief, task, ...(behind && { behind }) });
    runners.push(runner);
    const env: Record<string, string> = {
      ...{ INPUT_AGENT_IMAGE: imageOf("agent"), INPUT_ANTHROPIC_API_KEY: KEY, INPUT_ANTHROPIC_BASE_URL: opened.url },
      ...(process.env.DOCKER_HOST === undefined ? {} : { DOCKER_HOST: process.env.DOCKER_HOST }),
    };
    return { runner, env };
  }

  async function play(task: string, brief: Partial<Brief> = {}, user: Runner["user"] = null) {
    const { runner, env } = start(task, brief);
    runner.user = user;
    const main = await runner.start("main", env).ended;
    const post = await runner.start("post", env).ended;
    return { runner, main, post };
  }

  /** Containers and networks with the names of this job. */
  const left = async (): Promise<string> => {
    const named = ["--filter", `name=journeyman-${JOB_ID}`];
    const containers = await docker("ps", "--all", ...named, "--format", "{{.Names}}");
    return `${containers}${await docker("network", "ls", ...named, "--format", "{{.Name}}")}`;
  };

  test("works through the gateway, pushes, and leaves nothing on the machine", async () => {
    const { runner, main, post } = await play("create HELLO.md that says hello then run env > env.txt");
    expect([main.code, post.code], main.output + post.output).toEqual([0, 0]);
    expect(runner.pushed("HELLO.md")).toBe("hello");
    expect(runner.pushed("env.txt")).not.toMatch(/ANTHROPIC|MODEL_GATEWAY|GITHUB_|ACTIONS_/);
    expect(await left()).toBe("");
  });

  test("narrowed, it reaches the model through the gateway and nothing else", async () => {
    const { runner, main, post } = await play(`run { ${attempts(opened.url)}; } > asked.txt 2>&1`, {
      egress: ["listed.invalid"],
    });
    expect([main.code, post.code], main.output + post.output).toEqual([0, 0]);
    const shut = ["runner shut", "gateway shut", "internet shut", "names shut"];
    expect(runner.pushed("asked.txt")?.split("\n")).toEqual([...shut, "elsewhere 403"]);
    expect(await left()).toBe("");
  });

  asRoot("as root, the agent may change the mode of a tracked file", async () => {
    const { runner } = await play("run chmod +x script.sh");
    expect(runner.git(runner.remote, "ls-tree", runner.branch, "script.sh")).toMatch(/^100755 /);
  });

  asRoot(
    "as a user without root and sudo, nothing is lost: closed folders, own git, modes; and all is that user's again",
    async () => {
      const task = "run mkdir -m 700 closed && echo x > closed/x.txt && chmod +x script.sh && git add -A";
      const { runner, main, post } = await play(task, {}, nobody());
      expect([main.code, post.code], main.output + post.output).toEqual([0, 0]);
      expect(runner.pushed("closed/x.txt")).toBe("x");
      expect(runner.git(runner.remote, "ls-tree", runner.branch, "script.sh")).toMatch(/^100755 /);
      for (const name of readdirSync(runner.workspace, { recursive: true, encoding: "utf8" }))
        expect(statSync(join(runner.workspace, name)).uid).toBe(nobody().uid);
    },
  );

  asRoot("as a user who may become root, the same, without a container for it", async () => {
    const task = "run mkdir -m 700 closed && echo x > closed/x.txt && chmod +x script.sh && git add -A";
    const { runner, main, post } = await play(task, {}, { ...nobody(), sudo: true });
    expect([main.code, post.code], main.output + post.output).toEqual([0, 0]);
    expect(runner.pushed("closed/x.txt")).toBe("x");
    for (const name of readdirSync(runner.workspace, { recursive: true, encoding: "utf8" }))
      expect(statSync(join(runner.workspace, name)).uid).toBe(nobody().uid);
  });

  test("without a key it signs in as itself, and no token is where its code or docker's user looks", async () => {
    const world = await startKeylessWorld();
    onTestFinished(() => world.close());
    const spy = "{ env; cat /proc/[0-9]*/environ; cat /proc/[0-9]*/cmdline; } > found.txt 2>&1";
    const wait = "touch waiting; until [ -e looked ]; do sleep 0.1; done";
    const { runner, env } = start(`run ${spy}; ${wait}; rm waiting looked`);
    const { child, ended } = runner.start("main", { ...env, ...world.env });
    const agent = `journeyman-${JOB_ID}`;
    const waiting = join(runner.workspace, "waiting");
    await until("the job waits to be looked at", async () => child.exitCode !== null || existsSync(waiting));
    const seen = child.exitCode === null ? await docker("inspect", agent, `${agent}-gateway`) : "";
    const processes = (await execa("ps", ["-eo", "args"])).stdout;
    await execa("docker", ["exec", agent, "touch", "/workspace/looked"], { reject: false });
    const main = await ended;
    const post = await runner.start("post", { ...env, ...world.env }).ended;
    expect([main.code, post.code], main.output + post.output).toEqual([0, 0]);

    expect(world.model.federation.exchanges.map(({ status }) => status)).toEqual([200]);
    const bearers = new Set(world.model.requests().map(({ headers }) => headers.authorization ?? ""));
    const [access = ""] = [...bearers].map((one) => one.replace("Bearer ", ""));
    expect([bearers.size, access]).toEqual([1, expect.stringMatching(/^sk-ant-oat01-/)]);
    expect(world.given).toHaveLength(1);
    const found = runner.pushed("found.txt") ?? "";
    expect(found).toContain("PATH=");
    const unmasked = main.output.replaceAll(/^::add-mask::.*$/gm, "");
    const log = runner.pushed(`${FOLDER}/log.jsonl`) ?? "";
    for (const place of [found, seen, processes, log, unmasked]) {
      expect(place.length).toBeGreaterThan(100);
      for (const secret of [access, REQUEST_TOKEN, ...world.given]) expect(place.includes(secret)).toBe(false);
    }
  });

  test("a later attempt whose branch holds what the first one planted gets neither the run's identity nor a token", async () => {
    const spy = "env; cat /proc/[0-9]*/environ; cat .git/config";
    const planted = {
      "package.json": JSON.stringify({ scripts: { preinstall: spy, test: spy, prepare: spy } }),
      Makefile: `all:\n\t${spy}\n`,
      ".npmrc": "ignore-scripts=false\nscript-shell=/bin/sh\n",
      ".envrc": `${spy}\n`,
      ".husky/post-checkout": `#!/bin/sh\n${spy}\n`,
    };
    const behind = { work: planted, base: { "other.txt": "x" }, commits: 1 };
    const { runner, env } = start(
      "run { npm test; make; npm install; env; cat /proc/*/environ; } > out.txt 2>&1; true",
      {},
      behind,
    );
    const identity = {
      ACTIONS_ID_TOKEN_REQUEST_URL: "http://127.0.0.1:9/id",
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "identity-token-1234",
    };
    const main = await runner.start("main", { ...env, ...identity }).ended;
    const post = await runner.start("post", { ...env, ...identity }).ended;
    expect([main.code, post.code], main.output + post.output).toEqual([0, 0]);
    const out = runner.pushed("out.txt") ?? "";
    expect(out).toContain("PATH=");
    const secrets = ["identity-token-1234", "workflow-token-1234", "runtime-token-1234", KEY];
    for (const text of [out, runner.pushed(`${FOLDER}/log.jsonl`) ?? ""])
      for (const secret of secrets) expect(text).not.toContain(secret);
  });

  asRoot("an earlier job's repository that belongs to the agent is removed before git can look at it", async () => {
    const { runner, env } = start("create HELLO.md that says hello");
    const spy = join(runner.top, "ran");
    execFileSync(
      "bash",
      [
        "-c",
        `git init -q . && git config core.fsmonitor 'touch ${spy}; false' && mkdir -m 700 own && touch own/x && chown -R 10001:10001 . && chmod 1777 .`,
      ],
      { cwd: runner.workspace },
    );
    runner.user = nobody();
    const main = await runner.start("main", env).ended;
    expect(main.code, main.output).toBe(0);
    expect((await runner.start("post", env).ended).code).toBe(0);
    expect([existsSync(spy), runner.pushed("own/x"), runner.pushed("HELLO.md")]).toEqual([false, null, "hello"]);
  });

  test("cancelled when the agent has done its work, it still pushes that", async () => {
    const { runner, env } = start("create HELLO.md that says hello then run sleep 100");
    const { child, ended } = runner.start("main", env);
    await until("the work is there", async () => existsSync(join(runner.workspace, "HELLO.md")));
    child.kill("SIGINT");
    await ended;
    expect((await runner.start("post", env).ended).code).toBe(0);
    expect(runner.pushed("HELLO.md")).toBe("hello");
    await until("nothing is left", async () => (await left()) === "");
  });

  const MOMENTS = [
    0, 40, 80, 120, 160, 200, 250, 300, 350, 400, 450, 500, 600, 700, 850, 1_000, 1_250, 1_600, 2_000, 3_000,
  ];
  test.each(MOMENTS)(
    "cancelled %i ms after it began, it ends within seven seconds, leaves nothing, and the next attempt works",
    async (ms) => {
      const { runner, env } = start("run sleep 100");
      const { child, ended } = runner.start("main", env);
      await new Promise((resolve) => setTimeout(resolve, ms));
      child.kill("SIGINT");
      await ended;
      const post = await runner.start("post", env).ended;
      await until("nothing is left", async () => (await left()) === "");
      const result = parseResult(runner.pushed(`${FOLDER}/result.json`) ?? "");
      if (result !== null) expect(result.outcome).toBe("failed");
      // Without a whole checkout there is no work to collect, which is no success of this step.
      const early = result?.reason === "The run was cancelled before the agent began.";
      expect(post.code === 0 || early, post.output).toBe(true);
      const { main } = await play("create HELLO.md that says hello");
      expect(main.code, main.output).toBe(0);
    },
  );
});
