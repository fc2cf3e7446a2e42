import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Brief } from "../../src/wire/brief.ts";
import { BRIEF, JOB_ID } from "../unit/agent-job.ts";
import { RunDesk } from "./run-desk.ts";
import { Runner } from "./workflow-steps.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const folder = `.jobs/${JOB_ID}`;
const TOKEN = "ghs_token.of-the_app";

async function start(files: Record<string, string> = {}, brief: Partial<Brief> = {}, tries = 1) {
  const desk = await RunDesk.open();
  const runner = new Runner(files, { brief: { app_url: desk.url, ...brief }, tries });
  closing.push(
    () => desk.close(),
    () => runner.remove(),
  );
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url = "", ACTIONS_ID_TOKEN_REQUEST_TOKEN: token = "" } = desk.environment;
  return { desk, runner, env: { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: token } };
}

const said = (seq: number, text: string): string =>
  JSON.stringify({ seq, at: "2030-01-31T12:00:00Z", level: "info", text });
const say = (seq: number, text: string): string => `echo '${said(seq, text)}'\n`;
const result = { version: 1, outcome: "done", title: "Say hello", body: "How.", model: "m", usage: {}, cost_cents: 1 };
const leave = `echo '${JSON.stringify(result)}' > ${folder}/result.json; echo '${said(1, "hello")}' > ${folder}/log.jsonl\n`;

describe("while the agent works", () => {
  test("the App hears its lines before it has ended, and the step shows them as progress, mute as ever", async () => {
    const { desk, runner, env } = await start();
    runner.agent(`${say(1, "::error::hello")}until [ -e go ]; do sleep 0.05; done; ${say(2, "bye")} exit 3`);
    await runner.step("Prepare").ended;
    const { ended } = runner.step("Run the agent", { AGENT_IMAGE: "agent:test", ...env });
    await desk.until(() => desk.received === 1);
    writeFileSync(join(runner.workspace, "go"), "");
    const { code, output } = await ended;
    expect(code).toBe(3);
    expect(desk.lines.map(({ text }) => text)).toEqual(["::error::hello", "bye"]);
    const token = /^::stop-commands::([0-9a-f]{32})$/m.exec(output)?.[1];
    expect(output).toBe(`::stop-commands::${token}\nagent | > ::error::hello\nagent | bye\n::${token}::\n`);
    expect(existsSync(join(runner.top, "temp", "journeyman", "running"))).toBe(false);
  });

  test("only the courier may say who the run is, and only the agent sees the checkout", async () => {
    const { desk, runner, env } = await start();
    await runner.run(`env > seen.txt; ${leave}`, { ...env, ANTHROPIC_API_KEY: "secret-key-123" });
    const calls = runner
      .read("docker-args")
      .split(/^run$/m)
      .slice(1)
      .map((call) => call.trim().split("\n"));
    const names = (call: string[]) => call.flatMap((word, at) => (call[at - 1] === "-e" ? [word] : []));
    const identity = ["JOB_ID", "APP_URL", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
    const couriers = calls.filter((call) => call.includes("courier"));
    const [agent = []] = calls.filter((call) => !call.includes("courier"));
    expect([calls.length, couriers.map(names)]).toEqual([3, [identity, identity]]);
    expect(names(agent).join()).not.toContain("ACTIONS_");
    for (const call of couriers) {
      expect(call.join(" ")).toContain("--cap-drop ALL --security-opt no-new-privileges");
      expect([call.includes("-v"), call.includes("none")]).toEqual([false, true]);
    }
    expect(calls.flat().join(" ")).not.toMatch(/request-token|secret-key|ghs_/);
    expect(desk.audiences).not.toContain("");
  });

  test("an App that stalls, and a courier that cannot start, change nothing for the agent", async () => {
    const { desk, runner, env } = await start();
    desk.fates.push(...Array.from({ length: 20 }, () => "stall" as const));
    runner.agent(`${say(1, "hello")}seq 100000; exit 4`);
    await runner.step("Prepare").ended;
    const stalled = await runner.step("Run the agent", { AGENT_IMAGE: "agent:test", ...env }).ended;
    expect(stalled.code).toBe(4);
    expect(stalled.output).toMatch(/\n100000\ncourier \| The App does not hear all of this log: .+\n::\w+::\n$/);
    runner.program(
      "docker",
      `case "$*" in *courier*) echo "no such program" >&2; exit 127;; esac; ${say(1, "hello")} seq 100000; exit 5`,
    );
    const alone = await runner.step("Run the agent", { AGENT_IMAGE: "agent:test", ...env }).ended;
    expect(alone.code).toBe(5);
    expect(alone.output).toMatch(/\n100000\n::\w+::\n$/);
    expect(alone.output).toContain(said(1, "hello"));
  });

  test("a cancelled run tells the agent, whose last words still arrive", async () => {
    const { desk, runner, env } = await start();
    const bye = `${say(2, "cancelled").trim()} > bye; trap 'cat bye; exit 1' TERM`;
    runner.agent(`${bye}; ${say(1, "hello")} touch ready; while :; do sleep 0.05; done`);
    await runner.step("Prepare").ended;
    const { child, ended } = runner.step("Run the agent", { AGENT_IMAGE: "agent:test", ...env });
    await vi.waitFor(() => expect(existsSync(join(runner.workspace, "ready"))).toBe(true), { timeout: 30_000 });
    await desk.until(() => desk.received === 1);
    child.kill("SIGTERM");
    expect(await ended).toMatchObject({ code: 1 });
    await desk.until(() => desk.received === 2);
  });

  test.each([
    ["the brief names no App", { app_url: null }, true],
    ["the workflow may not say who it is", {}, false],
  ] as const)("without a courier, since %s, all is as it was", async (_, brief, permitted) => {
    const { desk, runner, env } = await start({}, brief);
    const steps = await runner.run(`echo format=$LOG_FORMAT; ${leave}`, permitted ? env : {});
    expect(steps["Run the agent"]).toMatchObject({ code: 0, output: expect.stringContaining("\nformat=plain\n") });
    expect(runner.read("docker-args")).not.toContain("courier");
    expect(steps["Push the work"].code).toBe(0);
    expect(runner.pushed(`${folder}/result.json`)).toContain("Say hello");
    expect([desk.asked, desk.handedIn]).toEqual([0, []]);
  });
});

describe("the push with the App's token", () => {
  test("follows the hand-in and leaves the job's folder out; the token is masked and in no file", async () => {
    const { desk, runner, env } = await start({ "gone.txt": "g", "keep.txt": "k" });
    const steps = await runner.run(
      `echo hi > 'näh er.txt'; rm gone.txt; echo evil >> .github/workflows/ci.yml; ${leave}`,
      env,
    );
    const { code, output } = steps["Push the work"];
    expect([code, output]).toEqual([0, expect.stringContaining(`::add-mask::${TOKEN}\n`)]);
    expect(output.replace(`::add-mask::${TOKEN}\n`, "")).not.toContain(TOKEN);
    expect(desk.handedIn).toEqual([
      {
        result: { ...result, put_back: [".github/workflows/ci.yml"] },
        log: [{ seq: 1, at: "2030-01-31T12:00:00Z", level: "info", text: "hello" }],
        changed_files: ["gone.txt", "näh er.txt"],
      },
    ]);
    expect(runner.git(runner.remote, "ls-tree", "-r", "-z", "--name-only", runner.branch).split("\0")).toEqual([
      ".github/workflows/ci.yml",
      "README.md",
      "keep.txt",
      "näh er.txt",
      "",
    ]);
    expect(runner.log("%s")).toBe(`Job ${JOB_ID}: Say hello`);
    expect(runner.git(runner.remote, "log", "-1", "--format=%s", `${runner.branch}^`)).toMatch(/^Run job /);
    const base64 = Buffer.from(`x-access-token:${TOKEN}`).toString("base64");
    expect(() => execFileSync("grep", ["-rlF", "-e", TOKEN, "-e", base64, runner.top])).toThrow();
    expect(runner.read("summary.md")).not.toContain("own token");
  });

  test("tells of a later try what differs from the base, and not what went before it", async () => {
    const { desk, runner, env } = await start({}, {}, 2);
    await runner.run(`echo hi > hi.txt; ${leave}`, env);
    expect(desk.handedIn).toMatchObject([{ changed_files: ["hi.txt"] }]);
  });

  test("keeps what others pushed meanwhile", async () => {
    const { runner, env } = await start();
    runner.commit(runner.branch, { "theirs.txt": "theirs" }, "by hand");
    const steps = await runner.run(`echo ours > ours.txt; ${leave}`, env);
    expect(steps["Push the work"].code).toBe(0);
    expect([runner.pushed("ours.txt"), runner.pushed("theirs.txt")]).toEqual(["ours", "theirs"]);
    expect(runner.pushed(`${folder}/job.md`)).toBeNull();
  });

  test("hands in nothing that lies outside of the checkout, whatever the agent's files link to", async () => {
    const { desk, runner, env } = await start();
    writeFileSync(join(runner.top, "private.json"), said(1, "private words"));
    await runner.run(
      `ln -s ../../../private.json ${folder}/result.json; ln -s ../../../private.json ${folder}/log.jsonl`,
      env,
    );
    expect(desk.handedIn).toMatchObject([{ result: { outcome: "failed" }, log: [] }]);
    expect(JSON.stringify(desk.handedIn)).not.toContain("private words");
    const other = await start();
    await other.runner.run(
      `${leave} printf 'a\\0b' >> ${folder}/log.jsonl; printf '{"x\\0": 1}' > ${folder}/result.json`,
      other.env,
    );
    expect(other.desk.handedIn).toMatchObject([{ result: { x: 1 }, log: [{ text: "hello" }], changed_files: [] }]);
  });
});

describe("the push with the workflow's own token", () => {
  const FOLLOWS = "GitHub starts no workflow for such a push: CI runs on the commit of the App's that follows.";

  test("follows when the App refuses, with the job's folder and a word about what follows", async () => {
    const { desk, runner, env } = await start();
    const refusal = { status: 409, body: { error: "The job is over." } };
    runner.agent(`echo hi > hi.txt; ${leave}`);
    await runner.step("Prepare").ended;
    await runner.step("Run the agent", { AGENT_IMAGE: "agent:test", ...env }).ended;
    desk.fates.push(refusal);
    const { code, output } = await runner.step("Push the work", { AGENT_IMAGE: "agent:test", ...env }).ended;
    expect(code).toBe(0);
    const sentence = `The work was pushed with the workflow's own token, since ${desk.url} answers 409: The job is over.. ${FOLLOWS}`;
    expect(output).toContain(`::warning::${sentence}\n`);
    expect(runner.read("summary.md")).toContain(sentence);
    expect([runner.pushed("hi.txt"), runner.pushed(`${folder}/result.json`)]).toEqual(["hi", expect.any(String)]);
  });

  test("follows when the App cannot be reached", async () => {
    const { desk, runner, env } = await start();
    runner.agent(`echo hi > hi.txt; ${leave}`);
    await runner.step("Prepare").ended;
    await runner.step("Run the agent", { AGENT_IMAGE: "agent:test", ...env }).ended;
    await desk.close();
    closing.shift();
    const { code, output } = await runner.step("Push the work", { AGENT_IMAGE: "agent:test", ...env }).ended;
    expect(code).toBe(0);
    expect(output).toMatch(/^::warning::The work .+ cannot be reached: .+ECONNREFUSED/m);
    expect(runner.pushed(`${folder}/result.json`)).toContain("Say hello");
  });

  test("follows when the App's token cannot push", async () => {
    const { runner, env } = await start();
    const base64 = Buffer.from(`x-access-token:${TOKEN}`).toString("base64");
    const real = execFileSync("bash", ["-c", "command -v git"], { encoding: "utf8" }).trim();
    runner.program(
      "git",
      `if [ "$1" = push ] && [ "$GIT_CONFIG_VALUE_0" = "AUTHORIZATION: basic ${base64}" ]; then echo "remote: Write access to repository not granted." >&2; exit 128; fi; exec ${real} "$@"`,
    );
    const steps = await runner.run(`echo hi > hi.txt; ${leave}`, env);
    const { code, output } = steps["Push the work"];
    expect(code).toBe(0);
    expect(output).toContain(
      `since the App's token could not do it: ${runner.branch} refused the work twice. ${FOLLOWS}\n`,
    );
    expect(output).not.toContain("::error::");
    expect([runner.pushed("hi.txt"), runner.pushed(`${folder}/result.json`)]).toEqual(["hi", expect.any(String)]);
  });

  test.each([
    ["notice", "the job's brief names no App that could give another", { app_url: null }, true],
    ["warning", "this workflow may not say who it is (id-token: write)", {}, false],
    ["warning", "the base commit is not here to compare with", { base: { branch: "main", sha: "1".repeat(40) } }, true],
  ] as const)("is a %s: %s", async (level, why, brief, permitted) => {
    const { desk, runner, env } = await start({}, brief);
    const { output, code } = (await runner.run(leave, permitted ? env : {}))["Push the work"];
    expect([code, output]).toEqual([
      0,
      expect.stringContaining(`::${level}::The work was pushed with the workflow's own token, since ${why}. `),
    ]);
    expect(runner.read("summary.md")).toContain(why);
    expect(desk.handedIn).toEqual([]);
    expect(runner.pushed(`${folder}/result.json`)).toContain("Say hello");
  });

  test("of a conflict or a branch that is gone stays an error, said once", async () => {
    const { desk, runner, env } = await start();
    runner.git(runner.remote, "branch", "-D", runner.branch);
    const gone = (await runner.run(leave, env))["Push the work"];
    expect([gone.code, gone.output.match(/^::error::.*/gm)]).toEqual([
      1,
      [`::error::${runner.branch} is gone or cannot be reached: the work was not pushed`],
    ]);
    expect(desk.handedIn).toHaveLength(1);
    const other = await start({}, { limits: BRIEF.limits });
    other.runner.commit(other.runner.branch, { "README.md": "theirs" }, "by hand");
    const conflict = (await other.runner.run(`echo ours > README.md; ${leave}`, other.env))["Push the work"];
    expect(conflict.output.match(/^::error::.*/gm)).toEqual([
      `::error::${other.runner.branch} got other commits on the same files meanwhile: the work was not pushed`,
    ]);
    expect(other.runner.pushed("README.md")).toBe("theirs");
  });
});
