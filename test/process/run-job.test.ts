import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { parseResult } from "../../src/wire/result.ts";
import { BRIEF, JOB_ID } from "../unit/agent-job.ts";
import { Runner } from "./workflow-steps.ts";

const open: Runner[] = [];
afterEach(() => {
  for (const runner of open.splice(0)) runner.remove();
});

function start(...setup: ConstructorParameters<typeof Runner>): Runner {
  const runner = new Runner(...setup);
  open.push(runner);
  return runner;
}

const folder = `.jobs/${JOB_ID}`;
const leave = (title: string, outcome = "done") =>
  `cat > ${folder}/result.json <<'END'\n${JSON.stringify({ version: 1, outcome, title, body: "How and why.", model: "m", usage: { turns: 2, input_tokens: 3, output_tokens: 4 }, cost_cents: 1.25 })}\nEND\necho '{}' > ${folder}/log.jsonl\n`;

describe("the work is pushed by the host", () => {
  test("as one commit on top of the job's, with result and log, changes and deletions", async () => {
    const runner = start({ "old.txt": "old\n", ".gitignore": ".jobs/\nbuilt/\n" });
    const steps = await runner.run(
      `echo hi > HELLO.md; rm old.txt; mkdir built; echo x > built/x; chmod +x HELLO.md; ${leave("Say hello")}`,
    );
    expect(steps["Push the work"]).toMatchObject({ code: 0 });
    expect(runner.pushed("HELLO.md")).toBe("hi");
    expect(runner.pushed("old.txt")).toBeNull();
    expect(runner.pushed("built/x")).toBeNull();
    expect(runner.pushed(`${folder}/log.jsonl`)).toBe("{}");
    expect(runner.git(runner.remote, "ls-tree", runner.branch, "HELLO.md")).toMatch(/^100755 /);
    expect(runner.log("%s|%an|%cn")).toBe(`Job ${JOB_ID}: Say hello|github-actions[bot]|github-actions[bot]`);
    expect(runner.git(runner.remote, "log", "-1", "--format=%s", `${runner.branch}^`)).toBe(
      `Run job ${JOB_ID}: Say hello`,
    );
    expect(runner.read("summary.md")).toContain("| Cost | 1.3 cents |");
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
    expect(steps["Run the agent"].code).toBe(1);
    expect(steps["Push the work"].code).toBe(0);
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
    expect(runner.log("%B").trim()).toBe(`Job ${JOB_ID}: Run job x end`);
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
    expect(steps["Push the work"].output).toContain(".github/workflows/new.yml");
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
    expect(steps["Push the work"]).toMatchObject({ code: 0 });
    expect(existsSync(spy)).toBe(false);
    expect(runner.pushed("nested/file.txt")).toBe("in");
  });

  test("links lead nowhere out of the checkout", async () => {
    const runner = start();
    writeFileSync(join(runner.top, "private.json"), JSON.stringify({ title: "private words" }));
    const steps = await runner.run(
      `ln -s ../../../private.json ${folder}/result.json; ln -s ../private.json out; rm -rf .github; ln -s .. .github`,
    );
    expect(steps["Push the work"].code).toBe(0);
    expect(runner.log("%B") + runner.read("summary.md")).not.toContain("private words");
    expect(runner.git(runner.remote, "ls-tree", runner.branch, "out")).toMatch(/^120000 /);
    expect(runner.pushed(".github/workflows/ci.yml")).toBe("on: push");
    expect(parseResult(runner.pushed(`${folder}/result.json`) ?? "")?.outcome).toBe("failed");
  });

  test("the job's folder itself may be a link or gone", async () => {
    const runner = start();
    const steps = await runner.run("rm -rf .jobs; ln -s .. .jobs");
    expect(steps["Push the work"].code).toBe(0);
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
    expect(steps["Push the work"]).toMatchObject({ code: 0 });
    expect(Object.keys(files).map((path) => runner.pushed(path))).toEqual(["a", "x", "m", "w", "fine"]);
    for (const path of ["src/legal/b.txt", "top.lock"]) expect(runner.pushed(path)).toBeNull();
    const names = [".github/workflows/ci.yml", "deep/x.lock", "infra/main.tf"];
    const all = [...names, "src/legal/a.txt", "src/legal/b.txt", "top.lock", "we ird/a.txt"];
    expect(parseResult(runner.pushed(`${folder}/result.json`) ?? "")).toMatchObject({ title: "t", put_back: all });
    for (const name of all) {
      expect(runner.read("summary.md")).toContain(`\`${name}\``);
      expect(steps["Push the work"].output).toContain(JSON.stringify(name));
    }
  });

  test("cannot be widened by a file of another job, nor spoken about by a file's name", async () => {
    const runner = start({}, { brief: { forbidden_paths: ["**/*.lock"] } });
    const steps = await runner.run(
      `mkdir .jobs/zz99zz99; echo x > .jobs/zz99zz99/job.md; touch $'a\n::error::gotcha.lock'; ${leave("t")}`,
    );
    expect(runner.pushed(".jobs/zz99zz99/job.md")).toBeNull();
    expect(steps["Push the work"].output).not.toMatch(/^\s*::error::/m);
  });
});

describe("the base branch", () => {
  test("of a later try is fetched with the workflow's token, and its instructions can be read", async () => {
    const runner = start({ "AGENTS.md": "Use tabs." }, { brief: {}, tries: 2 });
    const sha = runner.git(runner.remote, "rev-parse", "main");
    const steps = await runner.run(`git cat-file blob ${sha}:AGENTS.md > seen.txt; ${leave("t")}`);
    expect(steps.Prepare).toMatchObject({ code: 0, output: "" });
    expect(runner.pushed("seen.txt")).toBe("Use tabs.");
    expect(runner.git(runner.remote, "for-each-ref", "refs/journeyman")).toBe("");
  });

  test("that cannot be fetched is warned of, and the job goes on", async () => {
    const runner = start({}, { brief: { base: { branch: "main", sha: "1".repeat(40) } } });
    const steps = await runner.run(leave("t"));
    expect(steps.Prepare.code).toBe(0);
    expect(steps.Prepare.output).toContain("::warning::the base commit 1111");
    expect(steps["Push the work"].code).toBe(0);
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
    const runner = start(files, { brief, partial: true, tries: 2 });
    runner.commit(runner.branch, { "theirs.txt": "theirs" }, "by hand");
    const sha = runner.git(runner.remote, "rev-parse", "main");
    const steps = await runner.run(`
      export GIT_ALLOW_PROTOCOL=none
      find . -path ./.git -prune -o -type f ! -name list.txt -print | sort > list.txt
      git cat-file blob ${sha}:AGENTS.md > seen.txt
      echo changed > web/a.txt; rm web/deep/b.txt; mkdir new api; echo n > new/n.txt; echo evil > api/c.txt; echo x > api/x
      ${leave("t")}`);
    expect(steps["Push the work"]).toMatchObject({ code: 0 });
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
    expect(steps["Push the work"]).toMatchObject({ code: 0 });
    expect([runner.pushed("ours.txt"), runner.pushed("theirs.txt")]).toEqual(["ours", "theirs"]);
    expect(runner.git(runner.remote, "log", "-1", "--format=%s", `${runner.branch}^`)).toBe("by hand");
  });

  test("the same file: nothing is lost on the branch and the step says so", async () => {
    const runner = start();
    runner.commit(runner.branch, { "README.md": "theirs" }, "by hand");
    const steps = await runner.run(`echo ours > README.md; ${leave("t")}`);
    expect(steps["Push the work"].code).toBe(1);
    expect(steps["Push the work"].output).toContain("::error::");
    expect(runner.pushed("README.md")).toBe("theirs");
  });

  test("a deleted branch does not come back", async () => {
    const runner = start();
    runner.git(runner.remote, "branch", "-D", runner.branch);
    const steps = await runner.run(leave("t"));
    expect(steps["Push the work"].code).toBe(1);
    expect(steps["Push the work"].output).toContain("is gone");
    expect(runner.git(runner.remote, "branch", "--list", runner.branch)).toBe("");
  });
});

describe("the container", () => {
  test("gets names of variables and never a value, the checkout alone, and no rights", async () => {
    const runner = start();
    runner.agent("true");
    await runner.step("Prepare").ended;
    const env = {
      AGENT_IMAGE: "agent:test",
      ANTHROPIC_API_KEY: "secret-key-123",
      AGENT_LLM_X: "secret-x",
      AGENT_Y: "secret-y",
    };
    expect((await runner.step("Run the agent", env).ended).code).toBe(0);
    const args = runner.read("docker-args").split("\n");
    const given = args.flatMap((arg, at) => (arg === "-e" ? [args[at + 1]] : []));
    expect(given).toEqual([
      "JOB_ID",
      "ANTHROPIC_API_KEY",
      "ANTHROPIC_BASE_URL",
      "LLM_PROVIDER",
      "LLM_MODEL",
      "LLM_MAX_TOKENS",
      "LOG_FORMAT",
      "AGENT_LLM_X",
    ]);
    expect(args.join(" ")).not.toContain("secret");
    expect(args.filter((arg) => arg.includes(runner.top))).toEqual([`${runner.workspace}:/workspace`]);
    expect(args).not.toContain("--init");
    expect(args.join(" ")).toContain("--user 10001:10001 --cap-drop ALL --security-opt no-new-privileges");
  });

  test("cannot speak to the runner through its output", async () => {
    const runner = start();
    const { output } = (await runner.run("echo ::error::gotcha"))["Run the agent"];
    const token = /^::stop-commands::([0-9a-f]{32})$/m.exec(output)?.[1];
    expect(output).toMatch(new RegExp(`::stop-commands::${token}\n::error::gotcha\n::${token}::\n$`));
  });

  test("is told when the run is cancelled, and what it did is still pushed", async () => {
    const runner = start();
    runner.agent(`trap 'echo told > told.txt; exit 1' TERM; touch ready; while :; do sleep 0.05; done`);
    await runner.step("Prepare").ended;
    const { child, ended } = runner.step("Run the agent", { AGENT_IMAGE: "agent:test" });
    await vi.waitFor(() => expect(existsSync(join(runner.workspace, "ready"))).toBe(true), { timeout: 30_000 });
    child.kill("SIGTERM");
    expect(await ended).toMatchObject({ code: 1 });
    await runner.step("Push the work").ended;
    expect(runner.pushed("told.txt")).toBe("told");
  });

  test("that hangs is ended two minutes after the job's own limit", async () => {
    const runner = start({}, { brief: { limits: { ...BRIEF.limits, minutes: 7 } } });
    runner.agent("true");
    writeFileSync(join(runner.top, "bin", "timeout"), '#!/bin/sh\necho "$@" >> "$TEST_TOP/timeouts"\n', {
      mode: 0o755,
    });
    await runner.step("Prepare").ended;
    await runner.step("Run the agent", { AGENT_IMAGE: "agent:test" }).ended;
    expect(runner.read("timeouts")).toMatch(/^--signal=TERM --kill-after=60s 9m docker run /);
  });
});

test("a branch that is no job's is refused before anything is done", async () => {
  const runner = start();
  runner.agent("true");
  for (const name of ["job/../../etc", "job/AB12CD34", "job/ab12cd34x", "feature/x"]) {
    const { code, output } = await runner.step("Prepare", { GITHUB_REF_NAME: name }).ended;
    expect([code, output]).toEqual([1, `::error::${name} is not the branch of a job\n`]);
  }
  const push = await runner.step("Push the work").ended;
  expect(push).toMatchObject({ code: 1, output: expect.stringContaining("nothing to push") });
});

test("a dispatched run works on a brief, and on nothing else", async () => {
  const event = { GITHUB_EVENT_NAME: "workflow_dispatch" };
  const runner = start();
  expect((await runner.step("Prepare", event).ended).code).toBe(0);
  const later = start();
  later.git(later.workspace, "commit", "--quiet", "--allow-empty", "-m", `Job ${JOB_ID}: Say hello`);
  const refused = await later.step("Prepare", event).ended;
  expect(refused.code).toBe(1);
  expect(refused.output).toContain("is not the brief of a job");
});
