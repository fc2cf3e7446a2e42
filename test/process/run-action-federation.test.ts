/** The run action without a key: who may ask GitHub for the run's identity, what the gateway gets, what is logged. */
import { afterEach, expect, test } from "vitest";
import { IDENTITY_TOKEN_WANTED } from "../../src/contracts/gateway.ts";
import { parseResult } from "../../src/contracts/result.ts";
import { JOB_ID } from "../unit/agent-job.ts";
import { obeyed, Runner } from "./action-runner.ts";
import { FakeApp } from "./fake-app.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const RESULT = `.jobs/${JOB_ID}/result.json`;
const WORK = `echo '{"version":1,"outcome":"done","title":"t","body":"b","model":"m","usage":{},"cost_cents":1}' > ${RESULT}; echo '{}' > .jobs/${JOB_ID}/log.jsonl\n`;
const IDS = {
  INPUT_ANTHROPIC_API_KEY: "",
  INPUT_ANTHROPIC_FEDERATION_RULE_ID: "fdrl_1",
  INPUT_ANTHROPIC_ORGANIZATION_ID: "org-1",
  INPUT_ANTHROPIC_SERVICE_ACCOUNT_ID: "svac_1",
};
/** A gateway that asks for two tokens, one after the other, and then lets the agent begin. */
const ASKING = `
case "$*" in *"--entrypoint gateway"*)
  env > "$TEST_TOP/gateway-environment"
  for nth in 1 2; do echo '${IDENTITY_TOKEN_WANTED}'; read -r line; echo "$line" > "$TEST_TOP/identity-$nth"; done
  echo "listening on 8080"; echo $$ > "$TEST_TOP/gateway"; sleep 600 & trap "kill $!; exit 0" TERM; wait; exit 0;;
esac`;

async function start() {
  const fakeApp = await FakeApp.open();
  const runner = new Runner({}, { brief: { app_url: fakeApp.url } });
  closing.push(
    () => fakeApp.close(),
    () => runner.remove(),
  );
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url = "", ACTIONS_ID_TOKEN_REQUEST_TOKEN: token = "" } = fakeApp.environment;
  const env = { ...IDS, ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: token };
  return { fakeApp, runner, env };
}

const tokenIn = (line: string): string => JSON.parse(line).token;

test("the gateway is handed an identity token for the provider each time it asks, and never the right to ask", async () => {
  const { fakeApp, runner, env } = await start();
  const { main, post } = await runner.run(WORK, env, ASKING);
  expect([main.code, post.code], main.output + post.output).toEqual([0, 0]);
  const [first, second] = [1, 2].map((nth) => tokenIn(runner.read(`identity-${nth}`)));
  expect(first).not.toBe(second);
  expect(fakeApp.audiences.filter((one) => one !== fakeApp.url)).toEqual(Array(2).fill("https://api.anthropic.com"));
  const variables = runner.read("gateway-environment");
  for (const [name, value] of Object.entries(IDS).slice(1))
    expect(`\n${variables}`).toContain(`\n${name.replace("INPUT_", "")}=${value}\n`);
  for (const seen of ["gateway-environment", "agent-env", "commands"])
    expect(runner.read(seen)).not.toMatch(/ACTIONS_|request-token|ANTHROPIC_API_KEY|eyJ/);
  expect(runner.read("agent-env")).not.toContain("ANTHROPIC_");
  expect(main.output).toContain("gateway | listening on 8080");
  expect(main.output).not.toContain(IDENTITY_TOKEN_WANTED);
  // the runner takes them out of whatever is printed after
  expect(obeyed(main.output)).toEqual(["add-mask workflow-token-1234", `add-mask ${first}`, `add-mask ${second}`]);
});

test("where GitHub refuses the token, the gateway is told why", async () => {
  const { runner, env } = await start();
  await runner.run(WORK, { ...env, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "another" }, ASKING);
  expect(JSON.parse(runner.read("identity-1"))).toEqual({
    reason: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+ answers 401$/),
    again: false,
  });
});

test("a key that is given as well counts, which is said", async () => {
  const { fakeApp, runner, env } = await start();
  const { main } = await runner.run(WORK, { ...env, INPUT_ANTHROPIC_API_KEY: "secret-key-123" });
  expect(main.code).toBe(0);
  expect(main.output).toContain("The input `anthropic_api_key` is given, so the key is used");
  expect(runner.read("gateway-env")).toMatch(/^ANTHROPIC_API_KEY=secret-key-123$/m);
  expect(runner.read("gateway-env")).not.toContain("ANTHROPIC_FEDERATION_RULE_ID");
  expect(fakeApp.audiences).not.toContain("https://api.anthropic.com");
});

test.each([
  [
    "an id is missing",
    { INPUT_ANTHROPIC_SERVICE_ACCOUNT_ID: "" },
    "the input `anthropic_service_account_id` is not set; without a key the model's provider needs " +
      "`anthropic_federation_rule_id`, `anthropic_organization_id`, `anthropic_service_account_id`",
  ],
  [
    "the rule is missing",
    { INPUT_ANTHROPIC_FEDERATION_RULE_ID: "" },
    "the input `anthropic_federation_rule_id` is not set; without a key the model's provider needs " +
      "`anthropic_federation_rule_id`, `anthropic_organization_id`, `anthropic_service_account_id`",
  ],
  [
    "an id is none",
    { INPUT_ANTHROPIC_ORGANIZATION_ID: "our organization" },
    "the input `anthropic_organization_id` is not an id of the model's provider",
  ],
  [
    "the workflow may not say who it is",
    { ACTIONS_ID_TOKEN_REQUEST_URL: "", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "" },
    "this workflow lacks the permission `id-token: write`, without which it cannot sign in to the model's provider",
  ],
  [
    "the provider is reached without encryption",
    { INPUT_ANTHROPIC_BASE_URL: "http://model.example.org" },
    "the input `anthropic_base_url` must begin with https:// where there is no key",
  ],
])("where %s nothing is started, and log, summary and result say it in one sentence", async (_, change, says) => {
  const { fakeApp, runner, env } = await start();
  const { main, post } = await runner.run(WORK, { ...env, ...change });
  expect(main).toMatchObject({ code: 1, output: expect.stringContaining(`The agent was not started: ${says}.`) });
  expect(runner.commands().filter((one) => one.startsWith("run "))).toEqual([]);
  expect(runner.read("summary.md")).toContain(says);
  expect(post.code, post.output).toBe(0);
  const result = fakeApp.handedIn.length > 0 ? JSON.stringify(fakeApp.handedIn[0]) : runner.pushed(RESULT);
  expect(result).toContain(JSON.stringify(says).slice(1, -1));
  if (fakeApp.handedIn.length === 0) expect(parseResult(result ?? "")).toMatchObject({ outcome: "failed" });
});
