import { createPublicKey, verify } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { client, git, graphql, installationToken, json, message, pushBranch, REPO, type World, world } from "./kit.ts";

const DEMO = { owner: "octo", name: "demo" };
const keySet = z.object({
  keys: z.array(z.object({ kid: z.string(), kty: z.string(), n: z.string(), e: z.string(), alg: z.string() })),
});
const answered = z.object({ value: z.string(), count: z.number() });

let w: World;
const now = Date.now();
beforeAll(async () => {
  w = await world({ now: () => now });
});
afterAll(() => w.close());

/** A run of a job branch, with what its job may ask with. */
function start(sha: string) {
  const { actions } = w.github;
  const run = actions.createRun({
    repository: DEMO,
    path: ".github/workflows/run-job.yml",
    name: "Run job",
    event: "push",
    displayTitle: "t",
    headBranch: "job/ab12cd34",
    headSha: sha,
    actor: "journeyman[bot]",
  });
  const access = actions.openIdentity({
    runId: run.id,
    ref: "refs/heads/job/ab12cd34",
    sha,
    headRef: "",
    baseRef: "",
  });
  const ask = async (query = "", authorization = `bearer ${access.token}`) => {
    const answer = await fetch(`${access.url}${query}`, { headers: { authorization } });
    return { status: answer.status, body: json.parse(await answer.json()) };
  };
  return { run, access, ask };
}

async function read(token: string) {
  const [head = "", body = "", signature = ""] = token.split(".");
  const part = (text: string) => json.parse(JSON.parse(Buffer.from(text, "base64url").toString()));
  const answer = await fetch(`${w.github.url}/_services/token/.well-known/jwks`);
  const key = keySet.parse(await answer.json()).keys.find((one) => one.kid === part(head).kid);
  if (key === undefined) throw new Error("the token is signed with a key that is not published");
  const publicKey = createPublicKey({ key, format: "jwk" });
  const good = verify("sha256", Buffer.from(`${head}.${body}`), publicKey, Buffer.from(signature, "base64url"));
  return { good, head: part(head), claims: part(body) };
}

describe("the issuer", () => {
  it("describes itself and its keys at the addresses that GitHub has", async () => {
    const at = `${w.github.url}/_services/token`;
    const described = json.parse(await (await fetch(`${at}/.well-known/openid-configuration`)).json());
    expect(described).toMatchObject({
      issuer: at,
      jwks_uri: `${at}/.well-known/jwks`,
      id_token_signing_alg_values_supported: ["RS256"],
    });
    const keys = keySet.parse(await (await fetch(String(described.jwks_uri))).json());
    expect(keys.keys).toMatchObject([{ kty: "RSA", alg: "RS256" }]);
    expect(JSON.stringify(keys)).not.toContain('"d"');
  });

  it("says of a run what GitHub says, signed, for the audience that was asked for", async () => {
    const sha = w.github.branches(REPO).main ?? "";
    const { run, ask } = start(sha);
    const { status, body } = await ask("&audience=https%3A%2F%2Fapp.example.com");
    expect(status).toBe(200);
    const { value, count } = answered.parse(body);
    expect(count).toBe(value.length);
    const { good, head, claims } = await read(value);
    expect(good).toBe(true);
    expect(head).toMatchObject({ alg: "RS256", typ: "JWT" });
    const repository = json.parse((await w.call(`GET /repos/${REPO}`)).body);
    const owner = json.parse(repository.owner);
    const seconds = Math.floor(now / 1000);
    expect(claims).toMatchObject({
      iss: `${w.github.url}/_services/token`,
      aud: "https://app.example.com",
      sub: `repo:octo@${owner.id}/demo@${repository.id}:ref:refs/heads/job/ab12cd34`,
      repository: REPO,
      repository_id: String(repository.id),
      repository_owner: "octo",
      repository_owner_id: String(owner.id),
      ref: "refs/heads/job/ab12cd34",
      ref_type: "branch",
      sha,
      run_id: String(run.id),
      run_number: "1",
      run_attempt: "1",
      event_name: "push",
      workflow: "Run job",
      workflow_ref: `${REPO}/.github/workflows/run-job.yml@refs/heads/job/ab12cd34`,
      job_workflow_ref: `${REPO}/.github/workflows/run-job.yml@refs/heads/job/ab12cd34`,
      workflow_sha: sha,
      actor: "journeyman[bot]",
      actor_id: expect.stringMatching(/^\d+$/),
      runner_environment: "self-hosted",
      jti: expect.any(String),
      iat: seconds,
      nbf: seconds - 600,
      exp: seconds + 300,
    });
  });

  it("names the owner's address where no audience is asked for, and no two tokens are the same", async () => {
    const { ask } = start(w.github.branches(REPO).main ?? "");
    const [first, second] = [await ask(), await ask()].map(({ body }) => answered.parse(body).value);
    expect((await read(first ?? "")).claims.aud).toBe(`${w.github.url}/octo`);
    expect(first).not.toBe(second);
  });

  it("refuses whoever is not that job, and that job too once it has ended", async () => {
    const sha = w.github.branches(REPO).main ?? "";
    const one = start(sha);
    const other = start(sha);
    for (const wrong of ["", "bearer wrong", `bearer ${other.access.token}`, `bearer ${w.token}`])
      expect((await one.ask("", wrong)).status).toBe(401);
    expect((await fetch(one.access.url, { method: "PUT" })).status).toBe(405);
    expect((await client(w.github, `Bearer ${one.access.token}`)(`GET /repos/${REPO}`)).status).toBe(401);
    w.github.actions.completeRun(one.run.id, "success");
    expect((await one.ask()).status).toBe(401);
    w.github.actions.closeIdentity(other.access.token);
    expect((await other.ask()).status).toBe(401);
  });

  it("fails as a test asks it to", async () => {
    const { ask } = start(w.github.branches(REPO).main ?? "");
    w.github.faults.add({ match: { path: /idtoken$/ }, status: 503 });
    expect((await ask()).status).toBe(503);
    expect((await ask()).status).toBe(200);
  });
});

describe("a token narrowed to one repository and to contents", () => {
  it("pushes there over HTTP, and does nothing else", async () => {
    w.github.createRepository({ owner: "octo", name: "other" });
    w.github.install("octo/other");
    const id = json.parse((await w.call(`GET /repos/${REPO}`)).body).id;
    const narrowed = { repository_ids: [id], permissions: { contents: "write" } };
    const token = await installationToken(w.github, w.installation, narrowed);
    const from = w.folder;
    await git(from, ["clone", "--quiet", `${w.github.url}/${REPO}.git`, "narrow"], token);
    const clone = `${from}/narrow`;
    await git(clone, ["commit", "--quiet", "--allow-empty", "-m", "Work"]);
    const pushed = await git(clone, ["push", `${w.github.url}/${REPO}.git`, "HEAD:refs/heads/narrow"], token);
    expect(pushed).toMatchObject({ code: 0 });
    const elsewhere = await git(clone, ["push", `${w.github.url}/octo/other.git`, "HEAD:refs/heads/narrow"], token);
    expect(elsewhere.err).toContain("403");
    expect(w.github.branches("octo/other").narrow).toBeUndefined();
    const call = client(w.github, `Bearer ${token}`);
    const sha = await pushBranch(call, w.github, "by-rest", { "a.txt": "a" });
    const order = { title: "t", head: "narrow", base: "main" };
    for (const [line, body] of [
      [`POST /repos/${REPO}/pulls`, order],
      [`POST /repos/${REPO}/issues`, { title: "t" }],
      [`POST /repos/${REPO}/check-runs`, { name: "x", head_sha: sha }],
      [`POST /repos/${REPO}/actions/workflows/run-job.yml/dispatches`, { ref: "main" }],
      [`PUT /repos/octo/other/contents/a.txt`, { message: "m", content: "" }],
    ] as const) {
      const refused = await call(line, body);
      expect([line, refused.status, message(refused)]).toEqual([line, 403, "Resource not accessible by integration"]);
    }
    const mutation =
      "mutation($i: CreatePullRequestInput!) { createPullRequest(input: $i) { pullRequest { number } } }";
    const input = { repositoryId: `R_${id}`, headRefName: "narrow", baseRefName: "main", title: "t" };
    expect((await graphql(call, mutation, { i: input })).errors).toMatchObject([{ type: "FORBIDDEN" }]);
    expect(w.github.pulls(REPO)).toEqual([]);
    const workflow = await pushBranch(call, w.github, "wf", { ".github/workflows/x.yml": "on: push\n" }).catch(String);
    expect(w.github.branches(REPO).wf, String(workflow)).toBeUndefined();
  });
});
