import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Brief } from "../../src/contracts/brief.ts";
import { RUN_ACTION_VERSION } from "../../src/contracts/run-report.ts";
import { BRIEF, JOB_ID } from "../unit/agent-job.ts";
import { obeyed, Runner } from "./action-runner.ts";
import { FakeApp } from "./fake-app.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const folder = `.jobs/${JOB_ID}`;
const TOKEN = "ghs_token.of-the_app";

async function start(files: Record<string, string> = {}, brief: Partial<Brief> = {}, attempts = 1) {
  const fakeApp = await FakeApp.open();
  const runner = new Runner(files, { brief: { app_url: fakeApp.url, ...brief }, attempts });
  closing.push(
    () => fakeApp.close(),
    () => runner.remove(),
  );
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url = "", ACTIONS_ID_TOKEN_REQUEST_TOKEN: token = "" } = fakeApp.environment;
  return { fakeApp, runner, env: { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: token } };
}

const said = (seq: number, text: string): string =>
  JSON.stringify({ seq, at: "2030-01-31T12:00:00Z", level: "info", text });
const say = (seq: number, text: string): string => `echo '${said(seq, text)}'\n`;
const result = { version: 1, outcome: "done", title: "Say hello", body: "How.", model: "m", usage: {}, cost_cents: 1 };
const leave = `echo '${JSON.stringify(result)}' > ${folder}/result.json; echo '${said(1, "hello")}' > ${folder}/log.jsonl\n`;

describe("while the agent works", () => {
  test("the App gets its lines before it has ended, and the step shows them as progress, mute as ever", async () => {
    const { fakeApp, runner, env } = await start();
    runner.agent(`${say(1, "::error::hello")}until [ -e go ]; do sleep 0.05; done; ${say(2, "bye")} exit 3`);
    const { ended } = runner.start("main", env);
    await fakeApp.until(() => fakeApp.received === 1);
    writeFileSync(join(runner.workspace, "go"), "");
    const { code, output } = await ended;
    expect(code).toBe(1);
    expect(fakeApp.lines.map(({ text }) => text)).toEqual(["::error::hello", "bye"]);
    expect(output).toContain("\nagent | > ::error::hello\n");
    expect(output).toContain("\nagent | bye\n");
    expect(obeyed(output).map((one) => one.split(" ")[0])).toEqual(["add-mask", "add-mask"]);
  });

  test("only the step may say who the run is: no container and no docker can", async () => {
    const { fakeApp, runner, env } = await start();
    await runner.runPrograms(leave, env, `env >> "$TEST_TOP/docker-env"`);
    for (const seen of ["agent-env", "gateway-env", "docker-env", "commands"])
      expect(runner.read(seen)).not.toMatch(/ACTIONS_|request-token|ghs_/);
    expect(fakeApp.audiences).not.toContain("");
    expect(fakeApp.audiences.length).toBeGreaterThan(0);
  });

  test("every message names the run action, so that the App knows a copy of before", async () => {
    const { fakeApp, runner, env } = await start();
    await runner.run(`${say(1, "hello")}${leave}`, env);
    expect(fakeApp.versions.length).toBeGreaterThan(1);
    expect(new Set(fakeApp.versions)).toEqual(new Set([RUN_ACTION_VERSION]));
  });

  test("an App that stalls changes nothing for the agent", async () => {
    const { fakeApp, runner, env } = await start();
    fakeApp.fates.push(...Array.from({ length: 20 }, () => "stall" as const));
    runner.agent(`${say(1, "hello")}seq 100000; echo 100000 > done.txt`);
    const { code, output } = await runner.start("main", env).ended;
    expect(code).toBe(0);
    expect(output).toMatch(/\n100000\n(?:.*\n)*The App did not receive the whole log: .+\n/);
  });

  test("a cancelled run tells the agent, whose last words still arrive", async () => {
    const { fakeApp, runner, env } = await start();
    const bye = `${say(2, "cancelled").trim()} > bye; trap 'cat bye; exit 1' TERM`;
    runner.agent(`${bye}; ${say(1, "hello")} touch ready; while :; do sleep 0.05; done`);
    const { child, ended } = runner.start("main", env);
    await vi.waitFor(() => expect(existsSync(join(runner.workspace, "ready"))).toBe(true), { timeout: 30_000 });
    await fakeApp.until(() => fakeApp.received === 1);
    child.kill("SIGINT");
    expect(await ended).toMatchObject({ code: 1 });
    await fakeApp.until(() => fakeApp.received === 2);
  });

  test.each([
    ["the brief names no App", { app_url: null }, true],
    ["the workflow may not say who it is", {}, false],
  ] as const)("without anybody to tell, since %s, the work is pushed all the same", async (_, brief, permitted) => {
    const { fakeApp, runner, env } = await start({}, brief);
    const { main, post } = await runner.run(`${say(1, "hello")}${leave}`, permitted ? env : {});
    expect(main).toMatchObject({ code: 0, output: expect.stringContaining("\nagent | hello\n") });
    expect(post.code).toBe(0);
    expect(runner.pushed(`${folder}/result.json`)).toContain("Say hello");
    expect([fakeApp.asked, fakeApp.handedIn]).toEqual([0, []]);
  });
});

describe("the push with the App's token", () => {
  test("follows the hand-in and leaves the job's folder out; the token is masked and in no file", async () => {
    const { fakeApp, runner, env } = await start({ "gone.txt": "g", "keep.txt": "k" });
    const steps = await runner.runPrograms(
      `echo hi > 'näh er.txt'; rm gone.txt; echo evil >> .github/workflows/ci.yml; ${leave}`,
      env,
    );
    const { code, output } = steps.post;
    expect(code).toBe(0);
    expect(obeyed(output)).toContain(`add-mask ${TOKEN}`);
    expect(output.replace(`::add-mask::${TOKEN}\n`, "")).not.toContain(TOKEN);
    expect(fakeApp.handedIn).toEqual([
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
    expect(runner.log("%s")).toBe("Say hello");
    expect(runner.git(runner.remote, "log", "-1", "--format=%s", `${runner.branch}^`)).toMatch(/^Run job /);
    const base64 = Buffer.from(`x-access-token:${TOKEN}`).toString("base64");
    expect(() => execFileSync("grep", ["-rlF", "-e", TOKEN, "-e", base64, runner.top])).toThrow();
    expect(runner.read("summary.md")).not.toContain("own token");
  });

  test("tells of a later attempt what differs from the base, and not what went before it", async () => {
    const { fakeApp, runner, env } = await start({}, {}, 2);
    await runner.run(`echo hi > hi.txt; ${leave}`, env);
    expect(fakeApp.handedIn).toMatchObject([{ changed_files: ["hi.txt"] }]);
  });

  test("keeps what others pushed meanwhile", async () => {
    const { runner, env } = await start();
    runner.commit(runner.branch, { "theirs.txt": "theirs" }, "by hand");
    const steps = await runner.run(`echo ours > ours.txt; ${leave}`, env);
    expect(steps.post.code).toBe(0);
    expect([runner.pushed("ours.txt"), runner.pushed("theirs.txt")]).toEqual(["ours", "theirs"]);
    expect(runner.pushed(`${folder}/job.md`)).toBeNull();
  });

  test("hands in nothing that lies outside of the checkout, whatever the agent's files link to", async () => {
    const { fakeApp, runner, env } = await start();
    writeFileSync(join(runner.top, "private.json"), said(1, "private words"));
    await runner.run(
      `ln -s ../../../private.json ${folder}/result.json; ln -s ../../../private.json ${folder}/log.jsonl`,
      env,
    );
    expect(fakeApp.handedIn).toMatchObject([{ result: { outcome: "failed" }, log: [] }]);
    expect(JSON.stringify(fakeApp.handedIn)).not.toContain("private words");
    const other = await start();
    await other.runner.run(
      `${leave} printf 'a\\0b' >> ${folder}/log.jsonl; printf '{"x\\0": 1}' > ${folder}/result.json`,
      other.env,
    );
    expect(other.fakeApp.handedIn).toMatchObject([{ result: { x: 1 }, log: [{ text: "hello" }], changed_files: [] }]);
  });
});

describe("the push with the workflow's own token", () => {
  const FOLLOWS = "GitHub starts no workflow for such a push: CI runs on the App's commit that follows.";
  const SAID = "The work was pushed with the workflow's own token; see the run's summary for the reason.";

  test("follows when the App refuses, with the job's folder and a word about what follows", async () => {
    const { fakeApp, runner, env } = await start();
    const refusal = { status: 409, body: { error: "The job is over." } };
    runner.agent(`echo hi > hi.txt; ${leave}`);
    await runner.play("main", env);
    fakeApp.fates.push(refusal);
    const { code, output } = await runner.play("post", env);
    expect(code).toBe(0);
    const sentence = `The work was pushed with the workflow's own token because ${fakeApp.url} answers 409: The job is over. ${FOLLOWS}`;
    expect(obeyed(output)).toContain(`warning ${SAID} ${FOLLOWS}`);
    expect(runner.read("summary.md")).toContain(sentence);
    expect([runner.pushed("hi.txt"), runner.pushed(`${folder}/result.json`)]).toEqual(["hi", expect.any(String)]);
  });

  test("follows when the App cannot be reached", async () => {
    const { fakeApp, runner, env } = await start();
    runner.agent(`echo hi > hi.txt; ${leave}`);
    await runner.play("main", env);
    await fakeApp.close();
    closing.shift();
    const { code, output } = await runner.play("post", env);
    expect(code).toBe(0);
    expect(obeyed(output)).toContain(`warning ${SAID} ${FOLLOWS}`);
    expect(runner.read("summary.md")).toMatch(/^The work .+ cannot be reached: .+ECONNREFUSED/m);
    expect(runner.pushed(`${folder}/result.json`)).toContain("Say hello");
  });

  test("follows when the App's token cannot push", async () => {
    const { runner, env } = await start();
    const base64 = Buffer.from(`x-access-token:${TOKEN}`).toString("base64");
    const real = execFileSync("bash", ["-c", "command -v git"], { encoding: "utf8" }).trim();
    runner.program(
      "git",
      `if [ "$1" = push ] && [ "$GIT_CONFIG_KEY_0" = "http.file://${runner.top}/.extraHeader" ] && [ "$GIT_CONFIG_VALUE_0" = "AUTHORIZATION: basic ${base64}" ]; then echo "remote: Write access to repository not granted." >&2; exit 128; fi; exec ${real} "$@"`,
    );
    const steps = await runner.run(`echo hi > hi.txt; ${leave}`, env);
    const { code, output } = steps.post;
    expect(code).toBe(0);
    expect(runner.read("summary.md")).toContain(
      `because the push with the App's token failed: GitHub rejected the push. Write access to repository not granted. ${FOLLOWS}\n`,
    );
    expect(obeyed(output).join()).not.toContain("error ");
    expect([runner.pushed("hi.txt"), runner.pushed(`${folder}/result.json`)]).toEqual(["hi", expect.any(String)]);
  });

  test.each([
    ["notice", "the job's brief names no App", { app_url: null }, true],
    ["warning", "this workflow lacks the permission `id-token: write`", {}, false],
    [
      "warning",
      "the base commit could not be fetched for comparison",
      { base: { branch: "main", sha: "1".repeat(40) } },
      true,
    ],
  ] as const)("is a %s: %s", async (level, why, brief, permitted) => {
    const { fakeApp, runner, env } = await start({}, brief);
    const { output, code } = (await runner.run(leave, permitted ? env : {})).post;
    expect(code).toBe(0);
    expect(obeyed(output)).toContainEqual(
      expect.stringMatching(new RegExp(`^${level} The work was pushed with the workflow's own`)),
    );
    expect(runner.read("summary.md")).toContain(why);
    expect(fakeApp.handedIn).toEqual([]);
    expect(runner.pushed(`${folder}/result.json`)).toContain("Say hello");
  });

  test("of a conflict or a branch that is gone stays an error, said once", async () => {
    const { fakeApp, runner, env } = await start();
    runner.git(runner.remote, "branch", "-D", runner.branch);
    const gone = (await runner.run(leave, env)).post;
    const said = (output: string) => obeyed(output).filter((one) => one.startsWith("error"));
    expect([gone.code, said(gone.output)]).toEqual([
      1,
      [`error ${runner.branch} was deleted or cannot be reached: the work was not pushed.`],
    ]);
    expect(fakeApp.handedIn).toMatchObject([
      { result: { outcome: "done" } },
      {
        result: {
          outcome: "failed",
          reason: `The work could not be pushed: ${runner.branch} was deleted or cannot be reached.`,
        },
      },
    ]);
    const other = await start({}, { limits: BRIEF.limits });
    other.runner.commit(other.runner.branch, { "README.md": "theirs" }, "by hand");
    const conflict = (await other.runner.run(`echo ours > README.md; ${leave}`, other.env)).post;
    expect(said(conflict.output)).toEqual([
      `error ${other.runner.branch} got other commits that change the same files: the work was not pushed.`,
    ]);
    expect(other.runner.pushed("README.md")).toBe("theirs");
  });
});
