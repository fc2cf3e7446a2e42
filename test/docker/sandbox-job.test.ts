/** A whole job of the sandbox, from its comment to its merge, with the agent and the gateway in real containers. */
import { expect, test } from "vitest";
import { type Harness, type HarnessOptions, startHarness, until, untilJob } from "../flows/harness.ts";
import { DEMO, DEMO_SETTINGS, WRITER } from "../sandbox/environment.ts";
import { describeContainers, imageOf } from "./containers.ts";

/** The runner removes what a job has left, and says so in its log. */
function expectNothingLeft({ github }: Harness, said = "agent | "): void {
  const logs = github.runs(DEMO).flatMap((run) => run.jobs.map((job) => github.jobLog(job.id)));
  expect(logs.join("")).toContain(said);
  expect(logs.join("")).not.toContain("has left containers or networks behind");
}

const start = (options: HarnessOptions): Promise<Harness> =>
  startHarness({ ...options, containers: { choice: "docker", image: imageOf("agent"), environment: process.env } });

/** What the agent's own shell sees of where it is: its user, how often the key is there, whether this machine is. */
async function seenBy(harness: Harness): Promise<string[]> {
  const { hostname, port } = new URL(harness.sandbox.model.url);
  const look = [
    "id -u > seen.txt",
    // in brackets, since the gateway takes the key itself out of whatever the model answers
    "env | grep -c 'sandbox-model-ke[y]' >> seen.txt",
    `(timeout 3 bash -c ': < /dev/tcp/${hostname}/${port}' 2> /dev/null && echo reached || echo closed) >> seen.txt`,
  ];
  const { id } = await harness.jobOf(harness.ask(`/job run ${look.join("; ")}`));
  await untilJob(harness, id, "merged", (job) => job.merged_at !== null);
  await harness.sandbox.idle();
  return harness.github.readFile(DEMO, "main", "seen.txt")?.trim().split("\n") ?? [];
}

describeContainers("a job of the sandbox in real containers", () => {
  test("comes from its comment to its merge, by a user who knows no key", async () => {
    const harness = await start({});
    expect(harness.sandbox.containers).toMatch(/^Containers are real: Docker /);
    expect(await seenBy(harness)).toEqual(["10001", "0", "reached"]);
    expect(harness.sandbox.model.requests().length).toBeGreaterThan(0);
    expectNothingLeft(harness);
  });

  test("does so where the settings name hosts, and this machine is out of its reach then", async () => {
    const harness = await start({ settings: `${DEMO_SETTINGS}egress: [listed.invalid]\n` });
    expect(await seenBy(harness)).toEqual(["10001", "0", "closed"]);
    expectNothingLeft(harness);
  });

  test("runs in the image that the settings name, set up by their commands", async () => {
    const settings = `${DEMO_SETTINGS}container:\n  image: ${imageOf("app")}\n  setup: [echo by root > /made]\negress: []\n`;
    const harness = await start({ settings });
    const { id } = await harness.jobOf(harness.ask("/job run cat /made > seen.txt; command -v git >> seen.txt"));
    await untilJob(harness, id, "merged", (job) => job.merged_at !== null);
    await harness.sandbox.idle();
    expect(harness.github.readFile(DEMO, "main", "seen.txt")).toBe("by root\n/opt/journeyman/bin/git\n");
    expectNothingLeft(harness);
  });

  test("fails with the words of the set-up command that failed, which the job's comment shows and does not obey", async () => {
    const command = 'echo "no <b>such</b> package @octo **x**"; exit 9';
    const container = { image: imageOf("app"), setup: [command] };
    const harness = await start({ settings: `${DEMO_SETTINGS}container: ${JSON.stringify(container)}\n` });
    const issue = harness.ask("/job create HELLO.md that says hello");
    const { id } = await harness.jobOf(issue);
    const failed = await untilJob(harness, id, "failed", (job) => job.status === "failed");
    expect(failed.failure).toContain("ended with exit code 9. Its last lines: `no <b>such</b> package @octo **x**`");
    await until("the comment", async () => harness.comment(issue).includes("ended with exit code 9"));
    expect(harness.comment(issue)).toMatch(/Its last lines: `no <b>such<\/b> package @\u200bocto \*\*x\*\*`$/m);
    expect(harness.sandbox.model.requests()).toEqual([]);
    const asked = harness.ask("/job doctor");
    await until("the doctor", () => harness.comment(asked).includes("The last run could not set up the image"));
    expectNothingLeft(harness, "set-up | no <b>such</b>");
  });

  test("is cancelled while its agent waits for the model", async () => {
    const harness = await start({ script: () => ({ stall: true }) });
    const issue = harness.ask("/job create HELLO.md that says hello");
    const { id } = await harness.jobOf(issue);
    await until("the agent to ask", async () => harness.sandbox.model.requests().length > 0);
    harness.github.comment(DEMO, issue, { body: "/job cancel", by: WRITER });
    await untilJob(harness, id, "cancelled", (job) => job.status === "cancelled");
    await harness.sandbox.idle();
    const runs = harness.github.runs(DEMO).filter((run) => run.path.endsWith("run-job.yml"));
    expect(runs.map((run) => run.conclusion)).toContain("cancelled");
    expectNothingLeft(harness);
  });
});
