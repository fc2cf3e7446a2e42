/** The server's log at `info`: deliveries, transitions, requests, and no secrets. */

import { expect, it } from "vitest";
import * as z from "zod";
import { runOf } from "../../src/domain/job/job.ts";
import { LOG_FIELDS } from "../../src/domain/job/log-fields.ts";
import { DEMO, READER } from "../sandbox/environment.ts";
import { errorBody } from "../sandbox/model/protocol.ts";
import { API_KEY, type Harness, startHarness, until, untilJob, WEBHOOK_SECRET } from "./harness.ts";

const lineSchema = z.looseObject({ level: z.number(), msg: z.string() });
type Line = z.infer<typeof lineSchema>;

const linesOf = (harness: Harness): Line[] =>
  harness
    .logged()
    .trim()
    .split("\n")
    .map((line) => lineSchema.parse(JSON.parse(line)))
    .filter(({ level }) => level >= 30);

const told = (harness: Harness, msg: string): Line[] => linesOf(harness).filter((line) => line.msg === msg);

const BASE = ["level", "time", "pid", "hostname", "name", "msg"];
const KNOWN = new Set([...BASE, ...Object.keys(LOG_FIELDS)]);

function expectDocumented(harness: Harness): void {
  const ours = linesOf(harness).filter(({ msg }) => ["delivery", "job", "request"].includes(msg));
  expect(ours.flatMap((line) => Object.keys(line).filter((field) => !KNOWN.has(field)))).toEqual([]);
  for (const line of harness.logged().trim().split("\n")) expect(line.match(/"name":/g)).toHaveLength(1);
}

it("tells of a job from its comment to its merge, with job, repository and account in each line", async () => {
  const harness = await startHarness();
  const task = "create HELLO.md that says hello";
  const issue = harness.ask(`/job ${task}`);
  const { id } = await harness.jobOf(issue);
  const job = await untilJob(harness, id, "merged", (one) => one.merged_at !== null);
  await harness.request(`/api/jobs/status?job_id=${id}`);
  await until("the line of the request", () => told(harness, "request").some((line) => line.job === id));

  const where = { repository: DEMO, repository_id: job.repository.id, account: "ada", job: id };
  expect(told(harness, "delivery")[0]).toMatchObject({ ...where, github_event: "slash", command: "run" });
  expect(told(harness, "job").map(({ event }) => event)).toEqual([
    "job.created",
    "job.accepted",
    "job.submitted",
    "job.verified",
    "job.merged",
  ]);
  for (const line of told(harness, "job")) expect(line).toMatchObject(where);
  expect(told(harness, "job")[0]).toMatchObject({ request: told(harness, "delivery")[0]?.delivery, to: "queued" });
  expect(told(harness, "job").at(-1)).toMatchObject({ pull_request: job.pull_request?.number, run_id: runOf(job)?.id });
  expect(told(harness, "request").at(-1)).toMatchObject({ job: id, account: "admin", key: "API_KEY", status: 200 });
  expectDocumented(harness);
  const info = JSON.stringify(linesOf(harness));
  for (const secret of [API_KEY, WEBHOOK_SECRET, task]) expect(info).not.toContain(secret);
});

it("tells why not: a stranger, a refusal, a wrong key, a signature, a provider", async () => {
  const body = errorBody("authentication_error", "invalid x-api-key");
  const harness = await startHarness({ model: false, script: () => ({ status: 401, body }) });
  harness.ask("/job create HELLO.md that says hello", READER);
  await until("the stranger", () => told(harness, "delivery").some((line) => line.error_code === "forbidden"));

  const issue = harness.ask("/job create HELLO.md that says hello");
  const { id } = await harness.jobOf(issue);
  await untilJob(harness, id, "failed", (one) => one.status === "failed");
  const [failed] = told(harness, "job").filter(({ event }) => event === "job.failed");
  expect(failed).toMatchObject({ job: id, command: "run-changed", error_code: "key_refused" });
  expect(failed?.reason).toContain("ANTHROPIC_API_KEY");

  harness.github.comment(DEMO, issue, { body: "/job approve", by: "ada" });
  await until("the refusal", () => told(harness, "delivery").some((line) => line.error_code === "wrong_status"));
  await harness.request(`/api/jobs/status?job_id=${id}`, { key: "a-wrong-key-0123456789" });
  await until("the request", () => told(harness, "request").some((line) => line.error_code === "unauthorized"));

  const before = linesOf(harness).length;
  const answer = await fetch(`${harness.app.url}/api/github/webhooks`, {
    method: "POST",
    body: JSON.stringify({ zen: "private words" }),
    headers: {
      ...{ "content-type": "application/json", "x-github-event": "ping", "x-github-delivery": "forged-1" },
      "x-hub-signature-256": `sha256=${"0".repeat(64)}`,
    },
  });
  expect(answer.status).toBe(400);
  const [warning, ...more] = linesOf(harness).slice(before);
  expect(more).toEqual([]);
  expect(warning).toMatchObject({ level: 40, delivery: "forged-1", error_code: "invalid_signature" });
  expect(JSON.stringify(warning)).not.toMatch(/stack|private words/);
  expectDocumented(harness);
});
