/** The repository's cache: filled and saved by a run on the default branch, and restored by those of jobs. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { writeArchive } from "../../agent/action/cache.ts";
import { namesOf } from "../../agent/action/container-names.ts";
import { Docker } from "../../agent/action/docker.ts";
import { runImageCommands } from "../../agent/action/image-commands.ts";
import { type World, world } from "../contract/sandbox-github/kit.ts";
import { JOB_ID } from "../unit/agent-job.ts";
import { Runner } from "./action-runner.ts";

const CACHE = {
  paths: ["~/.npm", "~/.cache/pip"],
  fill: ["mkdir -p ~/.npm && cp package-lock.json ~/.npm/kept", "true"],
};
const LOCK = { "package-lock.json": "one\n" };
const settings = (cache: unknown = CACHE) => ({ ".github/journeyman.yml": JSON.stringify({ cache }) });

/** Plays a volume as a folder, and what runs in a container with it as a process. */
const DOCKER = `
if [ "$1" = volume ]; then echo "$*" >> "$TEST_TOP/commands"; rm -rf "$TEST_TOP/volume"; exit 0; fi
if [ "$1" = run ]; then
  all=("$@")
  for at in "\${!all[@]}"; do if [ "\${all[at]}" = --entrypoint ]; then from=$at; fi; done
  entry="\${all[from + 1]:-}"
  if [ "$entry" = true ]; then mkdir -p "$TEST_TOP/volume"; exit 0; fi
  if [[ "$entry" = /bin/*sh ]]; then
    echo "$*" >> "$TEST_TOP/commands"; env > "$TEST_TOP/fill-env"; echo $$ > "$TEST_TOP/fill-pid"
    rest=("\${all[@]:from + 3}")
    cd "$TEST_TOP/workspace"; HOME="$TEST_TOP/volume" exec "$entry" "\${rest[@]//\\/home\\/agent/$TEST_TOP/volume}"
  fi
fi`;

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

const open: Runner[] = [];
afterEach(() => {
  for (const runner of open.splice(0)) runner.remove();
});

function start(files: Record<string, string> = { ...LOCK, ...settings() }): Runner {
  const runner = new Runner(files, { brief: { cache: CACHE } });
  open.push(runner);
  return runner;
}

/** What a runner of GitHub's sets for a run on this branch. */
function access(branch: string, sha: string): Record<string, string> {
  const { actions } = w.github;
  const run = actions.createRun({
    repository: { owner: "octo", name: "demo" },
    path: ".github/workflows/run-job.yml",
    name: "Run job",
    event: "workflow_dispatch",
    displayTitle: "Run main",
    headBranch: branch,
    headSha: sha,
    actor: "octo",
  });
  const token = actions.openCaches({ runId: run.id, ref: `refs/heads/${branch}`, sha, headRef: "", baseRef: "" });
  return { ACTIONS_RESULTS_URL: w.github.url, ACTIONS_RUNTIME_TOKEN: token };
}

/** A run of the workflow that was started by hand or by the App on this branch. */
async function fill(runner: Runner, branch = "main") {
  const sha = runner.git(runner.remote, "rev-parse", branch);
  const event = join(runner.top, "dispatch.json");
  writeFileSync(event, JSON.stringify({ repository: { default_branch: "main" } }));
  const env = {
    ...access(branch, sha),
    ...{ GITHUB_REF: `refs/heads/${branch}`, GITHUB_SHA: sha, GITHUB_EVENT_NAME: "workflow_dispatch" },
    ...{ GITHUB_EVENT_PATH: event, GITHUB_RUN_ID: "77" },
  };
  runner.agent("", DOCKER);
  const main = await runner.play("main", env);
  return { main, post: await runner.play("post", env) };
}

const job = (runner: Runner, script: string) => runner.run(script, access(runner.branch, runner.sha), DOCKER);

const saved = () => w.github.caches();
const VOLUME = `-v journeyman-${JOB_ID}-cache:/home/agent`;

describe("the cache", () => {
  test("is filled and saved by a run on the default branch, and every job starts with a copy of it", async () => {
    const runner = start();
    const before = saved().length;
    const filled = await fill(runner);
    expect(filled.main).toMatchObject({ code: 0 });
    expect(filled.main.output).toContain("The cache was filled and saved.");
    expect(filled.post).toMatchObject({ code: 0 });
    expect(runner.read("fill-env")).not.toMatch(/secret-key-123|workflow-token-1234|ACTIONS_|GITHUB_TOKEN/);
    expect(existsSync(join(runner.top, "volume"))).toBe(false);
    expect(saved().slice(before)).toMatchObject([
      { ref: "refs/heads/main", key: expect.stringMatching(/^journeyman-linux-/) },
    ]);

    const { main } = await job(
      runner,
      'cp "$TEST_TOP/volume/.npm/kept" seen.txt; echo "$AGENT_TOOLCHAIN" > told.json; echo evil > "$TEST_TOP/volume/.npm/kept"',
    );
    expect(main.output).toContain("The cache was restored.");
    expect(runner.pushed("seen.txt")).toBe("one");
    expect(JSON.parse(runner.pushed("told.json") ?? "")).toMatchObject({ home: "/home/agent", cached: CACHE.paths });
    expect(runner.commands().find((row) => row.includes(VOLUME) && row.includes("/workspace"))).toBeDefined();
    expect(existsSync(join(runner.top, "volume"))).toBe(false);

    // what the job did to its copy is gone, and nothing of it was saved
    expect(saved()).toHaveLength(before + 1);
    const next = await job(runner, 'cp "$TEST_TOP/volume/.npm/kept" again.txt');
    expect(next.main.output).toContain("The cache was restored.");
    expect(runner.pushed("again.txt")).toBe("one");
    expect((await fill(runner)).main.output).toContain("The cache of these lock files is there.");
  });

  test("of other lock files serves until a new one is filled", async () => {
    await fill(start());
    const runner = start({ "package-lock.json": "two\n", ...settings() });
    const { main } = await job(runner, 'cp "$TEST_TOP/volume/.npm/kept" seen.txt');
    expect(main.output).toContain("it is of other lock files");
    expect(runner.pushed("seen.txt")).toBe("one");
    expect((await fill(runner)).main.output).toContain("The cache was filled and saved.");
    const after = await job(runner, 'cp "$TEST_TOP/volume/.npm/kept" again.txt');
    expect(after.main.output).toContain("The cache was restored.");
    expect(runner.pushed("again.txt"), after.post.output).toBe("two");
  });

  test("that is not there leaves the job as it is, which its log says", async () => {
    const runner = start({ "package-lock.json": "three\n" });
    const env = { ...access(runner.branch, runner.sha), ACTIONS_RESULTS_URL: "http://127.0.0.1:9" };
    const { main } = await runner.run("printenv AGENT_TOOLCHAIN > told.txt || echo none > told.txt", env, DOCKER);
    expect(main.output).toContain("The cache was not restored: GitHub's cache service was not reached.");
    expect(runner.pushed("told.txt")).toBe("none");
    const without = await runner.run("true", {}, DOCKER);
    expect(without.main.output).toContain("this runner has no cache service");
  });

  test("is not filled by a run on another branch", async () => {
    const runner = start();
    runner.commit("side", { "x.txt": "x" }, "side", "main");
    const before = saved().length;
    const { main } = await fill(runner, "side");
    expect(main).toMatchObject({ code: 1 });
    expect(main.output).toContain("refs/heads/side is not a job's branch");
    expect(saved()).toHaveLength(before);
  });
});

describe("a cache that cannot be filled", () => {
  test("says which command failed, with its last lines, and saves nothing", async () => {
    const runner = start({ "go.sum": "a", ...settings({ ...CACHE, fill: ["echo 'no such package' >&2; exit 4"] }) });
    const before = saved().length;
    const { main } = await fill(runner);
    expect(main).toMatchObject({ code: 1 });
    expect(main.output).toMatch(
      /fill command `echo 'no such package' >&2; exit 4` .* ended with exit code 4\. Its last lines: `no such package`/,
    );
    expect(runner.read("summary.md")).toContain("exit code 4");
    expect(saved()).toHaveLength(before);
  });

  test.each([
    [{ ...CACHE, paths: ["/etc"] }, /cache\.paths\.0/],
    [{ ...CACHE, paths: ["~/../x"] }, /cache\.paths\.0/],
    [{ ...CACHE, paths: ["~/.ssh"] }, /none of those that hold keys/],
    [{ paths: ["~/.npm"] }, /cache\.fill/],
    ["yes", /`cache`/],
  ])("%j is refused in words", async (cache, words) => {
    const { main } = await fill(start({ "go.sum": "a", ...settings(cache) }));
    expect(main).toMatchObject({ code: 1 });
    expect(main.output).toMatch(words);
  });

  test("has none of its paths after its commands", async () => {
    const { main } = await fill(start({ "go.sum": "b", ...settings({ ...CACHE, fill: ["true"] }) }));
    expect(main).toMatchObject({ code: 1 });
    expect(main.output).toContain("none of its paths is there after the fill commands");
  });

  test("is not wanted where the settings have none", async () => {
    const { main } = await fill(start({ "go.sum": "c" }));
    expect(main).toMatchObject({ code: 0 });
    expect(main.output).toContain("There is nothing to do");
  });
});

describe("limits", () => {
  const dockerOf = (runner: Runner) =>
    new Docker({ PATH: `${join(runner.top, "bin")}:${process.env.PATH}` }, JOB_ID, (ms) => ms);

  test("a command that hangs is ended and named", async () => {
    const runner = start();
    runner.agent("", `if [ "$1" = kill ]; then kill -9 -- "-$(cat "$TEST_TOP/fill-pid")"; exit 0; fi\n${DOCKER}`);
    const failure = await runImageCommands({
      ...{
        docker: dockerOf(runner),
        commands: ["sleep 600"],
        minutes: 0.01,
        kind: "fill",
        setting: "`cache`",
        limit: "its limit",
      },
      container: { name: "x", image: "agent:test", user: "0:0", flags: [], env: {} },
      show: () => {},
    });
    expect(failure).toMatch(/^the fill command `sleep 600` \(`cache`\) was still running after/);
  });

  test("an archive that is too large is not saved", async () => {
    const runner = start();
    runner.agent(
      "",
      `mkdir -p "$TEST_TOP/volume/.npm"; head -c 300000 /dev/urandom > "$TEST_TOP/volume/.npm/x"\n${DOCKER}`,
    );
    const ports = { docker: dockerOf(runner), names: namesOf(JOB_ID), image: "agent:test" };
    const file = join(runner.top, "archive");
    await expect(writeArchive(ports, CACHE, file, 100_000)).rejects.toThrow("is larger than");
    await writeArchive(ports, CACHE, file, 1_000_000);
  });
});
