/** The run action with an image of the repository's own: what docker is asked for, and what the job's comment says. */
import { mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { parseResult } from "../../src/contracts/result.ts";
import { toolchainSchema } from "../../src/contracts/toolchain.ts";
import { JOB_ID } from "../unit/agent-job.ts";
import { Runner } from "./action-runner.ts";

const open: Runner[] = [];
afterEach(() => {
  for (const runner of open.splice(0)) runner.remove();
});

const NAME = `journeyman-${JOB_ID}`;
const RESULT = `.jobs/${JOB_ID}/result.json`;
const OWN = { version: 1, outcome: "done", title: "t", body: "", model: "m", usage: {}, cost_cents: 1 };
const WORK = `echo '${JSON.stringify(OWN)}' > ${RESULT}`;
const ENV = '["PATH=/opt/ruby/bin:/bin","GEM_HOME=/gems","NODE_OPTIONS=--require /x.js","LD_PRELOAD=/j.so"]';
/** Answers for the image, and runs the set-up commands here as the container's shell would. */
const PLAYED = `
case "$*" in
"image inspect --format {{json .Config.Env}}"*) echo '${ENV}'; exit 0;;
*"--entrypoint /bin/sh"*)
  echo "$(echo "$*" | tr '\\n' ' ')" >> "$TEST_TOP/commands"
  while [ "$1" != -c ]; do shift; done
  mark=$3; shift 3
  for command do echo "$mark"; sh -e -c "$command" < /dev/null 2>&1 || exit "$?"; done
  exit 0;;
esac`;

function start(setup: readonly string[], rest: { image?: string; setup_minutes?: number } = {}): Runner {
  const container = { image: "ghcr.io/acme/ci:1", setup_minutes: 15, setup: [...setup], ...rest };
  const runner = new Runner({}, { brief: { container } });
  open.push(runner);
  return runner;
}

const resultOf = (runner: Runner) => parseResult(runner.pushed(RESULT) ?? "");
const reasonOf = (runner: Runner): string | undefined => resultOf(runner)?.reason;
const commandWith = (runner: Runner, part: string): string =>
  runner.commands().find((line) => line.includes(part)) ?? "none";

describe("an image of the repository's own", () => {
  test("is pulled, set up with the network and no secret, kept, worked in and removed", async () => {
    const runner = start(["echo one", "echo two"]);
    const { main, post } = await runner.run(WORK, { AGENT_LLM_TOKEN: "shell-secret-1" }, PLAYED);
    expect([main.code, post.code], main.output + post.output).toEqual([0, 0]);
    expect(runner.commands()).toContain("pull --quiet ghcr.io/acme/ci:1");
    const setup = commandWith(runner, "--entrypoint /bin/sh");
    expect(setup).toContain(`--name ${NAME}-setup --user 0:0 --cap-drop ALL --security-opt no-new-privileges`);
    expect(setup).toContain("--no-healthcheck --network bridge --pids-limit 512 --memory 4g");
    expect(setup).not.toMatch(/ -e [A-Z]| -v |--mount|--privileged/);
    expect(main.output).toContain("set-up | $ echo one\nset-up | one\nset-up | $ echo two\nset-up | two\n");
    expect(runner.commands()).toContain(`commit --pause=false ${NAME}-setup ${NAME}:setup`);
    const gone = [`rm -f -v ${NAME}-setup`, `rmi -f ${NAME}:setup`, `volume rm -f ${NAME}-program`];
    expect(runner.commands().slice(-3).sort()).toEqual(gone);
  });

  test("has all limits of the agent's, its program read-only, and its variables in the shell alone", async () => {
    const runner = start([]);
    await runner.run(WORK, {}, PLAYED);
    const agent = commandWith(runner, "--entrypoint /opt/journeyman/lib/ld.so");
    expect(agent).toContain("--user 10001:10001 --cap-drop ALL --security-opt no-new-privileges");
    expect(agent).toContain(`--pids-limit 512 --memory 4g --network ${NAME} `);
    expect(agent).toContain(`-v ${NAME}-program:/opt/journeyman:ro`);
    expect(agent).toContain("-e GEM_HOME= -e NODE_OPTIONS= -e LD_PRELOAD= ");
    expect(agent).toContain(`${NAME}:setup --library-path /opt/journeyman/lib /opt/journeyman/init -s -- `);
    const [, text = ""] = /^AGENT_TOOLCHAIN=(.*)$/m.exec(runner.read("agent-env")) ?? [];
    expect(toolchainSchema.parse(JSON.parse(text))).toEqual({
      ...{ tools: [], cached: [], home: null, c_library: null, path_before: [], path_after: ["/opt/journeyman/bin"] },
      variables: {
        ...{ PATH: "/opt/ruby/bin:/bin", GEM_HOME: "/gems" },
        ...{ NODE_OPTIONS: "--require /x.js", LD_PRELOAD: "/j.so" },
      },
    });
  });

  test("whose command fails ends the attempt with that command and its last lines, and nothing is begun", async () => {
    const runner = start([
      "true",
      "echo first; seq 1 30; echo '::error::no such \\`package\\` <b>'; exit 7",
      "touch never.txt",
    ]);
    const { main, post } = await runner.run(WORK, {}, PLAYED);
    expect([main.code, post.code]).toEqual([1, 0]);
    const reason = reasonOf(runner);
    expect(reason).toMatch(
      /^The agent was not started: the set-up command `echo first; seq 1 30; .*` \(`container` in /,
    );
    expect(reason).toContain("ended with exit code 7. Its last lines: `22 / 23 / ");
    expect(reason).not.toContain("first /");
    expect(resultOf(runner)).toMatchObject({ set_up_failed: true, image_missing: false });
    expect(commandWith(runner, "--entrypoint /opt/journeyman")).toBe("none");
    expect(commandWith(runner, "commit ")).toBe("none");
    expect(main.output).not.toMatch(/^::error::no/m);
  });

  test("that cannot be pulled is said with docker's words, unless the machine has it", async () => {
    const denied = `if [ "$1" = pull ]; then echo "pull access denied" >&2; exit 1; fi`;
    const none = start([]);
    await none.run(WORK, {}, `${denied}\n[ "$1 $2" = "image inspect" ] && exit 1\n${PLAYED}`);
    expect(reasonOf(none)).toBe(
      "The agent was not started: the image ghcr.io/acme/ci:1 (`container` in .github/journeyman.yml) could not be pulled: `pull access denied`.",
    );
    expect(resultOf(none)).toMatchObject({ image_missing: true, set_up_failed: false });
    const here = start([]);
    const { main } = await here.run(WORK, {}, `${denied}\n${PLAYED}`);
    expect(main.code).toBe(0);
    expect(main.output).toContain("so this machine's own is used: pull access denied.");
  });

  test.each(["/opt/journeyman/dist", "/opt/x/../journeyman/dist/", "/workspace/src"])(
    "whose volume %s would hide what is mounted there is refused",
    async (volume) => {
      const runner = start([]);
      const volumes = JSON.stringify({ [volume]: {}, "/var/lib/data": {} });
      await runner.run(WORK, {}, `case "$*" in *Config.Volumes*) echo '${volumes}'; exit 0;; esac\n${PLAYED}`);
      expect(resultOf(runner)?.set_up_failed).toBe(true);
      expect(reasonOf(runner)).toContain(`declares the volume \`${volume}\``);
      expect(commandWith(runner, "--entrypoint /opt/journeyman")).toBe("none");
    },
  );

  test("that has no shell is said as such", async () => {
    const runner = start(["true"]);
    const docker = `case "$*" in *"--entrypoint /bin/sh"*) echo 'exec: "/bin/sh": no such file.' >&2; exit 127;; esac`;
    await runner.run(WORK, {}, docker);
    expect(reasonOf(runner)).toContain("could not be started. It needs a /bin/sh, and to be made for this runner's");
    expect(reasonOf(runner)).toContain(': `exec: "/bin/sh": no such file`.');
  });

  test("whose variables are no list or too many is refused", async () => {
    for (const answer of ["", "nonsense", JSON.stringify([`A=${"x".repeat(70_000)}`])]) {
      const runner = start([]);
      writeFileSync(join(runner.top, "answer"), answer);
      await runner.run(WORK, {}, `[ "$1 $2" = "image inspect" ] && { cat "$TEST_TOP/answer"; exit 0; }\n${PLAYED}`);
      expect(reasonOf(runner)).toContain("the variables of the image ghcr.io/acme/ci:1");
    }
  });

  test("with a name that is none is no brief", async () => {
    const runner = start([], { image: "--privileged" });
    const { main } = await runner.run(WORK, {}, PLAYED);
    expect(main.code).toBe(1);
    expect(main.output).toContain("is not a brief that this version understands");
    expect(commandWith(runner, "pull")).toBe("none");
  });
});

describe("without one", () => {
  test("the tools of earlier steps are mounted read-only, and the agent is told of them and no secret", async () => {
    const runner = new Runner();
    open.push(runner);
    const cache = join(realpathSync(runner.top), "cache");
    const go = join(cache, "go", "1.22.12", "x64");
    mkdirSync(join(go, "bin"), { recursive: true });
    const PATH = `${go}/bin:${join(runner.top, "bin")}:${process.env.PATH}`;
    const { main } = await runner.run(WORK, { RUNNER_TOOL_CACHE: cache, PATH, GOROOT: go, TOKEN_HOME: "hunter2" });
    expect(main.code, main.output).toBe(0);
    expect(commandWith(runner, "-w /workspace")).toContain(`--mount type=bind,source=${go},target=${go},readonly`);
    const [, text = ""] = /^AGENT_TOOLCHAIN=(.*)$/m.exec(runner.read("agent-env")) ?? [];
    expect(JSON.parse(text)).toEqual({
      ...{ tools: ["go 1.22.12"], cached: [], home: null, c_library: expect.stringMatching(/^2\.\d+$/) },
      ...{ variables: { GOROOT: go }, path_before: [`${go}/bin`], path_after: [] },
    });
    expect(runner.read("agent-env")).not.toContain("hunter2");
    expect(runner.commands().filter((line) => /^(?:pull|volume|rmi|commit)/.test(line))).toEqual([]);
  });
});
