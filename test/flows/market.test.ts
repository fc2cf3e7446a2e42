import { expect, it } from "vitest";
import { asJobId, isSenderAsked, type JobId } from "../../src/domain/job/job.ts";
import { DEMO } from "../sandbox/environment.ts";
import { type Harness, startHarness, until, untilJob } from "./harness.ts";

const idOf = (text: unknown): JobId => {
  const id = typeof text === "string" ? asJobId(text) : null;
  if (id === null) throw new Error(`not an id: ${text}`);
  return id;
};

type Body = Readonly<Record<string, unknown>>;

/** An account with a key of its own; what it asks must be answered with this status. */
async function person(harness: Harness, account: string) {
  const newKey = await harness.request("/api/keys", { method: "POST", body: { account, repository: "*" } });
  const { key } = (await newKey.json()) as { key: string };
  return async (method: string, path: string, status: number, body?: unknown): Promise<Body> => {
    const response = await harness.request(path, { method, key, ...(body === undefined ? {} : { body }) });
    const text = await response.text();
    expect(`${response.status} ${text}`).toContain(`${status} `);
    return text === "" ? {} : (JSON.parse(text) as Body);
  };
}

/** Without a model that judges, the sender says whether work is good. */
async function approve(harness: Harness, id: JobId, sender: Awaited<ReturnType<typeof person>>): Promise<void> {
  await untilJob(harness, id, "left to its sender", isSenderAsked);
  await sender("POST", `/api/jobs/${id}/approve`, 200);
}

const credit = (harness: Harness, account: string, amount_cents: number) =>
  harness.request("/api/wallet/credit", { method: "POST", body: { account, amount_cents } });

it("is ordered, pulled, accepted and handed in, approved, merged when green, and paid", async () => {
  const harness = await startHarness({ model: false });
  const [ada, bob] = [await person(harness, "ada"), await person(harness, "bob")];
  await credit(harness, "ada", 1_000);

  const order = { prompt: "Write UNIX.md about the history of Unix", price_cents: 500, time_limit_seconds: 3600 };
  const attachments = [{ name: "notes.bin", type: "text/plain", content: Buffer.from([0, 255, 1]).toString("base64") }];
  const quote = await ada("POST", "/api/jobs/run", 200, order);
  expect(quote).toMatchObject({ needs_confirmation: true, estimated_price_cents: 500, estimated_by: "estimate" });
  const envVars = { API_TOKEN: "s3cret-value" };
  const confirm = { ...order, envVars, attachments, confirmed: true, quote_id: quote.quote_id };
  const made = await ada("POST", "/api/jobs/run", 201, confirm);
  const id = idOf(made.id);
  expect(made).toMatchObject({ status: "queued", price_cents: 500, title: quote.title });
  expect(await ada("GET", "/api/wallet/balance", 200)).toMatchObject({ balance_cents: 500 });

  expect(await bob("POST", "/api/jobs/pull", 200, {})).toMatchObject({ id, status: "held", price_cents: 500 });
  const accepted = await bob("POST", `/api/jobs/${id}/accept`, 200);
  expect(accepted).toMatchObject({
    status: "accepted",
    branch: `job/${id}`,
    clone_url: `${harness.github.url}/${DEMO}.git`,
    env_vars: envVars,
    deadline_at: expect.any(String),
  });
  await until("the branch", () => harness.github.branches(DEMO)[`job/${id}`] !== undefined);
  expect(harness.github.log(DEMO, `job/${id}`)[0]?.message).toContain(`Post job ${id}: `);
  expect(harness.github.readFile(DEMO, `job/${id}`, `.jobs/${id}/attachments/notes.bin`)).not.toBeNull();

  const files = [{ path: "UNIX.md", content: "# Unix\n" }];
  await bob("POST", `/api/jobs/${id}/submit`, 200, { output_text: "I wrote it.", files });
  await approve(harness, id, ada);
  const job = await untilJob(harness, id, "merged", (one) => one.merged_at !== null);
  expect(job.status).toBe("verified");
  expect(harness.github.readFile(DEMO, "main", "UNIX.md")).toBe("# Unix\n");
  expect(harness.github.pulls(DEMO)).toHaveLength(1);
  const runs = harness.github
    .runs(DEMO)
    .filter((run) => run.path.endsWith("run-job.yml") && run.conclusion !== "skipped");
  expect(runs).toEqual([]);

  expect(await bob("GET", "/api/wallet/balance", 200)).toMatchObject({
    balance_cents: 350,
    ledger: [{ delta: 350, reason: "payout", job_id: id }],
  });
  expect(await ada("GET", `/api/jobs/${id}`, 200)).toMatchObject({ status: "verified", result: "I wrote it." });
  await expect.poll(() => harness.app.store.blobs.all()).toEqual([]);
  expect(harness.logged()).not.toContain("s3cret-value");
});

/** An order at 500 cents that this worker has accepted; its branch is on GitHub. */
async function acceptedBy(
  harness: Harness,
  ada: Awaited<ReturnType<typeof person>>,
  worker: typeof ada,
): Promise<JobId> {
  const order = { prompt: "Write GOOD.md", price_cents: 500, time_limit_seconds: 3600, confirmed: true };
  const id = idOf((await ada("POST", "/api/jobs/run", 201, order)).id);
  await accept(harness, id, worker);
  return id;
}

async function accept(harness: Harness, id: JobId, worker: Awaited<ReturnType<typeof person>>): Promise<void> {
  expect(await worker("POST", "/api/jobs/pull", 200, {})).toMatchObject({ id });
  await worker("POST", `/api/jobs/${id}/accept`, 200);
  await untilJob(harness, id, "on a branch", (job) => job.pushed_at !== null && job.head_sha === job.brief_sha);
}

it("goes to another worker when the checks fail, who takes away what the first has left", async () => {
  const harness = await startHarness({ model: false });
  const [ada, bob, carl] = [await person(harness, "ada"), await person(harness, "bob"), await person(harness, "carl")];
  await credit(harness, "ada", 500);
  const id = await acceptedBy(harness, ada, bob);
  await bob("POST", `/api/jobs/${id}/submit`, 200, { files: [{ path: "BROKEN", content: "oops" }] });
  const failed = await untilJob(harness, id, "queued again", (job) => job.status === "queued" && job.attempt === 2);
  expect(failed.failure).toContain("failed");
  await accept(harness, id, carl);
  const files = [
    { path: "BROKEN", content: null },
    { path: "GOOD.md", content: "good\n" },
  ];
  await carl("POST", `/api/jobs/${id}/submit`, 200, { files });
  await approve(harness, id, ada);
  await untilJob(harness, id, "merged", (job) => job.merged_at !== null);
  expect(harness.github.readFile(DEMO, "main", "GOOD.md")).toBe("good\n");
  expect(harness.github.pulls(DEMO)).toHaveLength(1);
  const balances = await Promise.all([ada, bob, carl].map((who) => who("GET", "/api/wallet/balance", 200)));
  expect(balances.map(({ balance_cents }) => balance_cents)).toEqual([0, 0, 350]);
});

it("takes a pull request of the worker's own, from a branch or a fork, and never somebody else's", async () => {
  const harness = await startHarness({ model: false });
  const [ada, bob] = [await person(harness, "ada"), await person(harness, "bob")];
  await credit(harness, "ada", 1_000);
  const { github } = harness;

  const id = await acceptedBy(harness, ada, bob);
  const theirs = github.openForkPullRequest(DEMO, { title: "Mine", by: "eve", files: { "EVE.md": "eve" } });
  await bob("POST", `/api/jobs/${id}/submit`, 200, { pull_request: theirs });
  const refused = await untilJob(harness, id, "queued again", (job) => job.status === "queued" && job.attempt === 2);
  expect(refused.failure).toContain("neither by the worker's account");

  await accept(harness, id, bob);
  github.pushCommit(DEMO, "bobs-branch", { "GOOD.md": "good\n" }, "bob");
  const own = github.openPullRequest(DEMO, { title: "Write GOOD.md", head: "bobs-branch", by: "bob" });
  const url = `${github.url}/${DEMO}/pull/${own}`;
  await bob("POST", `/api/jobs/${id}/submit`, 200, { output_text: "See there.", pull_request: url });
  await approve(harness, id, ada);
  const done = await untilJob(harness, id, "merged", (job) => job.merged_at !== null);
  expect(done.pull_request?.number).toBe(own);
  expect(github.readFile(DEMO, "main", "GOOD.md")).toBe("good\n");
  expect(await bob("GET", "/api/wallet/balance", 200)).toMatchObject({ balance_cents: 350 });

  const second = await acceptedBy(harness, ada, bob);
  const fork = github.openForkPullRequest(DEMO, { title: "More", by: "bob", files: { "MORE.md": "more" } });
  await bob("POST", `/api/jobs/${second}/submit`, 200, { pull_request: fork });
  await untilJob(harness, second, "watched", (job) => job.pull_request?.number === fork);
  await github.mergeByHand(DEMO, fork, "ada");
  await untilJob(harness, second, "merged", (job) => job.merged_at !== null);
  expect(await bob("GET", "/api/wallet/balance", 200)).toMatchObject({ balance_cents: 700 });
});
