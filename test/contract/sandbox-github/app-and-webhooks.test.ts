import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import {
  appJwt,
  asApp,
  client,
  field,
  installationToken,
  json,
  message,
  REPO,
  text,
  type World,
  world,
} from "./kit.ts";

describe("App authentication", () => {
  let w: World;
  beforeAll(async () => {
    w = await world();
  });
  afterAll(() => w.close());

  it("takes a signed JWT and refuses foreign, expired and too long ones", async () => {
    const now = Math.floor(Date.now() / 1000);
    const status = async (jwt: string) => (await client(w.github, `Bearer ${jwt}`)("GET /app")).status;
    expect(await status(appJwt(w.github))).toBe(200);
    expect(await status(appJwt(w.github, { iss: 1 }))).toBe(401);
    expect(await status(appJwt(w.github, { exp: now - 10 }))).toBe(401);
    expect(await status(appJwt(w.github, { exp: now + 3600 }))).toBe(401);
    expect(await status(appJwt(w.github, { exp: now + 660 }))).toBe(401);
    expect(await status(appJwt(w.github, { iat: now + 30 }))).toBe(401);
    expect(await status(appJwt(w.github, { iat: now + 600, exp: now + 650 }))).toBe(401);
    expect(await status(`${appJwt(w.github).slice(0, -6)}AAAAAA`)).toBe(401);
    expect((await client(w.github)("GET /app")).status).toBe(401);
    expect((await w.call("GET /app")).status).toBe(401);
  });

  it("creates long tokens and narrows them by repository and permission", async () => {
    expect(w.token).toMatch(/^ghs_4242_/);
    expect(w.token.length).toBeGreaterThan(450);
    w.github.createRepository({ owner: "octo", name: "second" });
    w.github.install("octo/second");
    const token = await installationToken(w.github, w.installation, {
      repositories: ["second"],
      permissions: { contents: "read" },
    });
    const narrow = client(w.github, `Bearer ${token}`);
    const sha = w.github.branches("octo/second").main;
    expect((await narrow(`GET /repos/octo/second/git/ref/heads/main`)).status).toBe(200);
    const write = await narrow("POST /repos/octo/second/git/refs", { ref: "refs/heads/x", sha });
    expect([write.status, message(write)]).toEqual([403, "Resource not accessible by integration"]);
    expect((await narrow(`POST /repos/${REPO}/issues`, { title: "x" })).status).toBe(403);
    const listed = await narrow("GET /installation/repositories");
    expect(listed.body).toMatchObject({ total_count: 1, repositories: [{ full_name: "octo/second" }] });
    const more = await asApp(w.github)(`POST /app/installations/${w.installation}/access_tokens`, {
      permissions: { administration: "write" },
    });
    expect(more.status).toBe(422);
    expect(
      (await asApp(w.github)(`POST /app/installations/${w.installation}/access_tokens`, { repositories: ["none"] }))
        .status,
    ).toBe(422);
  });

  it("lets a token die after an hour, and when it is revoked", async () => {
    let now = Date.now();
    const late = await world({ now: () => now });
    expect((await late.call(`GET /repos/${REPO}`)).status).toBe(200);
    now += 3_601_000;
    expect((await late.call(`GET /repos/${REPO}`)).status).toBe(401);
    await late.close();
    const token = await installationToken(w.github, w.installation);
    const call = client(w.github, `token ${token}`);
    expect((await call("DELETE /installation/token")).status).toBe(204);
    expect((await call(`GET /repos/${REPO}`)).status).toBe(401);
  });

  it("finds the installation of a repository and says who may do what", async () => {
    expect(text(await asApp(w.github)(`GET /repos/${REPO}/installation`), "app_slug")).toBe("journeyman");
    expect((await asApp(w.github)("GET /repos/octo/none/installation")).status).toBe(404);
    const role = async (login: string) => (await w.call(`GET /repos/${REPO}/collaborators/${login}/permission`)).body;
    expect(await role("octo")).toMatchObject({ permission: "admin", role_name: "admin", user: { login: "octo" } });
    expect(await role("writer")).toMatchObject({ permission: "write", role_name: "write" });
    expect(await role("stranger")).toMatchObject({ permission: "read", role_name: "read" });
    w.github.setCollaborator(REPO, "writer", "maintain");
    expect(await role("writer")).toMatchObject({ permission: "write", role_name: "maintain" });
    expect((await w.call(`GET /repos/${REPO}/collaborators/nobody/permission`)).status).toBe(404);
    expect((await w.call("GET /users/journeyman[bot]")).body).toMatchObject({ type: "Bot", login: "journeyman[bot]" });
    expect((await w.as("writer")("GET /user")).body).toMatchObject({ login: "writer", type: "User" });
  });

  it("answers unknown routes and broken JSON in GitHub's shape", async () => {
    const unknown = await w.call(`GET /repos/${REPO}/pigeons`);
    expect([unknown.status, unknown.body]).toEqual([
      404,
      { message: "Not Found", documentation_url: expect.any(String), status: "404" },
    ]);
    const broken = await w.call(`POST /repos/${REPO}/issues`, "{");
    expect([broken.status, message(broken)]).toEqual([400, "Problems parsing JSON"]);
    expect((await w.call(`POST /repos/${REPO}/issues`, { title: 5 })).status).toBe(422);
  });

  it("answers 304 to a known ETag without using quota", async () => {
    const first = await w.call(`GET /repos/${REPO}`);
    const used = Number(first.headers.get("x-ratelimit-used"));
    const again = await w.call(`GET /repos/${REPO}`, undefined, { "if-none-match": first.headers.get("etag") ?? "" });
    expect(again.status).toBe(304);
    expect(Number((await w.call(`GET /repos/${REPO}`)).headers.get("x-ratelimit-used"))).toBe(used + 1);
  });
});

describe("webhooks", () => {
  let w: World;
  beforeAll(async () => {
    w = await world();
  });
  afterAll(() => w.close());
  beforeEach(async () => {
    w.github.webhooks.clear();
    w.app.answerWith(200);
    await w.github.idle();
    w.app.received.length = 0;
  });
  const commented = () => w.app.received.filter((one) => one.event === "issue_comment");
  const say = (body: string) => {
    const number = w.github.openIssue(REPO, { title: body, by: "octo" });
    w.github.comment(REPO, number, { body, by: "writer" });
  };

  it("are signed and complete", async () => {
    say("/job do it");
    await w.github.idle();
    const [one] = commented();
    expect(one?.signed).toBe(true);
    expect(one?.headers["x-github-hook-installation-target-id"]).toBe("4242");
    expect(one?.payload).toMatchObject({
      action: "created",
      comment: { body: "/job do it", user: { login: "writer", type: "User" } },
      issue: { state: "open" },
      installation: { id: w.installation },
      repository: { full_name: REPO, default_branch: "main", owner: { login: "octo" }, private: false },
      sender: { login: "writer" },
    });
  });

  it("can be dropped, doubled, delayed, reordered and held", async () => {
    const isComment = (one: { event: string }) => one.event === "issue_comment";
    w.github.webhooks.drop(isComment, { times: 1 });
    say("dropped");
    await w.github.idle();
    expect(commented()).toHaveLength(0);
    expect(w.github.deliveries()).toContainEqual(expect.objectContaining({ event: "issue_comment", statusCode: 502 }));
    w.github.webhooks.duplicate(isComment, { times: 1 });
    say("doubled");
    await w.github.idle();
    expect(commented().map((one) => one.guid)).toEqual([expect.any(String), commented()[0]?.guid]);
    w.app.received.length = 0;
    w.github.webhooks.reorder(isComment, 2);
    say("first");
    say("second");
    await w.github.idle();
    expect(commented().map((one) => json.parse(one.payload.comment).body)).toEqual(["second", "first"]);
    w.app.received.length = 0;
    w.github.webhooks.hold(isComment);
    say("held");
    await w.github.idle();
    expect(commented()).toHaveLength(0);
    w.github.webhooks.release();
    await w.github.idle();
    expect(commented()).toHaveLength(1);
    w.github.webhooks.delay(isComment, 20, { times: 1 });
    say("delayed");
    await w.github.idle();
    expect(commented()).toHaveLength(2);
  });

  it("are logged newest first, paged by cursor, and redelivered with the same id but not by themselves", async () => {
    w.app.answerWith(500);
    say("fails");
    await w.github.idle();
    const app = asApp(w.github);
    const rows = z.array(
      z.looseObject({ id: z.number(), guid: z.string(), event: z.string(), status_code: z.number() }),
    );
    const page = await app("GET /app/hook/deliveries?per_page=1");
    const [newest] = rows.parse(page.body);
    expect(newest).toMatchObject({ event: "issue_comment", status_code: 500, redelivery: false });
    const next = /<([^>]+)>; rel="next"/.exec(page.headers.get("link") ?? "")?.[1] ?? "";
    const [second] = rows.parse((await app(`GET ${next}`)).body);
    expect(second?.id).toBeLessThan(newest?.id ?? 0);
    const whole = await app(`GET /app/hook/deliveries/${newest?.id}`);
    expect(json.parse(field(whole, "request")).payload).toMatchObject({ action: "created" });
    w.app.received.length = 0;
    w.app.answerWith(200);
    expect((await app(`POST /app/hook/deliveries/${newest?.id}/attempts`)).status).toBe(202);
    await w.github.idle();
    expect(w.app.received.map((one) => one.guid)).toEqual([newest?.guid]);
    expect(w.github.deliveries()[0]).toMatchObject({ redelivery: true, statusCode: 200 });
    expect((await w.call("GET /app/hook/deliveries")).status).toBe(401);
  });

  it("go only where the App is installed, permitted and subscribed", async () => {
    w.github.createRepository({ owner: "else", name: "where" });
    w.github.openIssue("else/where", { title: "not ours", by: "else" });
    w.github.createRepository({ owner: "narrow", name: "one" });
    w.github.install("narrow/one", { permissions: { contents: "read" } });
    w.github.openIssue("narrow/one", { title: "may not see", by: "narrow" });
    w.github.pushCommit("narrow/one", "main", { a: "b" }, "narrow");
    await w.github.idle();
    expect(w.app.names()).toEqual(["installation.created", "push"]);
  });
});

describe("faults and limits", () => {
  it("answer what they are told, before or after the write, and cut connections", async () => {
    const w = await world();
    const post = () => w.call(`POST /repos/${REPO}/issues`, { title: "x" });
    w.github.faults.add({ match: { method: "POST", path: /\/issues$/ }, status: 502 });
    expect((await post()).status).toBe(502);
    w.github.faults.add({ match: { path: /\/issues$/ }, status: 403, secondary: true, retryAfter: 7 });
    const secondary = await post();
    expect([secondary.status, secondary.headers.get("retry-after")]).toEqual([403, "7"]);
    expect(message(secondary)).toContain("secondary rate limit");
    expect(z.array(z.unknown()).parse((await w.call(`GET /repos/${REPO}/issues`)).body)).toHaveLength(0);
    w.github.faults.add({ match: { method: "POST" }, status: 500, before: false });
    expect((await post()).status).toBe(500);
    expect(z.array(z.unknown()).parse((await w.call(`GET /repos/${REPO}/issues`)).body)).toHaveLength(1);
    w.github.faults.add({ match: { method: "POST" }, status: 500, drop: true });
    await expect(post()).rejects.toThrow("fetch failed");
    expect((await post()).status).toBe(201);
    await w.close();
  });

  it("of content creation are 80 a minute, and are lifted with time", async () => {
    let now = Date.now();
    const w = await world({ limits: "published", now: () => now });
    const statuses: number[] = [];
    for (let at = 0; at < 81; at += 1)
      statuses.push((await w.call(`POST /repos/${REPO}/issues`, { title: `n ${at}` })).status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(80);
    expect(statuses.at(-1)).toBe(403);
    const refused = await w.call(`POST /repos/${REPO}/issues`, { title: "late" });
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await w.call(`GET /repos/${REPO}`)).status).toBe(200);
    now += 61_000;
    expect((await w.call(`POST /repos/${REPO}/issues`, { title: "later" })).status).toBe(201);
    await w.close();
  });

  it("shows each call with its route, actor and kind", async () => {
    const w = await world();
    await w.call(`POST /repos/${REPO}/issues`, { title: "x" });
    await w.as("writer")(`GET /repos/${REPO}`);
    await w.call("POST /graphql", { query: "query Who { viewer { login } }" });
    expect(w.github.calls()).toMatchObject([
      { method: "POST", route: "/repos/:owner/:repo/issues", status: 201, actor: "installation", kind: "write" },
      { method: "GET", route: "/repos/:owner/:repo", status: 200, actor: "user", kind: "read" },
      { method: "POST", route: "/graphql", status: 200, kind: "read", graphql: "Who" },
    ]);
    await w.close();
  });
});
