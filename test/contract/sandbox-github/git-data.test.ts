import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { git, json, message, pushBranch, REPO, text, type World, world } from "./kit.ts";

describe("git data over REST", () => {
  let w: World;
  beforeAll(async () => {
    w = await world();
  });
  afterAll(() => w.close());

  it("makes a branch from tree, commit and ref that real git can clone", async () => {
    const sha = await pushBranch(
      w.call,
      w.github,
      "job/ab12cd34",
      { ".jobs/ab12cd34/job.md": "do it\n" },
      "Run job ab12cd34: do it",
    );
    expect(w.github.branches(REPO)["job/ab12cd34"]).toBe(sha);
    const cloned = await git(w.folder, [
      "clone",
      "-q",
      "--branch",
      "job/ab12cd34",
      `${w.github.url}/${REPO}.git`,
      "one",
    ]);
    expect(cloned).toMatchObject({ code: 0 });
    expect((await git(`${w.folder}/one`, ["show", "HEAD:.jobs/ab12cd34/job.md"])).out).toBe("do it");
    expect((await git(`${w.folder}/one`, ["show", "HEAD:src/a.txt"])).out).toBe("one\ntwo\nthree");
    expect((await git(`${w.folder}/one`, ["fsck", "--strict"])).code).toBe(0);
  });

  it("says 422 for a ref that exists and for a missing object, and keeps the ref", async () => {
    const sha = w.github.branches(REPO).main;
    expect((await w.call(`POST /repos/${REPO}/git/refs`, { ref: "refs/heads/once", sha })).status).toBe(201);
    const again = await w.call(`POST /repos/${REPO}/git/refs`, { ref: "refs/heads/once", sha });
    expect([again.status, message(again)]).toEqual([422, "Reference already exists"]);
    const missing = await w.call(`POST /repos/${REPO}/git/refs`, { ref: "refs/heads/none", sha: "1".repeat(40) });
    expect([missing.status, message(missing)]).toEqual([422, "Object does not exist"]);
    const below = await w.call(`POST /repos/${REPO}/git/refs`, { ref: "refs/heads/once/more", sha });
    expect(below.status).toBe(422);
    expect((await w.call(`POST /repos/${REPO}/git/refs`, { ref: "refs/heads/a b", sha })).status).toBe(422);
  });

  it("deletes files by sha null, and drops everything else without base_tree", async () => {
    const main = w.github.branches(REPO).main ?? "";
    const base = await w.call(`POST /repos/${REPO}/git/trees`, {
      base_tree: main,
      tree: [{ path: "src/a.txt", mode: "100644", type: "blob", sha: null }],
    });
    const paths = (answer: { body: unknown }) => JSON.stringify(json.parse(answer.body).tree);
    expect(paths(base)).toContain("README.md");
    expect(paths(base)).not.toContain("src");
    const bare = await w.call(`POST /repos/${REPO}/git/trees`, {
      tree: [{ path: "only.txt", mode: "100644", type: "blob", content: "x" }],
    });
    expect(paths(bare)).not.toContain("README.md");
    const both = await w.call(`POST /repos/${REPO}/git/trees`, {
      tree: [{ path: "a", content: "x", sha: "1".repeat(40) }],
    });
    expect(both.status).toBe(422);
  });

  it("moves a ref only forward unless forced, and deletes it once", async () => {
    const first = await pushBranch(w.call, w.github, "move", { "m.txt": "1" });
    const main = w.github.branches(REPO).main;
    const back = await w.call(`PATCH /repos/${REPO}/git/refs/heads/move`, { sha: main });
    expect([back.status, message(back)]).toEqual([422, "Update is not a fast forward"]);
    expect((await w.call(`PATCH /repos/${REPO}/git/refs/heads/move`, { sha: main, force: true })).status).toBe(200);
    expect((await w.call(`PATCH /repos/${REPO}/git/refs/heads/move`, { sha: first })).status).toBe(200);
    expect((await w.call(`DELETE /repos/${REPO}/git/refs/heads/move`)).status).toBe(204);
    const gone = await w.call(`DELETE /repos/${REPO}/git/refs/heads/move`);
    expect([gone.status, message(gone)]).toEqual([422, "Reference does not exist"]);
  });

  it("signs what the App commits in its own name, and nothing with a custom author", async () => {
    const main = w.github.branches(REPO).main ?? "";
    const commit = json.parse((await w.call(`GET /repos/${REPO}/git/commits/${main}`)).body);
    const tree = json.parse(commit.tree).sha;
    const own = await w.call(`POST /repos/${REPO}/git/commits`, { message: "own", tree, parents: [main] });
    expect(json.parse(own.body).verification).toMatchObject({ verified: true });
    expect(json.parse(own.body).author).toMatchObject({ name: "journeyman[bot]" });
    const author = { name: "X", email: "x@example.com" };
    const custom = await w.call(`POST /repos/${REPO}/git/commits`, { message: "own", tree, parents: [main], author });
    expect(json.parse(custom.body).verification).toMatchObject({ verified: false });
  });

  it("answers 409 for the git data of an empty repository", async () => {
    w.github.createRepository({ owner: "octo", name: "empty", empty: true });
    w.github.install("octo/empty");
    const tree = await w.call("POST /repos/octo/empty/git/trees", { tree: [] });
    expect([tree.status, message(tree)]).toEqual([409, "Git Repository is empty."]);
    expect((await w.call("GET /repos/octo/empty/git/ref/heads/main")).status).toBe(409);
  });

  it("reads and writes files by contents, with the sha as a guard", async () => {
    const path = `/repos/${REPO}/contents/notes/n.md`;
    const content = Buffer.from("hello\n").toString("base64");
    const made = await w.call(`PUT ${path}`, { message: "add", content });
    expect(made.status).toBe(201);
    expect(text(await w.call(`GET ${path}`), "content")).toBe(content);
    expect((await w.call(`GET ${path}`, undefined, { accept: "application/vnd.github.raw" })).body).toBe("hello\n");
    expect((await w.call(`PUT ${path}`, { message: "again", content })).status).toBe(422);
    expect((await w.call(`PUT ${path}`, { message: "again", content, sha: "1".repeat(40) })).status).toBe(409);
    const folder = await w.call(`GET /repos/${REPO}/contents/notes`);
    expect(folder.body).toMatchObject([{ name: "n.md", type: "file" }]);
    expect((await w.call(`GET /repos/${REPO}/contents/none`)).status).toBe(404);
  });

  it("compares branches by what git says", async () => {
    await pushBranch(w.call, w.github, "ahead", { "x.txt": "1\n2\n" });
    const answer = await w.call(`GET /repos/${REPO}/compare/main...ahead`);
    expect(answer.body).toMatchObject({
      status: "ahead",
      ahead_by: 1,
      behind_by: 0,
      files: [{ filename: "x.txt", status: "added", additions: 2, deletions: 0 }],
    });
  });
});

describe("git over HTTP", () => {
  let w: World;
  beforeAll(async () => {
    w = await world({ permissions: { contents: "write", checks: "write", issues: "write", pull_requests: "write" } });
    await git(w.folder, ["clone", "-q", `${w.github.url}/${REPO}.git`, "checkout"]);
  });
  afterAll(() => w.close());
  const commit = async (path: string) => {
    await git(`${w.folder}/checkout`, ["checkout", "-q", "-B", "topic", "origin/main"]);
    await import("node:fs/promises").then(async (fs) => {
      await fs.mkdir(`${w.folder}/checkout/${path.split("/").slice(0, -1).join("/")}`, { recursive: true });
      await fs.writeFile(`${w.folder}/checkout/${path}`, `${path}\n`);
    });
    await git(`${w.folder}/checkout`, ["add", "."]);
    await git(`${w.folder}/checkout`, ["commit", "-q", "-m", `Add ${path}`]);
  };

  it("takes a push with a token and tells the App", async () => {
    await commit("pushed.txt");
    expect(await git(`${w.folder}/checkout`, ["push", "-q", "origin", "topic"], w.token)).toMatchObject({ code: 0 });
    await w.github.idle();
    expect(w.app.names()).toEqual(expect.arrayContaining(["push", "check_suite.requested"]));
    const push = w.app.received.find((one) => one.event === "push");
    expect(push?.payload).toMatchObject({
      ref: "refs/heads/topic",
      created: true,
      deleted: false,
      head_commit: { message: "Add pushed.txt", added: ["pushed.txt"] },
      sender: { login: "journeyman[bot]", type: "Bot" },
    });
    expect(w.github.readFile(REPO, "topic", "pushed.txt")).toBe("pushed.txt\n");
  });

  it("refuses a push without token, and one that changes workflows", async () => {
    await commit("other.txt");
    const anonymous = await git(`${w.folder}/checkout`, ["push", "origin", "topic:t2"]);
    expect(anonymous.code).not.toBe(0);
    await commit(".github/workflows/evil.yml");
    const workflow = await git(`${w.folder}/checkout`, ["push", "origin", "topic:t3"], w.token);
    expect(workflow.code).not.toBe(0);
    expect(workflow.err).toContain(
      "refusing to allow a GitHub App to create or update workflow `.github/workflows/evil.yml` without `workflows` permission",
    );
    expect(Object.keys(w.github.branches(REPO))).not.toContain("t3");
  });

  it("refuses a push to a protected branch", async () => {
    w.github.protect(REPO, "main", { requiredChecks: ["ci"] });
    await commit("direct.txt");
    const refused = await git(`${w.folder}/checkout`, ["push", "origin", "topic:main"], w.token);
    expect(refused.err).toContain("GH006: Protected branch update failed for refs/heads/main");
    w.github.unprotect(REPO, "main");
  });

  it("hides a private repository from those who may not see it", async () => {
    w.github.createRepository({ owner: "octo", name: "hidden", private: true });
    expect((await git(w.folder, ["ls-remote", `${w.github.url}/octo/hidden.git`])).code).not.toBe(0);
    const stranger = await git(
      w.folder,
      ["ls-remote", `${w.github.url}/octo/hidden.git`],
      w.github.userToken("stranger"),
    );
    expect(stranger.code).not.toBe(0);
    const owner = await git(w.folder, ["ls-remote", `${w.github.url}/octo/hidden.git`], w.github.userToken("octo"));
    expect(owner.out).toContain("refs/heads/main");
  });
});
