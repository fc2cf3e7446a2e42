import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { field, json, message, REPO, text, type World, world } from "./kit.ts";

describe("issues, comments and reactions", () => {
  let w: World;
  beforeAll(async () => {
    w = await world();
  });
  afterAll(() => w.close());
  const issue = () => w.github.openIssue(REPO, { title: "an issue", body: "text", by: "octo" });
  const names = async () => {
    await w.github.idle();
    return w.app.names();
  };

  it("keeps one comment that is edited", async () => {
    const number = issue();
    const made = await w.call(`POST /repos/${REPO}/issues/${number}/comments`, { body: "first" });
    expect([made.status, json.parse(field(made, "user")).login]).toEqual([201, "journeyman[bot]"]);
    const id = field(made, "id");
    expect((await w.call(`PATCH /repos/${REPO}/issues/comments/${id}`, { body: "second" })).status).toBe(200);
    expect(w.github.comments(REPO, number)).toMatchObject([{ id, body: "second", user: "journeyman[bot]" }]);
    expect(await names()).toEqual(["issues.opened", "issue_comment.created", "issue_comment.edited"]);
    expect(w.app.received.at(-1)?.payload).toMatchObject({ changes: { body: { from: "first" } } });
    expect((await w.call(`DELETE /repos/${REPO}/issues/comments/${id}`)).status).toBe(204);
    expect((await w.call(`GET /repos/${REPO}/issues/comments/${id}`)).status).toBe(404);
  });

  it("refuses empty and overlong comments", async () => {
    const number = issue();
    const post = (body: string) => w.call(`POST /repos/${REPO}/issues/${number}/comments`, { body });
    expect((await post(" ")).status).toBe(422);
    expect((await post("x".repeat(65_537))).status).toBe(422);
    expect((await post("x".repeat(65_536))).status).toBe(201);
    expect((await w.call(`POST /repos/${REPO}/issues/9999/comments`, { body: "x" })).status).toBe(404);
  });

  it("answers 201 for a new reaction and 200 for the same again", async () => {
    const id = w.github.comment(REPO, issue(), { body: "hm", by: "writer" });
    const react = (content: string) => w.call(`POST /repos/${REPO}/issues/comments/${id}/reactions`, { content });
    expect((await react("eyes")).status).toBe(201);
    expect((await react("eyes")).status).toBe(200);
    expect((await react("tada")).status).toBe(422);
  });

  it("labels, closes and reopens", async () => {
    const number = issue();
    await names();
    w.app.received.length = 0;
    expect((await w.call(`POST /repos/${REPO}/issues/${number}/labels`, { labels: ["job"] })).body).toMatchObject([
      { name: "job" },
    ]);
    expect(
      (await w.call(`PATCH /repos/${REPO}/issues/${number}`, { state: "closed", state_reason: "not_planned" })).body,
    ).toMatchObject({ state: "closed", state_reason: "not_planned" });
    await w.call(`PATCH /repos/${REPO}/issues/${number}`, { state: "open" });
    expect((await w.call(`DELETE /repos/${REPO}/issues/${number}/labels/job`)).status).toBe(200);
    expect(await names()).toEqual(["issues.labeled", "issues.closed", "issues.reopened", "issues.unlabeled"]);
  });

  it("lets anyone comment, but strangers change nothing", async () => {
    const number = issue();
    const stranger = w.as("stranger");
    const comment = await stranger(`POST /repos/${REPO}/issues/${number}/comments`, { body: "mine" });
    expect([comment.status, text(comment, "author_association")]).toEqual([201, "NONE"]);
    const other = w.github.comment(REPO, number, { body: "not yours", by: "writer" });
    expect((await stranger(`PATCH /repos/${REPO}/issues/comments/${other}`, { body: "ha" })).status).toBe(403);
    const ref = await stranger(`POST /repos/${REPO}/git/refs`, {
      ref: "refs/heads/x",
      sha: w.github.branches(REPO).main,
    });
    expect([ref.status, message(ref)]).toEqual([403, "Must have push access to repository"]);
    const anonymous = await fetch(`${w.github.apiUrl}/repos/${REPO}/issues`, { method: "POST", body: "{}" });
    expect(anonymous.status).toBe(401);
  });

  it("pages lists with Link headers", async () => {
    const number = issue();
    for (let at = 0; at < 3; at += 1) w.github.comment(REPO, number, { body: `c${at}`, by: "octo" });
    const first = await w.call(`GET /repos/${REPO}/issues/${number}/comments?per_page=2`);
    expect(first.body).toMatchObject([{ body: "c0" }, { body: "c1" }]);
    const next = /<([^>]+)>; rel="next"/.exec(first.headers.get("link") ?? "")?.[1] ?? "";
    expect((await w.call(`GET ${next}`)).body).toMatchObject([{ body: "c2" }]);
  });
});
