import { describe, expect, it } from "vitest";
import { DEMO, OWNER, READER } from "../sandbox/environment.ts";
import { startHouse, until, untilJob } from "./harness.ts";

/** Everything that was asked has been heard and worked on. */
const settled = async (house: Awaited<ReturnType<typeof startHouse>>): Promise<void> => {
  await house.town.idle();
  await until("the inbox to be empty", async () => (await house.app.store.inbox.pending()).length === 0);
};

describe("a command that must not be followed", () => {
  it("is answered with a confused face and nothing else when the commenter may not write", async () => {
    const house = await startHouse();
    const issue = house.ask("/job create HELLO.md that says hello", READER);
    await until("a reaction", () => (house.github.comments(DEMO, issue)[0]?.reactions.length ?? 0) > 0);
    await settled(house);
    expect(house.github.comments(DEMO, issue)).toHaveLength(1);
    expect(house.github.comments(DEMO, issue)[0]?.reactions).toEqual(["confused"]);
    expect(Object.keys(house.github.branches(DEMO))).toEqual(["main"]);
  });

  it("costs at most three writes when three people who may not write say it ninety times", async () => {
    const house = await startHouse();
    const issue = house.ask("Please do not.");
    const strangers = ["mallory", "trudy", "oscar"];
    for (let nth = 0; nth < 90; nth++)
      house.github.comment(DEMO, issue, { body: `/job do it, ${nth}`, by: strangers[nth % 3] ?? "" });
    await until("reactions", () => house.github.comments(DEMO, issue).some(({ reactions }) => reactions.length > 0));
    await settled(house);
    const told = house.github.comments(DEMO, issue).flatMap(({ reactions }) => reactions);
    expect(told).toEqual(["confused", "confused", "confused"]);
    const writes = house.github
      .calls()
      .filter(({ actor, method, graphql }) => actor === "installation" && method !== "GET" && graphql === undefined);
    expect(writes.map(({ method, route }) => `${method} ${route}`)).toEqual(
      Array(3).fill("POST /repos/:owner/:repo/issues/comments/:comment_id/reactions"),
    );
    const job = house.ask("/job create HELLO.md that says hello");
    await until("the owner's job", () => house.github.comments(DEMO, job).length > 1);
  });

  it.each([
    ["in a quote", "> /job create HELLO.md that says hello\n\nNo, do not."],
    ["in a code block", "```\n/job create HELLO.md that says hello\n```"],
    ["in inline code", "Try `/job create HELLO.md that says hello`."],
    ["in an HTML comment", "<!--\n/job create HELLO.md that says hello\n-->"],
  ])("is not heard %s", async (_where, body) => {
    const house = await startHouse();
    const issue = house.ask(body);
    await settled(house);
    expect(house.github.comments(DEMO, issue)).toHaveLength(1);
    expect(house.github.comments(DEMO, issue)[0]?.reactions).toEqual([]);
  });

  it("is ignored from a bot", async () => {
    const house = await startHouse();
    const issue = house.ask("/job create HELLO.md that says hello", "helper[bot]");
    await settled(house);
    expect(house.github.comments(DEMO, issue)[0]?.reactions).toEqual([]);
  });

  it("is refused once, with the reason, on a pull request from a fork", async () => {
    const house = await startHouse();
    const number = house.github.openForkPullRequest(DEMO, { title: "Mine", by: "stranger", files: { "x.md": "x" } });
    house.github.comment(DEMO, number, { body: "/job run the tests", by: "ada" });
    await until("the refusal", () => house.comment(number).includes("fork"));
    await settled(house);
    expect(house.github.comments(DEMO, number)).toHaveLength(2);
    expect(Object.keys(house.github.branches(DEMO))).toEqual(["main"]);
  });

  it("gets a did-you-mean when it is a slip", async () => {
    const house = await startHouse();
    const issue = house.ask("/job statsu");
    await until("the hint", () => house.comment(issue).includes("status"));
    await settled(house);
    expect(house.github.comments(DEMO, issue)).toHaveLength(2);
  });

  it("is told at once that nobody knows the model that it names, and a retired one is followed by its successor", async () => {
    const house = await startHouse({ model: false });
    const first = house.ask("/job --model gpt-5 create HELLO.md that says hello");
    await until("the reason", () => house.comment(first).includes("The model `gpt-5` is not known."));
    const second = house.ask("/job --model claude-opus-4-1 create HELLO.md that says hello");
    await until("the note", () => house.comment(second).includes("so `claude-opus-5-5` takes its place"));
    const third = house.ask("/job --model gpt-5 create HELLO.md that says hello");
    await until("the reason", () => house.comment(third).includes("The model `gpt-5` is not known."));
    await settled(house);
    expect(house.comment(third)).not.toContain("**Failed**");
  });

  it("gets the help when it asks for it", async () => {
    const house = await startHouse();
    const issue = house.ask("/job help");
    expect(await until("the help", () => house.comment(issue) || null)).toContain("/job cancel");
  });
});

describe("a repository that cannot take a job", () => {
  it("gets one clear comment and no branch where run-job.yml is missing", async () => {
    const house = await startHouse({ workflow: false });
    const issue = house.ask("/job create HELLO.md that says hello");
    await until("the comment", () => house.comment(issue).includes("run-job.yml"));
    await settled(house);
    expect(house.github.comments(DEMO, issue)).toHaveLength(2);
    expect(Object.keys(house.github.branches(DEMO))).toEqual(["main"]);
    const created = await house.request("/api/create-job", { method: "POST", body: { job: "x" } });
    expect(created.status).toBe(422);
    expect(((await created.json()) as { error: string }).error).toContain("run-job.yml");
  });

  it("gets one clear comment where it is empty", async () => {
    const house = await startHouse({ empty: true });
    const issue = house.ask("/job create HELLO.md that says hello");
    await until("the comment", () => house.comment(issue).includes("no commit yet"));
    await settled(house);
    expect(house.github.comments(DEMO, issue)).toHaveLength(2);
    expect(house.github.branches(DEMO)).toEqual({});
  });

  it("keeps the last good settings and names the unknown key where they are broken", async () => {
    const house = await startHouse({
      realRuns: true,
      settings: "auto_merge:\n  enabled: true\n  allowed_path: ['docs/**']\n",
    });
    const issue = house.ask("/job create HELLO.md that says hello");
    const { id } = await house.jobOf(issue);
    const job = await untilJob(house, id, "verified", (one) => one.status === "verified");
    expect(job.merge.state).toBe("off");
    expect(job.settings_problem).toContain("allowed_path");
    await until("the comment to name the key", () => house.comment(issue).includes("allowed_path"));
    // one that is over before anything is judged
    const quick = house.ask("/job nothing");
    await until("the comment to name the key", () => house.comment(quick).includes("allowed_path"));
  });

  it("is told what an uninstalled App means over REST", async () => {
    const house = await startHouse();
    house.github.createRepository({ owner: OWNER, name: "other", files: { "README.md": "x" } });
    const answer = await house.request("/api/create-job", {
      method: "POST",
      body: { job: "x", repository: `${OWNER}/other` },
    });
    expect(answer.status).toBe(422);
    expect(((await answer.json()) as { error: string }).error).toContain("install");
  });
});
