/** A whole job of the sandbox, from its comment to its merge, with the agent and the gateway in real containers. */
import { expect, test } from "vitest";
import { type House, type HouseOptions, startHouse, until, untilJob } from "../flows/harness.ts";
import { DEMO, DEMO_SETTINGS, WRITER } from "../sandbox/environment.ts";
import { describeContainers, imageOf } from "./containers.ts";

/** The runner removes what a job has left, and says so in its log. */
function expectNothingLeft({ github }: House): void {
  const logs = github.runs(DEMO).flatMap((run) => run.jobs.map((job) => github.jobLog(job.id)));
  expect(logs.join("")).toContain("agent | ");
  expect(logs.join("")).not.toContain("has left containers or networks behind");
}

const start = (options: HouseOptions): Promise<House> =>
  startHouse({ ...options, containers: { choice: "docker", image: imageOf("agent"), environment: process.env } });

/** What the agent's own shell sees of where it is: its user, how often the key is there, whether this machine is. */
async function seenBy(house: House): Promise<string[]> {
  const { hostname, port } = new URL(house.town.model.url);
  const look = [
    "id -u > seen.txt",
    // in brackets, since the gateway takes the key itself out of whatever the model answers
    "env | grep -c 'sandbox-model-ke[y]' >> seen.txt",
    `(timeout 3 bash -c ': < /dev/tcp/${hostname}/${port}' 2> /dev/null && echo reached || echo closed) >> seen.txt`,
  ];
  const { id } = await house.jobOf(house.ask(`/job run ${look.join("; ")}`));
  await untilJob(house, id, "merged", (job) => job.merged_at !== null);
  await house.town.idle();
  return house.github.readFile(DEMO, "main", "seen.txt")?.trim().split("\n") ?? [];
}

describeContainers("a job of the sandbox in real containers", () => {
  test("comes from its comment to its merge, by a user who knows no key", async () => {
    const house = await start({});
    expect(house.town.containers).toMatch(/^Containers are real: Docker /);
    expect(await seenBy(house)).toEqual(["10001", "0", "reached"]);
    expect(house.town.model.requests().length).toBeGreaterThan(0);
    expectNothingLeft(house);
  });

  test("does so where the settings name hosts, and this machine is out of its reach then", async () => {
    const house = await start({ settings: `${DEMO_SETTINGS}egress: [listed.invalid]\n` });
    expect(await seenBy(house)).toEqual(["10001", "0", "closed"]);
    expectNothingLeft(house);
  });

  test("is cancelled while its agent waits for the model", async () => {
    const house = await start({ script: () => ({ stall: true }) });
    const issue = house.ask("/job create HELLO.md that says hello");
    const { id } = await house.jobOf(issue);
    await until("the agent to ask", async () => house.town.model.requests().length > 0);
    house.github.comment(DEMO, issue, { body: "/job cancel", by: WRITER });
    await untilJob(house, id, "cancelled", (job) => job.status === "cancelled");
    await house.town.idle();
    const runs = house.github.runs(DEMO).filter((run) => run.path.endsWith("run-job.yml"));
    expect(runs.map((run) => run.conclusion)).toContain("cancelled");
    expectNothingLeft(house);
  });
});
