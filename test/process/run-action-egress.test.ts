import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { parseResult } from "../../src/wire/result.ts";
import { JOB_ID } from "../unit/agent-job.ts";
import { Runner } from "./workflow-steps.ts";

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

const FENCE = `journeyman-${JOB_ID}`;
const RESULT = `.jobs/${JOB_ID}/result.json`;
const DONE = JSON.stringify({
  version: 1,
  outcome: "done",
  title: "t",
  body: "",
  model: "m",
  usage: {},
  cost_cents: 1,
});
const WORK = `env > "$TEST_TOP/agent-env"; echo '${DONE}' > ${RESULT}`;

/** A docker that has networks and a proxy; `instead`: what it does before that. */
const docker = (instead = ""): string => `
echo "$*" >> "$TEST_TOP/commands"
case "$*" in
${instead}
inspect*) echo 172.30.0.2; exit 0;;
*--entrypoint*) env > "$TEST_TOP/proxy-env"; echo $$ > "$TEST_TOP/proxy"; echo 'pulling…'; echo 'listening on 4711'
  trap 'exit 0' TERM; while :; do sleep 0.05; done;;
rm*) if [ -e "$TEST_TOP/proxy" ]; then kill $(cat "$TEST_TOP/proxy"); fi; exit 0;;
esac`;

const commands = (runner: Runner): string[] =>
  runner
    .read("commands")
    .trim()
    .split("\n")
    .map((line) => line.replace(/^(run) .*--entrypoint (\S+).*$/, "$1 $2").replace(/^run --rm.*$/, "run the agent"));

const proxyLives = (runner: Runner): boolean => {
  try {
    return process.kill(Number(runner.read("proxy")), 0);
  } catch {
    return false;
  }
};

const CLEARED = [`rm -f ${FENCE} ${FENCE}-egress`, `network rm ${FENCE}`];

test("a job whose brief names hosts has no way out but the proxy, and both are cleared away after it", async () => {
  const runner = start(["registry.npmjs.org", "*.example.org"]);
  runner.agent(WORK, docker());
  await runner.step("Prepare").ended;
  const keys = { ANTHROPIC_API_KEY: "secret-key-123", ANTHROPIC_BASE_URL: "https://gateway.example.com" };
  const ran = await runner.step("Run the agent", { AGENT_IMAGE: "agent:test", ...keys }).ended;
  expect(ran).toMatchObject({ code: 0, output: expect.not.stringContaining("::error::") });
  const internal = ["ipv4", "ipv6"]
    .map((ip) => `--opt com.docker.network.bridge.gateway_mode_${ip}=isolated`)
    .join(" ");
  expect(commands(runner)).toEqual([
    ...CLEARED,
    `network create --internal ${internal} ${FENCE}`,
    "run egress",
    `network connect ${FENCE} ${FENCE}-egress`,
    `inspect --format {{(index .NetworkSettings.Networks "${FENCE}").IPAddress}} ${FENCE}-egress`,
    "run the agent",
  ]);
  const [proxy = "", agent = ""] = runner
    .read("commands")
    .split("\n")
    .filter((line) => line.startsWith("run "));
  const confined = "--user 10001:10001 --read-only --cap-drop ALL --security-opt no-new-privileges --pids-limit 64";
  expect(proxy).toContain(
    `${confined} --memory 512m --network bridge -e EGRESS_ALLOWED -e ANTHROPIC_BASE_URL agent:test`,
  );
  expect(runner.read("proxy-env")).toMatch(/^EGRESS_ALLOWED= registry\.npmjs\.org \*\.example\.org$/m);
  expect(agent).toContain(` --network ${FENCE} --dns 127.0.0.1 -e EGRESS_PROXY `);
  expect(agent).not.toContain("bridge");
  expect(runner.read("agent-env")).toMatch(/^EGRESS_PROXY=http:\/\/172\.30\.0\.2:4711$/m);
  expect(proxyLives(runner)).toBe(true);

  expect((await runner.step("Push the work").ended).code).toBe(0);
  expect(commands(runner).slice(-2)).toEqual(CLEARED);
  await vi.waitFor(() => expect(proxyLives(runner)).toBe(false), { timeout: 10_000 });
});

test("an empty list is a list, and without one the network is as it always was", async () => {
  const none = start([]);
  expect((await none.run(WORK, {}, docker()))["Run the agent"].code).toBe(0);
  expect(none.read("proxy-env")).toMatch(/^EGRESS_ALLOWED= ?$/m);
  for (const runner of [start(null), start()]) {
    expect((await runner.run(WORK, {}, docker()))["Run the agent"].code).toBe(0);
    expect(commands(runner)).toEqual(["run the agent"]);
    expect(runner.read("commands")).toContain(" --network bridge ");
    expect(runner.read("agent-env")).not.toContain("EGRESS_PROXY=");
  }
});

test("a brief that cannot be read opens nothing", async () => {
  const runner = start();
  runner.agent(WORK, docker());
  await runner.step("Prepare").ended;
  writeFileSync(join(runner.workspace, `.jobs/${JOB_ID}/job.config.json`), "{");
  expect((await runner.step("Run the agent", { AGENT_IMAGE: "agent:test" }).ended).code).toBe(0);
  expect(runner.read("commands")).toContain(` --network ${FENCE} `);
  await runner.step("Push the work").ended;
});

test.each([
  [
    "the network cannot be made",
    "'network create'*) echo no such driver >&2; exit 1;;",
    "docker network create failed",
  ],
  [
    "the image has no proxy",
    "*--entrypoint*) echo executable file not found >&2; exit 127;;",
    "the proxy did not start",
  ],
  ["the proxy is not let onto it", "'network connect'*) exit 1;;", "the proxy could not join it"],
  ["the proxy has no address there", "inspect*) exit 0;;", "the proxy has no address"],
  ["the proxy cannot be asked for its address", "inspect*) exit 1;;", "the proxy has no address"],
])("where %s the job fails instead of running open", async (_, instead, says) => {
  const runner = start(["registry.npmjs.org"]);
  const steps = await runner.run(WORK, {}, docker(instead));
  expect(steps["Run the agent"]).toMatchObject({
    code: 1,
    output: expect.stringContaining(`could not be made: ${says}.`),
  });
  if (instead.includes("echo"))
    expect(steps["Run the agent"].output).toMatch(/no such driver|executable file not found/);
  expect(existsSync(join(runner.top, "agent-env"))).toBe(false);
  expect(commands(runner)).not.toContain("run the agent");
  expect(parseResult(runner.pushed(RESULT) ?? "")?.outcome).toBe("failed");
  await vi.waitFor(() => expect(proxyLives(runner)).toBe(false), { timeout: 10_000 });
});

test.each([
  ["while the agent works", "", "touch ready; while :; do sleep 0.05; done"],
  [
    "while the proxy starts",
    `*--entrypoint*) echo $$ > "$TEST_TOP/proxy"; touch "$TEST_TOP/workspace/ready"; while :; do sleep 0.05; done;;`,
    "",
  ],
])("a run that is cut off %s leaves no proxy and no network", async (_, instead, work) => {
  const runner = start(["registry.npmjs.org"]);
  runner.agent(`echo $$ > "$TEST_TOP/agent"; ${work}`, docker(`kill*) kill -9 $(cat "$TEST_TOP/agent");;\n${instead}`));
  await runner.step("Prepare").ended;
  const { child } = runner.step("Run the agent", { AGENT_IMAGE: "agent:test" });
  await vi.waitFor(() => expect(existsSync(join(runner.workspace, "ready"))).toBe(true), { timeout: 30_000 });
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
  await runner.step("Push the work").ended;
  expect(commands(runner).slice(-2)).toEqual(CLEARED);
  await vi.waitFor(() => expect(proxyLives(runner)).toBe(false), { timeout: 10_000 });
});
