import { expect, it } from "vitest";
import { DEMO } from "../sandbox/environment.ts";
import { startHarness, until, untilJob } from "./harness.ts";

const SETTINGS = "auto_merge:\n  enabled: true\n";

it("a repository that names hosts has its jobs reach the model and these, and is told what else was asked for", async () => {
  const harness = await startHarness({ realRuns: true, settings: `${SETTINGS}egress: [listed.invalid]\n` });
  // Through the proxy whatever curl and git think of this machine's own names.
  const ask = (host: string) => `node ask.mjs ${host} >> answers.txt 2>&1`;
  const program = [
    'import { request } from "node:http";',
    "const { hostname, port } = new URL(process.env.HTTPS_PROXY);",
    'const asked = request({ hostname, port, method: "CONNECT", path: process.argv[2] }).end();',
    'asked.once("connect", (answer) => { console.log(process.argv[2], answer.statusCode); process.exit(0); });',
  ].join(" ");
  const model = new URL(harness.sandbox.model.url).host;
  const issue = harness.ask(
    `/job create ask.mjs that says ${program}\nrun ${ask(model)}\nrun ${ask("listed.invalid:443")}\nrun ${ask("elsewhere.example.org:443")}`,
  );
  const { id } = await harness.jobOf(issue);
  await untilJob(harness, id, "merged", (one) => one.merged_at !== null);
  await harness.sandbox.idle();
  const answers = harness.github.readFile(DEMO, "main", "answers.txt")?.trim().split("\n");
  // the model is reached through the gateway alone, which holds the key and the limit of cost
  expect(answers).toEqual([`${model} 403`, "listed.invalid:443 502", "elsewhere.example.org:443 403"]);
  const said = "Blocked: elsewhere.example.org is not an allowed host";
  const status = await harness.request(`/api/jobs/status?job_id=${id}`);
  expect(await status.text()).toContain(said);
});

it("a wrong host in the settings is named like any other mistake, and while it stands nothing is open", async () => {
  const harness = await startHarness({ realRuns: true, settings: `${SETTINGS}egress:\n  - https://pypi.org\n` });
  const issue = harness.ask("/job run env | grep HTTPS_PROXY > proxy.txt");
  const { id } = await harness.jobOf(issue);
  const job = await untilJob(harness, id, "verified", (one) => one.status === "verified");
  expect(harness.github.readFile(DEMO, job.branch, "proxy.txt")).toContain("HTTPS_PROXY=http://");
  await until("the mistake to be named", () => harness.comment(issue).includes("wrong value at `egress[0]` (line 4)"));
});
