/** Plays the triggers of the page and the files of create-job's documentation as they stand: of each a job or an event comes. */
import { createHmac } from "node:crypto";
import { describe, expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import type { Job } from "../../src/domain/job/job.ts";
import { type Receiver, startReceiver } from "../contract/receiver.ts";
import { type Harness, type HarnessOptions, startHarness, until } from "../flows/harness.ts";
import { DEMO, WRITER } from "../sandbox/environment.ts";
import { curlRequest, type Fence, fenceOf, fencesOf, textOf } from "./read-markdown.ts";

const PAGE = textOf("docs/triggers.md");
const SETTINGS = ".github/journeyman.yml";
const BOT = "dependabot[bot]";
/** What the page calls the server and the repository. */
const inSandbox = (text: string, { app }: Harness): string =>
  text.replaceAll("https://journeyman.example", app.url).replaceAll("octocat/hello-world", DEMO);

const named = z.array(z.object({ name: z.string() }));
const yamlSchema = z.object({ triggers: named });
const jsonSchema = z.object({ triggers: z.array(z.object({ name: z.string(), watch_path: z.string() })) });

/** The page's files, by the triggers in each. */
const FILES = new Map(
  fencesOf(PAGE).flatMap(({ info, text }): [string, Fence][] => {
    if (info !== "yaml" && info !== "json") return [];
    const { triggers } = info === "yaml" ? yamlSchema.parse(parse(text)) : jsonSchema.parse(JSON.parse(text));
    return [[triggers.map(({ name }) => name).join(), { info, text }]];
  }),
);
const fileOf = (triggers: string): string => FILES.get(triggers)?.text ?? "";

const jobs = async ({ app }: Harness): Promise<readonly Job[]> => (await app.store.jobs.list({ limit: 50 })).jobs;

async function settled({ sandbox, app }: Harness): Promise<void> {
  await sandbox.idle();
  await until("the inbox to be empty", async () => (await app.store.inbox.pending()).length === 0);
  await until("the files to be read", async () => (await app.store.repositories.withEffects()).length === 0);
}

/** A repository that has this file, as it stands. */
async function withFile(path: string, text: string, options: HarnessOptions = { actions: false }): Promise<Harness> {
  const harness = await startHarness(options);
  harness.github.pushCommit(DEMO, "main", { [path]: text }, WRITER);
  await settled(harness);
  const [owner = "", name = ""] = DEMO.split("/");
  const state = await harness.app.store.repositories.get(owner, name);
  expect(state?.settings_problem ?? null).toBeNull();
  expect(state?.automation.problems).toEqual([]);
  return harness;
}

const answerSchema = z.looseObject({ job_ids: z.array(z.string()), event_ids: z.array(z.string()) });

async function secretOf(harness: Harness, trigger: string): Promise<string> {
  const issued = await harness.request(`/api/triggers/${DEMO}/${trigger}/secret`, { method: "POST", body: {} });
  return z.object({ secret: z.string() }).parse(await issued.json()).secret;
}

async function call(harness: Harness, path: string, headers: Record<string, string>, body: string) {
  const answer = await fetch(`${harness.app.url}/api/triggers/${DEMO}/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
  expect(answer.status).toBe(202);
  return answerSchema.parse(await answer.json());
}

async function listener(harness: Harness): Promise<Receiver> {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  const body = { url: receiver.url, events: ["trigger.fired"], repository: DEMO };
  expect((await harness.request("/api/webhooks", { method: "POST", body })).status).toBe(201);
  return receiver;
}

describe("the triggers of the page", () => {
  it("are these and no others, so that each is played here", () => {
    const all = ["error-report", "review-push", "deployed", "crash,broken-build,dependencies,release-notes"];
    expect([...FILES.keys()]).toEqual(all);
  });

  it("start a job by the page's own calls", async () => {
    const harness = await withFile(SETTINGS, fileOf("error-report"));
    const made = await harness.request("/api/keys", {
      method: "POST",
      body: { account: "octocat", repository: DEMO, scopes: ["read", "write"] },
    });
    const variables: Record<string, string> = { KEY: z.object({ key: z.string() }).parse(await made.json()).key };
    const answers: unknown[] = [];
    for (const { info, text } of fencesOf(PAGE)) {
      if (info !== "sh") continue;
      const { method, url, headers, body } = curlRequest(inSandbox(text, harness), variables);
      const answer = await fetch(url, { method, headers, ...(body === null ? {} : { body }) });
      const read = z.looseObject({ secret: z.string().optional() }).parse(await answer.json());
      if (read.secret !== undefined) variables.SECRET = read.secret;
      answers.push([answer.status, read]);
    }
    const [job] = await jobs(harness);
    expect(job).toMatchObject({
      origin: { kind: "trigger", name: "error-report" },
      trigger_values: [
        { name: "body.service", text: "shop" },
        { name: "body.log", text: "…" },
      ],
    });
    const message = "1 job started.";
    expect(answers).toEqual([
      [201, expect.objectContaining({ name: "error-report", secret: expect.stringMatching(/^whsec_/) })],
      [202, { job_id: job?.id, job_ids: [job?.id], event_ids: [], message }],
    ]);
  });

  it("start a job by a webhook of GitHub at their `watch_path`", async () => {
    const harness = await withFile("config/TRIGGERS.json", fileOf("review-push"));
    const secret = await secretOf(harness, "review-push");
    const body = JSON.stringify({ compare: "https://github.com/octo/demo/compare/a...b" });
    const signature = `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
    const headers = { "x-hub-signature-256": signature, "x-github-delivery": "1", "x-github-event": "push" };
    const { job_ids } = await call(harness, "github%2Fwebhook", headers, body);
    expect(await jobs(harness)).toMatchObject([{ id: job_ids[0], task: "Look at what was pushed: {{body.compare}}" }]);
  });

  it("send the event that the page shows, beside a job", async () => {
    const harness = await withFile(SETTINGS, fileOf("deployed"));
    const receiver = await listener(harness);
    const authorization = `Bearer ${await secretOf(harness, "deployed")}`;
    const [sent = ""] = /`(\{"version": [^`\n]*)`/.exec(PAGE)?.slice(1) ?? [];
    const { job_ids, event_ids } = await call(harness, "deployed", { authorization }, sent);
    const { body } = await until("the event", () => receiver.received[0]);
    const shown: unknown = JSON.parse(inSandbox(fenceOf(PAGE, "json event"), harness));
    expect(JSON.parse(body)).toEqual({
      ...{ type: "trigger.fired", timestamp: expect.any(String) },
      data: { ...z.looseObject({}).parse(shown), id: event_ids[0] },
    });
    expect(await jobs(harness)).toMatchObject([{ id: job_ids[0], origin: { kind: "trigger", name: "deployed" } }]);
  });

  it("start a job by each of their events of GitHub", async () => {
    const file = fileOf("crash,broken-build,dependencies,release-notes");
    const harness = await withFile(SETTINGS, file, {});
    const { github } = harness;
    const started = async (name: string) =>
      until(`the job of ${name}`, async () =>
        (await jobs(harness)).find(({ origin }) => origin.kind === "trigger" && origin.name === name),
      );
    github.openIssue(DEMO, { title: "The App crashes at the start", by: WRITER, labels: ["bug"] });
    expect((await started("crash")).trigger_values[0]?.text).toContain("The App crashes at the start");
    github.publishRelease(DEMO, { tag: "v2.0.0", body: "Faster.", by: WRITER });
    expect((await started("release-notes")).trigger_values[0]?.text).toBe("v2.0.0");
    github.createUser(BOT, "Bot");
    github.pushCommit(DEMO, "dependabot/npm/left-pad-2", { BROKEN: "one\n" }, BOT);
    github.openPullRequest(DEMO, { title: "Bump left-pad", head: "dependabot/npm/left-pad-2", by: BOT });
    expect((await started("dependencies")).trigger_values[0]?.text).toContain("Bump left-pad");
    const sha = github.pushCommit(DEMO, "main", { BROKEN: "two\n" }, WRITER);
    expect((await started("broken-build")).trigger_values[1]?.text).toBe(sha);
  });
});

describe("the files of create-job's documentation", () => {
  it("start what they say: a schedule with the file's name above it", async () => {
    const text = `// config/CRONS.json
{
  "jobs": [
    {
      "name": "daily-report",
      "schedule": "0 9 * * *",
      "type": "agent",
      "job": "Generate daily metrics report from logs",
      "enabled": true
    }
  ]
}
`;
    const harness = await withFile("config/CRONS.json", text);
    const [owner = "", name = ""] = DEMO.split("/");
    const starts_at = (await harness.app.store.repositories.get(owner, name))?.schedules[0]?.next?.starts_at ?? 0;
    harness.pass(Math.max(0, starts_at - harness.now()) + 1_000);
    const job = await until("the job", async () => (await jobs(harness))[0]);
    expect(job).toMatchObject({
      ...{ task: "Generate daily metrics report from logs", origin: { kind: "schedule", name: "daily-report" } },
    });
  });

  it("start what they say: a trigger whose action names provider and model", async () => {
    const action = { type: "agent", job: "Analyze recent error logs and create a summary report" };
    const model = { llm_provider: "anthropic", llm_model: "claude-sonnet-4-20250514" };
    const trigger = { name: "error-logs", watch_path: "/webhook", actions: [{ ...action, ...model }], enabled: true };
    const harness = await withFile("config/TRIGGERS.json", JSON.stringify([trigger]));
    const authorization = `Bearer ${await secretOf(harness, "webhook")}`;
    const { job_ids } = await call(harness, "webhook", { authorization }, "{}");
    expect(await jobs(harness)).toMatchObject([
      { id: job_ids[0], task: action.job, choices: { provider: model.llm_provider, model: model.llm_model } },
    ]);
  });
});
