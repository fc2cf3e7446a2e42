import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { parseResult } from "../../src/contracts/result.ts";
import { JOB_ID } from "../unit/agent-job.ts";
import { obeyed, Runner } from "./action-runner.ts";
import { FakeApp } from "./fake-app.ts";
import { startLfsServer } from "./lfs-server.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function start(...setup: ConstructorParameters<typeof Runner>): Runner {
  const runner = new Runner(...setup);
  closing.push(() => runner.remove());
  return runner;
}

async function reporting(files: Record<string, string> = {}, setup: ConstructorParameters<typeof Runner>[1] = {}) {
  const fakeApp = await FakeApp.open();
  closing.push(() => fakeApp.close());
  const runner = start(files, { ...setup, brief: { app_url: fakeApp.url, ...setup?.brief } });
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url = "", ACTIONS_ID_TOKEN_REQUEST_TOKEN: token = "" } = fakeApp.environment;
  return { fakeApp, runner, env: { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: token } };
}

const folder = `.jobs/${JOB_ID}`;
const RESULT = { version: 1, outcome: "done", title: "t", body: "How.", model: "m", usage: {}, cost_cents: 1 };
const leave = `echo '${JSON.stringify(RESULT)}' > ${folder}/result.json\n`;
const resultOf = (runner: Runner) => parseResult(runner.pushed(`${folder}/result.json`) ?? "");
/** Git in the place of the agent, who may have no name. */
const AS_AGENT = "export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b.c GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b.c\n";

describe("names that the agent chooses", () => {
  test("cannot stop the runner from masking the App's token", async () => {
    const { runner, env } = await reporting();
    const { main, post } = await runner.runPrograms(
      `mkdir $'x\\n::stop-commands::pwned' $'y ##[stop-commands]pwned'; echo x > $'x\\n::stop-commands::pwned/git~1'
       echo x > $'y ##[stop-commands]pwned/git~1'; echo ok > ok.txt; ${leave}`,
      env,
    );
    expect([main.code, post.code]).toEqual([0, 0]);
    expect(obeyed(post.output)).toContain("add-mask ghs_token.of-the_app");
    expect(post.output).not.toContain("::stop-commands::pwned");
    expect(runner.pushed("ok.txt")).toBe("ok");
  });

  test("and files that git cannot take keep none of the others out, and are named", async () => {
    const runner = start({ "old.txt": "old" });
    await runner.run(`echo new > old.txt; mkdir bad; echo x > bad/git~1; echo y > bad/ok.txt; ${leave}`);
    expect([runner.pushed("old.txt"), runner.pushed("bad/ok.txt"), runner.pushed("bad/git~1")]).toEqual([
      "new",
      "y",
      null,
    ]);
    expect(resultOf(runner)?.body).toBe("How.\n\nLeft out, because git cannot add it: ` bad/git~1 `.");
  });
});

describe("attributes", () => {
  test("that the agent brings, with an encoding that its files do not have, lose no work", async () => {
    const runner = start({ "old.txt": "old" });
    const { post } = await runner.run(
      `echo '* working-tree-encoding=UTF-16' > .gitattributes; echo new > old.txt; printf 'odd' > odd.txt; ${leave}`,
    );
    expect(post.code).toBe(0);
    expect([runner.pushed("old.txt"), runner.pushed("odd.txt")]).toEqual(["new", "odd"]);
    expect(runner.pushed(".gitattributes")).toBe("* working-tree-encoding=UTF-16");
    expect(resultOf(runner)?.outcome).toBe("done");
  });

  test("of the repository's own count: an encoding and line ends are kept as they are stored", async () => {
    const attributes = "*.rc working-tree-encoding=UTF-16LE\n*.txt text eol=crlf\n";
    const runner = start({ ".gitattributes": attributes, "a.rc": "a\n", "a.txt": "a\n" });
    await runner.run(
      `printf 'b\\n' | iconv -t UTF-16LE > a.rc; printf 'b\\r\\n' > a.txt; printf 'plain' > bad.rc; ${leave}`,
    );
    expect([runner.pushed("a.rc"), runner.pushed("a.txt"), runner.pushed("bad.rc")]).toEqual(["b", "b", "plain"]);
  });

  test("on the branch, left there by an earlier attempt, do not keep a job from starting", async () => {
    const runner = start({ ".gitattributes": "* working-tree-encoding=UTF-99\n", "a.txt": "a" });
    const { main, post } = await runner.run(`echo b > b.txt; ${leave}`);
    expect([main.code, post.code]).toEqual([0, 0]);
    expect(runner.pushed("b.txt")).toBe("b");
  });
});

describe("a merge of the base", () => {
  /** Both sides change the same line; the base also has a workflow, a forbidden file and a file of its own, 60 commits on. */
  const files = { "a.txt": "1\n", "legal/x.txt": "x" };
  const THEIRS = {
    "a.txt": "theirs\n",
    "legal/x.txt": "y",
    ".github/workflows/new.yml": "on: push\n",
    "theirs.txt": "t",
  };
  const behind = {
    work: { "a.txt": "ours\n", "work.txt": "w" },
    base: THEIRS,
    commits: 60,
  };
  const brief = { forbidden_paths: ["legal/**"] };
  const parents = (runner: Runner) => runner.log("%P").split(" ");
  const conflicting = (more: Record<string, unknown> = {}) =>
    reporting(files, { behind, brief: { ...brief, ...more } });
  const merged = async (runner: Runner, fakeApp: FakeApp) => {
    expect(parents(runner)).toEqual([runner.sha, runner.git(runner.remote, "rev-parse", "main")]);
    expect(
      ["a.txt", "legal/x.txt", ".github/workflows/new.yml", "theirs.txt", "work.txt"].map((path) =>
        runner.pushed(path),
      ),
    ).toEqual(["both", "y", "on: push", "t", "w"]);
    expect(fakeApp.handedIn).toMatchObject([
      { result: { outcome: "done", put_back: [] }, changed_files: ["a.txt", "work.txt"] },
    ]);
  };

  test("by the agent itself is possible, since the history is there, and keeps both parents and all that the base brought", async () => {
    const { fakeApp, runner, env } = await conflicting();
    const base = runner.git(runner.remote, "rev-parse", "main");
    const merge = `${AS_AGENT}git merge --no-edit ${base} >/dev/null; echo both > a.txt; git add -A; git commit -qm merged`;
    expect((await runner.run(`${merge}; ${leave}`, env)).post.code).toBe(0);
    await merged(runner, fakeApp);
  });

  test("that the agent resolved and did not commit counts as well", async () => {
    const { fakeApp, runner, env } = await conflicting();
    const base = runner.git(runner.remote, "rev-parse", "main");
    await runner.run(`${AS_AGENT}git merge --no-edit ${base} >/dev/null; echo both > a.txt; ${leave}`, env);
    await merged(runner, fakeApp);
  });

  test("that the brief asks for is begun by the step, with the markers in the files", async () => {
    const { fakeApp, runner, env } = await conflicting({ merge_base: true });
    await runner.run(`grep -q '^<<<<<<<' a.txt && [ -e theirs.txt ] && echo both > a.txt; ${leave}`, env);
    await merged(runner, fakeApp);
  });

  test("is begun in a checkout of a part as well", async () => {
    const { fakeApp, runner, env } = await reporting(
      { ...files, "web/a.txt": "a" },
      { behind, partial: true, brief: { ...brief, merge_base: true, checkout_paths: ["web"] } },
    );
    expect((await runner.run(`echo both > a.txt; ${leave}`, env)).post.code).toBe(0);
    await merged(runner, fakeApp);
  });

  test("whose markers are left fails the attempt, in words", async () => {
    const { fakeApp, runner, env } = await conflicting({ merge_base: true });
    await runner.run(leave, env);
    expect(fakeApp.handedIn).toMatchObject([
      { result: { outcome: "failed", reason: "Unresolved conflicts with the base branch: ` a.txt `." } },
    ]);
    expect(parents(runner), "or GitHub would no longer see the conflict").toEqual([runner.sha]);
    expect(runner.pushed("a.txt")).not.toContain("<<<<<<<");
  });

  test("gives no leave to change what is forbidden: that is as the base has it", async () => {
    const { fakeApp, runner, env } = await conflicting({ merge_base: true });
    await runner.run(
      `echo both > a.txt; echo evil > legal/x.txt; echo evil >> .github/workflows/new.yml; ${leave}`,
      env,
    );
    expect([runner.pushed("legal/x.txt"), runner.pushed(".github/workflows/new.yml")]).toEqual(["y", "on: push"]);
    expect(fakeApp.handedIn).toMatchObject([{ result: { put_back: [".github/workflows/new.yml", "legal/x.txt"] } }]);
  });

  test("that nobody made changes nothing: one parent, and what the base has meanwhile is not the agent's doing", async () => {
    const { fakeApp, runner, env } = await conflicting();
    await runner.run(`echo more > more.txt; ${leave}`, env);
    expect(parents(runner)).toEqual([runner.sha]);
    expect(fakeApp.handedIn).toMatchObject([{ changed_files: ["a.txt", "more.txt", "work.txt"] }]);
  });
});

describe("submodules", () => {
  const SUB = "1".repeat(40);
  const files = {
    ".gitmodules": '[submodule "lib"]\n\tpath = lib\n\turl = https://example.com/lib.git\n',
    "lib/": SUB,
  };

  test("that nobody touched stay as they are", async () => {
    const runner = start(files);
    await runner.run(`echo hi > hi.txt; ${leave}`);
    expect(runner.git(runner.remote, "ls-tree", runner.branch, "lib")).toMatch(new RegExp(`^160000 commit ${SUB}`));
    expect(resultOf(runner)?.outcome).toBe("done");
  });

  test("into whose folder a file was dropped fail the attempt, in words, and nothing is lost silently", async () => {
    const runner = start(files);
    await runner.run(`echo hi > lib/hi.txt; echo ok > ok.txt; ${leave}`);
    expect(resultOf(runner)).toMatchObject({
      outcome: "failed",
      reason: expect.stringContaining("The work changes the submodule ` lib `"),
    });
    expect(runner.pushed("ok.txt")).toBe("ok");
    expect(runner.git(runner.remote, "ls-tree", runner.branch, "lib")).toMatch(/^160000 /);
  });

  test("whose commit the agent moved fail the attempt, and one that it only fetched does not", async () => {
    const runner = start();
    const library = join(runner.top, "lib.git");
    runner.git(runner.top, "init", "--quiet", "--initial-branch=main", "lib.git");
    execFileSync("bash", ["-c", "echo one > one.txt"], { cwd: library });
    runner.git(library, "add", "-A");
    runner.git(library, "commit", "--quiet", "-m", "one");
    const sha = runner.git(library, "rev-parse", "HEAD");
    const modules = `[submodule "lib"]\n\tpath = lib\n\turl = ${library}\n`;
    const fetch = `${AS_AGENT}git -c protocol.file.allow=always submodule --quiet update --init\n`;
    const untouched = start({ ".gitmodules": modules, "lib/": sha });
    await untouched.run(`${fetch}[ -e lib/one.txt ] && echo ok > ok.txt; ${leave}`);
    expect([resultOf(untouched)?.outcome, untouched.pushed("ok.txt")]).toEqual(["done", "ok"]);
    const moved = start({ ".gitmodules": modules, "lib/": sha });
    await moved.run(`${fetch}cd lib; echo two > two.txt; git add -A; git commit --quiet -m two; cd ..; ${leave}`);
    expect(resultOf(moved)).toMatchObject({ outcome: "failed", reason: expect.stringContaining("submodule ` lib `") });
  });

  test("that the agent adds are not flattened into files without a word", async () => {
    const runner = start();
    const add = `git init --quiet lib; git -C lib commit --quiet --allow-empty -m one; echo x > lib/x.txt`;
    const modules = `printf '[submodule "lib"]\\n\\tpath = lib\\n\\turl = https://example.com/lib.git\\n' > .gitmodules`;
    await runner.run(`${AS_AGENT}${add}; ${modules}; ${leave}`);
    expect(resultOf(runner)).toMatchObject({
      outcome: "failed",
      reason: expect.stringContaining("The work adds the submodule ` lib `"),
    });
  });
});

describe("files that the repository keeps in LFS", () => {
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${"a".repeat(64)}\nsize 5\n`;
  const files = { ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n", "a.bin": pointer };

  test("stay pointers when they are moved, and a raw one is put back and refused in words", async () => {
    const runner = start(files);
    runner.program("git-lfs", "exit 127");
    await runner.run(`mkdir moved; mv a.bin moved/a.bin; echo raw > new.bin; echo ok > ok.txt; ${leave}`);
    expect(runner.pushed("moved/a.bin")).toBe(pointer.trim());
    expect([runner.pushed("a.bin"), runner.pushed("new.bin"), runner.pushed("ok.txt")]).toEqual([null, null, "ok"]);
    expect(resultOf(runner)).toMatchObject({
      outcome: "failed",
      reason: expect.stringMatching(
        /^The work changes ` new\.bin `, which this repository keeps in Git LFS, and .+git-lfs/,
      ),
    });
  });

  const hasLfs = spawnSync("git-lfs", ["version"]).status === 0;
  if (!hasLfs) console.log("The test of uploads to Git LFS is left out: there is no git-lfs here.");

  test.skipIf(!hasLfs)(
    "are uploaded where the runner has git-lfs, to this repository alone, whatever the work's .lfsconfig says",
    async () => {
      const runner = start(files);
      const [server, elsewhere] = await Promise.all([startLfsServer(runner.top), startLfsServer(runner.top)]);
      closing.push(
        () => server.close(),
        () => elsewhere.close(),
      );
      const config = `printf '[lfs]\\n\\turl = ${elsewhere.url}/x.git/info/lfs\\n\\tpushurl = ${elsewhere.url}/x.git/info/lfs\\n' > .lfsconfig`;
      const { post } = await runner.run(`printf 'raw bytes' > new.bin; ${config}; ${leave}`, {
        GITHUB_SERVER_URL: server.url,
      });
      expect(post.code, post.output).toBe(0);
      expect(resultOf(runner)?.outcome).toBe("done");
      const oid = createHash("sha256").update("raw bytes").digest("hex");
      expect(runner.pushed("new.bin")).toBe(`version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize 9`);
      expect(server.objects.get(oid)?.toString("utf8")).toBe("raw bytes");
      const basic = `basic ${Buffer.from("x-access-token:workflow-token-1234").toString("base64")}`;
      expect(server.seen.find(({ path }) => path.endsWith("/info/lfs/objects/batch"))?.authorization).toBe(basic);
      expect(elsewhere.seen).toEqual([]);
    },
  );
});

describe("a push that GitHub refuses", () => {
  const HOOK = `#!/bin/sh
echo "error: GH001: Large files detected. You may want to try Git Large File Storage." >&2
echo "error: File big.bin is 120.00 MB; this exceeds GitHub's file size limit of 100.00 MB" >&2
echo "::error::gotcha" >&2
exit 1
`;

  test("is told in GitHub's own words, to the App and in the summary, and obeys nothing in them", async () => {
    const { fakeApp, runner, env } = await reporting();
    execFileSync("bash", ["-c", `cat > hooks/pre-receive; chmod +x hooks/pre-receive`], {
      cwd: runner.remote,
      input: HOOK,
    });
    const { post } = await runner.run(`echo big > big.bin; ${leave}`, env);
    expect(post.code).toBe(1);
    const words = "File big.bin is 120.00 MB; this exceeds GitHub's file size limit of 100.00 MB";
    expect(runner.read("summary.md")).toContain(words);
    expect(fakeApp.handedIn).toMatchObject([
      { result: { outcome: "done" }, changed_files: ["big.bin"] },
      { result: { outcome: "failed", reason: expect.stringContaining(words) }, changed_files: [] },
    ]);
    expect(obeyed(post.output).filter((one) => one.startsWith("error"))).toEqual([
      `error GitHub rejected the push to ${runner.branch}; the run's summary shows its message.`,
    ]);
    expect(runner.pushed("big.bin")).toBeNull();
  });
});

describe("what stops git", () => {
  test("pipes in the place of any file of the work lose none of the others, and are named", async () => {
    const runner = start({ "old.txt": "old" });
    await runner.run(
      `mkdir sub; mkfifo sub/.gitattributes sub/.gitignore pipe .git/objects/info/alternates; echo new > old.txt; ${leave}`,
    );
    expect(runner.pushed("old.txt")).toBe("new");
    expect(resultOf(runner)).toMatchObject({ outcome: "done", body: expect.stringMatching(/Left out.* pipe /) });
    expect(resultOf(runner)?.body).not.toContain("alternates");
  });

  test("files that are too large for GitHub are left out in words, and stay as they were", async () => {
    const runner = start({ "old.bin": "old" });
    await runner.run(`truncate -s 60G disk.img; truncate -s 101M old.bin; echo ok > ok.txt; ${leave}`);
    expect([runner.pushed("old.bin"), runner.pushed("ok.txt"), runner.pushed("disk.img")]).toEqual(["old", "ok", null]);
    expect(resultOf(runner)).toMatchObject({
      outcome: "done",
      body: expect.stringMatching(/Left out, because GitHub accepts no file of that size: .*` disk\.img `/),
    });
  });

  test("a git that is killed is told to the App as a failed result, with the log", async () => {
    const { fakeApp, runner, env } = await reporting();
    const real = execFileSync("which", ["git"], { encoding: "utf8" }).trim();
    const kill = `case "$*" in "add -A"*) touch "$GIT_DIR/index.lock"; kill -9 $$;; esac\nexec ${real} "$@"`;
    runner.program("git", kill);
    const { post } = await runner.run(`echo x > x.txt; echo '{}' > ${folder}/log.jsonl; ${leave}`, env);
    expect(post.code).toBe(1);
    const reason = expect.stringMatching(/^The work could not be collected: git add failed/);
    expect(fakeApp.handedIn).toMatchObject([{ result: { outcome: "failed", title: "t", reason }, changed_files: [] }]);
    expect(runner.pushed("x.txt")).toBeNull();
    expect(runner.read("summary.md")).toContain("The work could not be collected");
  });

  test("a result that is nested without end is as if it were not there", async () => {
    const runner = start();
    const nested = `printf '{"version":1,"outcome":"done","x":%s%s}' $(printf '[%.0s' {1..9000}) $(printf ']%.0s' {1..9000})`;
    await runner.run(`echo ok > ok.txt; ${nested} > ${folder}/result.json`);
    expect(runner.pushed("ok.txt")).toBe("ok");
    expect(resultOf(runner)).toMatchObject({ outcome: "failed", reason: "The agent ended without a result." });
  });

  test("a path of any length is left out in words, and keeps no later job from starting", async () => {
    const runner = start();
    const part = "aaaaaaaaaaaaaaaaaaaa/".repeat(60);
    const deep = `for _ in {1..10}; do mkdir -p ${part}; cd -P ${part}; done; echo x > x`;
    await runner.run(`(${deep}) 2>/dev/null; echo ok > ok.txt; ${leave}`);
    expect(runner.pushed("ok.txt")).toBe("ok");
    expect(resultOf(runner)?.body).toMatch(/Left out, because git cannot add it: ` a{20}\/[a/]+ `\.$/);
    const { main } = await runner.run("[ ! -e aaaaaaaaaaaaaaaaaaaa ]");
    expect(main.code, main.output).toBe(0);
  });
});

describe("a job that cannot be checked out", () => {
  test.each(["fetch", "checkout"])(
    "for a failing %s is told to the App as a failed result, and nothing is deleted",
    async (verb) => {
      const { fakeApp, runner, env } = await reporting({ "old.txt": "old" });
      const real = execFileSync("which", ["git"], { encoding: "utf8" }).trim();
      runner.program(
        "git",
        `case "$*" in ${verb}" "*) echo "fatal: the disk is full" >&2; exit 128;; esac\nexec ${real} "$@"`,
      );
      runner.agent(leave);
      const main = await runner.play("main", env);
      expect(main.code).toBe(1);
      runner.program("git", `exec ${real} "$@"`);
      await runner.play("post", env);
      const reason = expect.stringMatching(
        new RegExp(`^The agent was not started: git ${verb} failed: fatal: the disk is full`),
      );
      expect(fakeApp.handedIn).toMatchObject([{ result: { outcome: "failed", reason }, changed_files: [] }]);
      expect(runner.pushed("old.txt")).toBe("old");
    },
  );
});

describe("any number of files", () => {
  /** Starts of git in the whole of `post`. */
  async function startsOfGit(runner: Runner, script: string): Promise<number> {
    const real = execFileSync("which", ["git"], { encoding: "utf8" }).trim();
    runner.program("git-lfs", "exit 127");
    runner.program("git", `echo "$1" >> "$TEST_TOP/git-starts"\nexec ${real} "$@"`);
    runner.agent(`${script}; ${leave}`);
    await runner.play("main");
    const before = runner.read("git-starts").split("\n").length;
    expect((await runner.play("post")).code).toBe(0);
    return runner.read("git-starts").split("\n").length - before;
  }
  const MOST = 40;

  test("in LFS is looked at by few gits, and refused in words", async () => {
    const runner = start();
    const files = `seq 2000 | while read -r at; do echo "$at" > "raw-$at"; done`;
    expect(await startsOfGit(runner, `echo '* filter=lfs' > .gitattributes; ${files}`)).toBeLessThan(MOST);
    expect(resultOf(runner)).toMatchObject({
      outcome: "failed",
      reason: expect.stringContaining("there are more than 1000 of them"),
    });
  });

  test("that .gitmodules names is looked at by few gits", async () => {
    const runner = start();
    const modules = `seq 20000 | sed 's|.*|[submodule "&"]\\n\\tpath = ./lib/&/|' > .gitmodules`;
    expect(await startsOfGit(runner, `${modules}; mkdir -p lib/7; echo x > lib/7/x`)).toBeLessThan(MOST);
    expect(resultOf(runner)?.reason).toContain("The work adds the submodule ` lib/7 `");
  });

  test("that git cannot take is found by few gits", async () => {
    const runner = start();
    const files = `for at in {1..100}; do mkdir "$at"; echo x > "$at/git~1"; for file in {1..50}; do echo "$file" > "$at/$file"; done; done`;
    expect(await startsOfGit(runner, files)).toBeLessThan(MOST);
    expect(runner.pushed("100/50")).toBe("50");
    expect(resultOf(runner)).toMatchObject({ outcome: "done", body: expect.stringContaining("and 80 more") });
  });

  test("with an encoding that they do not have is found by few gits", async () => {
    const runner = start();
    const files = `echo '*.txt working-tree-encoding=UTF-16' > .gitattributes; for at in {1..900}; do echo "$at" > "$at.txt"; done`;
    expect(await startsOfGit(runner, files)).toBeLessThan(MOST + 60);
    expect(runner.pushed("900.txt")).toBe("900");
  });
});

test("everything is gone from the machine but the pristine repository", async () => {
  const runner = start();
  await runner.run(`mkdir -m 700 closed; echo x > closed/x; ${leave}`);
  expect(runner.pushed("closed/x")).toBe("x");
  expect(existsSync(join(runner.workspace, ".git", "MERGE_HEAD"))).toBe(false);
});
