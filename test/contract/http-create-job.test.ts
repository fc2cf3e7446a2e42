import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { BRANCH_LIMIT_MS } from "../../src/domain/job/next-timer.ts";
import { stillClock } from "../flows/clock.ts";
import { jobId } from "../unit/job-fixtures.ts";
import { startServer, type TestServer } from "./http-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.github.push = () => "done";
  server.github.installed = true;
});

const task = { job: "Analyze recent error logs", repository: "octocat/hello" };

/** A key of this account as a person would create it. */
async function createKey(body: object): Promise<string> {
  const { status, body: newKey } = await server.ask("POST", "/api/keys", { body: { repository: "*", ...body } });
  expect(status).toBe(201);
  if (typeof newKey !== "object" || newKey === null || !("key" in newKey)) throw new Error("no key was created");
  return String(newKey.key);
}

async function created(key?: string): Promise<{ job_id: string; branch: string }> {
  const { status, body } = await server.ask("POST", "/api/create-job", { body: task, ...(key ? { key } : {}) });
  expect(status).toBe(200);
  if (typeof body !== "object" || body === null || !("job_id" in body) || !("branch" in body))
    throw new Error("no job");
  return { job_id: String(body.job_id), branch: String(body.branch) };
}

describe("POST /api/create-job", () => {
  it("answers id and branch once the branch is on GitHub", async () => {
    const answer = await server.ask("POST", "/api/create-job", { body: task });
    expect(answer).toMatchObject({
      status: 200,
      body: { job_id: expect.stringMatching(/^[a-z0-9]{8}$/), branch: expect.stringMatching(/^job\/[a-z0-9]{8}$/) },
    });
    expect(Object.keys(Object(answer.body))).toEqual(["job_id", "branch"]);
  });

  it("takes the key as a bearer token, and a body without a content type", async () => {
    const headers = { authorization: "Bearer the-admin-key-of-these-tests" };
    const answer = await server.ask("POST", "/api/create-job", { key: null, headers, body: JSON.stringify(task) });
    expect(answer.status).toBe(200);
  });

  it.each([
    {},
    { job: "" },
    { job: "  \n" },
    { job: "\u200b\u00ad\0" },
    { job: "<!-- x -->\n<!-- y" },
    { job: null },
    undefined,
  ])("answers Missing job field to %j", async (body) => {
    const answer = await server.ask("POST", "/api/create-job", { body });
    expect(answer).toMatchObject({ status: 400, body: { error: "Missing job field" } });
  });

  it.each([null, "wrong", "jm_"])("answers Unauthorized to the key %j, whatever the body", async (key) => {
    const answer = await server.ask("POST", "/api/create-job", { key, body: "{broken" });
    expect(answer).toMatchObject({ status: 401, body: { error: "Unauthorized" } });
  });

  it.each([
    [{ job: 5 }, "job"],
    [{ job: "x".repeat(70_000) }, "job"],
    [{ ...task, llm_model: 5 }, "llm_model"],
    [{ ...task, llm_provider: "a b" }, "llm_provider"],
    [{ ...task, repository: ["octocat/hello"] }, "repository"],
    [{ ...task, repository: "hello" }, "repository"],
  ])("names the field that is wrong in case %#", async (body, field) => {
    const answer = await server.ask("POST", "/api/create-job", { body });
    expect(answer).toMatchObject({ status: 400, body: { error: expect.stringMatching(`^${field}: `) } });
  });

  it("refuses a model that nobody knows, unless another provider is named that may", async () => {
    const unknown = { ...task, llm_model: "gpt-5" };
    const answer = await server.ask("POST", "/api/create-job", { body: unknown });
    expect(answer).toMatchObject({ status: 400, body: { code: "unknown_model" } });
    expect(answer.body).toMatchObject({ error: expect.stringContaining("`gpt-5` is unknown") });
    const named = { ...unknown, llm_provider: "anthropic-compatible" };
    expect((await server.ask("POST", "/api/create-job", { body: named })).status).toBe(200);
    for (const llm_model of ["claude-sonnet-4-20250514", "claude-sonnet-6"])
      expect((await server.ask("POST", "/api/create-job", { body: { ...task, llm_model } })).status).toBe(200);
  });

  it("answers 400 to broken JSON and 413 to more than 1 MB", async () => {
    expect(await server.ask("POST", "/api/create-job", { body: "{" })).toMatchObject({
      status: 400,
      body: { code: "invalid_json" },
    });
    for (const body of ["[".repeat(900_000), `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`])
      expect(await server.ask("POST", "/api/create-job", { body })).toMatchObject({
        status: 400,
        body: { code: "invalid_json", error: expect.stringContaining("nests or holds more lists") },
      });
    const large = { ...task, job: "x".repeat(1_100_000) };
    expect(await server.ask("POST", "/api/create-job", { body: large })).toMatchObject({
      status: 413,
      body: { code: "body_too_large" },
    });
    expect(await server.ask("POST", "/api/create-job", { body: "[]" })).toMatchObject({ status: 400 });
  });

  it("names the repository that is missing, and the one where the App is not installed", async () => {
    const missing = await server.ask("POST", "/api/create-job", { body: { job: "x" } });
    expect(missing).toMatchObject({ status: 400, body: { error: expect.stringMatching("^repository: ") } });
    server.github.installed = false;
    const elsewhere = await server.ask("POST", "/api/create-job", { body: { ...task, repository: "else/where" } });
    expect(elsewhere).toMatchObject({ status: 422, body: { error: expect.stringContaining("else/where") } });
  });

  it("puts jobs into the key's repository and refuses another one", async () => {
    const key = await createKey({ account: "bound", repository: "octocat/hello" });
    expect((await server.ask("POST", "/api/create-job", { key, body: { job: "x" } })).status).toBe(200);
    const other = await server.ask("POST", "/api/create-job", { key, body: { job: "x", repository: "octocat/other" } });
    expect(other).toMatchObject({ status: 403, body: { code: "forbidden" } });
  });

  it("passes on why a repository cannot take the job", async () => {
    server.github.push = () => "The repository is empty. Push a first commit.";
    const answer = await server.ask("POST", "/api/create-job", { body: task });
    expect(answer).toMatchObject({ status: 422, body: { error: "The repository is empty. Push a first commit." } });
  });

  it("uses DEFAULT_REPOSITORY when neither key nor body names a repository", async () => {
    const other = await startServer({ default_repository: "octocat/default" });
    try {
      const answer = await other.ask("POST", "/api/create-job", { body: { job: "x" } });
      expect(answer.status).toBe(200);
      const [job] = (await other.store.jobs.list({ limit: 1 })).jobs;
      expect(job?.repository).toMatchObject({ owner: "octocat", name: "default" });
    } finally {
      await other.close();
    }
  });

  it("takes the job back when its branch does not get to GitHub in time", async () => {
    const clock = stillClock();
    const other = await startServer({ clock });
    try {
      other.github.push = () => "later";
      const asked = other.ask("POST", "/api/create-job", { body: task });
      await expect.poll(() => other.store.jobs.open()).toHaveLength(1);
      clock.pass(BRANCH_LIMIT_MS);
      expect(await asked).toMatchObject({ status: 500, body: { error: "Failed to create job" } });
      expect((await other.store.jobs.list({ limit: 1 })).jobs).toMatchObject([{ status: "cancelled" }]);
      expect(await other.store.jobs.open()).toEqual([]);
    } finally {
      await other.close();
    }
  });

  it("says at once when to come again where GitHub's limits leave no room, and leaves nothing behind", async () => {
    // whatever would be waited for would never come: no time passes here
    const other = await startServer({ clock: stillClock() });
    try {
      other.github.busy_ms = 41_200;
      const answer = await other.ask("POST", "/api/create-job", { body: task });
      expect(answer).toMatchObject({
        status: 429,
        body: {
          code: "rate_limited",
          error: "GitHub's limits leave no room for another job now; come again in 42 seconds.",
        },
      });
      expect(answer.headers.get("retry-after")).toBe("42");
      expect((await other.store.jobs.list({ limit: 1 })).jobs).toEqual([]);
      other.github.busy_ms = 1_000;
      expect(await other.ask("POST", "/api/create-job", { body: task })).toMatchObject({ status: 200 });
    } finally {
      await other.close();
    }
  });

  it.each(["at once", "in time"])(
    "says when to come again where others of a burst took GitHub's room meanwhile, %s",
    async (when) => {
      const clock = stillClock();
      const other = await startServer({ clock });
      try {
        other.github.push = () => {
          other.github.busy_ms = when === "at once" ? 41_200 : 0;
          return "later";
        };
        const asked = other.ask("POST", "/api/create-job", { body: task });
        await expect.poll(() => other.store.jobs.open()).toHaveLength(1);
        if (when === "in time") {
          await expect.poll(async () => (await other.store.jobs.withEffects()).length).toBe(1);
          other.github.busy_ms = 41_200;
          clock.pass(BRANCH_LIMIT_MS);
        }
        const answer = await asked;
        expect(answer).toMatchObject({ status: 429, body: { code: "rate_limited" } });
        expect(answer.headers.get("retry-after")).toBe("42");
        clock.pass(BRANCH_LIMIT_MS);
        await expect.poll(() => other.store.jobs.open()).toEqual([]);
        expect((await other.store.jobs.list({ limit: 1 })).jobs).toMatchObject([{ status: "cancelled" }]);
      } finally {
        await other.close();
      }
    },
  );

  it("wants a key with the scope write", async () => {
    const key = await createKey({ account: "reader", scopes: ["read"] });
    const answer = await server.ask("POST", "/api/create-job", { key, body: task });
    expect(answer).toMatchObject({ status: 403, body: { error: expect.stringContaining("write") } });
  });
});

describe("GET /api/jobs/status", () => {
  it("takes what a comment's flags say, and another branch than the default", async () => {
    const body = { ...task, no_merge: true, draft: true, base_branch: "release/1.x" };
    const answer = await server.ask("POST", "/api/create-job", { body });
    const stored = await server.store.jobs.load(jobId(String(Object(answer.body).job_id)));
    expect(stored?.job.choices).toMatchObject({ no_merge: true, draft: true });
    expect(stored?.job.base.is_default).toBe(false);
  });

  it("answers from the store with every field of the seed", async () => {
    const { job_id, branch } = await created();
    const answer = await server.ask("GET", `/api/jobs/status?job_id=${job_id}`);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      status: "pending",
      outcome: null,
      question: null,
      branch,
      pr_url: null,
      run_url: null,
      log: null,
      changed_files: [],
    });
  });

  it("answers 304 to a poller who knows the state already", async () => {
    const { job_id } = await created();
    const path = `/api/jobs/status?job_id=${job_id}`;
    // the job's first commits may still be arriving: ask until two answers in a row carry the same tag
    const tag = async () => (await server.ask("GET", path)).headers.get("etag") ?? "";
    const settled = async () => new Set([await tag(), await tag()]).size;
    await expect.poll(settled).toBe(1);
    const again = await server.ask("GET", path, { headers: { "if-none-match": await tag() } });
    expect(again).toMatchObject({ status: 304, body: "" });
  });

  it("answers 400 without an id, 404 to an unknown one, 401 without a key", async () => {
    expect((await server.ask("GET", "/api/jobs/status")).status).toBe(400);
    expect((await server.ask("GET", "/api/jobs/status?job_id=zzzzzzzz")).status).toBe(404);
    expect((await server.ask("GET", "/api/jobs/status?job_id=../../etc")).status).toBe(404);
    expect((await server.ask("GET", "/api/jobs/status?job_id=a&job_id=b")).status).toBe(400);
    expect(await server.ask("GET", "/api/jobs/status?job_id=zzzzzzzz", { key: null })).toMatchObject({
      status: 401,
      body: { error: "Unauthorized" },
    });
  });

  it("hides the jobs of other accounts, except from an admin", async () => {
    const mine = await createKey({ account: "mine" });
    const theirs = await createKey({ account: "theirs" });
    const { job_id } = await created(mine);
    const path = `/api/jobs/status?job_id=${job_id}`;
    expect((await server.ask("GET", path, { key: mine })).status).toBe(200);
    expect((await server.ask("GET", path, { key: theirs })).status).toBe(404);
    expect((await server.ask("GET", path)).status).toBe(200);
  });

  it("hides jobs of other repositories from a key that is bound to one", async () => {
    const anywhere = await createKey({ account: "octo" });
    const bound = await createKey({ account: "octo", repository: "octocat/other" });
    const { job_id } = await created(anywhere);
    expect((await server.ask("GET", `/api/jobs/status?job_id=${job_id}`, { key: bound })).status).toBe(404);
  });
});

describe("what every answer of the API has", () => {
  it("carries a request id and headers that say what browsers may not do", async () => {
    const { headers } = await server.ask("GET", "/api/jobs/status", { headers: { "x-request-id": "my-request-1" } });
    expect(headers.get("x-request-id")).toBe("my-request-1");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("x-powered-by")).toBeNull();
  });

  it("is logged in one line without key, query or body", async () => {
    await server.ask("POST", "/api/create-job?x=hidden-query", { body: { job: 5, note: "hidden-body" } });
    const line = () => server.logged.filter((text) => text.includes('"msg":"request"')).at(-1) ?? "";
    await expect.poll(line).toContain('"path":"/api/create-job"');
    const all = server.logged.join("");
    for (const hidden of ["the-admin-key", "hidden-query", "hidden-body", "jm_"]) expect(all).not.toContain(hidden);
  });

  it("is JSON with a code for a path that does not exist", async () => {
    const answer = await server.ask("GET", "/api/nothing");
    expect(answer).toMatchObject({ status: 404, body: { code: "not_found" } });
  });
});

describe("the server itself", () => {
  it("answers ping, health, ready and a page", async () => {
    expect(await server.ask("GET", "/ping", { key: null })).toMatchObject({ status: 200, body: "PONG" });
    expect(await server.ask("GET", "/health", { key: null })).toMatchObject({ status: 200, body: { status: "ok" } });
    expect(await server.ask("GET", "/ready", { key: null })).toMatchObject({ status: 200, body: { ready: true } });
    const page = await server.ask("GET", "/", { key: null });
    expect(page.status).toBe(200);
    expect(page.body).toContain("Journeyman");
  });
});
