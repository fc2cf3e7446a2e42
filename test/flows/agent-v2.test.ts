import { expect, it } from "vitest";
import { asJobId } from "../../src/domain/job/job.ts";
import { DEMO } from "../sandbox/environment.ts";
import { API_KEY, startHarness, until, untilJob } from "./harness.ts";

const POLL_EVERY_MS = 50;

interface AgentJob {
  readonly id: string;
  readonly status: string;
  readonly source: { readonly repository: string; readonly ref: string };
  readonly model: string;
  readonly prLink: string | null;
  readonly createdAt: string;
  readonly archivedAt: string | null;
}

/** A client as its users have it: nothing is checked but the two words that end the loop. Only address and pause are ours. */
async function runAgentJob(base: string, projectId: string, prompt: string, apiKey: string): Promise<AgentJob> {
  const createResponse = await fetch(`${base}/v2/agent/${projectId}/job`, {
    method: "POST",
    headers: { Authorization: `Bearer ${apiKey}`, "Content-Type": "application/json" },
    body: JSON.stringify({ prompt }),
  });
  const job = (await createResponse.json()) as AgentJob;
  const jobId = job.id;
  while (true) {
    const statusResponse = await fetch(`${base}/v2/agent/${projectId}/job/${jobId}`, {
      headers: { Authorization: `Bearer ${apiKey}` },
    });
    const status = (await statusResponse.json()) as AgentJob;
    if (status.status === "completed" || status.status === "failed") {
      return status;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_EVERY_MS));
  }
}

const idOf = (text: string) => {
  const id = asJobId(text);
  if (id === null) throw new Error(`not an id: ${text}`);
  return id;
};

it("serves a client that creates, polls to the end and then sends a message", async () => {
  const harness = await startHarness({ settings: null });
  const projectId = encodeURIComponent(DEMO);
  const first = await runAgentJob(harness.app.url, projectId, "create PROMPT.md that says hello", API_KEY);
  const job = await harness.job(idOf(first.id));
  expect(first).toEqual({
    id: job.id,
    status: "completed",
    outcome: expect.stringMatching(/^(?:done|merged)$/),
    question: null,
    waitsInLine: null,
    source: { repository: `${harness.github.url}/${DEMO}`, ref: `job/${job.id}` },
    model: job.result?.model,
    prLink: job.pull_request?.url,
    createdAt: new Date(job.created_at).toISOString(),
    archivedAt: null,
  });
  expect(first.prLink).toContain("/pull/");
  expect(harness.github.readFile(DEMO, first.source.ref, "PROMPT.md")).toContain("hello");

  const known = await harness.app.store.repositories.get(...(DEMO.split("/") as [string, string]));
  const path = `/v2/agent/${known?.id}/job/${job.id}`;
  const sent = await harness.request(`${path}/message`, {
    method: "POST",
    body: { prompt: "append bye to PROMPT.md" },
  });
  expect(sent.status).toBe(200);
  expect(await sent.json()).toMatchObject({ id: job.id, status: "active", prLink: first.prLink });
  await untilJob(harness, job.id, "verified again", (one) => one.round === 2 && one.status === "verified");
  expect(harness.github.pulls(DEMO)).toHaveLength(1);
  expect(harness.github.readFile(DEMO, first.source.ref, "PROMPT.md")).toContain("bye");

  const archived = await harness.request(`${path}/archive`, { method: "POST" });
  expect(await archived.json()).toMatchObject({ status: "archived", archivedAt: expect.any(String) });
});

it("ends a client's polling with failed when the job fails, and when it was cancelled", async () => {
  const harness = await startHarness({ actions: false });
  const running = runAgentJob(harness.app.url, encodeURIComponent(DEMO), "create NEVER.md that says never", API_KEY);
  const [job] = await until("the job", async () => {
    const { jobs } = await harness.app.store.jobs.list({ limit: 1 });
    return jobs.length === 1 && jobs[0]?.head_sha ? jobs : null;
  });
  if (job === undefined) throw new Error("there is no job");
  const path = `/v2/agent/${encodeURIComponent(DEMO)}/job/${job.id}/cancel`;
  expect((await harness.request(path, { method: "POST" })).status).toBe(200);
  expect(await running).toMatchObject({ id: job.id, status: "failed", prLink: null });
  await until("the branch to be gone", () => harness.github.branches(DEMO)[job.branch] === undefined);
});

it("asks GitHub once for a repository that it has not met, and knows it by its number from then on", async () => {
  const harness = await startHarness({ actions: false });
  const create = (project: string) =>
    harness.request(`/v2/agent/${project}/job`, {
      method: "POST",
      body: { prompt: "create PROMPT.md that says hello" },
    });
  const lookUps = (route: string) => harness.github.calls().filter((call) => call.route === route).length;
  const [owner = "", name = ""] = DEMO.split("/");
  const known = () => harness.app.store.repositories.get(owner, name);
  expect(await known()).toBeNull();
  expect((await create(encodeURIComponent(DEMO))).status).toBe(201);
  for (let nth = 0; nth < 2; nth++) expect((await create(String((await known())?.id))).status).toBe(201);
  expect(lookUps("/repos/:owner/:repo/installation")).toBe(1);
  expect(lookUps("/repositories/:id/installation")).toBe(0);
});

it("asks GitHub once for a number that it has not met, whether there is such a repository or not", async () => {
  const harness = await startHarness({ actions: false });
  const list = async (project: number) => {
    const answer = await harness.request(`/v2/agent/${project}/jobs`);
    return [answer.status, await answer.json()];
  };
  const asked = () => harness.github.calls().filter(({ route }) => route === "/repositories/:id/installation").length;
  const there = () => list(harness.github.repositoryId(DEMO));
  for (const answer of [...(await Promise.all([there(), there()])), await there()])
    expect(answer).toEqual([200, { jobs: [], nextCursor: null }]);
  expect(asked()).toBe(1);
  const sentence = "Journeyman is installed on no repository of the id 999999; name it as owner/name.";
  for (let nth = 0; nth < 2; nth++) expect(await list(999_999)).toEqual([404, { code: "not_found", error: sentence }]);
  expect(asked()).toBe(2);
});

it("learns by name which number the repository of a key has that was made before anybody met it", async () => {
  const harness = await startHarness({ actions: false });
  const made = await harness.request("/api/keys", { method: "POST", body: { account: "ci", repository: DEMO } });
  const { key } = (await made.json()) as { key: string };
  const list = (project: number) => harness.request(`/v2/agent/${project}/jobs`, { key });
  expect((await list(999_999)).status).toBe(403);
  expect((await list(harness.github.repositoryId(DEMO))).status).toBe(200);
  const asked = harness.github.calls().filter(({ route }) => route.endsWith("/installation"));
  expect(asked.map(({ route }) => route)).toEqual(["/repos/:owner/:repo/installation"]);
});
