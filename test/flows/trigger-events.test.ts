/** Events that a repository's triggers send: by a call from outside and by events of GitHub, each once. */
import { describe, expect, it, onTestFinished } from "vitest";
import * as z from "zod";
import type { Job } from "../../src/domain/job/job.ts";
import { type Receiver, startReceiver } from "../contract/receiver.ts";
import { DEMO, WRITER } from "../sandbox/environment.ts";
import { type Harness, type HarnessOptions, startHarness, until, untilJob } from "./harness.ts";

const HELLO = "create HELLO.md that says hello";
const STRANGER = "mallory";
const TELL = { type: "webhook", job: "Look at {{body.service}}." };

const eventSchema = z.object({
  type: z.string(),
  data: z.looseObject({ repository: z.string(), subject: z.string(), text: z.string(), id: z.string() }),
});

/** What subscribers hear, in order. One whose answer was lost with the server comes again, under the same id. */
const told = ({ received }: Receiver) =>
  [...new Map(received.map((one) => [one.id, one])).values()]
    .map(({ body }) => eventSchema.safeParse(JSON.parse(body)).data)
    .filter((event) => event?.type === "trigger.fired");

const jobs = async ({ app }: Harness): Promise<readonly Job[]> => (await app.store.jobs.list({ limit: 50 })).jobs;

async function settled({ sandbox, app }: Harness): Promise<void> {
  await sandbox.idle();
  const { inbox, repositories, outgoing } = app.store;
  await until("the inbox to be empty", async () => (await inbox.pending()).length === 0);
  await until("the events to be recorded", async () => (await repositories.withEffects()).length === 0);
  await until("the events to be sent", async () => (await outgoing.pending()).length === 0);
}

/** A repository with these triggers, and whoever hears of them. */
async function withTriggers(
  triggers: readonly object[],
  options: HarnessOptions = { actions: false },
): Promise<{ harness: Harness; receiver: Receiver }> {
  const harness = await startHarness(options);
  const receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  harness.github.pushCommit(DEMO, "main", { "config/TRIGGERS.json": JSON.stringify(triggers) }, WRITER);
  await settled(harness);
  const [owner = "", name = ""] = DEMO.split("/");
  expect((await harness.app.store.repositories.get(owner, name))?.automation.problems).toEqual([]);
  // tied to the repository's number, which is known from here on
  const made = await harness.request("/api/webhooks", {
    method: "POST",
    body: { url: receiver.url, events: ["trigger.fired"], repository: DEMO },
  });
  expect(made.status).toBe(201);
  return { harness, receiver };
}

async function caller(harness: Harness, trigger: string) {
  const issued = await harness.request(`/api/triggers/${DEMO}/${trigger}/secret`, { method: "POST", body: {} });
  const { secret } = z.object({ secret: z.string() }).parse(await issued.json());
  return async (id: string, body: object = { service: "shop" }) => {
    const answer = await fetch(`${harness.app.url}/api/triggers/${DEMO}/${trigger}`, {
      method: "POST",
      headers: { authorization: `Bearer ${secret}`, "content-type": "application/json", "webhook-id": id },
      body: JSON.stringify(body),
    });
    return { status: answer.status, body: z.looseObject({}).parse(await answer.json()) };
  };
}

describe("a trigger that is called and tells of it", () => {
  it("sends one signed event for one delivery, whatever happens in between", async () => {
    const { harness, receiver } = await withTriggers([{ name: "report", actions: [TELL] }]);
    const call = await caller(harness, "report");
    const first = await call("1");
    expect(first).toMatchObject({ status: 202, body: { job_id: null, job_ids: [] } });
    await harness.restart();
    expect(await call("1")).toEqual(first);
    await call("2", { service: "till" });
    await settled(harness);
    expect(told(receiver).map((event) => event?.data)).toEqual([
      {
        ...{ repository: DEMO, subject: "report", text: "Look at {{body.service}}.", trigger: "report" },
        ...{ id: expect.any(String), values: { "body.service": "shop" } },
      },
      expect.objectContaining({ values: { "body.service": "till" } }),
    ]);
    expect(first.body.event_ids).toEqual([told(receiver)[0]?.data.id]);
    expect(receiver.received[0]?.headers["webhook-signature"]).toMatch(/^v1,/);
    expect(await jobs(harness)).toEqual([]);
  });

  it("performs each of its actions once, also where the server ends while it is at work", async () => {
    const { harness, receiver } = await withTriggers([{ name: "both", actions: [{ job: HELLO }, TELL] }], {});
    const call = await caller(harness, "both");
    for (let at = 0; at < 3; at += 1) {
      const cut = call(`${at}`).catch(() => null);
      await harness.restart();
      await cut;
      const again = await call(`${at}`);
      expect(again.body).toMatchObject({ job_ids: [expect.any(String)], event_ids: [expect.any(String)] });
    }
    await settled(harness);
    expect(told(receiver)).toHaveLength(3);
    const made = await jobs(harness);
    expect(made).toHaveLength(3);
    for (const { id } of made) await untilJob(harness, id, "over", ({ status }) => status === "verified");
  });

  it("counts its events among what may start within an hour", async () => {
    const { harness, receiver } = await withTriggers([{ name: "report", jobs_per_hour: 2, actions: [TELL] }]);
    const call = await caller(harness, "report");
    for (const id of ["1", "2"]) expect((await call(id)).status).toBe(202);
    expect(await call("3")).toMatchObject({ status: 429, body: { code: "rate_limited" } });
    expect((await call("2")).status).toBe(202);
    harness.pass(3_600_001);
    expect((await call("3")).status).toBe(202);
    await settled(harness);
    expect(told(receiver)).toHaveLength(3);
  });
});

describe("a trigger for events of GitHub that tells of them", () => {
  const on = (event: object, name = "t", actions: readonly object[] = [{ type: "webhook" }]) => ({
    ...{ name, on: event, actions },
  });

  it("tells of a release with what its words are, once", async () => {
    const { harness, receiver } = await withTriggers([
      on({ release_published: { tag: "v*" } }, "news", [{ type: "webhook", job: "Tell of {{release.tag}}." }]),
    ]);
    harness.github.publishRelease(DEMO, { tag: "nightly-1", by: WRITER });
    harness.github.publishRelease(DEMO, { tag: "v1.2.0", body: "Notes.", by: WRITER });
    await settled(harness);
    expect(told(receiver)).toMatchObject([
      { data: { subject: "news", values: { "release.tag": "v1.2.0", release: expect.stringContaining("Notes.") } } },
    ]);
    expect(await jobs(harness)).toEqual([]);
  });

  it("tells of issues of people who may write, also where a job of the issue is open", async () => {
    const { harness, receiver } = await withTriggers([
      on({ issue_opened: {} }, "first"),
      on({ issue_opened: {} }, "work", [{ job: HELLO }]),
      on({ issue_labelled: { label: "agent" } }, "label"),
      on({ issue_labelled: { label: "agent" } }, "none", [{ job: HELLO }, { type: "webhook" }]),
    ]);
    const { github } = harness;
    github.createUser(STRANGER);
    github.openIssue(DEMO, { title: "Buy now", by: STRANGER });
    const number = github.openIssue(DEMO, { title: "A crash", by: WRITER });
    await harness.jobOf(number);
    github.createLabel(DEMO, "agent", "1f883d");
    github.addLabel(DEMO, number, "agent", WRITER);
    await settled(harness);
    expect(told(receiver).map((event) => event?.data.subject)).toEqual(["first", "label"]);
    expect(await jobs(harness)).toHaveLength(1);
  });

  it("tells once of a commit that is broken, whichever checks fail", async () => {
    const { harness, receiver } = await withTriggers([on({ check_failed: {} })], {});
    const sha = harness.github.pushCommit(DEMO, "main", { BROKEN: "yes\n" }, WRITER);
    await until("the news", async () => told(receiver).length > 0);
    await settled(harness);
    expect(told(receiver).map((event) => event?.data.values)).toEqual([{ check: expect.stringContaining(sha) }]);
    harness.github.pushCommit(DEMO, "main", { BROKEN: null }, WRITER);
    await settled(harness);
    expect(told(receiver)).toHaveLength(1);
  });

  it("tells once of a red pull request of a dependency bot, also where a job is at work on it", async () => {
    const failed = { dependency_pull_request_failed: {} };
    const { harness, receiver } = await withTriggers(
      [on(failed, "tell"), on(failed, "mend", [{ job: "do nothing" }]), on(failed, "again", [{ job: HELLO }])],
      {},
    );
    const { github } = harness;
    github.createUser("dependabot[bot]", "Bot");
    github.pushCommit(DEMO, "dependabot/npm/a-2", { BROKEN: "one\n" }, "dependabot[bot]");
    github.openPullRequest(DEMO, { title: "Bump a to 2", head: "dependabot/npm/a-2", by: "dependabot[bot]" });
    const { id, origin } = await until("the job", async () => (await jobs(harness))[0]);
    expect(origin).toMatchObject({ name: "mend" });
    await untilJob(harness, id, "over", ({ status }) => status === "verified" || status === "failed");
    const run = github.runs(DEMO).find(({ event }) => event === "pull_request");
    github.rerun(DEMO, run?.id ?? 0);
    await settled(harness);
    expect(told(receiver).map((event) => [event?.data.subject, event?.data.values])).toEqual([
      ["tell", { pull_request: expect.stringContaining("Bump a to 2") }],
    ]);
    expect(await jobs(harness)).toHaveLength(1);
  });
});
