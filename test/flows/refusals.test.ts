import { describe, expect, it } from "vitest";
import { DEMO, OWNER, READER } from "../sandbox/environment.ts";
import { startHarness, until, untilJob } from "./harness.ts";

/** Everything that was asked has been received and processed. */
const settled = async (harness: Awaited<ReturnType<typeof startHarness>>): Promise<void> => {
  await harness.sandbox.idle();
  await until("the inbox to be empty", async () => (await harness.app.store.inbox.pending()).length === 0);
};

describe("a command that must not be followed", () => {
  it("is answered with a confused face and nothing else when the commenter may not write", async () => {
    const harness = await startHarness();
    const issue = harness.ask("/job create HELLO.md that says hello", READER);
    await until("a reaction", () => (harness.github.comments(DEMO, issue)[0]?.reactions.length ?? 0) > 0);
    await settled(harness);
    expect(harness.github.comments(DEMO, issue)).toHaveLength(1);
    expect(harness.github.comments(DEMO, issue)[0]?.reactions).toEqual(["confused"]);
    expect(Object.keys(harness.github.branches(DEMO))).toEqual(["main"]);
  });

  it("costs at most three writes when three people who may not write say it ninety times", async () => {
    const harness = await startHarness();
    const issue = harness.ask("Please do not.");
    const deniedPeople = ["mallory", "trudy", "oscar"];
    for (let nth = 0; nth < 90; nth++)
      harness.github.comment(DEMO, issue, { body: `/job do it, ${nth}`, by: deniedPeople[nth % 3] ?? "" });
    await until("reactions", () => harness.github.comments(DEMO, issue).some(({ reactions }) => reactions.length > 0));
    await settled(harness);
    const told = harness.github.comments(DEMO, issue).flatMap(({ reactions }) => reactions);
    expect(told).toEqual(["confused", "confused", "confused"]);
    const writes = harness.github
      .calls()
      .filter(({ actor, method, graphql }) => actor === "installation" && method !== "GET" && graphql === undefined);
    expect(writes.map(({ method, route }) => `${method} ${route}`)).toEqual(
      Array(3).fill("POST /repos/:owner/:repo/issues/comments/:comment_id/reactions"),
    );
    const job = harness.ask("/job create HELLO.md that says hello");
    await until("the owner's job", () => harness.github.comments(DEMO, job).length > 1);
  });

  it.each([
    ["in a quote", "> /job create HELLO.md that says hello\n\nNo, do not."],
    ["in a code block", "```\n/job create HELLO.md that says hello\n```"],
    ["in inline code", "Try `/job create HELLO.md that says hello`."],
    ["in an HTML comment", "<!--\n/job create HELLO.md that says hello\n-->"],
  ])("is ignored %s", async (_where, body) => {
    const harness = await startHarness();
    const issue = harness.ask(body);
    await settled(harness);
    expect(harness.github.comments(DEMO, issue)).toHaveLength(1);
    expect(harness.github.comments(DEMO, issue)[0]?.reactions).toEqual([]);
  });

  it("is ignored from a bot", async () => {
    const harness = await startHarness();
    const issue = harness.ask("/job create HELLO.md that says hello", "helper[bot]");
    await settled(harness);
    expect(harness.github.comments(DEMO, issue)[0]?.reactions).toEqual([]);
  });

  it("is refused once, with the reason, on a pull request from a fork", async () => {
    const harness = await startHarness();
    const number = harness.github.openForkPullRequest(DEMO, { title: "Mine", by: "stranger", files: { "x.md": "x" } });
    harness.github.comment(DEMO, number, { body: "/job run the tests", by: "ada" });
    await until("the refusal", () => harness.comment(number).includes("fork"));
    await settled(harness);
    expect(harness.github.comments(DEMO, number)).toHaveLength(2);
    expect(Object.keys(harness.github.branches(DEMO))).toEqual(["main"]);
  });

  it("gets a did-you-mean when it is a slip", async () => {
    const harness = await startHarness();
    const issue = harness.ask("/job statsu");
    await until("the hint", () => harness.comment(issue).includes("status"));
    await settled(harness);
    expect(harness.github.comments(DEMO, issue)).toHaveLength(2);
  });

  it("is told at once that nobody knows the model that it names, and a retired one is followed by its successor", async () => {
    const harness = await startHarness({ model: false });
    const first = harness.ask("/job --model gpt-5 create HELLO.md that says hello");
    await until("the reason", () => harness.comment(first).includes("The model `gpt-5` is unknown."));
    const second = harness.ask("/job --model claude-opus-4-1 create HELLO.md that says hello");
    await until("the note", () => harness.comment(second).includes("so `claude-opus-5-5` is used instead"));
    const third = harness.ask("/job --model gpt-5 create HELLO.md that says hello");
    await until("the reason", () => harness.comment(third).includes("The model `gpt-5` is unknown."));
    await settled(harness);
    expect(harness.comment(third)).not.toContain("**Failed**");
  });

  it("gets the help when it asks for it", async () => {
    const harness = await startHarness();
    const issue = harness.ask("/job help");
    expect(await until("the help", () => harness.comment(issue) || null)).toContain("/job cancel");
  });
});

describe("a repository that cannot take a job", () => {
  it("gets one clear comment and no branch where run-job.yml is missing", async () => {
    const harness = await startHarness({ workflow: false });
    const issue = harness.ask("/job create HELLO.md that says hello");
    await until("the comment", () => harness.comment(issue).includes("run-job.yml"));
    await settled(harness);
    expect(harness.github.comments(DEMO, issue)).toHaveLength(2);
    expect(Object.keys(harness.github.branches(DEMO))).toEqual(["main"]);
    const created = await harness.request("/api/create-job", { method: "POST", body: { job: "x" } });
    expect(created.status).toBe(422);
    expect(((await created.json()) as { error: string }).error).toContain("run-job.yml");
  });

  it("gets one clear comment where it is empty", async () => {
    const harness = await startHarness({ empty: true });
    const issue = harness.ask("/job create HELLO.md that says hello");
    await until("the comment", () => harness.comment(issue).includes("no commit yet"));
    await settled(harness);
    expect(harness.github.comments(DEMO, issue)).toHaveLength(2);
    expect(harness.github.branches(DEMO)).toEqual({});
  });

  it("keeps the last good settings and names the unknown key where they are broken", async () => {
    const harness = await startHarness({
      realRuns: true,
      settings: "auto_merge:\n  enabled: true\n  allowed_path: ['docs/**']\n",
    });
    const issue = harness.ask("/job create HELLO.md that says hello");
    const { id } = await harness.jobOf(issue);
    const job = await untilJob(harness, id, "verified", (one) => one.status === "verified");
    expect(job.merge.state).toBe("off");
    expect(job.settings_problem).toContain("allowed_path");
    await until("the comment to name the key", () => harness.comment(issue).includes("allowed_path"));
    // one that is over before anything is judged
    const quick = harness.ask("/job nothing");
    await until("the comment to name the key", () => harness.comment(quick).includes("allowed_path"));
  });

  it("is told what an uninstalled App means over REST", async () => {
    const harness = await startHarness();
    harness.github.createRepository({ owner: OWNER, name: "other", files: { "README.md": "x" } });
    const answer = await harness.request("/api/create-job", {
      method: "POST",
      body: { job: "x", repository: `${OWNER}/other` },
    });
    expect(answer.status).toBe(422);
    expect(((await answer.json()) as { error: string }).error).toContain("install");
  });
});
