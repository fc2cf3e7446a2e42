import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { State } from "../../agent/action/state.ts";
import { parseResult } from "../../src/contracts/result.ts";
import { BRIEF, JOB_ID } from "../unit/agent-job.ts";
import { obeyed, Runner } from "./action-runner.ts";

const open: Runner[] = [];
afterEach(() => {
  for (const runner of open.splice(0)) runner.remove();
});

function start(...setup: ConstructorParameters<typeof Runner>): Runner {
  const runner = new Runner(...setup);
  open.push(runner);
  return runner;
}

/** Whether the process that a stand-in has written down is there no more. */
function gone(runner: Runner, name: string): boolean {
  try {
    process.kill(Number(runner.read(name)), 0);
    return false;
  } catch {
    return true;
  }
}

const folder = `.jobs/${JOB_ID}`;
const leave = (title: string, outcome = "done") =>
  `cat > ${folder}/result.json <<'END'\n${JSON.stringify({ version: 1, outcome, title, body: "How and why.", model: "m", usage: { turns: 2, input_tokens: 3, output_tokens: 4 }, cost_cents: 1.25 })}\nEND\necho '{}' > ${folder}/log.jsonl\n`;

describe("the work is pushed by the host", () => {
  test("as one commit on top of the job's, with result and log, changes and deletions", async () => {
    const runner = start({ "old.txt": "old\n", ".gitignore": ".jobs/\nbuilt/\n" });
    const steps = await runner.runPrograms(
      `echo hi > HELLO.md; rm old.txt; mkdir built; echo x > built/x; chmod +x HELLO.md; ${leave("Say hello")}`,
    );
    expect(steps.post).toMatchObject({ code: 0 });
    expect(runner.pushed("HELLO.md")).toBe("hi");
    expect(runner.pushed("old.txt")).toBeNull();
    expect(runner.pushed("built/x")).toBeNull();
    expect(runner.pushed(`${folder}/log.jsonl`)).toBe("{}");
    expect(runner.git(runner.remote, "ls-tree", runner.branch, "HELLO.md")).toMatch(/^100755 /);
    expect(runner.log("%s|%an|%cn")).toBe("Say hello|github-actions[bot]|github-actions[bot]");
    expect(runner.git(runner.remote, "log", "-1", "--format=%s", `${runner.branch}^`)).toBe(
      `Run job ${JOB_ID}: Say hello`,
    );
    expect(runner.read("summary.md")).toContain("| Cost | ` 1.3 cents ` |");
    expect(runner.read("summary.md")).toContain("How and why.");
  });

  test("also when no file was changed", async () => {
    const runner = start();
    await runner.run(leave("Nothing to do", "nothing_to_do"));
    expect(runner.git(runner.remote, "diff", "--name-only", `${runner.branch}^`, runner.branch).split("\n")).toEqual([
      `${folder}/log.jsonl`,
      `${folder}/result.json`,
    ]);
  });

  test("also when the agent failed, and the run is red after it", async () => {
    const runner = start();
    const steps = await runner.run("echo half > half.txt; exit 1");
    expect(steps.main.code).toBe(1);
    expect(steps.post.code).toBe(0);
    expect(runner.pushed("half.txt")).toBe("half");
    expect(parseResult(runner.pushed(`${folder}/result.json`) ?? "")).toMatchObject({
      outcome: "failed",
      reason: "The agent ended without a result.",
    });
    expect(runner.log("%s")).toBe(`Job ${JOB_ID}: failed`);
  });

  test("and a title can neither skip CI, nor start a run, nor add lines", async () => {
    const runner = start();
    await runner.run(leave("Run job x [skip [skip ci]ci]\n\nskip-checks: true\u0007 [no CI] end"));
    expect(runner.log("%B").trim()).toBe(`Run-job x (skip ci)\n\nJob: ${JOB_ID}`);
  });
});

test("a run that was cut off while its commit was fetched fetches it again for its result", async () => {
  const runner = start();
  const action = join(runner.temp, "journeyman");
  const repository = join(action, "repository");
  mkdirSync(repository, { recursive: true });
  runner.git(repository, "init", "--quiet");
  // the commit came first, and neither its tree nor its files
  const input = execFileSync("git", ["cat-file", "commit", runner.sha], { cwd: runner.remote });
  const args = ["hash-object", "-t", "commit", "-w", "--stdin"];
  expect(execFileSync("git", args, { cwd: repository, input }).toString().trim()).toBe(runner.sha);
  const state: State = {
    ...{ head: runner.sha, checked_out: false, base_known: false, merge_base: null, merged: false, conflicts: [] },
    unmarked: [],
    ...{
      own_image: false,
      cached: false,
      image_problem: null,
      failure: "The run was cancelled before the agent began.",
    },
  };
  writeFileSync(join(action, "state.json"), JSON.stringify(state));
  runner.agent("");
  const { output } = await runner.play("post");
  expect(output).not.toContain("was not pushed");
  expect(parseResult(runner.pushed(`${folder}/result.json`) ?? "")).toMatchObject({
    outcome: "failed",
    reason: "The run was cancelled before the agent began.",
  });
});

describe("what the agent may not change", () => {
  test("workflow files and its own brief are put back", async () => {
    const runner = start();
    const steps = await runner.run(
      `echo evil >> .github/workflows/ci.yml; echo new > .github/workflows/new.yml; echo other > ${folder}/job.md; rm ${folder}/job.config.json; ${leave("t")}`,
    );
    expect(runner.pushed(".github/workflows/ci.yml")).toBe("on: push");
    expect(runner.pushed(".github/workflows/new.yml")).toBeNull();
    expect(runner.pushed(`${folder}/job.md`)).toBe("Say hello.");
    expect(runner.pushed(`${folder}/job.config.json`)).toContain(JOB_ID);
    expect(steps.post.output).toContain(".github/workflows/new.yml");
  });

  test("hooks, filters and configuration that it writes are never run", async () => {
    const runner = start();
    const spy = join(runner.top, "ran");
    const steps = await runner.run(`
      for hook in pre-commit pre-push post-commit reference-transaction post-index-change; do
        printf '#!/bin/sh\\necho %s >> ${spy}\\n' "$hook" > .git/hooks/$hook; chmod +x .git/hooks/$hook
      done
      for repository in . nested; do
        git init --quiet $repository
        git -C $repository config core.fsmonitor "echo fsmonitor >> ${spy}; false"
        git -C $repository config filter.spy.clean "tee -a ${spy}"
        git -C $repository config user.name x; git -C $repository config user.email x@y.z
      done
      echo '* filter=spy' > .gitattributes
      echo in > nested/file.txt
      rm -f ${spy}
      ${leave("t")}`);
    expect(steps.post).toMatchObject({ code: 0 });
    expect(existsSync(spy)).toBe(false);
    expect(runner.pushed("nested/file.txt")).toBe("in");
  });

  test("links lead nowhere out of the checkout", async () => {
    const runner = start();
    writeFileSync(join(runner.top, "private.json"), JSON.stringify({ title: "private words" }));
    const steps = await runner.run(
      `ln -s ../../../private.json ${folder}/result.json; ln -s ../private.json out; rm -rf .github; ln -s .. .github`,
    );
    expect(steps.post.code).toBe(0);
    expect(runner.log("%B") + runner.read("summary.md")).not.toContain("private words");
    expect(runner.git(runner.remote, "ls-tree", runner.branch, "out")).toMatch(/^120000 /);
    expect(runner.pushed(".github/workflows/ci.yml")).toBe("on: push");
    expect(parseResult(runner.pushed(`${folder}/result.json`) ?? "")?.outcome).toBe("failed");
  });

  test("the job's folder itself may be a link or gone", async () => {
    const runner = start();
    const steps = await runner.run("rm -rf .jobs; ln -s .. .jobs");
    expect(steps.post.code).toBe(0);
    expect(runner.pushed(`${folder}/job.md`)).toBe("Say hello.");
    expect(existsSync(join(runner.top, JOB_ID))).toBe(false);
  });
});

describe("what the repository forbids", () => {
  const brief = { forbidden_paths: ["src/legal", "**/*.lock", "infra/*.tf", "we ird/[ab].txt"] };
  const files = {
    "src/legal/a.txt": "a",
    "deep/x.lock": "x",
    "infra/main.tf": "m",
    "we ird/a.txt": "w",
    "ok.txt": "o",
  };

  test("is put back, changes, new files and deletions alike, and named in result, summary and log", async () => {
    const runner = start(files, { brief });
    const steps = await runner.run(`
      echo evil > src/legal/a.txt; echo new > src/legal/b.txt; rm deep/x.lock; echo new > top.lock
      mv infra/main.tf infra/deep.tf.txt; echo changed > 'we ird/a.txt'; echo fine > ok.txt
      echo evil >> .github/workflows/ci.yml; echo '{"forbidden_paths":[]}' > ${folder}/job.config.json; ${leave("t")}`);
    expect(steps.post).toMatchObject({ code: 0 });
    expect(Object.keys(files).map((path) => runner.pushed(path))).toEqual(["a", "x", "m", "w", "fine"]);
    for (const path of ["src/legal/b.txt", "top.lock"]) expect(runner.pushed(path)).toBeNull();
    const names = [".github/workflows/ci.yml", "deep/x.lock", "infra/main.tf"];
    const all = [...names, "src/legal/a.txt", "src/legal/b.txt", "top.lock", "we ird/a.txt"];
    expect(parseResult(runner.pushed(`${folder}/result.json`) ?? "")).toMatchObject({ title: "t", put_back: all });
    for (const name of all) {
      expect(runner.read("summary.md")).toContain(`\` ${name} \``);
      expect(steps.post.output).toContain(JSON.stringify(name));
    }
  });

  test("cannot be widened by a file of another job, nor spoken about by a file's name", async () => {
    const runner = start({}, { brief: { forbidden_paths: ["**/*.lock"] } });
    const steps = await runner.run(
      `mkdir .jobs/zz99zz99; echo x > .jobs/zz99zz99/job.md; touch $'a\n::error::gotcha.lock'; ${leave("t")}`,
    );
    expect(runner.pushed(".jobs/zz99zz99/job.md")).toBeNull();
    expect(obeyed(steps.post.output).join()).not.toContain("gotcha");
  });
});

describe("the base branch", () => {
  test("of a later attempt is fetched with the workflow's token, and its instructions can be read", async () => {
    const runner = start({ "AGENTS.md": "Use tabs." }, { brief: {}, attempts: 2 });
    const sha = runner.git(runner.remote, "rev-parse", "main");
    const steps = await runner.run(`git cat-file blob ${sha}:AGENTS.md > seen.txt; ${leave("t")}`);
    expect(steps.main).toMatchObject({ code: 0, output: expect.not.stringContaining("could not be fetched") });
    expect(runner.pushed("seen.txt")).toBe("Use tabs.");
    expect(runner.git(runner.remote, "for-each-ref", "refs/journeyman")).toBe("");
  });

  test("that cannot be fetched is warned of, and the job goes on", async () => {
    const runner = start({}, { brief: { base: { branch: "main", sha: "1".repeat(40) } } });
    const steps = await runner.run(leave("t"));
    expect(steps.main.code).toBe(0);
    expect(steps.main.output).toContain("The base commit 1111");
    expect(steps.post.code).toBe(0);
  });
});

describe("a checkout of a part", () => {
  const files = {
    "web/a.txt": "a",
    "web/deep/b.txt": "b",
    "api/c.txt": "c",
    "AGENTS.md": "Use tabs.",
    "web/AGENTS.md": "x",
  };
  const brief = { checkout_paths: ["web"], forbidden_paths: ["api"] };

  test("holds the folders that are named, and its push leaves the others as they are", async () => {
    const runner = start(files, { brief, partial: true, attempts: 2 });
    runner.commit(runner.branch, { "theirs.txt": "theirs" }, "by hand");
    const sha = runner.git(runner.remote, "rev-parse", "main");
    const steps = await runner.run(`
      export GIT_ALLOW_PROTOCOL=none
      find . -path ./.git -prune -o -type f ! -name list.txt -print | sort > list.txt
      git cat-file blob ${sha}:AGENTS.md > seen.txt
      echo changed > web/a.txt; rm web/deep/b.txt; mkdir new api; echo n > new/n.txt; echo evil > api/c.txt; echo x > api/x
      ${leave("t")}`);
    expect(steps.post).toMatchObject({ code: 0 });
    const own = ["job.config.json", "job.md"].map((name) => `./${folder}/${name}`);
    const held = ["./AGENTS.md", "./README.md", "./web/AGENTS.md", "./web/a.txt", "./web/deep/b.txt"];
    expect(runner.pushed("list.txt")?.split("\n")).toEqual([...own, ...held]);
    expect(
      ["web/a.txt", "new/n.txt", "api/c.txt", "seen.txt", "theirs.txt"].map((path) => runner.pushed(path)),
    ).toEqual(["changed", "n", "c", "Use tabs.", "theirs"]);
    expect([runner.pushed("web/deep/b.txt"), runner.pushed("api/x")]).toEqual([null, null]);
    expect(parseResult(runner.pushed(`${folder}/result.json`) ?? "")?.put_back).toEqual(["api/c.txt", "api/x"]);
  });

  test("is made whole where the brief names no folder", async () => {
    const runner = start(files, { partial: true });
    await runner.run(`cat api/c.txt > seen.txt; ${leave("t")}`);
    expect(runner.pushed("seen.txt")).toBe("c");
    expect(runner.pushed("api/c.txt")).toBe("c");
  });
});

describe("a branch that changed meanwhile", () => {
  test("other files: both are kept", async () => {
    const runner = start();
    runner.commit(runner.branch, { "theirs.txt": "theirs" }, "by hand");
    const steps = await runner.run(`echo ours > ours.txt; ${leave("t")}`);
    expect(steps.post).toMatchObject({ code: 0 });
    expect([runner.pushed("ours.txt"), runner.pushed("theirs.txt")]).toEqual(["ours", "theirs"]);
    expect(runner.git(runner.remote, "log", "-1", "--format=%s", `${runner.branch}^`)).toBe("by hand");
  });

  test("the same file: nothing is lost on the branch and the step says so", async () => {
    const runner = start();
    runner.commit(runner.branch, { "README.md": "theirs" }, "by hand");
    const steps = await runner.run(`echo ours > README.md; ${leave("t")}`);
    expect(steps.post.code).toBe(1);
    expect(steps.post.output).toContain("::error::");
    expect(runner.pushed("README.md")).toBe("theirs");
  });

  test("a deleted branch does not come back", async () => {
    const runner = start();
    runner.git(runner.remote, "branch", "-D", runner.branch);
    const steps = await runner.run(leave("t"));
    expect(steps.post.code).toBe(1);
    expect(steps.post.output).toContain("was deleted");
    expect(runner.git(runner.remote, "branch", "--list", runner.branch)).toBe("");
  });
});

describe("the containers", () => {
  test("the agent gets names of variables and never a value, the checkout alone, no rights, and no key", async () => {
    const runner = start();
    const env = { AGENT_LLM_X: "secret-x", AGENT_Y: "secret-y", INPUT_LLM_MODEL: "some-model", INPUT_LLM_PROVIDER: "" };
    expect((await runner.runPrograms("true", env)).main.code).toBe(0);
    const calls = runner.commands().filter((line) => line.startsWith("run "));
    const [gateway = "", agent = ""] = ["--entrypoint gateway", "-w /workspace"].map((flag) =>
      calls.find((line) => line.includes(flag)),
    );
    expect(calls).toHaveLength(2);
    const given = (call: string) => [...call.matchAll(/ -e (\S+)/g)].map(([, name]) => name);
    expect(given(agent)).toEqual(["JOB_ID", "LLM_MODEL", "LOG_FORMAT", "MODEL_GATEWAY", "AGENT_LLM_X"]);
    expect(given(gateway)).toEqual(["ANTHROPIC_API_KEY", "GATEWAY_PORT", "LLM_MODEL", "LLM_MAX_COST_CENTS"]);
    expect(runner.commands().join(" ")).not.toContain("secret");
    expect(agent.match(/\S*run-job-test-\S*/g)).toEqual([`${runner.workspace}:/workspace`]);
    expect(gateway).not.toMatch(/run-job-test-| -v /);
    expect(agent).not.toContain("--init");
    for (const call of calls) expect(call).toContain("--cap-drop ALL --security-opt no-new-privileges");
    expect(agent).toContain("--user 10001:10001");
    expect(gateway).toContain("--user 10002:10002");
    expect(runner.read("agent-env")).toContain("MODEL_GATEWAY=http://gateway:8080\n");
    expect(runner.read("agent-env")).not.toMatch(/API_KEY|TOKEN|secret-y|GITHUB|ACTIONS/);
    expect(runner.read("gateway-env")).toContain(`LLM_MAX_COST_CENTS=${BRIEF.limits.cost_cents}\n`);
    expect(runner.read("gateway-env")).toContain(`LLM_MODEL=${BRIEF.llm.model}\n`);
  });

  test("of a brief under a budget, the gateway is told so", async () => {
    const runner = start({}, { brief: { budgeted: true } });
    expect((await runner.run("true")).main.code).toBe(0);
    expect(runner.read("gateway-env")).toContain("LLM_BUDGETED=true\n");
  });

  test("under a budget, none begins for a run that was started again on GitHub", async () => {
    const runner = start({}, { brief: { budgeted: true } });
    const { main } = await runner.run(leave("Work"), { GITHUB_RUN_ATTEMPT: "2" });
    expect(main.output).toContain("The agent was not started: this run was started again on GitHub");
    expect(runner.commands().filter((line) => line.startsWith("run "))).toEqual([]);
    expect(main.code).toBe(1);
    expect(parseResult(runner.pushed(`${folder}/result.json`) ?? "")).toMatchObject({
      outcome: "failed",
      reason: expect.stringContaining("Say `/job retry` instead."),
    });
  });

  test("docker itself sees where its engine is, and nothing that says who the run is", async () => {
    const runner = start();
    const env = {
      ...{ DOCKER_HOST: "unix:///elsewhere.sock", XDG_RUNTIME_DIR: "/run/user/1", OTHER_SECRET: "s" },
      ...{ ACTIONS_ID_TOKEN_REQUEST_URL: "https://token.example", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "request-token" },
    };
    await runner.runPrograms("true", env, `env >> "$TEST_TOP/docker-env"`);
    const seen = runner.read("docker-env");
    expect(seen).toContain("DOCKER_HOST=unix:///elsewhere.sock");
    expect(seen).toContain("XDG_RUNTIME_DIR=/run/user/1");
    expect(seen).not.toMatch(/ACTIONS_|GITHUB_|INPUT_|OTHER_SECRET|RUNNER_/);
  });

  test("cannot speak to the runner through their output, at the start of a line or within one", async () => {
    const runner = start();
    const { main, post } = await runner.runPrograms(
      `echo ::error::gotcha; echo 'x ##[error]gotcha'; printf 'a\\r::error::gotcha\\n'; echo '::error::gotcha' >&2
       touch $'a\\n::error::gotcha.lock'; ${leave("::error::gotcha ##[error]gotcha")}`,
    );
    expect(main.output).toContain("gotcha");
    expect(main.output).toMatch(
      /^::add-mask::secret-key-123\n::add-mask::workflow-token-1234\n::stop-commands::[0-9a-f]{32}\n/,
    );
    expect(main.output).not.toMatch(/##\[/);
    expect(obeyed(main.output).map((one) => one.split(" ")[0])).toEqual(["add-mask", "add-mask"]);
    expect(obeyed(post.output).join("\n")).not.toContain("gotcha");
  });

  test("nor to problem matchers of earlier steps", async () => {
    const runner = start();
    const rows = [
      "src/a.ts(1,2): error TS1: gotcha",
      "./a.go:12:3: gotcha",
      '  File "a.py", line 3, in x',
      "  1:2  error  gotcha  rule",
    ];
    const { main } = await runner.run(rows.map((row) => `echo '${row}'`).join("\n"));
    const matchers = [
      /^([^\s].*)[(:](\d+)[,:](\d+)(?:\):\s+|\s+-\s+)(error|warning|info)\s+(TS\d+)\s*:\s*(.*)$/m,
      /^\s*(.+\.go):(?:(\d+):(\d+):)? (.*)$/m,
      /^.*File\s"(.*)",\sline\s(\d+),\sin\s(.*)$/m,
      /^.*\s+(\d+):(\d+)\s+(error|warning|info)\s+(.*)\s\s+(.*)$/m,
    ];
    expect(main.output).toContain("gotcha");
    for (const matcher of matchers) expect(main.output).not.toMatch(matcher);
  });

  test("are told when the run is cancelled, and what the agent did is still pushed", async () => {
    const runner = start();
    runner.agent(`trap 'echo told > told.txt; exit 1' TERM; touch ready; while :; do sleep 0.05; done`);
    const { child, ended } = runner.start("main");
    await vi.waitFor(() => expect(existsSync(join(runner.workspace, "ready"))).toBe(true), { timeout: 30_000 });
    child.kill("SIGINT");
    expect(await ended).toMatchObject({ code: 1 });
    await runner.play("post");
    expect(runner.pushed("told.txt")).toBe("told");
    await vi.waitFor(() => expect(gone(runner, "gateway")).toBe(true), { timeout: 30_000 });
  });

  test("that do not end when they are told are removed, and the step ends", async () => {
    const runner = start();
    runner.agent(
      `echo $$ > "$TEST_TOP/agent"; trap '' TERM; touch ready; while :; do sleep 0.05; done`,
      `if [ "$1" = rm ] && [ -e "$TEST_TOP/agent" ]; then kill -9 $(cat "$TEST_TOP/agent") 2>/dev/null; fi`,
    );
    const { child, ended } = runner.start("main");
    await vi.waitFor(() => expect(existsSync(join(runner.workspace, "ready"))).toBe(true), { timeout: 30_000 });
    child.kill("SIGINT");
    expect((await ended).code).toBe(1);
    await vi.waitFor(() => expect(gone(runner, "agent")).toBe(true), { timeout: 30_000 });
    await runner.play("post");
    expect(parseResult(runner.pushed(`${folder}/result.json`) ?? "")?.reason).toBe("The run was cancelled.");
  });

  test("a gateway that ends first ends the agent, and the result says why", async () => {
    const runner = start();
    const { main } = await runner.run(
      "trap 'exit 1' TERM; while :; do sleep 0.05; done",
      {},
      `case "$*" in *gateway*agent:test) echo "The gateway cannot start: no model." >&2; exit 2;; esac`,
    );
    expect(main.code).toBe(1);
    expect(parseResult(runner.pushed(`${folder}/result.json`) ?? "")).toMatchObject({
      outcome: "failed",
      reason: "The gateway to the model ended before the agent: The gateway cannot start: no model.",
    });
  });

  test("an image that Docker could not get is told as such", async () => {
    const runner = start();
    await runner.run(
      "true",
      {},
      `case "$*" in *"-w /workspace"*|*"--entrypoint gateway"*) echo "docker: pull access denied." >&2; exit 125;; "image inspect"*) exit 1;; esac`,
    );
    const result = parseResult(runner.pushed(`${folder}/result.json`) ?? "");
    expect(result).toMatchObject({ outcome: "failed", permanent_error: null, image_missing: true });
    expect(result?.reason).toContain("docker: pull access denied.");
  });

  test("a container that docker cannot start is told in docker's words", async () => {
    const runner = start();
    const { main } = await runner.run(
      "true",
      {},
      `case "$*" in *"-w /workspace"*) echo "docker: no such image." >&2; exit 125;; esac`,
    );
    expect(main.code).toBe(1);
    expect(parseResult(runner.pushed(`${folder}/result.json`) ?? "")?.reason).toBe(
      "The agent's container could not be started: docker: no such image.",
    );
    expect(parseResult(runner.pushed(`${folder}/result.json`) ?? "")?.image_missing).toBe(false);
  });
});

describe("what an earlier attempt left on the machine", () => {
  test("is cleared away before and after: containers, networks and files, whoever owns them", async () => {
    const runner = start();
    mkdirSync(join(runner.workspace, ".git", "hooks"), { recursive: true });
    writeFileSync(join(runner.workspace, ".git", "config"), `[core]\n\tfsmonitor = touch ${join(runner.top, "ran")}\n`);
    writeFileSync(join(runner.workspace, "left.txt"), "x");
    await runner.run(leave("t"));
    expect(existsSync(join(runner.top, "ran"))).toBe(false);
    expect(runner.pushed("left.txt")).toBeNull();
    const removed = `rm -f journeyman-${JOB_ID} journeyman-${JOB_ID}-gateway`;
    expect(runner.commands()[0]).toBe(removed);
    expect(runner.commands().slice(-2)).toEqual([
      removed,
      `network rm journeyman-${JOB_ID} journeyman-${JOB_ID}-fence`,
    ]);
  });

  test("a network that has the name already is removed, and made anew", async () => {
    const runner = start();
    const { main } = await runner.run(
      leave("t"),
      {},
      `if [ "$1 $2" = "network create" ] && [ ! -e "$TEST_TOP/removed" ]; then echo "already exists" >&2; exit 1; fi
       if [ "$1 $2" = "network rm" ]; then touch "$TEST_TOP/removed"; fi`,
    );
    expect(main.code).toBe(0);
  });

  test("a pristine repository stays behind, in which nothing of the agent's runs", async () => {
    const runner = start();
    await runner.run(
      `git config core.fsmonitor "touch ${runner.top}/ran"; echo x > .git/hooks/pre-push; ${leave("t")}`,
    );
    expect(readFileSync(join(runner.workspace, ".git", "config"), "utf8")).not.toContain("fsmonitor");
    expect(existsSync(join(runner.workspace, ".git", "hooks"))).toBe(false);
  });
});

test("a branch that is no job's is refused before anything is done", async () => {
  const runner = start();
  runner.agent("true");
  for (const name of ["job/../../etc", "job/AB12CD34", "job/ab12cd34x", "feature/x"]) {
    const { code, output } = await runner.start("main", { GITHUB_REF: `refs/heads/${name}` }).ended;
    expect([code, output]).toEqual([1, expect.stringContaining(`refs/heads/${name} is not a job's branch`)]);
  }
  const post = await runner.play("post");
  expect(post).toMatchObject({ code: 0, output: expect.stringContaining("nothing to push") });
  expect(runner.commands().filter((line) => line.startsWith("run "))).toEqual([]);
});

test("a workspace that is more than one is not emptied", async () => {
  const runner = start();
  runner.agent("true");
  writeFileSync(join(runner.workspace, "kept.txt"), "x");
  for (const env of [{ HOME: runner.workspace }, { RUNNER_TEMP: join(runner.workspace, "temp") }]) {
    const { code, output } = await runner.play("main", env);
    expect([code, output]).toEqual([1, expect.stringContaining("is a parent of other folders")]);
  }
  expect(existsSync(join(runner.workspace, "kept.txt"))).toBe(true);
});

test("a run works on a brief, and on nothing else", async () => {
  const runner = start();
  runner.agent("true");
  runner.commit(runner.branch, { "x.txt": "x" }, `Job ${JOB_ID}: Say hello`);
  const sha = runner.git(runner.remote, "rev-parse", runner.branch);
  const refused = await runner.play("main", { GITHUB_SHA: sha, GITHUB_EVENT_NAME: "workflow_dispatch" });
  expect(refused.code).toBe(1);
  expect(refused.output).toContain("is not the brief of a job");
  expect(runner.commands().filter((line) => line.startsWith("run "))).toEqual([]);
});
