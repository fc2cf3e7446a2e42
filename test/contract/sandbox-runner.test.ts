import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { demoFiles } from "../sandbox/demo/demo-files.ts";
import { REPOSITORY } from "./fake-actions-backend.ts";
import { CHECKOUT, RunnerBench, textOf, WORKFLOW, workflow } from "./runner-harness.ts";

let bench: RunnerBench;

beforeEach(async () => {
  bench = await RunnerBench.open();
});

afterEach(() => bench.close());

describe("a workflow that starts", () => {
  test("runs its steps in real shells on a real checkout and reports every stage", async () => {
    const { run, job } = await bench.play({
      "README.md": "hello from git\n",
      ...workflow(`
- uses: ${CHECKOUT}
- run: cat README.md && git rev-parse HEAD
- name: Second
  run: echo "on $GITHUB_REF_NAME of $GITHUB_REPOSITORY"`),
    });
    expect(run?.events).toEqual(["queued", "in_progress", "success"]);
    expect(run).toMatchObject({ name: "Test", path: WORKFLOW, displayTitle: "A change", headBranch: "main" });
    expect(textOf(job?.log)).toContain(`hello from git\n${run?.headSha}\n`);
    expect(textOf(job?.log)).toContain("on main of ada/demo");
    expect(job?.steps.map((step) => [step.name, step.conclusion])).toEqual([
      ["Set up job", "success"],
      [`Run ${CHECKOUT}`, "success"],
      ["Run cat README.md && git rev-parse HEAD", "success"],
      ["Second", "success"],
      ["Complete job", "success"],
    ]);
    expect(bench.backend.liveTokens.size).toBe(0);
  });

  test("passes environment, outputs, path and summary from step to step and job to job", async () => {
    const { run } = await bench.play({
      [WORKFLOW]: `
on: push
env: { LEVEL: file }
jobs:
  first:
    runs-on: ubuntu-latest
    env: { INNER: "\${{ github.event.head_commit.message }}" }
    outputs: { word: "\${{ steps.say.outputs.word }}" }
    steps:
      - id: say
        run: |
          echo "word=blue" >> "$GITHUB_OUTPUT"
          printf 'POEM<<EOF\\nroses\\nviolets\\nEOF\\n' >> "$GITHUB_ENV"
          mkdir bin && printf '#!/bin/sh\\necho found-on-path\\n' > bin/mine && chmod +x bin/mine
          echo "$PWD/bin" >> "$GITHUB_PATH"
          echo "# Done" >> "$GITHUB_STEP_SUMMARY"
      - env: { LEVEL: step }
        run: echo "$LEVEL/$INNER/$POEM"; mine
  second:
    needs: first
    runs-on: ubuntu-latest
    steps:
      - run: echo "got \${{ needs.first.outputs.word }} $LEVEL"
`,
    });
    expect(run?.conclusion).toBe("success");
    const [first, second] = bench.backend.jobs;
    expect(textOf(first?.log)).toContain("step/A change/roses\nviolets\nfound-on-path");
    expect(first?.summary).toContain("# Done");
    expect(textOf(second?.log)).toContain("got blue file");
  });

  test("may ask who it is where it says id-token: write, and then until its end", async () => {
    const show = "- run: echo asks=$ACTIONS_ID_TOKEN_REQUEST_URL with=$ACTIONS_ID_TOKEN_REQUEST_TOKEN";
    const permitted = await bench.play(workflow(show, { top: "permissions: { contents: read, id-token: write }" }));
    expect(textOf(permitted.job?.log)).toMatch(
      new RegExp(`^asks=http://\\S+/idtoken/${permitted.run?.id}\\?api-version=2\\.0 with=\\*\\*\\*$`, "m"),
    );
    expect(bench.backend.identities.size).toBe(0);
    for (const top of ["", "permissions: { contents: read }", "permissions: { id-token: none }"]) {
      const { job } = await bench.play(workflow(show, { top }));
      expect(textOf(job?.log)).toMatch(/^asks= with=\s*$/m);
    }
  });

  test("gives the steps nothing of the environment that the sandbox itself has", async () => {
    process.env.SANDBOX_TEST_PARENT_SECRET = "do-not-leak";
    try {
      const { job } = await bench.play(workflow("- run: env | sort; echo home=$HOME"));
      expect(job?.log).toContain("GITHUB_ACTIONS=true");
      expect(job?.log).not.toContain("do-not-leak");
      expect(job?.log).not.toContain("GITHUB_TOKEN=");
    } finally {
      delete process.env.SANDBOX_TEST_PARENT_SECRET;
    }
  });

  test("masks secrets, the token and added masks in the log and keeps them out of job outputs", async () => {
    bench.backend.secrets.DEPLOY = "hunter2-hunter2";
    const { job } = await bench.play(
      workflow(
        `
- id: say
  run: |
    echo "secret is $DEPLOY and token is \${{ github.token }}"
    whale=blue; echo "::add-mask::$whale-whale"
    echo "a $whale-whale swims"
    echo "::stop-commands::pause-it"
    echo "::add-mask::visible"
    echo "::pause-it::"
    echo "still visible"
    echo "leak=$DEPLOY" >> "$GITHUB_OUTPUT"
    echo "summary of $DEPLOY" >> "$GITHUB_STEP_SUMMARY"
  env: { DEPLOY: "\${{ secrets.DEPLOY }}" }`,
        { job: `outputs: { leak: "\${{ steps.say.outputs.leak }}" }` },
      ),
    );
    const log = textOf(job?.log);
    expect(log).toContain("secret is *** and token is ***");
    expect(log).toContain("a *** swims");
    expect(log).toContain("still visible");
    expect(log).toContain("Skip output 'leak' since it may contain secret.");
    expect(job?.summary).toBe("summary of ***\n\n");
    expect(log).not.toMatch(/hunter2|blue-whale|ghs_fake/);
  });

  test("asks for the token with the permissions of the file, and for little without any", async () => {
    await bench.play(workflow("- run: 'true'", { top: "permissions: { contents: write, issues: none }" }));
    await bench.play(workflow("- run: 'true'"));
    await bench.play(workflow("- run: 'true'", { job: "permissions: {}" }));
    expect(bench.backend.permissions).toEqual([{ contents: "write" }, { contents: "read", packages: "read" }, {}]);
  });

  test("plays the demo repository's CI green, and red once a file named BROKEN is there", async () => {
    const green = await bench.play(demoFiles());
    expect([green.run?.conclusion, textOf(green.job?.log)]).toEqual(["success", expect.stringContaining("pass 2\n")]);
    const red = await bench.play({ BROKEN: "" });
    expect(red.run?.conclusion).toBe("failure");
    expect(textOf(red.job?.log)).toContain("##[error]A file named BROKEN is in the repository");
  });
});

describe("which events start it", () => {
  const runsFor = async (on: string, change: Parameters<RunnerBench["play"]>[1] = {}, files = {}) => {
    await bench.play({ ...workflow("- run: 'true'", { on }), ...files }, change);
    return bench.backend.runs.length;
  };

  test("a branch filter with ** lets job branches through and nothing else", async () => {
    expect(await runsFor("{ push: { branches: ['job/**'] } }")).toBe(0);
    expect(await runsFor("{ push: { branches: ['job/**'] } }", { branch: "job/ab12cd34" })).toBe(1);
    expect(await runsFor("{ push: { branches-ignore: ['job/**'] } }", { branch: "job/ab12cd34" })).toBe(1);
  });

  test("a branch that is deleted is filtered by its own name, though its run is the default branch's", async () => {
    for (const [on, runs] of [
      ["{ push: { branches: [main] } }", 0],
      ["{ push: { branches: ['job/**'] } }", 1],
      ["{ push: { branches: ['job/**'], paths: [docs] } }", 0],
    ] as const) {
      const sha = bench.backend.commit(workflow("- run: 'true'", { on }));
      const gone = {
        ref: "refs/heads/job/ab12cd34",
        before: sha,
        after: "0".repeat(40),
        deleted: true,
        head_commit: null,
      };
      const before = bench.backend.runs.length;
      bench.backend.push(sha, { payload: gone });
      await bench.runner.idle();
      expect([on, bench.backend.runs.length - before]).toEqual([on, runs]);
    }
  });

  test("a path filter looks at what the push changed, as git tells it", async () => {
    const before = bench.backend.commit(
      workflow("- run: 'true'", { on: "{ push: { paths: ['docs/**', '!docs/private/**'] } }" }),
    );
    const push = async (file: string) => {
      bench.backend.push(bench.backend.commit({ [file]: file }), {
        before: bench.backend.git("-C", join(bench.backend.folder, "work"), "rev-parse", "HEAD~1"),
      });
      await bench.runner.idle();
      return bench.backend.runs.length;
    };
    expect(before).toMatch(/^[0-9a-f]{40}$/);
    expect(await push("src/a.ts")).toBe(0);
    expect(await push("docs/private/b.md")).toBe(0);
    expect(await push("docs/c.md")).toBe(1);
  });

  test.each(["[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]", "\n\nskip-checks: true"])(
    "a head commit that says %j starts nothing",
    async (words) => {
      expect(await runsFor("push", { message: `A change ${words}` })).toBe(0);
    },
  );

  test("what a workflow token caused starts nothing, except a dispatch", async () => {
    const sha = bench.backend.commit(
      workflow(`- run: echo "for \${{ inputs.who }}"`, {
        on: "{ push: , workflow_dispatch: { inputs: { who: { required: true } } } }",
      }),
    );
    bench.backend.push(sha, { byWorkflowToken: true });
    await bench.runner.idle();
    expect(bench.backend.runs).toEqual([]);
    const where = {
      repository: REPOSITORY,
      sha,
      headSha: sha,
      ref: "refs/heads/main",
      headBranch: "main",
      actor: "ada",
    };
    const dispatch = {
      ...where,
      event: "workflow_dispatch",
      byWorkflowToken: true,
      payload: {},
      workflowPath: WORKFLOW,
    } as const;
    bench.backend.emit({ ...dispatch, inputs: { who: "Ada" } });
    await bench.runner.idle();
    expect(bench.backend.runs[0]?.conclusion).toBe("success");
    expect(textOf(bench.backend.jobs[0]?.log)).toContain("for Ada");
    bench.backend.emit({ ...dispatch, inputs: {} });
    await bench.runner.idle();
    expect([bench.backend.runs[1]?.conclusion, bench.reports.join()]).toEqual([
      "startup_failure",
      expect.stringContaining("Required input 'who'"),
    ]);
  });

  test("a pull request starts it for its usual types and base branches, unless its head says skip", async () => {
    const sha = bench.backend.commit(
      workflow("- run: echo $GITHUB_HEAD_REF", { on: "{ pull_request: { branches: [main] } }" }),
      { branch: "job/x" },
    );
    const quiet = bench.backend.commit({ "a.txt": "a" }, { branch: "job/x", message: "Quiet [skip ci]" });
    const open = (action: string, headSha: string, base: string) => {
      const pull_request = {
        title: "A pull",
        head: { ref: "job/x", sha: headSha, repo: { full_name: "ada/demo" } },
        base: { ref: base, sha },
      };
      const where = {
        repository: REPOSITORY,
        sha: headSha,
        headSha,
        ref: "refs/pull/1/merge",
        headBranch: "job/x",
        actor: "ada",
      };
      bench.backend.emit({
        ...where,
        event: "pull_request",
        action,
        byWorkflowToken: false,
        payload: { action, pull_request },
      });
    };
    open("labeled", sha, "main");
    open("opened", sha, "release");
    open("opened", quiet, "main");
    open("opened", sha, "main");
    await bench.runner.idle();
    expect(bench.backend.runs.map((run) => [run.headSha, run.displayTitle, run.conclusion])).toEqual([
      [sha, "A pull", "success"],
    ]);
    expect(textOf(bench.backend.jobs[0]?.log)).toContain("\njob/x\n");
  });

  test("a pull request from a fork may not ask who it is, whatever the file says", async () => {
    const show = "- run: echo asks=$ACTIONS_ID_TOKEN_REQUEST_URL.";
    const sha = bench.backend.commit(workflow(show, { on: "pull_request", top: "permissions: { id-token: write }" }));
    for (const full_name of ["ada/demo", "eve/demo"]) {
      const head = { ref: "topic", sha, repo: { full_name } };
      bench.backend.emit({
        event: "pull_request",
        action: "opened",
        repository: REPOSITORY,
        sha,
        headSha: sha,
        ref: "refs/pull/1/merge",
        headBranch: "topic",
        actor: "ada",
        byWorkflowToken: false,
        payload: { action: "opened", pull_request: { title: "A pull", head, base: { ref: "main", sha } } },
      });
      await bench.runner.idle();
    }
    const [own, foreign] = bench.backend.jobs.map((job) => textOf(job.log));
    expect(own).toMatch(/^asks=http/m);
    expect(foreign).toMatch(/^asks=\.$/m);
  });

  test("a job whose condition is false makes a run that ends skipped and never begins", async () => {
    const { run, job } = await bench.play(
      workflow("- run: 'true'", { job: "if: startsWith(github.event.head_commit.message, 'Run job ')" }),
    );
    expect(run?.events).toEqual(["queued", "skipped"]);
    expect([job?.status, job?.conclusion]).toEqual(["completed", "skipped"]);
  });
});

describe("files that GitHub would not start", () => {
  test.each([
    ["broken YAML", "on: push\njobs: [", ""],
    ["no steps", "on: push\njobs: { one: { runs-on: x } }", "steps"],
    [
      "a context that is not available there",
      "on: push\njobs: { one: { runs-on: x, if: secrets.A, steps: [{ run: a }] } }",
      "secrets",
    ],
    ["an unknown function", `on: push\njobs: { one: { runs-on: x, steps: [{ run: "\${{ nope() }}" }] } }`, "nope"],
    [
      "needs in a circle",
      "on: push\njobs: { a: { runs-on: x, needs: b, steps: [{ run: a }] }, b: { runs-on: x, needs: a, steps: [{ run: a }] } }",
      "circle",
    ],
    [
      "a matrix, which the sandbox does not play",
      "on: push\njobs: { a: { runs-on: x, strategy: { matrix: { v: [1] } }, steps: [{ run: a }] } }",
      "strategy",
    ],
  ])("%s is a start-up failure without a job", async (_name, text, word) => {
    const { run } = await bench.play({ [WORKFLOW]: text });
    expect([run?.events, bench.backend.jobs]).toEqual([["queued", "startup_failure"], []]);
    expect(bench.reports.join()).toContain(word);
  });
});
