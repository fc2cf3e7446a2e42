import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { field, json, message, REPO, type World, world } from "./kit.ts";

describe("check runs", () => {
  let w: World;
  let sha = "";
  beforeAll(async () => {
    w = await world();
    sha = w.github.branches(REPO).main ?? "";
  });
  afterAll(() => w.close());
  const create = (body: Record<string, unknown>) =>
    w.call(`POST /repos/${REPO}/check-runs`, { name: "journeyman", head_sha: sha, ...body });

  it("are created, updated and told", async () => {
    const made = await create({ status: "in_progress", external_id: "ab12cd34", output: { title: "t", summary: "s" } });
    expect(made.body).toMatchObject({ status: "in_progress", conclusion: null, app: { slug: "journeyman", id: 4242 } });
    const actions = [{ label: "Retry", description: "Try again", identifier: "retry" }];
    const done = await w.call(`PATCH /repos/${REPO}/check-runs/${field(made, "id")}`, {
      conclusion: "failure",
      actions,
    });
    expect(done.body).toMatchObject({ status: "completed", conclusion: "failure", external_id: "ab12cd34" });
    w.github.clickCheckAction(REPO, z.number().parse(field(made, "id")), "retry", "writer");
    w.github.rerequestCheck(REPO, z.number().parse(field(made, "id")), "writer");
    await w.github.idle();
    const events = w.app.received.filter((one) => one.event === "check_run");
    expect(events.map((one) => one.action)).toEqual(["created", "completed", "requested_action", "rerequested"]);
    expect(events[2]?.payload).toMatchObject({
      requested_action: { identifier: "retry" },
      sender: { login: "writer" },
      check_run: { external_id: "ab12cd34" },
    });
    const list = await w.call(`GET /repos/${REPO}/commits/${sha}/check-runs`);
    expect(list.body).toMatchObject({ total_count: 1, check_runs: [{ conclusion: "failure" }] });
  });

  it("refuse what the Checks API refuses", async () => {
    const bad = [
      { status: "waiting" },
      { conclusion: "stale" },
      { status: "completed" },
      { output: { title: "t", summary: "x".repeat(65_536) } },
      { actions: Array.from({ length: 4 }, () => ({ label: "a", description: "b", identifier: "c" })) },
      { actions: [{ label: "x".repeat(21), description: "b", identifier: "c" }] },
      { actions: [{ label: "x", description: "b".repeat(41), identifier: "c" }] },
      {
        output: {
          title: "t",
          summary: "s",
          annotations: Array.from({ length: 51 }, () => ({
            path: "a",
            start_line: 1,
            end_line: 1,
            annotation_level: "notice",
            message: "m",
          })),
        },
      },
      { head_sha: "1".repeat(40) },
    ];
    for (const body of bad)
      expect([JSON.stringify(body).slice(0, 60), (await create(body)).status]).toEqual([
        JSON.stringify(body).slice(0, 60),
        422,
      ]);
    const user = await w.as("octo")(`POST /repos/${REPO}/check-runs`, { name: "x", head_sha: sha });
    expect([user.status, message(user)]).toEqual([403, "You must authenticate via a GitHub App."]);
  });

  it("belong to their App alone", async () => {
    const token = w.github.actions.workflowToken({ owner: "octo", name: "demo" }, { checks: "write" });
    const foreign = await fetch(`${w.github.apiUrl}/repos/${REPO}/check-runs`, {
      method: "POST",
      headers: { authorization: `token ${token}` },
      body: JSON.stringify({ name: "theirs", head_sha: sha }),
    });
    const made = json.parse(await foreign.json());
    expect(made.app).toMatchObject({ slug: "github-actions" });
    expect((await w.call(`PATCH /repos/${REPO}/check-runs/${made.id}`, { conclusion: "success" })).status).toBe(403);
  });

  it("are joined by statuses in the combined status", async () => {
    const statuses = await world({ permissions: { contents: "read", statuses: "write" } });
    const head = statuses.github.branches(REPO).main;
    const post = (state: string) => statuses.call(`POST /repos/${REPO}/statuses/${head}`, { state, context: "ci" });
    expect((await post("pending")).status).toBe(201);
    expect((await statuses.call(`GET /repos/${REPO}/commits/main/status`)).body).toMatchObject({
      state: "pending",
      total_count: 1,
    });
    await post("success");
    expect((await statuses.call(`GET /repos/${REPO}/commits/${head}/status`)).body).toMatchObject({
      state: "success",
      total_count: 1,
    });
    await statuses.close();
  });
});
