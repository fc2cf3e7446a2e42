import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { DEFAULT_REPOSITORY_SETTINGS } from "../../src/contracts/settings.ts";
import { jobOutcomeSchema } from "../../src/domain/job/outcome.ts";
import { jobId } from "../unit/job-fixtures.ts";
import { type Asked, SERVER_MODEL, startServer, type TestServer } from "./http-server.ts";
import { observe } from "./observed-repositories.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.github.push = () => "done";
  server.github.installed = true;
});

const HELLO = "/v2/agent/octocat%2Fhello";

const viewSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9]{8}$/),
  status: z.enum(["active", "completed", "failed", "archived"]),
  outcome: jobOutcomeSchema.nullable(),
  question: z.string().nullable(),
  waitsInLine: z.strictObject({ position: z.number(), limit: z.string(), most: z.number() }).nullable(),
  source: z.strictObject({ repository: z.url(), ref: z.string() }),
  model: z.string(),
  prLink: z.string().nullable(),
  createdAt: z.iso.datetime(),
  archivedAt: z.iso.datetime().nullable(),
});
const pageSchema = z.strictObject({ jobs: z.array(viewSchema), nextCursor: z.string().nullable() });

const post = (path: string, body?: unknown, key?: string): Promise<Asked> =>
  server.ask("POST", path, { ...(body === undefined ? {} : { body }), ...(key === undefined ? {} : { key }) });
const get = (path: string, key?: string): Promise<Asked> => server.ask("GET", path, key === undefined ? {} : { key });

async function createKey(body: object): Promise<string> {
  const answer = await post("/api/keys", { repository: "*", ...body });
  return z.object({ key: z.string() }).parse(answer.body).key;
}

async function created(project = HELLO, key?: string): Promise<z.infer<typeof viewSchema>> {
  const answer = await post(`${project}/job`, { prompt: "mend the greeting" }, key);
  expect(answer.status).toBe(201);
  return viewSchema.parse(answer.body);
}

const know = (name: string, id: number) =>
  observe(server.store.repositories, {
    ...{ owner: "octocat", name, id, installation_id: 1, base: null, settings_problem: null },
    settings: { ...DEFAULT_REPOSITORY_SETTINGS, llm: { model: "the-repository's-model" } },
  });

describe("POST /v2/agent/:projectId/job", () => {
  it("answers the job at once, before its branch is on GitHub", async () => {
    server.github.push = () => "later";
    const answer = await post(`${HELLO}/job`, { prompt: "  mend the greeting\n" });
    expect(answer.status).toBe(201);
    const job = viewSchema.parse(answer.body);
    expect(job).toMatchObject({
      status: "active",
      source: { repository: "https://github.com/octocat/hello", ref: `job/${job.id}` },
      model: SERVER_MODEL,
      prLink: null,
      archivedAt: null,
    });
    expect(answer.headers.get("location")).toBe(`${HELLO}/job/${job.id}`);
    const [kept] = (await server.store.jobs.list({ limit: 1 })).jobs;
    expect(kept).toMatchObject({ id: job.id, task: "mend the greeting", origin: { dialect: "agent-v2" } });
  });

  it("takes a bearer token", async () => {
    const headers = { authorization: "Bearer the-admin-key-of-these-tests" };
    const answer = await server.ask("POST", `${HELLO}/job`, { key: null, headers, body: { prompt: "x" } });
    expect(answer.status).toBe(201);
  });

  it.each([{}, { prompt: "" }, { prompt: " \n" }, { prompt: 5 }, { prompt: "x".repeat(64_001) }])(
    "names the prompt that is wrong in case %#",
    async (body) => {
      expect(await post(`${HELLO}/job`, body)).toMatchObject({
        status: 400,
        body: { code: "invalid_field", error: expect.stringMatching("^prompt: ") },
      });
    },
  );

  it("answers 422 where the App is not installed", async () => {
    server.github.installed = false;
    const answer = await post("/v2/agent/else%2Fwhere/job", { prompt: "x" });
    expect(answer).toMatchObject({ status: 422, body: { error: expect.stringContaining("else/where") } });
  });

  it("wants a key, and one with the scope write", async () => {
    const reader = await createKey({ account: "reader", scopes: ["read"] });
    expect((await post(`${HELLO}/job`, { prompt: "x" }, "wrong")).status).toBe(401);
    expect(await post(`${HELLO}/job`, { prompt: "x" }, reader)).toMatchObject({
      status: 403,
      body: { code: "missing_scope" },
    });
  });
});

describe("the project in the path", () => {
  it("may be the numeric id of a repository that is known", async () => {
    await know("numbered", 4711);
    const job = await created("/v2/agent/4711");
    expect(job).toMatchObject({
      source: { repository: "https://github.com/octocat/numbered" },
      model: "the-repository's-model",
    });
    expect((await get(`/v2/agent/octocat%2FNumbered/job/${job.id}`)).status).toBe(200);
  });

  it("is asked for by name when GitHub does not know its id", async () => {
    expect(await post("/v2/agent/99999/job", { prompt: "x" })).toMatchObject({
      status: 404,
      body: { error: expect.stringContaining("owner/name") },
    });
  });

  it.each(["hello", "octocat%2Fhello%2Fmore", "..%2F..", "%20", "-1"])("is refused as %s", async (project) => {
    expect(await get(`/v2/agent/${project}/jobs`)).toMatchObject({ status: 400, body: { code: "invalid_field" } });
  });

  it("has no calls but these, and says so in JSON under a request id", async () => {
    const answer = await server.ask("DELETE", `${HELLO}/job/abcd1234`);
    expect(answer).toMatchObject({ status: 405, body: { code: "method_not_allowed" } });
    expect((await get(`${HELLO}/job/abcd1234/nothing`)).status).toBe(404);
    expect(answer.headers.get("x-request-id")).not.toBeNull();
  });

  it("may be written with its slash, in every call, and names the same project", async () => {
    const PLAIN = "/v2/agent/octocat/hello";
    const job = await created(PLAIN);
    expect((await get(`${PLAIN}/job/${job.id}`)).body).toMatchObject({ id: job.id });
    expect((await get(`${HELLO}/job/${job.id}`)).body).toMatchObject({ id: job.id });
    expect(pageSchema.parse((await get(`${PLAIN}/jobs`)).body).jobs.map(({ id }) => id)).toContain(job.id);
    expect((await post(`${PLAIN}/job/${job.id}/cancel`)).status).toBe(200);
    expect((await server.ask("DELETE", `${PLAIN}/job`)).status).toBe(405);
  });

  it("takes what a comment's flags say, and another branch", async () => {
    server.github.push = () => "later";
    const body = { prompt: "mend it", no_merge: true, draft: true, base_branch: "release/1.x" };
    const answer = await post(`${HELLO}/job`, body);
    const stored = await server.store.jobs.load(jobId(viewSchema.parse(answer.body).id));
    expect(stored?.job.choices).toMatchObject({ no_merge: true, draft: true });
    expect(stored?.job.base).toMatchObject({ branch: "release/1.x", is_default: false });
    for (const base_branch of ["-x", "a b", "", 5, "x".repeat(201)])
      expect((await post(`${HELLO}/job`, { ...body, base_branch })).body).toMatchObject({
        code: "invalid_field",
        error: expect.stringMatching(/^base_branch: must be/),
      });
  });

  it("is refused when its percent signs begin no characters", async () => {
    expect(await get("/v2/agent/%E0%A4%A/jobs")).toMatchObject({ status: 400, body: { code: "invalid_field" } });
  });

  it("is the key's own when the key is bound, and no other id tells anything", async () => {
    await know("secret", 4712);
    const bound = await createKey({ account: "octo", repository: "octocat/hello" });
    await created(HELLO, bound);
    const answers = await Promise.all(
      ["octocat%2Fother", "4712", "4713"].map((project) => get(`/v2/agent/${project}/jobs`, bound)),
    );
    for (const { status, body } of answers) {
      expect({ status, body }).toEqual({
        status: 403,
        body: { code: "forbidden", error: expect.stringContaining("octocat%2Fhello") },
      });
    }
  });
});

describe("GET /v2/agent/:projectId/job/:id", () => {
  it("answers what was created, to whoever may see it", async () => {
    const [mine, theirs] = [await createKey({ account: "mine" }), await createKey({ account: "theirs" })];
    const job = await created(HELLO, mine);
    const answer = await get(`${HELLO}/job/${job.id}`, mine);
    expect(answer).toMatchObject({ status: 200, body: { id: job.id, createdAt: job.createdAt } });
    expect((await get(`${HELLO}/job/${job.id}`, theirs)).status).toBe(404);
    expect((await get(`${HELLO}/job/${job.id}`)).status).toBe(200);
    expect((await get(`/v2/agent/octocat%2Fother/job/${job.id}`, mine)).status).toBe(404);
    expect((await get(`${HELLO}/job/zzzzzzzz`, mine)).status).toBe(404);
    expect((await get(`${HELLO}/job/..%2F..%2Fetc`, mine)).status).toBe(404);
  });

  it("shows jobs of other dialects in the same repository", async () => {
    const answer = await post("/api/create-job", { job: "x", repository: "Octocat/Hello" });
    const { job_id } = z.object({ job_id: z.string() }).parse(answer.body);
    expect(await get(`${HELLO}/job/${job_id}`)).toMatchObject({ status: 200, body: { id: job_id } });
  });

  it("reads failed when the repository cannot take the job", async () => {
    server.github.push = () => "The repository is empty. Push a first commit.";
    const { id } = await created();
    const status = async () => viewSchema.parse((await get(`${HELLO}/job/${id}`)).body).status;
    await expect.poll(status).toBe("failed");
  });
});

describe("messages, cancel and archive", () => {
  it("hands a message to an active job, which takes it up in its next round", async () => {
    const { id } = await created();
    const answer = await post(`${HELLO}/job/${id}/message`, { prompt: "and in French" });
    expect(answer).toMatchObject({ status: 200, body: { id, status: "active" } });
    const all = await server.store.jobs.list({ limit: 200 });
    expect(all.jobs.find((job) => job.id === id)?.waiting_messages).toEqual([{ text: "and in French", by: "admin" }]);
  });

  it("refuses a message without words, and one to a job that is not seen", async () => {
    const { id } = await created();
    expect((await post(`${HELLO}/job/${id}/message`, { prompt: "" })).status).toBe(400);
    const theirs = await createKey({ account: "stranger" });
    for (const call of ["message", "cancel", "archive"]) {
      expect((await post(`${HELLO}/job/${id}/${call}`, { prompt: "x" }, theirs)).status).toBe(404);
    }
  });

  it("goes from active over cancelled to archived, and takes no message in either", async () => {
    const { id } = await created();
    const path = `${HELLO}/job/${id}`;
    expect(await post(`${path}/archive`)).toMatchObject({ status: 409, body: { code: "wrong_status" } });
    expect(await post(`${path}/cancel`)).toMatchObject({ status: 200, body: { id, status: "failed" } });
    expect(await post(`${path}/message`, { prompt: "x" })).toMatchObject({
      status: 409,
      body: { error: expect.stringContaining("cancelled") },
    });
    const archived = await post(`${path}/archive`);
    expect(archived).toMatchObject({ status: 200, body: { id, status: "archived" } });
    expect(viewSchema.parse(archived.body).archivedAt).not.toBeNull();
    expect((await post(`${path}/archive`)).body).toEqual(archived.body);
    expect(await post(`${path}/message`, { prompt: "x" })).toMatchObject({
      status: 409,
      body: { code: "already_archived" },
    });
  });

  it("refuses a message to a merged job", async () => {
    const { id } = await created();
    const [job] = (await server.store.jobs.list({ limit: 200 })).jobs.filter((one) => one.id === id);
    if (job === undefined) throw new Error("the job is gone");
    for (;;) {
      const stored = await server.store.jobs.load(job.id);
      if (stored === null) throw new Error("the job is gone");
      const merged = { ...stored.job, status: "verified", merged_at: 5 } as const;
      const nothing = { history: [], postings: [], effects: [], done: null };
      const commit = { job: merged, expected_version: stored.version, at: 5, ...nothing };
      if ((await server.store.jobs.commit(commit)).ok) break;
    }
    expect(await post(`${HELLO}/job/${id}/message`, { prompt: "x" })).toMatchObject({
      status: 409,
      body: { code: "already_merged" },
    });
  });

  it("says when too many messages wait", async () => {
    const { id } = await created();
    const answers = [];
    for (let i = 0; i < 11; i++) answers.push(await post(`${HELLO}/job/${id}/message`, { prompt: `${i}` }));
    expect(answers.map(({ status }) => status)).toEqual([...Array(10).fill(200), 409]);
  });
});

describe("an Idempotency-Key", () => {
  const repeat = (path: string, key: string, prompt: string) =>
    server.ask("POST", path, { headers: { "idempotency-key": key }, body: { prompt } });

  it("makes a repeated create the same job", async () => {
    const path = "/v2/agent/octocat%2Frepeated/job";
    const first = await repeat(path, "create-once", "x");
    const second = await repeat(path, "create-once", "x");
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body).toEqual(first.body);
    expect((await server.store.jobs.list({ limit: 9, repository: "octocat/repeated" })).jobs).toHaveLength(1);
    expect((await repeat(path, "create-once", "y")).status).toBe(422);
    expect((await repeat("/v2/agent/octocat%2Felse/job", "create-once", "x")).status).toBe(422);
  });

  it("makes a repeated message one message", async () => {
    const { id } = await created();
    const send = () => repeat(`${HELLO}/job/${id}/message`, "say-once", "and in French");
    const answers = await Promise.all([send(), send(), send()]);
    answers.push(await send());
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const jobs = (await server.store.jobs.list({ limit: 200 })).jobs;
    expect(jobs.find((job) => job.id === id)?.waiting_messages).toHaveLength(1);
  });
});

describe("GET /v2/agent/:projectId/jobs", () => {
  const LIST = "/v2/agent/octocat%2Flist";

  it("pages through the account's jobs, newest first, along its links", async () => {
    const [mine, theirs] = [await createKey({ account: "lister" }), await createKey({ account: "other-lister" })];
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.unshift((await created(LIST, mine)).id);
    const other = await created(LIST, theirs);
    await created(HELLO, mine);

    const seen: string[][] = [];
    let path: string | undefined = `${LIST}/jobs?limit=2`;
    while (path !== undefined) {
      const answer: Asked = await get(path, mine);
      const page = pageSchema.parse(answer.body);
      seen.push(page.jobs.map(({ id }) => id));
      const link: string | null = answer.headers.get("link");
      expect(link === null).toBe(page.nextCursor === null);
      path = /^<([^>]+)>; rel="next"$/.exec(link ?? "")?.[1];
    }
    expect(seen.map((page) => page.length)).toEqual([2, 2, 1]);
    // jobs of one millisecond stand in the order of their ids
    expect(seen.flat().sort()).toEqual([...ids].sort());
    const everybody = pageSchema.parse((await get(`${LIST}/jobs`)).body).jobs;
    expect(everybody.map(({ id }) => id)).toContain(other.id);
    expect(everybody).toHaveLength(6);
    const times = everybody.map(({ createdAt }) => createdAt);
    expect(times).toEqual([...times].sort().reverse());
  });

  it.each(["limit=0", "limit=101", "limit=x", "limit=1&limit=2", "cursor=a&cursor=b", "cursor=nonsense"])(
    "refuses %s",
    async (query) => {
      expect(await get(`${LIST}/jobs?${query}`)).toMatchObject({ status: 400, body: { code: "invalid_field" } });
    },
  );

  it("ends at a cursor that leads nowhere", async () => {
    const cursor = Buffer.from("1.abcd1234").toString("base64url");
    expect((await get(`${LIST}/jobs?cursor=${cursor}`)).body).toEqual({ jobs: [], nextCursor: null });
  });
});

describe("the limits of a project", () => {
  it("are 100 creates an hour under whichever of its names, and another project has its own", async () => {
    await know("busy", 4720);
    server.github.push = () => "later";
    const first = await post("/v2/agent/octocat%2Fbusy/job", { prompt: "x" });
    expect(first.headers.get("ratelimit-policy")).toContain('"creates"; q=100; w=3600');
    expect(first.headers.get("ratelimit")).toContain('"creates"; r=99; t=3600');
    for (let i = 1; i < 100; i++) await post(`/v2/agent/${i % 2 ? "4720" : "Octocat%2FBusy"}/job`, {});
    const over = await post("/v2/agent/4720/job", { prompt: "x" });
    expect(over).toMatchObject({ status: 429, body: { code: "rate_limited" } });
    expect(Number(over.headers.get("retry-after"))).toBeGreaterThan(3_000);
    await created(HELLO);
  });

  it("are 100 messages an hour beside the creates", async () => {
    const path = "/v2/agent/octocat%2Fchatty/job";
    const sent = [];
    for (let i = 0; i < 101; i++) sent.push((await post(`${path}/zzzzzzzz/message`, { prompt: "x" })).status);
    expect(sent).toEqual([...Array(100).fill(404), 429]);
    expect((await post(path, { prompt: "x" })).status).toBe(201);
  });

  it("do not count messages that were answered 409, of which nothing came", async () => {
    const path = "/v2/agent/octocat%2Fquiet/job";
    const { id } = await created("/v2/agent/octocat%2Fquiet");
    await post(`${path}/${id}/cancel`);
    const sent = [];
    for (let i = 0; i < 101; i++) sent.push((await post(`${path}/${id}/message`, { prompt: "x" })).status);
    expect(sent).toEqual(Array(101).fill(409));
    const last = await post(`${path}/zzzzzzzz/message`, { prompt: "x" });
    expect(last.headers.get("ratelimit")).toContain('"messages"; r=99;');
  });
});
