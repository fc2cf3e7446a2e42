/**
 * release.yml, played: the `run` lines of its jobs, in their order, on a copy of these sources with an origin of its own.
 * Docker and gh are stand-ins that note what they are asked; git, Node and the bundler are real.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { PUBLISHER, registryOf } from "../../src/contracts/publisher.ts";
import { VERSION } from "../../src/contracts/version.ts";

const ROOT = join(import.meta.dirname, "../..");
const top = mkdtempSync(join(tmpdir(), "release-test-"));
afterAll(() => rmSync(top, { recursive: true, force: true }));
const clone = join(top, "clone");
const origin = join(top, "origin.git");
const DIGEST = `sha256:${"1".repeat(64)}`;

const workflow = z
  .object({
    jobs: z.record(
      z.string(),
      z.object({
        needs: z.string().optional(),
        permissions: z.record(z.string(), z.string()).optional(),
        steps: z.array(z.object({ uses: z.string().optional(), run: z.string().optional() })),
      }),
    ),
  })
  .parse(parse(readFileSync(join(ROOT, ".github/workflows/release.yml"), "utf8")));

const git = (...args: string[]): string =>
  execFileSync("git", ["-c", "user.name=ada", "-c", "user.email=ada@example.com", ...args], {
    cwd: clone,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }).trim();

function program(name: string, script: string): void {
  const path = join(top, "bin", name);
  writeFileSync(path, `#!/bin/bash\necho "$*" >> "$TOP/${name}"\n${script}\n`);
  chmodSync(path, 0o755);
}

const pinned = /^ARG NODE_IMAGE=(node:([\d.]+)-trixie-slim)@(sha256:\w+)$/m;
const [, baseName = "", nodeVersion = "", baseDigest = ""] =
  pinned.exec(readFileSync(join(ROOT, "Dockerfile"), "utf8")) ?? [];

/** As a registry answers of an index. */
const index = (digest: string, processors = ["amd64", "arm64"]): string =>
  JSON.stringify({
    digest,
    manifests: processors.map((architecture) => ({ platform: { os: "linux", architecture } })),
  });

function standIns(base = index(baseDigest)): void {
  program(
    "docker",
    `case "$*" in
"buildx imagetools inspect node:"*) echo '${base}';;
"buildx imagetools inspect"*) echo '${index(DIGEST)}';;
"run --rm node:"*) echo "v${nodeVersion} trixie";;
esac`,
  );
  program("gh", '[ "$1 $2" != "release view" ]');
}

/** What tests themselves would take too long for, and what they could not install. */
const PLAYED = (line: string): boolean => !/^(?:npm |\.ci\/run$)/.test(line);

interface Played {
  readonly code: number;
  readonly output: string;
}

/** Until a step fails, as a runner does. `only`: the steps that hold this. */
function play(job: string, env: Record<string, string> = {}, only = ""): Played {
  let output = "";
  const lines = (workflow.jobs[job]?.steps ?? []).flatMap(({ run }) => (run === undefined ? [] : [run]));
  for (const line of lines.filter((one) => PLAYED(one) && one.includes(only))) {
    const ran = spawnSync("bash", ["-e", "-o", "pipefail", "-c", line], {
      cwd: clone,
      encoding: "utf8",
      env: {
        ...{ PATH: `${join(top, "bin")}:${dirname(process.execPath)}:${process.env.PATH}`, HOME: top, TOP: top },
        ...{ VERSION, GITHUB_REPOSITORY: PUBLISHER, RUNNER_TEMP: top, GITHUB_ACTOR: "ada", GITHUB_TOKEN: "token" },
        ...{ GITHUB_OUTPUT: join(top, "output"), GITHUB_STEP_SUMMARY: join(top, "summary") },
        ...env,
      },
    });
    output += ran.stdout + ran.stderr;
    if (ran.status !== 0) return { code: ran.status ?? 1, output };
  }
  return { code: 0, output };
}

const noted = (name: string): string => readFileSync(join(top, name), "utf8");
const tagged = (name: string): string => git("ls-remote", "origin", `refs/tags/${name}`).split(/\s/)[0] ?? "";

beforeAll(() => {
  for (const folder of [clone, join(top, "bin")]) mkdirSync(folder, { recursive: true });
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: ROOT });
  for (const path of listed.toString().split("\0"))
    if (/^(?:\.github|agent|docs|src|release|[^/]+$)/.test(path))
      cpSync(join(ROOT, path), join(clone, path), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(clone, "node_modules"));
  execFileSync("git", ["init", "--quiet", "--bare", origin]);
  git("init", "--quiet", "--initial-branch=main");
  git("remote", "add", "origin", origin);
  git("add", "-A");
  git("commit", "--quiet", "--message", "Everything");
  git("push", "--quiet", "origin", "main");
  standIns();
});

describe("before anything is published", () => {
  test("version, notes, name and base image are checked", () => {
    expect(play("check")).toEqual({ code: 0, output: "" });
    expect(noted("docker")).toContain(`buildx imagetools inspect ${baseName}@${baseDigest} --format`);
  });

  test.each([
    ["another version", { VERSION: "9.9.9" }, `::error::package.json names the version ${VERSION} and not 9.9.9`],
    ["another publisher", { GITHUB_REPOSITORY: `x-${PUBLISHER}` }, `"repository": "github:x-${PUBLISHER}"`],
  ])("%s is refused", (_, env, says) => {
    const { code, output } = play("check", env);
    expect([code, output]).toEqual([1, expect.stringContaining(says)]);
  });

  test.each([
    ["is another one at the registry", index(DIGEST), `is ${DIGEST} at the registry`],
    ["is not there for all processors", index(baseDigest, ["amd64"]), "is not there for linux/arm64"],
    ["cannot be read", "no such manifest", "::error::"],
  ])("a base image that %s is refused", (_, base, says) => {
    standIns(base);
    const { code, output } = play("check", {}, "base-image");
    standIns();
    expect([code, output]).toEqual([1, expect.stringContaining(says)]);
  });
});

describe("a release", () => {
  test("pushes the images that each machine has proved, and gives those of both one name", () => {
    const registry = registryOf(PUBLISHER);
    for (const processor of ["amd64", "arm64"]) expect(play("images", { PROCESSOR: processor }).code).toBe(0);
    expect(play("join").code).toBe(0);
    const asked = noted("docker").split("\n");
    for (const target of ["app", "agent"]) {
      for (const processor of ["amd64", "arm64"])
        expect(asked).toContain(`push --quiet ${registry}/${target}:${VERSION}-${processor}`);
      expect(asked).toContain(
        `buildx imagetools create --tag ${registry}/${target}:${VERSION} --tag ${registry}/${target}:1 ` +
          `${registry}/${target}:${VERSION}-amd64 ${registry}/${target}:${VERSION}-arm64`,
      );
      expect(noted("output")).toContain(`${target}-name=${registry}/${target}\n${target}-digest=${DIGEST}\n`);
    }
    expect(noted("docker")).not.toContain("token");
  });

  test("tags a commit with the bundles, on which no branch ends, and moves v1 last", () => {
    const main = git("rev-parse", "HEAD");
    const { code, output } = play("tags");
    expect(code, output).toBe(0);
    const commit = tagged(`v${VERSION}`);
    expect(tagged("v1")).toBe(commit);
    expect(git("rev-parse", `${commit}^`)).toBe(main);
    expect(git("ls-remote", "--heads", "origin")).toBe(`${main}\trefs/heads/main`);
    const added = git("diff", "--name-only", main, commit).split("\n");
    expect(added).toContain(".github/actions/run-job/dist/post.js");
    expect(added).toContain("dist/action/main.js");
    expect(added.filter((path) => !/^(?:dist\/action|\.github\/actions\/run-job\/dist)\//.test(path))).toEqual([]);
    expect(noted("gh")).toContain(`release create v${VERSION} --verify-tag --title v${VERSION} --notes-file`);
    expect(noted("notes.md").length).toBeGreaterThan(100);
    expect(noted("summary")).toContain(`uses: ${PUBLISHER}/.github/actions/run-job@${commit} # v${VERSION}`);
  });

  test("is one that a runner can use as it is, and whose default image is the published one", () => {
    const used = join(top, "used");
    execFileSync("git", ["clone", "--quiet", "--branch", "v1", origin, used], { stdio: "ignore" });
    const action = join(used, ".github/actions/run-job");
    const { runs } = z
      .object({ runs: z.object({ main: z.string(), post: z.string() }) })
      .parse(parse(readFileSync(join(action, "action.yml"), "utf8")));
    for (const file of Object.values(runs)) {
      const { stdout } = spawnSync(process.execPath, [join(action, file)], { cwd: top, env: {}, encoding: "utf8" });
      expect(stdout).toContain("is not a job's branch");
    }
    const bundles = execFileSync("grep", ["-rhoE", "github:[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+", join(action, "dist")]);
    expect(bundles.toString()).toContain(`github:${PUBLISHER}`);
  });

  test("that is played again after it broke off keeps what is published, and one with other files is refused", () => {
    const commit = tagged(`v${VERSION}`);
    git("checkout", "--quiet", "main");
    git("push", "--quiet", "origin", ":refs/tags/v1");
    expect(play("tags").code).toBe(0);
    expect([tagged(`v${VERSION}`), tagged("v1")]).toEqual([commit, commit]);

    git("checkout", "--quiet", "main");
    git("commit", "--quiet", "--allow-empty", "--message", "The same files");
    writeFileSync(join(clone, "README.md"), "Other words.\n");
    git("commit", "--quiet", "--all", "--message", "Other files");
    const other = play("tags");
    expect(other).toMatchObject({ code: 1, output: expect.stringContaining("is published already, with other files") });
    expect([tagged(`v${VERSION}`), tagged("v1")]).toEqual([commit, commit]);
    expect(play("check").output).toContain(`v${VERSION} is published already`);
    git("checkout", "--quiet", "--force", "main");
    git("reset", "--quiet", "--hard", "HEAD~2");
  });

  test("of a preview leaves v1 and the image 1 where they are", () => {
    const preview = "9.0.0-rc.1";
    const stable = tagged("v1");
    expect(play("join", { VERSION: preview }).code).toBe(0);
    expect(noted("docker")).not.toContain(`agent:${preview} --tag`);
    const { code, output } = play("tags", { VERSION: preview });
    expect(code, output).toBe(0);
    expect(tagged(`v${preview}`)).not.toBe("");
    expect(tagged("v1")).toBe(stable);
  });

  test.each([
    ["that is older than a published one", "0.0.9"],
    ["of what comes after 1", "2.0.0"],
  ])("%s leaves v1 and the image 1 where they are", (_, version) => {
    git("checkout", "--quiet", "--force", "main");
    const stable = tagged("v1");
    writeFileSync(join(top, "docker"), "");
    expect(play("join", { VERSION: version }).code).toBe(0);
    expect(noted("docker")).not.toMatch(/--tag \S+:1 /);
    const { code, output } = play("tags", { VERSION: version });
    expect(code, output).toBe(0);
    expect(tagged(`v${version}`)).not.toBe("");
    expect(tagged("v1")).toBe(stable);
  });
});

test("jobs follow one another, and each has the rights that it needs", () => {
  expect(Object.entries(workflow.jobs).map(([name, { needs }]) => [name, needs])).toEqual([
    ["check", undefined],
    ["images", "check"],
    ["join", "images"],
    ["tags", "join"],
  ]);
  const pushing = Object.entries(workflow.jobs).filter(([, { permissions }]) => permissions?.contents === "write");
  expect(pushing.map(([name]) => name)).toEqual(["tags"]);
});
