import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { parseResult } from "../../src/contracts/result.ts";
import { JOB_ID } from "../unit/agent-job.ts";
import { Runner } from "./action-runner.ts";

const open: Runner[] = [];
afterEach(() => {
  for (const runner of open.splice(0)) runner.remove();
});

const start = (egress?: readonly string[] | null): Runner => {
  const runner = new Runner(
    {},
    egress === undefined ? {} : { brief: { egress: egress === null ? null : [...egress] } },
  );
  open.push(runner);
  return runner;
};

const NETWORK = `journeyman-${JOB_ID}`;
const FENCE = `${NETWORK}-fence`;
const RESULT = `.jobs/${JOB_ID}/result.json`;
const RESULT_OF_AGENT = { version: 1, outcome: "done", title: "t", body: "", model: "m", usage: {}, cost_cents: 1 };
const WORK = `echo '${JSON.stringify(RESULT_OF_AGENT)}' > ${RESULT}`;
const LABEL = `--label dev.journeyman.job=${JOB_ID}`;
const INTERNAL = `--internal ${["ipv4", "ipv6"].map((ip) => `--opt com.docker.network.bridge.gateway_mode_${ip}=isolated`).join(" ")}`;
const CLEARED = [`rm -f ${NETWORK} ${NETWORK}-gateway`, `network rm ${NETWORK} ${FENCE}`];

const started = (runner: Runner, program: "gateway" | "agent"): string | undefined =>
  runner
    .commands()
    .find((line) => line.startsWith("run ") && line.includes("--entrypoint gateway") === (program === "gateway"));

const lives = (runner: Runner, program: string): boolean => {
  try {
    return process.kill(Number(runner.read(program)), 0);
  } catch {
    return false;
  }
};

test("a job whose brief names hosts has no way out but the gateway, and all is cleared away after it", async () => {
  const runner = start(["registry.npmjs.org", "*.example.org"]);
  const { main, post } = await runner.runPrograms(WORK, { INPUT_ANTHROPIC_BASE_URL: "https://gateway.example.com" });
  expect(main.code).toBe(0);
  const networks = runner.commands().filter((line) => line.startsWith("network "));
  expect(networks).toEqual([
    `network create ${LABEL} ${NETWORK}`,
    `network create ${INTERNAL} ${LABEL} ${FENCE}`,
    `network inspect --format {{json .IPAM.Config}} ${FENCE}`,
    CLEARED[1],
  ]);
  const agent = started(runner, "agent");
  expect(agent).toContain(` --network ${FENCE} --dns 127.0.0.1 `);
  expect(agent).not.toContain(`--network ${NETWORK} `);
  expect(started(runner, "gateway")).toContain(` --network name=${FENCE},alias=gateway --network ${NETWORK} `);
  expect(runner.read("agent-env")).toMatch(/^EGRESS_PROXY=http:\/\/gateway:8080$/m);
  expect(runner.read("gateway-env")).toMatch(/^EGRESS_ALLOWED=registry\.npmjs\.org \*\.example\.org$/m);
  expect(runner.read("gateway-env")).toMatch(/^ANTHROPIC_BASE_URL=https:\/\/gateway\.example\.com$/m);
  expect(post.code).toBe(0);
  expect(runner.commands().slice(-2)).toEqual(CLEARED);
});

test("an empty list is a list, and without one the network is open", async () => {
  const none = start([]);
  expect((await none.run(WORK)).main.code).toBe(0);
  expect(none.read("gateway-env")).toMatch(/^EGRESS_ALLOWED=$/m);
  for (const runner of [start(null), start()]) {
    expect((await runner.run(WORK)).main.code).toBe(0);
    expect(runner.commands()).toContain(`network create ${LABEL} ${NETWORK}`);
    for (const program of ["agent", "gateway"] as const)
      expect(started(runner, program)).toContain(` --network ${NETWORK} `);
    for (const seen of ["agent-env", "gateway-env"]) expect(runner.read(seen)).not.toContain("EGRESS_");
  }
});

test("a brief that cannot be read starts nothing", async () => {
  const runner = start();
  runner.agent(WORK);
  runner.commit(runner.branch, { [`.jobs/${JOB_ID}/job.config.json`]: "{" }, `Run job ${JOB_ID}: Say hello`);
  const sha = runner.git(runner.remote, "rev-parse", runner.branch);
  const main = await runner.play("main", { GITHUB_SHA: sha });
  expect(main).toMatchObject({
    code: 1,
    output: expect.stringContaining("is not a brief that this version understands"),
  });
  expect(started(runner, "agent") ?? started(runner, "gateway")).toBeUndefined();
  expect((await runner.play("post", { GITHUB_SHA: sha })).code).toBe(0);
});

test.each([
  [
    "the network cannot be made",
    `case "$*" in "network create --internal"*) echo no such driver >&2; exit 1;; esac`,
    "docker network create failed: no such driver",
  ],
  [
    "the engine is too old, and gives it a gateway to this machine",
    `case "$*" in "network inspect"*) echo '[{"Subnet":"172.30.0.0/16","Gateway":"172.30.0.1"}]'; exit 0;; esac`,
    "this Docker engine connects the network to the machine; install Docker 28 or newer",
  ],
  [
    "the engine says nothing of it",
    `case "$*" in "network inspect"*) echo null; exit 0;; esac`,
    "this Docker engine connects the network to the machine; install Docker 28 or newer",
  ],
  [
    "it cannot be looked at",
    `case "$*" in "network inspect"*) echo gone >&2; exit 1;; esac`,
    "docker network inspect failed: gone",
  ],
])("where %s the job fails instead of running open, and its result says why", async (_, docker, says) => {
  const runner = start(["registry.npmjs.org"]);
  const { main, post } = await runner.run(WORK, {}, docker);
  expect(main).toMatchObject({ code: 1, output: expect.stringContaining(`could not be created: ${says}.`) });
  expect([started(runner, "agent"), started(runner, "gateway")]).toEqual([undefined, undefined]);
  expect(post.code).toBe(0);
  expect(parseResult(runner.pushed(RESULT) ?? "")).toMatchObject({
    outcome: "failed",
    reason: expect.stringMatching(
      /^The agent was not started because the restricted network .+ could not be created: /,
    ),
  });
  expect(runner.read("summary.md")).toContain(says);
  expect(runner.commands().slice(-2)).toEqual(CLEARED);
});

test.each([
  ["while the agent works", WORK, "touch ready; while :; do sleep 0.05; done", ""],
  [
    "while its network is made",
    "",
    "",
    `case "$*" in "network create"*) touch "$TEST_TOP/workspace/ready"; sleep 30;; esac`,
  ],
])("a run that is cut off %s leaves nothing behind", async (_, before, work, docker) => {
  const runner = start(["registry.npmjs.org"]);
  runner.agent(
    `${before}\necho $$ > "$TEST_TOP/agent"; ${work}`,
    `${docker}\nif [ "$1" = rm ]; then for one in agent gateway; do kill -9 $(cat "$TEST_TOP/$one" 2>/dev/null) 2>/dev/null; done; fi`,
  );
  const { child } = runner.start("main");
  await vi.waitFor(() => expect(existsSync(join(runner.workspace, "ready"))).toBe(true), { timeout: 30_000 });
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
  await runner.play("post");
  expect(runner.commands().slice(-2)).toEqual(CLEARED);
  for (const program of ["agent", "gateway"])
    await vi.waitFor(() => expect(lives(runner, program)).toBe(false), { timeout: 10_000 });
});

test("a run that is cancelled while its network is made ends at once, and says so in its result", async () => {
  const runner = start(["registry.npmjs.org"]);
  runner.agent(WORK, `case "$*" in "network create"*) touch "$TEST_TOP/making"; sleep 30;; esac`);
  const { child, ended } = runner.start("main");
  const state = join(runner.temp, "journeyman", "state.json");
  await vi.waitFor(() => expect(readFileSync(state, "utf8")).toContain('"checked_out":true'), { timeout: 30_000 });
  await vi.waitFor(() => expect(existsSync(join(runner.top, "making"))).toBe(true), { timeout: 30_000 });
  child.kill("SIGINT");
  expect((await ended).code).toBe(1);
  const post = await runner.play("post");
  expect(parseResult(runner.pushed(RESULT) ?? "")?.reason, post.output).toBe(
    "The run was cancelled before the agent began.",
  );
});
