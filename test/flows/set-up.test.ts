/** A repository without the files: the pull request that sets it up, what it says as things happen, and its end. */
import { describe, expect, it } from "vitest";
import { RUN_JOB_WORKFLOW } from "../../src/github/render/run-job-workflow.ts";
import { OWNER } from "../sandbox/environment.ts";
import { type Harness, startHarness, until } from "./harness.ts";

const FRESH = `${OWNER}/fresh`;
const WORKFLOW = ".github/workflows/run-job.yml";
const BRANCH = "journeyman-set-up";
const ADA = "ada";
const CI = "on: pull_request\njobs: { test: { runs-on: ubuntu-24.04, steps: [{ run: 'true' }] } }\n";

/** Longer than the core holds back what is read and written. */
const MINUTE = 61_000;

const bodyOf = (harness: Harness, number: number): string => harness.github.issue(FRESH, number).body ?? "";

async function installed(files: Record<string, string> = { "README.md": "# fresh\n" }) {
  const harness = await startHarness({}, { SET_UP_PULL_REQUESTS: "true" });
  const { github } = harness;
  github.createRepository({ owner: OWNER, name: "fresh", files });
  github.setCollaborator(FRESH, ADA, "write");
  github.install(FRESH);
  await until(
    "the installation to be known",
    async () => (await harness.app.store.repositories.get(OWNER, "fresh")) !== null,
  );
  const pulls = () => github.pulls(FRESH);
  return { harness, github, pulls };
}

/** As somebody who wants to begin with a job of their own. */
function untick({ harness, github }: Awaited<ReturnType<typeof installed>>, number: number): void {
  const body = bodyOf(harness, number).replace("- [x] Begin with", "- [ ] Begin with");
  github.editPullRequest(FRESH, number, { body, by: ADA });
}

const opened = async ({ harness, pulls }: Awaited<ReturnType<typeof installed>>): Promise<number> => {
  harness.pass(MINUTE);
  await until("the pull request", () => pulls().length > 0);
  const { repositories } = harness.app.store;
  await until("its number to be known", async () => (await repositories.get(OWNER, "fresh"))?.set_up.pull_request);
  return pulls()[0]?.number ?? 0;
};

describe("a repository without the files", () => {
  it("gets one pull request, whose list ticks itself until the first job is merged", async () => {
    const on = await installed();
    const { harness, github } = on;
    const number = await opened(on);
    expect(bodyOf(harness, number)).toContain(`/${FRESH}/new/${BRANCH}?filename=`);
    expect(bodyOf(harness, number)).not.toMatch(/\[x\] (?!Begin)/);
    untick(on, number);

    github.pushCommit(FRESH, BRANCH, { [WORKFLOW]: RUN_JOB_WORKFLOW }, ADA);
    const says = async (what: string, text: RegExp) => {
      harness.pass(MINUTE);
      await until(what, () => {
        harness.pass(MINUTE);
        return text.test(bodyOf(harness, number));
      });
    };
    await says("the workflow to be ticked", /\[x\] Add `\.github/);
    await github.mergeByHand(FRESH, number, ADA);
    await says("the merge to be ticked", /\[x\] Merge this pull request/);

    const asks = () => {
      const issue = github.openIssue(FRESH, { title: "Hello", body: "", by: ADA });
      github.comment(FRESH, issue, { body: "/job create HELLO.md that says hello", by: ADA });
    };
    asks();
    await says("the key to be missed", /Probably: The last run had no key for the model's provider/);
    expect(bodyOf(harness, number)).toMatch(/\[ \] \[Add the secret\].*\n.*\n- \[ \] Comment/);
    github.setSecret(FRESH, "ANTHROPIC_API_KEY", harness.sandbox.modelAccess.api_key);
    github.setVariable(FRESH, "ANTHROPIC_BASE_URL", harness.sandbox.model.url);
    asks();
    await says("the first job to be ticked", /\[x\] Comment/);
    expect(bodyOf(harness, number)).not.toContain("had no key");
    expect(bodyOf(harness, number)).not.toContain("[ ]");
    const known = await harness.app.store.repositories.get(OWNER, "fresh");
    expect(known?.set_up.phase).toBe("complete");
  });

  it("has its first job begun by the merge, once, however often that is told", async () => {
    const on = await installed({ "README.md": "# fresh\n", ".github/workflows/ci.yml": CI });
    const { harness, github } = on;
    github.setSecret(FRESH, "ANTHROPIC_API_KEY", harness.sandbox.modelAccess.api_key);
    github.setVariable(FRESH, "ANTHROPIC_BASE_URL", harness.sandbox.model.url);
    const number = await opened(on);
    expect(bodyOf(harness, number)).toContain("- [x] Begin with `/job Say hello in the README`");
    github.pushCommit(FRESH, BRANCH, { [WORKFLOW]: RUN_JOB_WORKFLOW }, ADA);
    github.webhooks.duplicate(({ event }) => event === "pull_request");
    await github.mergeByHand(FRESH, number, ADA);
    const all = () => harness.app.store.jobs.list({ repository: FRESH, limit: 10 });
    await until("the work to be in the default branch", () => {
      harness.pass(MINUTE);
      return github.readFile(FRESH, "main", "README.md")?.endsWith("hello\n");
    });
    const { jobs } = await all();
    expect(jobs).toMatchObject([{ requester: ADA, task: "Say hello in the README", origin: { issue: number } }]);
    await until("all to be ticked", () => {
      harness.pass(MINUTE);
      return !bodyOf(harness, number).includes("[ ]");
    });
    expect(bodyOf(harness, number)).not.toContain("Begin with");
  });

  it("has none begun where the box was unticked, though an edit of ours came between, nor for a program", async () => {
    const on = await installed();
    const { harness, github } = on;
    const number = await opened(on);
    const ticked = bodyOf(harness, number);
    untick(on, number);
    github.pushCommit(FRESH, BRANCH, { [WORKFLOW]: RUN_JOB_WORKFLOW }, ADA);
    await until("the next edit", () => {
      harness.pass(MINUTE);
      return /\[x\] Add `\.github[\s\S]*- \[ \] Begin with/.test(bodyOf(harness, number));
    });
    // what our own edit would do that crossed the person's
    github.editPullRequest(FRESH, number, { body: ticked, by: "journeyman[bot]" });
    await github.mergeByHand(FRESH, number, ADA);
    await until("the merge to be ticked", () => {
      harness.pass(MINUTE);
      return /\[x\] Merge this/.test(bodyOf(harness, number));
    });
    expect((await harness.app.store.jobs.list({ repository: FRESH, limit: 10 })).jobs).toEqual([]);
    expect(bodyOf(harness, number)).toContain("- [ ] Comment `/job Say hello");
  });

  it("is not asked again once somebody has closed the pull request", async () => {
    const on = await installed();
    const { harness, github, pulls } = on;
    github.closePullRequest(FRESH, await opened(on), ADA);
    const phase = async () => (await harness.app.store.repositories.get(OWNER, "fresh"))?.set_up.phase;
    await until("the no to be processed", async () => {
      harness.pass(MINUTE);
      return (await phase()) === "declined";
    });
    github.pushCommit(FRESH, "main", { "README.md": "# changed\n" }, ADA);
    await harness.restart();
    harness.pass(24 * 3_600_000);
    await harness.sandbox.idle();
    expect(pulls()).toHaveLength(1);
  });
});

it("leaves a repository alone that has the workflow", async () => {
  const { harness, pulls } = await installed({ [WORKFLOW]: RUN_JOB_WORKFLOW, "README.md": "# fresh\n" });
  const phase = async () => (await harness.app.store.repositories.get(OWNER, "fresh"))?.set_up.phase;
  await until("the files to be seen", async () => {
    harness.pass(MINUTE);
    return (await phase()) === "needless";
  });
  expect(pulls()).toEqual([]);
});
