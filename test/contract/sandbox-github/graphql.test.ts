import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { field, graphql, pushBranch, REPO, text, type World, world } from "./kit.ts";

const WORKFLOW = "name: Run job\non:\n  push:\n    branches: [job/**]\n  workflow_dispatch:\njobs: {}\n";

describe("GraphQL", () => {
  let w: World;
  beforeAll(async () => {
    w = await world({
      files: { "README.md": "# demo\n", ".github/workflows/run-job.yml": WORKFLOW, "bin.dat": "a\0b" },
    });
  });
  afterAll(() => w.close());

  it("tells head, tree, files and settings in one query", async () => {
    const answer = await graphql(
      w.call,
      `query Base($owner: String!, $name: String!) {
        repository(owner: $owner, name: $name) {
          id databaseId isEmpty autoMergeAllowed deleteBranchOnMerge squashMergeAllowed
          defaultBranchRef { name target { ... on Commit { oid tree { oid } } } }
          workflow: object(expression: "main:.github/workflows/run-job.yml") { ... on Blob { oid text isBinary isTruncated byteSize } }
          binary: object(expression: "main:bin.dat") { ... on Blob { text isBinary } }
          none: object(expression: "main:none") { __typename }
          folder: object(expression: "main:.github") { ... on Tree { entries { name type oid object { __typename } } } }
          ref(qualifiedName: "refs/heads/none") { id }
        }
      }`,
      { owner: "octo", name: "demo" },
    );
    const main = w.github.branches(REPO).main;
    expect(answer.errors).toBeUndefined();
    expect(answer.data).toMatchObject({
      repository: {
        isEmpty: false,
        squashMergeAllowed: true,
        defaultBranchRef: {
          name: "main",
          target: { oid: main, tree: { oid: expect.stringMatching(/^[0-9a-f]{40}$/) } },
        },
        workflow: { text: WORKFLOW, isBinary: false, isTruncated: false, byteSize: WORKFLOW.length },
        binary: { text: null, isBinary: true },
        none: null,
        folder: { entries: [{ name: "workflows", type: "tree", object: { __typename: "Tree" } }] },
        ref: null,
      },
    });
  });

  it("judges a pull request from one query with the rollup", async () => {
    const sha = await pushBranch(w.call, w.github, "job/gq", { "g.txt": "g" });
    const pull = await w.call(`POST /repos/${REPO}/pulls`, { title: "g", head: "job/gq", base: "main" });
    const query = `query($n: Int!) { repository(owner: "octo", name: "demo") { pullRequest(number: $n) {
      state merged isDraft headRefOid baseRefName headRefName mergeable
      baseRef { refUpdateRule { requiredStatusCheckContexts } rules(first: 9) { nodes { type parameters {
        ... on RequiredStatusChecksParameters { requiredStatusChecks { context integrationId } } } } } }
      mergeStateStatus reviewDecision isInMergeQueue isCrossRepository
      author { login __typename } autoMergeRequest { enabledAt }
      files(first: 100) { nodes { path changeType } pageInfo { hasNextPage endCursor } }
      commits(last: 1) { nodes { commit { statusCheckRollup { state contexts(first: 100) { totalCount pageInfo { hasNextPage } nodes {
        __typename
        ... on CheckRun { databaseId name status conclusion detailsUrl isRequired(pullRequestNumber: $n) checkSuite { app { slug databaseId } workflowRun { databaseId } } title summary }
        ... on StatusContext { context state description targetUrl isRequired(pullRequestNumber: $n) }
      } } } } } }
    } } }`;
    const ask = () => graphql(w.call, query, { n: field(pull, "number") });
    await w.github.idle();
    const before = await ask();
    expect(before.errors).toBeUndefined();
    expect(before.data).toMatchObject({
      repository: {
        pullRequest: {
          state: "OPEN",
          baseRef: { refUpdateRule: null, rules: { nodes: [] } },
          headRefOid: sha,
          mergeable: "MERGEABLE",
          mergeStateStatus: "CLEAN",
          author: { login: "journeyman", __typename: "Bot" },
          files: { nodes: [{ path: "g.txt", changeType: "ADDED" }] },
          commits: { nodes: [{ commit: { statusCheckRollup: null } }] },
        },
      },
    });
    w.github.protect(REPO, "main", { requiredChecks: ["ci", "deploy"], checkApps: { deploy: "some-deployer" } });
    const run = w.github.actions.createRun({
      repository: { owner: "octo", name: "demo" },
      path: ".github/workflows/ci.yml",
      name: "CI",
      event: "push",
      displayTitle: "g",
      headBranch: "job/gq",
      headSha: sha,
      actor: "octo",
    });
    const job = w.github.actions.createJob(run.id, "ci");
    w.github.setStatus(REPO, sha, "deploy", "success");
    const pending = await ask();
    expect(pending.data).toMatchObject({
      repository: {
        pullRequest: {
          mergeStateStatus: "BLOCKED",
          baseRef: {
            refUpdateRule: { requiredStatusCheckContexts: ["ci", "deploy"] },
            rules: {
              nodes: [
                {
                  type: "REQUIRED_STATUS_CHECKS",
                  parameters: {
                    requiredStatusChecks: [
                      { context: "ci", integrationId: null },
                      { context: "deploy", integrationId: expect.any(Number) },
                    ],
                  },
                },
              ],
            },
          },
          commits: {
            nodes: [
              {
                commit: {
                  statusCheckRollup: {
                    state: "PENDING",
                    contexts: {
                      totalCount: 2,
                      nodes: [
                        {
                          __typename: "CheckRun",
                          name: "ci",
                          status: "QUEUED",
                          conclusion: null,
                          isRequired: true,
                          databaseId: job,
                          checkSuite: { app: { slug: "github-actions" }, workflowRun: { databaseId: run.id } },
                        },
                        { __typename: "StatusContext", context: "deploy", state: "SUCCESS", isRequired: false },
                      ],
                    },
                  },
                },
              },
            ],
          },
        },
      },
    });
    w.github.actions.updateJob(job, { status: "completed", conclusion: "failure" });
    expect(await ask()).toMatchObject({
      data: {
        repository: { pullRequest: { commits: { nodes: [{ commit: { statusCheckRollup: { state: "FAILURE" } } }] } } },
      },
    });
    w.github.unprotect(REPO, "main");
  });

  it("commits on a branch only from the expected head", async () => {
    await pushBranch(w.call, w.github, "job/gc", { ".jobs/gc/job.md": "x", ".jobs/gc/log": "y" });
    const head = w.github.branches(REPO)["job/gc"] ?? "";
    const commit = (expectedHeadOid: string) =>
      graphql(
        w.call,
        "mutation($input: CreateCommitOnBranchInput!) { createCommitOnBranch(input: $input) { commit { oid signature { isValid } } } }",
        {
          input: {
            branch: { repositoryNameWithOwner: REPO, branchName: "job/gc" },
            expectedHeadOid,
            message: { headline: "Finish", body: "Co-authored-by: x" },
            fileChanges: {
              additions: [{ path: "new.txt", contents: Buffer.from("new\n").toString("base64") }],
              deletions: [{ path: ".jobs/gc/job.md" }, { path: ".jobs/gc/log" }],
            },
          },
        },
      );
    const stale = await commit("1".repeat(40));
    expect(stale).toMatchObject({
      status: 200,
      data: { createCommitOnBranch: null },
      errors: [{ type: "STALE_DATA" }],
    });
    const done = await commit(head);
    expect(done.data).toMatchObject({
      createCommitOnBranch: { commit: { oid: w.github.branches(REPO)["job/gc"], signature: { isValid: true } } },
    });
    expect(w.github.readFile(REPO, "job/gc", "new.txt")).toBe("new\n");
    expect(w.github.readFile(REPO, "job/gc", ".jobs/gc/job.md")).toBeUndefined();
    expect((await w.call(`GET /repos/${REPO}/contents/.jobs?ref=job/gc`)).status).toBe(404);
  });

  it("hides comments, and moves and deletes refs all or nothing", async () => {
    const issue = w.github.openIssue(REPO, { title: "i", by: "octo" });
    const comment = await w.call(`POST /repos/${REPO}/issues/${issue}/comments`, { body: "old" });
    const hidden = await graphql(
      w.call,
      "mutation($id: ID!) { minimizeComment(input: {subjectId: $id, classifier: OUTDATED}) { minimizedComment { isMinimized minimizedReason } } }",
      { id: text(comment, "node_id") },
    );
    expect(hidden.data).toEqual({
      minimizeComment: { minimizedComment: { isMinimized: true, minimizedReason: "outdated" } },
    });
    const main = w.github.branches(REPO).main ?? "";
    const repositoryId = text(await w.call(`GET /repos/${REPO}`), "node_id");
    const update = (refUpdates: object[]) =>
      graphql(w.call, "mutation($input: UpdateRefsInput!) { updateRefs(input: $input) { clientMutationId } }", {
        input: { repositoryId, refUpdates },
      });
    const zero = "0".repeat(40);
    expect(
      (
        await update([
          { name: "refs/heads/u1", afterOid: main, beforeOid: zero },
          { name: "refs/heads/main", afterOid: main, beforeOid: zero },
        ])
      ).errors,
    ).toHaveLength(1);
    expect(w.github.branches(REPO)).not.toHaveProperty("u1");
    expect((await update([{ name: "refs/heads/u1", afterOid: main, beforeOid: zero }])).errors).toBeUndefined();
    const ref = await graphql(
      w.call,
      'query { repository(owner: "octo", name: "demo") { ref(qualifiedName: "refs/heads/u1") { id } } }',
    );
    const id = JSON.stringify(ref.data).match(/"id":"([^"]+)"/)?.[1];
    expect(
      (await graphql(w.call, "mutation($id: ID!) { deleteRef(input: {refId: $id}) { clientMutationId } }", { id }))
        .errors,
    ).toBeUndefined();
    expect(w.github.branches(REPO)).not.toHaveProperty("u1");
  });

  it("answers errors as GitHub does, with status 200", async () => {
    const missing = await graphql(w.call, 'query { repository(owner: "octo", name: "none") { id } }');
    expect(missing).toMatchObject({
      status: 200,
      data: { repository: null },
      errors: [
        {
          type: "NOT_FOUND",
          path: ["repository"],
          message: "Could not resolve to a Repository with the name 'octo/none'.",
        },
      ],
    });
    const unknown = await graphql(w.call, "query { viewer { loginn } }");
    expect(unknown).toMatchObject({ status: 200, errors: [{ message: expect.stringContaining("loginn") }] });
    expect(unknown.data).toBeUndefined();
    const endless = await graphql(
      w.call,
      'query { repository(owner: "octo", name: "demo") { pullRequest(number: 1) { files { totalCount } } } }',
    );
    expect(endless.errors?.[0]?.type).toBe("MISSING_PAGINATION_BOUNDARIES");
    const anonymous = await fetch(`${w.github.url}/api/graphql`, {
      method: "POST",
      body: JSON.stringify({ query: "{ viewer { login } }" }),
    });
    expect(anonymous.status).toBe(401);
    const forbidden = await world({ permissions: { contents: "read" } });
    const sha = forbidden.github.branches(REPO).main;
    const id = text(await forbidden.call(`GET /repos/${REPO}`), "node_id");
    const denied = await graphql(
      forbidden.call,
      "mutation($input: CreateRefInput!) { createRef(input: $input) { ref { name } } }",
      { input: { repositoryId: id, name: "refs/heads/x", oid: sha } },
    );
    expect(denied.errors?.[0]).toMatchObject({ type: "FORBIDDEN", message: "Resource not accessible by integration" });
    await forbidden.close();
  });
});
