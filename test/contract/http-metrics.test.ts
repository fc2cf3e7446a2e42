/** `/metrics`: who may see them, that they are correct, and that their labels do not grow with callers' input. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { STATUSES } from "../../src/domain/job/job.ts";
import { JOB_OUTCOMES } from "../../src/domain/job/outcome.ts";
import { LIMITS } from "../../src/github/client/write-budget.ts";
import { type HandClock, handClock } from "../flows/clock.ts";
import { startServer, type TestServer } from "./http-server.ts";

let clock: HandClock;
let server: TestServer;
beforeEach(async () => {
  clock = handClock();
  server = await startServer({ clock });
});
afterEach(() => server.close());

const task = { job: "say hello", repository: "octocat/hello" };
const create = () => server.ask("POST", "/v2/agent/octocat%2Fhello/job", { body: { prompt: "say hello" } });

/** The values of a metric by its labels, as they are printed. */
async function read(name: string): Promise<Record<string, number>> {
  const { body } = await server.ask("GET", "/metrics");
  const lines = String(body).matchAll(/^(?:journeyman_)?(\w+?)(?:\{(.*)\})? (\S+)$/gm);
  return Object.fromEntries(
    [...lines].filter(([, one]) => one === name).map(([, , labels = "", value]) => [labels, Number(value)]),
  );
}

describe("GET /metrics", () => {
  it("wants a key with the scope admin, as a bearer token too, and answers in Prometheus' format", async () => {
    const newKey = await server.ask("POST", "/api/keys", { body: { account: "ada", repository: "*" } });
    expect((await server.ask("GET", "/metrics", { key: null })).status).toBe(401);
    expect((await server.ask("GET", "/metrics", { key: String(Object(newKey.body).key) })).status).toBe(403);
    const headers = { authorization: "Bearer the-admin-key-of-these-tests" };
    const answer = await server.ask("GET", "/metrics", { key: null, headers });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([
      200,
      "text/plain; version=0.0.4; charset=utf-8",
    ]);
    expect(String(answer.body)).toMatch(/^# TYPE journeyman_jobs gauge$/m);
    expect(String(answer.body)).toMatch(/^process_cpu_seconds_total \d/m);
  });

  it("counts jobs by status, every status being there", async () => {
    expect(Object.keys(await read("jobs"))).toEqual(STATUSES.map((status) => `status="${status}"`));
    const [first] = [await create(), await create()];
    expect(await read("jobs")).toMatchObject({ 'status="queued"': 2, 'status="cancelled"': 0 });
    await server.ask("POST", `/v2/agent/octocat%2Fhello/job/${Object(first.body).id}/cancel`);
    expect(await read("jobs")).toMatchObject({ 'status="queued"': 1, 'status="cancelled"': 1 });
  });

  it("counts what jobs came to, once each however often they are looked at, every outcome being there", async () => {
    expect(Object.keys(await read("job_outcomes_total"))).toEqual(
      Object.keys(JOB_OUTCOMES).map((outcome) => `outcome="${outcome}"`),
    );
    const [first] = [await create(), await create()];
    const cancel = () => server.ask("POST", `/v2/agent/octocat%2Fhello/job/${Object(first.body).id}/cancel`);
    await cancel();
    await cancel();
    expect(await read("job_outcomes_total")).toMatchObject({ 'outcome="cancelled"': 1, 'outcome="done"': 0 });
  });

  it("tells effects that wait from those whose last attempt failed, and counts the attempts", async () => {
    server.github.push = () => "later";
    await create();
    await expect.poll(() => read("effects_failing")).toEqual({ "": 1 });
    expect(await read("effects_pending")).toEqual({ "": 1 });
    server.github.push = () => "done";
    await expect
      .poll(() => {
        clock.pass(60_000);
        return read("effects_pending");
      })
      .toEqual({ "": 0 });
    expect(await read("effects_failing")).toEqual({ "": 0 });
    expect(await read("effect_tries_total")).toMatchObject({ 'ended="later"': 1, 'ended="abandoned"': 0 });
  });

  it("measures how long a delivery waits from its record to the end of its work", async () => {
    const pushed = { installation: { id: 1, account: { login: "octocat" } }, action: "deleted" };
    expect((await server.deliver("installation", "gone-0001", { ...pushed, sender: { login: "x" } })).status).toBe(200);
    await expect.poll(() => read("webhook_lag_seconds_count")).toEqual({ 'ended="done"': 1 });
    expect(await read("deliveries_pending")).toEqual({ "": 0 });
    expect(await read("delivery_oldest_age_seconds")).toEqual({ "": 0 });
  });

  it("says what is left of GitHub's budget and of how much", async () => {
    const windows = Object.keys(await read("github_budget_left"));
    expect(windows).toHaveLength(4);
    expect(Object.keys(await read("github_budget_limit"))).toEqual(windows);
    expect(await read("github_budget_limit")).toMatchObject({ 'window="writes_per_hour"': LIMITS.writes_per_hour });
  });

  it("measures requests by route, method and class, and invents no label for what callers invent", async () => {
    await create();
    for (const path of ["/api/a", "/api/b", "/x", "/v2/agent/%zz/jobs"]) await server.ask("GET", path);
    await server.ask("PROPFIND", "/api/keys");
    await server.ask("POST", "/api/create-job", { body: "{" });
    await server.ask("POST", "/api/create-job", { body: task });
    expect(await read("http_request_duration_seconds_count")).toMatchObject({
      'route="/v2/agent/{projectId}/job",method="POST",status="2xx"': 1,
      'route="none",method="GET",status="4xx"': 4,
      'route="/api/keys",method="other",status="4xx"': 1,
      'route="/api/create-job",method="POST",status="4xx"': 1,
      'route="/api/create-job",method="POST",status="2xx"': 1,
    });
    await server.deliver("ping", "a-ping-01", { zen: "x" });
    expect(await read("http_request_duration_seconds_count")).toMatchObject({
      'route="/api/github/webhooks",method="POST",status="2xx"': 1,
    });
  });
});
