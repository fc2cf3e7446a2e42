/**
 * Repositories in Go, Java, Python and Ruby whose tests the agent runs: with the tools that earlier steps of the workflow
 * have set up, and in images of the repository's own, one of Debian 12 and one with musl.
 */
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { namesOf } from "../../agent/action/container-names.ts";
import { Docker } from "../../agent/action/docker.ts";
import { prepareOwnImage, removeOwnImage } from "../../agent/action/own-image.ts";
import type { Brief } from "../../src/contracts/brief.ts";
import { parseResult } from "../../src/contracts/result.ts";
import { Runner } from "../process/action-runner.ts";
import { type Model, startModel } from "../sandbox/model/server.ts";
import { JOB_ID } from "../unit/agent-job.ts";
import { describeContainers, docker, imageOf, type Opened, openToContainers, until } from "./containers.ts";
import { canMakeToolchains, makeToolchains, type Toolchains, toolsIn } from "./toolchains.ts";

const KEY = "toolchain-model-key-0123456789";
const RESULT = `.jobs/${JOB_ID}/result.json`;

/** A small library in each language, with a test of it and how that is run. */
const REPOSITORIES: Readonly<Record<string, { readonly files: Record<string, string>; readonly command: string }>> = {
  go: {
    files: {
      "go.mod": "module shop\n\ngo 1.19\n",
      "shop.go": "package shop\n\nfunc Sum(a, b int) int { return a + b }\n",
      "shop_test.go":
        'package shop\n\nimport "testing"\n\nfunc TestSum(t *testing.T) {\n\tif Sum(2, 3) != 5 {\n\t\tt.Fatal("no sum")\n\t}\n}\n',
    },
    command: "CGO_ENABLED=0 go test -v ./...",
  },
  java: {
    files: {
      "Shop.java": "class Shop { static int sum(int a, int b) { return a + b; } }\n",
      "ShopTest.java":
        'class ShopTest { public static void main(String[] all) { assert Shop.sum(2, 3) == 5; System.out.println("PASS " + System.getProperty("user.home")); } }\n',
    },
    command: "javac -d /tmp/out *.java && java -ea -cp /tmp/out ShopTest",
  },
  python: {
    files: {
      "shop.py": "import hashlib, sqlite3, ssl, lzma, ctypes\n\ndef total(a, b):\n    return a + b\n",
      "test_shop.py":
        "import unittest\nfrom shop import total\n\nclass Shop(unittest.TestCase):\n    def test_total(self):\n        self.assertEqual(total(2, 3), 5)\n",
    },
    command: "python3 -m unittest -v 2>&1 && echo PASS",
  },
  ruby: {
    files: {
      "shop.rb": 'require "digest"\nrequire "json"\n\ndef sum(a, b) = a + b\n',
      "shop_test.rb":
        'require "minitest/autorun"\nrequire_relative "shop"\n\nclass ShopTest < Minitest::Test\n  def test_sum\n    assert_equal 5, sum(2, 3)\n    puts "PASS"\n  end\nend\n',
    },
    command: "ruby shop_test.rb",
  },
};

if (!canMakeToolchains && !process.env.REQUIRE_DOCKER)
  console.log("The tests of toolchains are left out: they need root and debootstrap.");
// where containers are required, these are, too
const describeToolchains = canMakeToolchains || process.env.REQUIRE_DOCKER ? describeContainers : describe.skip;

describeToolchains("toolchains", () => {
  let model: Model;
  let opened: Opened;
  let made: Toolchains;
  const runners: Runner[] = [];

  beforeAll(async () => {
    made = makeToolchains();
    model = await startModel();
    opened = await openToContainers(model.url);
  }, 30 * 60_000);
  afterEach(() => {
    for (const runner of runners.splice(0)) runner.remove();
  });
  afterAll(async () => {
    opened?.close();
    await model?.close();
  });

  const ownImage = (image: string, setup: string[] = [], setup_minutes = 5): Partial<Brief> => ({
    container: { image, setup, setup_minutes },
  });

  function start(task: string, brief: Partial<Brief>, files: Record<string, string> = {}) {
    const runner = new Runner(files, { brief, task });
    runners.push(runner);
    const env: Record<string, string> = {
      ...{ INPUT_AGENT_IMAGE: imageOf("agent"), INPUT_ANTHROPIC_API_KEY: KEY, INPUT_ANTHROPIC_BASE_URL: opened.url },
      ...(process.env.DOCKER_HOST === undefined ? {} : { DOCKER_HOST: process.env.DOCKER_HOST }),
    };
    return { runner, env };
  }

  /** Runs the task to its end; the answer is what the agent's commands have written to `out.txt`. */
  async function play(task: string, brief: Partial<Brief>, files = {}, more: Record<string, string> = {}) {
    const { runner, env } = start(`run { ${task}; } > out.txt 2>&1`, brief, files);
    const main = await runner.start("main", { ...env, ...more }).ended;
    const post = await runner.start("post", env).ended;
    const reason = parseResult(runner.pushed(RESULT) ?? "")?.reason;
    return {
      runner,
      reason,
      out: runner.pushed("out.txt") ?? "",
      output: main.output + post.output,
      codes: [main.code, post.code],
    };
  }

  const left = async (): Promise<string> => {
    const named = ["--filter", `name=journeyman-${JOB_ID}`];
    const all = await Promise.all([
      docker("ps", "--all", ...named, "--format", "{{.Names}}"),
      docker("volume", "ls", ...named, "--format", "{{.Name}}"),
      docker("image", "ls", "--quiet", `journeyman-${JOB_ID}`),
    ]);
    return all.join("");
  };

  /** What a runner's earlier steps have set: tools of the cache before its own folders. */
  const setUp = (): Record<string, string> => {
    const { go = "", Java_Debian_jdk: java = "", Python: python = "", Ruby: ruby = "" } = toolsIn(made.cache);
    const path = [go, java, python, ruby].map((tool) => join(tool, "bin"));
    const variables = { JAVA_HOME: java, GOROOT: go, pythonLocation: python };
    return { RUNNER_TOOL_CACHE: made.cache, PATH: [...path, process.env.PATH ?? ""].join(":"), ...variables };
  };

  test.each(Object.entries(REPOSITORIES))(
    "the tests of a repository in %s pass with what earlier steps have set up",
    async (name, { files, command }) => {
      const look =
        name === "java"
          ? 'echo "$JAVA_HOME"; command -v java'
          : `command -v ${command.split(" ").at(name === "go" ? 1 : 0)}`;
      const { out, output } = await play(`${command}; ${look}`, {}, files, setUp());
      expect(out, output).toContain("PASS");
      expect(out).toContain(made.cache);
    },
  );

  test("what earlier steps have set up cannot be changed, and nothing else of the runner is there", async () => {
    const look = `touch $GOROOT/x; ls -A /var/tmp; env | grep -c SECRET_HOME; ls -d ${made.cache}/*`;
    const { out, output } = await play(look, {}, {}, { ...setUp(), SECRET_HOME: "hunter2" });
    expect(out, output).toContain("Read-only file system");
    expect(out).toMatch(/\n0\n/);
    expect(out).not.toContain("hunter2");
  });

  test.each(Object.entries(REPOSITORIES))(
    "the tests of a repository in %s pass in an image of Debian 12",
    async (_, { files, command }) => {
      const { out, output, codes } = await play(
        `${command}; id -un; cat /etc/debian_version`,
        ownImage(made.debian),
        files,
      );
      expect(codes, output).toEqual([0, 0]);
      expect(out).toContain("PASS");
      expect(out).toMatch(/\nagent\n12\./);
      expect(await left()).toBe("");
    },
  );

  test("an image is set up as root with the network, and what is left of that is its files", async () => {
    const setup = [
      "id -u > /srv/who",
      "ls -A / > /srv/top",
      "env > /srv/env",
      "sleep 1000 &",
      "(exec 3<>/dev/tcp/$GATEWAY/8080) 2>/dev/null || true",
    ];
    const look =
      'cat /srv/who /srv/env; echo "home $SHOP_HOME"; command -v git; git log --oneline | wc -l; ps -e 2>/dev/null | grep -c sleep; touch /srv/x /opt/journeyman/x';
    const { out, output } = await play(look, { ...ownImage(made.debian, setup), egress: [] });
    const [who, ...rest] = out.split("\n");
    expect(who, output).toBe("0");
    expect(out).toContain("home /srv");
    expect(rest).toContain("/opt/journeyman/bin/git");
    expect(out).not.toMatch(/ANTHROPIC|GITHUB_|ACTIONS_|MODEL_GATEWAY|JOB_ID/);
    expect(out).toContain("touch: cannot touch '/srv/x': Permission denied");
    expect(out).toContain("touch: cannot touch '/opt/journeyman/x': Read-only file system");
  });

  test("files that the settings name are there for the set-up alone, and cannot be changed by it", async () => {
    const setup = [
      "cd /workspace; ls -A > /srv/seen; cat requirements.txt >> /srv/seen",
      "touch /workspace/x 2>> /srv/seen || rm /workspace/requirements.txt 2>> /srv/seen || true",
    ];
    const container = { image: made.debian, setup, setup_minutes: 5, setup_paths: ["requirements.txt"] };
    const files = { "requirements.txt": "flask\n", "shop.py": "pass\n" };
    const { out, output } = await play("cat /srv/seen; ls -A /workspace", { container, egress: [] }, files);
    const [seen = "", after = ""] = out.split("Read-only file system\nrm:");
    expect(seen, output).toMatch(/^requirements\.txt\nflask\ntouch: /);
    expect(after).toContain("Read-only file system");
    expect(after).toMatch(/\n\.git\n[\s\S]*\nrequirements\.txt\nshop\.py/);
    expect(await left()).toBe("");
  });

  test("in an image with musl and without bash, git or glibc, the agent works behind the fence", async () => {
    const look = [
      "/lib/ld-musl-*.so.1 2>&1 | head -2",
      "command -v bash git",
      "git status --short | head -3",
      "ls /lib /usr 2>&1",
      "id",
      `wget -T 3 -q -O- ${opened.url}/ && echo reached`,
      "cat /made",
    ].join("; ");
    const { out, output, codes } = await play(look, {
      ...ownImage(made.musl, ["echo by busybox > /made"]),
      egress: [],
    });
    expect(codes, output).toEqual([0, 0]);
    expect(out).toContain("musl libc");
    expect(out).toContain("/opt/journeyman/bin/bash\n/opt/journeyman/bin/git\n");
    expect(out).toContain("?? out.txt");
    expect(out).toContain("by busybox");
    expect(out).not.toContain("reached");
    expect(out).not.toContain("ld-linux");
    expect(await left()).toBe("");
  });

  test("a command that hangs, and what it has started, end at the limit of the set-up", async () => {
    const { PATH = "", HOME = "", DOCKER_HOST } = process.env;
    const environment = { PATH, HOME, ...(DOCKER_HOST === undefined ? {} : { DOCKER_HOST }) };
    const [engine, names] = [new Docker(environment, JOB_ID, (ms) => ms), namesOf(JOB_ID)];
    const setup = ["echo waiting; (while true; do sleep 1; done) & while true; do sleep 1; done"];
    // less than the settings let anybody say
    const container = { image: made.musl, setup, setup_minutes: 0.05 };
    const prepared = await prepareOwnImage({
      ...{ docker: engine, names, agentImage: imageOf("agent"), container, files: null, show: () => {} },
    });
    expect(prepared).toMatchObject({
      ok: false,
      reason: expect.stringContaining("was still running after 0.05 minutes"),
    });
    expect(prepared).toMatchObject({ reason: expect.stringMatching(/Its last lines: `waiting`$/) });
    expect(await docker("ps", "--quiet", "--filter", `name=${names.setup}`)).toBe("");
    await removeOwnImage(engine, names);
    expect(await left()).toBe("");
  });

  test("a command that fails is said as itself", async () => {
    const failing = await play("true", ownImage(made.musl, ["true", "echo no such package; exit 3"]));
    expect(failing.reason).toBe(
      "The agent was not started: the set-up command `echo no such package; exit 3` (`container` in .github/journeyman.yml) ended with exit code 3. Its last lines: `no such package`",
    );
    expect(await left()).toBe("");
  });

  test("an image that nobody has is said in a sentence", async () => {
    const { reason } = await play("true", ownImage("registry.invalid/acme/ci:1"));
    expect(reason).toMatch(
      /^The agent was not started: the image registry\.invalid\/acme\/ci:1 \(.*\) could not be pulled: /,
    );
  });

  test("cancelled while it is set up, nothing is left", async () => {
    const { runner, env } = start("true", ownImage(made.musl, ["while true; do sleep 1; done"]));
    const { child, ended } = runner.start("main", env);
    await until(
      "the set-up runs",
      async () => (await docker("ps", "--quiet", "--filter", `name=journeyman-${JOB_ID}-setup`)) !== "",
    );
    child.kill("SIGINT");
    await ended;
    await runner.start("post", env).ended;
    expect(parseResult(runner.pushed(RESULT) ?? "")?.reason).toBe("The run was cancelled before the agent began.");
    await until("nothing is left", async () => (await left()) === "");
  });
});
