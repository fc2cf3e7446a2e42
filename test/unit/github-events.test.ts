import { describe, expect, test } from "vitest";
import type { Command } from "../../src/domain/job/command.ts";
import { ISSUE_BODY_LIMIT } from "../../src/github/events/issue.ts";
import { translateWebhook } from "../../src/github/events/translate.ts";

const SELF = { appId: 7, slug: "journeyman" };
const JOB = "ab12cd34";
const BRANCH = `job/${JOB}`;
const SHA = "5bd5f196a46b8222fb7484f05faba41a73cf34bd";
const WORKFLOW = ".github/workflows/run-job.yml";

const repository = { id: 42, name: "garden", owner: { login: "mona" }, default_branch: "main", private: false };
const where = { owner: "mona", name: "garden", id: 42, installation_id: 9 };
const mona = { id: 3, login: "mona", type: "User" };
const us = { id: 8, login: "journeyman[bot]", type: "Bot" };
const otherBot = { id: 9, login: "renovate[bot]", type: "Bot" };
const source = { repository, installation: { id: 9 }, sender: mona };

const said = (event: string, payload: object) => translateWebhook(event, { ...source, ...payload }, SELF);
const translated = (event: object) => ({ kind: "event", event });
const ignored = (reason: string) => ({ kind: "ignored", reason });
const news = (command: Command) => translated({ type: "news", repository: where, job: JOB, command });
const LOOK = news({ type: "look", forced: false });
const REVIEWED = news({ type: "look", forced: false, touched: true });

describe("comments", () => {
  const issue = { number: 3, title: "Weeds", body: "They grow.", pull_request: undefined as object | undefined };
  const comment = { id: 11, body: "/job pull the weeds", user: mona, performed_via_github_app: null as object | null };
  const created = (changes: { issue?: object; comment?: object; sender?: object; action?: string } = {}) =>
    said("issue_comment", {
      action: changes.action ?? "created",
      issue: { ...issue, ...changes.issue },
      comment: { ...comment, ...changes.comment },
      sender: changes.sender ?? mona,
    });
  const command = { verb: "run", task: "pull the weeds", model: null, no_merge: false, draft: false, market: null };
  const slash = {
    type: "slash",
    repository: where,
    issue: { number: 3, title: "Weeds", body: "They grow.", is_pull_request: false },
    comment_id: 11,
    author: "mona",
    author_id: 3,
    command,
  };

  test("a command in a new comment is read", () => {
    expect(created()).toEqual(translated(slash));
  });

  test("a comment on a pull request says so, and an issue without text has an empty one", () => {
    expect(created({ issue: { pull_request: { url: "x" }, body: null } })).toEqual(
      translated({ ...slash, issue: { number: 3, title: "Weeds", body: "", is_pull_request: true } }),
    );
  });

  test("an edited or deleted comment asks for nothing", () => {
    expect(created({ action: "edited" })).toEqual(ignored("no listener for issue_comment.edited"));
    expect(created({ action: "deleted" })).toEqual(ignored("no listener for issue_comment.deleted"));
  });

  test("bots and we ourselves are not listened to", () => {
    expect(created({ comment: { user: otherBot } })).toEqual(ignored("the comment of a bot"));
    expect(created({ comment: { user: { id: 7, login: "sly[bot]" } } })).toEqual(ignored("the comment of a bot"));
    expect(created({ sender: otherBot })).toEqual(ignored("the comment of a bot"));
    expect(created({ comment: { performed_via_github_app: { id: 7 } } })).toEqual(ignored("our own comment"));
  });

  test("a person who writes through another app is a person", () => {
    expect(created({ comment: { performed_via_github_app: { id: 8 } } })).toEqual(translated(slash));
  });

  test("a comment without a command is ignored", () => {
    expect(created({ comment: { body: "> /job x" } })).toEqual(ignored("the comment holds no command"));
  });

  test("a comment whose author is gone is ignored", () => {
    expect(created({ comment: { user: null } })).toMatchObject({ kind: "ignored" });
  });

  test("an issue's text has a bound, and no character is cut in two", () => {
    const translation = created({ issue: { body: `${"x".repeat(ISSUE_BODY_LIMIT - 1)}🌱🌱` } });
    expect(translation).toMatchObject({ event: { issue: { body: "x".repeat(ISSUE_BODY_LIMIT - 1) } } });
  });

  test("a repository's own webhook, which names no installation, is ignored with what is missing", () => {
    const { installation: _, ...rest } = source;
    const translation = translateWebhook("issue_comment", { ...rest, action: "created", issue, comment }, SELF);
    expect(translation).toMatchObject({ kind: "ignored", reason: expect.stringContaining("installation") });
  });
});

describe("reviews", () => {
  const pull = { number: 3, title: "Weeds", body: "They grow.", head: { ref: "mend", sha: SHA, repo: { id: 42 } } };
  const command = { verb: "run", task: "mend this", model: null, no_merge: false, draft: false, market: null };
  const issue = { number: 3, title: "Weeds", body: "They grow.", is_pull_request: true };
  const asked = { type: "slash", repository: where, issue, author: "mona", author_id: 3, command };
  const comment = { id: 11, body: "/job mend this", user: mona, path: "src/a.ts", line: 7 as number | null };
  const onLine = (changes: object = {}, action = "created") =>
    said("pull_request_review_comment", { action, pull_request: pull, comment: { ...comment, ...changes } });
  const review = {
    ...{ id: 77, node_id: "PRR_kwDOA1-x", state: "commented" },
    ...{ body: "/job mend this" as string | null, user: mona },
  };
  const reviewed = (changes: object = {}, action = "submitted") =>
    said("pull_request_review", { action, pull_request: pull, review: { ...review, ...changes } });

  test("a command in a comment on a line is read, with the line", () => {
    const line = { path: "src/a.ts", number: 7 };
    expect(onLine()).toEqual(translated({ ...asked, comment_id: "review-comment:11", line }));
    expect(onLine({ line: null })).toMatchObject({ event: { line: { path: "src/a.ts", number: null } } });
    expect(onLine({ pull_request_review_id: 77 })).toMatchObject({ event: { review: { id: 77 } } });
  });

  test("a command in a review is read, and one that decides is a reason to look, too", () => {
    const expected = { ...asked, comment_id: "review:PRR_kwDOA1-x", review: { id: 77, node_id: "PRR_kwDOA1-x" } };
    expect(reviewed()).toEqual(translated(expected));
    expect(reviewed({ state: "approved" })).toEqual(translated({ ...expected, reviewed: true }));
    for (const changes of [{ body: null }, { body: "/job mend this", user: otherBot }, { node_id: "no id" }])
      expect(
        said("pull_request_review", {
          ...{ action: "submitted", pull_request: ours },
          review: { ...review, state: "approved", ...changes },
        }),
      ).toEqual(REVIEWED);
  });

  const ours = { ...pull, state: "open", head: { ...pull.head, ref: BRANCH } };
  const asking = (changes: object = {}, pull_request: object = ours, more: object = {}) =>
    said("pull_request_review", {
      ...{ action: "submitted", pull_request },
      ...{ review: { ...review, state: "changes_requested", body: null, ...changes }, ...more },
    });

  test("one that asks for changes on a job's open pull request asks for a round, with text or without", () => {
    const event = {
      ...{ type: "review", repository: where, job: JOB, pull_request: 3, review: { id: 77, node_id: "PRR_kwDOA1-x" } },
      ...{ author: "mona", author_id: 3 },
    };
    expect(asking()).toEqual(translated(event));
    expect(asking({ body: "Please mend this." })).toEqual(translated(event));
  });

  test("one that asks for changes and holds a command is that command alone", () => {
    expect(asking({ body: "/job cancel" })).toMatchObject({
      event: { type: "slash", command: { verb: "cancel" }, reviewed: true },
    });
  });

  test.each([
    ["a bot", { user: otherBot }, ours, {}],
    ["this App", { user: us }, ours, { sender: us }],
    ["a program in a person's name", {}, ours, { sender: otherBot }],
    ["a deleted account", { user: null }, ours, {}],
    ["a closed pull request", {}, { ...ours, state: "closed" }, {}],
    ["a pull request of a fork", {}, { ...ours, head: { ...ours.head, repo: { id: 43 } } }, {}],
    ["a person's own pull request", {}, pull, {}],
    ["an approval", { state: "approved" }, ours, {}],
  ])("none is asked for by or on %s: that is a reason to look, and no more", (_, changes, on, more) => {
    expect(asking(changes, on, more)).toMatchObject({
      kind: "event",
      event: { type: expect.stringMatching(/^(?:pull-)?news$/), command: { type: "look" } },
    });
  });

  test("one that is dismissed is told by its number", () => {
    const dismissed = { action: "dismissed", pull_request: ours, review: { ...review, state: "dismissed" } };
    expect(said("pull_request_review", dismissed)).toMatchObject({
      event: { type: "news", job: JOB, command: { type: "review-dismissed", review_id: 77 } },
    });
  });

  test("neither is read of bots, edited, deleted or without a command", () => {
    expect(onLine({ user: otherBot })).toEqual(ignored("the comment of a bot"));
    expect(onLine({}, "edited")).toEqual(ignored("no listener for pull_request_review_comment.edited"));
    expect(reviewed({}, "edited")).toEqual(ignored("no listener for pull_request_review.edited"));
    expect(reviewed({ user: otherBot })).toMatchObject({ kind: "ignored" });
  });
});

describe("words of people on a pull request that are no command", () => {
  const touched = { type: "pull-news", repository: where, numbers: [3], command: { type: "touched" } };
  const pull = { number: 3, title: "Weeds", body: "They grow.", head: { ref: "mend", sha: SHA, repo: { id: 42 } } };
  const commented = (user: object, on: object = { pull_request: {} }) =>
    said("issue_comment", {
      ...{ action: "created", issue: { number: 3, title: "Weeds", body: "They grow.", ...on } },
      comment: { id: 11, body: "Thanks!", user },
    });

  test("tell that somebody looks after it", () => {
    expect(commented(mona)).toEqual(translated(touched));
    for (const body of [null, "I see."]) {
      const review = { id: 77, node_id: "PRR_kwDOA1-x", state: "commented", body, user: mona };
      const reviewed = said("pull_request_review", { action: "submitted", pull_request: pull, review });
      expect(reviewed).toEqual(translated(touched));
    }
  });

  test("a comment on a line tells nothing, since its review has an event of its own", () => {
    const comment = { id: 11, body: "Why?", user: mona, path: "src/a.ts", line: 7 };
    const onLine = said("pull_request_review_comment", { action: "created", pull_request: pull, comment });
    expect(onLine).toEqual(ignored("the comment holds no command"));
  });

  test("tell nothing when a bot says them, or on an issue", () => {
    expect(commented(otherBot)).toEqual(ignored("the comment of a bot"));
    expect(commented(mona, {})).toEqual(ignored("the comment holds no command"));
  });
});

describe("labels", () => {
  const issue = { number: 3, title: "Weeds", body: "They grow." };
  const labeled = (name: string, sender: object = mona) =>
    said("issues", { action: "labeled", issue, label: { name }, sender });

  test.each(["job", "Job"])("the label %s asks for the issue to be done", (name) => {
    expect(labeled(name)).toEqual(
      translated({
        type: "label",
        repository: where,
        issue: { ...issue, is_pull_request: false },
        author: "mona",
        author_id: 3,
      }),
    );
  });

  test("bots ask for nothing, and another label is news for triggers", () => {
    expect(labeled("jobs")).toMatchObject({
      event: { type: "trigger-news", news: { kind: "issue_labelled", label: "jobs", author: "mona", author_id: 3 } },
    });
    expect(labeled("jobs", { ...mona, login: "journeyman[bot]" })).toEqual(ignored("our own label"));
    expect(labeled("job", otherBot)).toEqual(ignored("a bot added the label"));
  });

  test("an issue opened with the label is read once as labeled, and as news for triggers", () => {
    expect(said("issues", { action: "opened", issue: { ...issue, labels: [{ name: "job" }] } })).toMatchObject({
      event: { type: "trigger-news", news: { kind: "issue_opened", labels: ["job"], author: "mona" } },
    });
  });
});

describe("workflow runs", () => {
  const run = {
    id: 77,
    run_attempt: 2,
    html_url: "https://github.com/mona/garden/actions/runs/77",
    path: WORKFLOW,
    head_branch: BRANCH as string | null,
    head_sha: SHA,
    status: "queued",
    conclusion: null as string | null,
    head_commit: { message: `Run job ${JOB}: weeds\n\nmore` } as object | null,
    head_repository: { id: 42 } as object | null,
  };
  const happened = (
    action: string,
    changes: Partial<Omit<typeof run, "path">> & { path?: string | undefined; event?: string } = {},
  ) => said("workflow_run", { action, workflow_run: { ...run, ...changes }, workflow: { path: WORKFLOW } });
  const changed = (status: "queued" | "in_progress" | "completed", conclusion: string | null = null) =>
    news({
      type: "run-changed",
      run: { id: 77, attempt: 2, url: run.html_url, status, conclusion },
      head_sha: SHA,
      commit_message: `Run job ${JOB}: weeds`,
    });

  test("the job's own run is followed from its request to its end", () => {
    expect(happened("requested", { status: "waiting" })).toEqual(changed("queued"));
    expect(happened("in_progress", { status: "in_progress" })).toEqual(changed("in_progress"));
    expect(happened("completed", { conclusion: "success" })).toEqual(changed("completed", "success"));
  });

  test.each(["failure", "skipped", "startup_failure", "action_required"])("a run that ended as %s is told", (end) => {
    expect(happened("completed", { conclusion: end })).toEqual(changed("completed", end));
  });

  test("the workflow is known by its file, also when the path names a ref or only the workflow has one", () => {
    expect(happened("requested", { path: `${WORKFLOW}@refs/heads/main` })).toEqual(changed("queued"));
    expect(happened("requested", { path: undefined })).toEqual(changed("queued"));
  });

  test("a run of another workflow is CI", () => {
    const ci = (complete: boolean) => news({ type: "ci-run-changed", id: 77, attempt: 2, sha: SHA, complete });
    expect(happened("requested", { path: ".github/workflows/ci.yml" })).toEqual(ci(false));
    expect(happened("in_progress", { path: ".github/workflows/ci.yml" })).toEqual(ci(false));
    expect(happened("completed", { path: "dynamic/codeql", conclusion: "success" })).toEqual(ci(true));
  });

  test("runs of forks and of other branches are ignored", () => {
    expect(happened("requested", { head_repository: { id: 43 } })).toEqual(ignored("the run belongs to a fork"));
    expect(happened("requested", { head_repository: null })).toEqual(ignored("the run belongs to a fork"));
    for (const head_branch of ["main", "job/AB12CD34", "job/ab12cd345", null]) {
      expect(happened("requested", { head_branch })).toEqual(ignored("the run is not on a job branch"));
    }
  });

  test("a run without a commit has an empty message", () => {
    expect(happened("requested", { head_commit: null })).toMatchObject({ event: { command: { commit_message: "" } } });
  });
});

describe("checks and statuses", () => {
  const foreign = { app: { id: 1 }, external_id: "", check_suite: { head_branch: BRANCH as string | null } };
  const ours = { app: { id: 7 }, external_id: JOB, check_suite: { head_branch: BRANCH } };
  const button = (action: string) =>
    translated({ type: "button", repository: where, job: JOB, action, author: "mona", author_id: 3 });

  test("a foreign check run that is complete is a reason to look, one that was made is not", () => {
    expect(said("check_run", { action: "completed", check_run: foreign })).toEqual(LOOK);
    expect(said("check_run", { action: "created", check_run: foreign })).toMatchObject({ kind: "ignored" });
  });

  test("a check on no branch of ours, or on a person's branch, is ignored", () => {
    for (const check_suite of [{ head_branch: null }, null]) {
      expect(said("check_run", { action: "completed", check_run: { ...foreign, check_suite } })).toMatchObject({
        reason: expect.stringContaining("fork"),
      });
    }
    expect(
      said("check_run", { action: "completed", check_run: { ...foreign, check_suite: { head_branch: "main" } } }),
    ).toEqual(ignored("it does not concern a job branch"));
  });

  test("a check on a person's branch is told by the pull requests that it belongs to", () => {
    const pull_requests = [{ number: 5 }, { number: 6 }];
    const told = translated({
      ...{ type: "pull-news", repository: where, numbers: [5, 6] },
      command: { type: "look", forced: false },
    });
    const check_run = { ...foreign, pull_requests, check_suite: { head_branch: "weeds" } };
    expect(said("check_run", { action: "completed", check_run })).toEqual(told);
    const check_suite = { app: { id: 1 }, head_branch: "weeds", pull_requests };
    expect(said("check_suite", { action: "completed", check_suite })).toEqual(told);
  });

  test("our own check says nothing new", () => {
    expect(said("check_run", { action: "completed", check_run: ours })).toEqual(ignored("our own check run"));
    expect(said("check_suite", { action: "completed", check_suite: { ...foreign, app: { id: 7 } } })).toMatchObject({
      kind: "ignored",
    });
  });

  test.each(["retry", "discard", "run-checks"])("the button %s is read", (identifier) => {
    const clicked = { action: "requested_action", check_run: ours, requested_action: { identifier } };
    expect(said("check_run", clicked)).toEqual(button(identifier));
  });

  test("the button that lets files run names their commit", () => {
    const clicked = {
      action: "requested_action",
      check_run: ours,
      requested_action: { identifier: "run-checks-0123abc" },
    };
    expect(said("check_run", clicked)).toMatchObject({ event: { action: "run-checks", commit: "0123abc" } });
  });

  test("a button that we never made, one without a job, another app's and a bot's click are ignored", () => {
    const click = (changes: object) =>
      said("check_run", {
        action: "requested_action",
        check_run: ours,
        requested_action: { identifier: "retry" },
        ...changes,
      });
    expect(click({ requested_action: { identifier: "explode" } })).toEqual(ignored("the button is not one of ours"));
    expect(click({ check_run: { ...ours, external_id: "../../x" } })).toEqual(ignored("the check names no job"));
    expect(click({ check_run: { ...ours, app: { id: 8 } } })).toEqual(ignored("the check run of another app"));
    expect(click({ sender: otherBot })).toEqual(ignored("a bot clicked"));
  });

  test("Re-run of our check run or suite is a retry", () => {
    expect(said("check_run", { action: "rerequested", check_run: ours })).toEqual(button("retry"));
    expect(
      said("check_suite", { action: "rerequested", check_suite: { app: { id: 7 }, head_branch: BRANCH } }),
    ).toEqual(button("retry"));
    expect(said("check_suite", { action: "rerequested", check_suite: { app: { id: 7 }, head_branch: null } })).toEqual(
      ignored("the check names no job"),
    );
    expect(said("check_run", { action: "rerequested", check_run: foreign })).toMatchObject({ kind: "ignored" });
  });

  test("a foreign suite that is complete is a reason to look", () => {
    expect(said("check_suite", { action: "completed", check_suite: { app: { id: 1 }, head_branch: BRANCH } })).toEqual(
      LOOK,
    );
  });

  test("a status that is decided is a reason to look", () => {
    const branches = [{ name: "main" }, { name: BRANCH }];
    expect(said("status", { state: "success", branches })).toEqual(LOOK);
    expect(said("status", { state: "failure", branches })).toEqual(LOOK);
    expect(said("status", { state: "pending", branches })).toEqual(ignored("the status is still pending"));
    expect(said("status", { state: "success", branches: [{ name: "main" }] })).toMatchObject({ kind: "ignored" });
  });
});

describe("pull requests", () => {
  const pull = {
    base: { ref: "main" },
    number: 5,
    head: { ref: BRANCH, sha: SHA, repo: { id: 42 } as object | null },
    merged: false,
    merged_at: null as string | null,
    merged_by: null as object | null,
  };
  const happened = (action: string, changes: Partial<typeof pull> = {}, sender: object = mona) =>
    said("pull_request", { action, pull_request: { ...pull, ...changes }, sender });

  test("a merge is told with who and when, whoever pressed the button", () => {
    const merged = { merged: true, merged_at: "2026-11-22T10:00:00Z", merged_by: us };
    const at = Date.UTC(2026, 10, 22, 10);
    expect(happened("closed", merged, us)).toEqual(
      news({ type: "merged", pull_request: 5, by: "journeyman[bot]", at }),
    );
    expect(happened("closed", { ...merged, merged_by: null })).toEqual(
      news({ type: "merged", pull_request: 5, by: "mona", by_id: 3, at }),
    );
    expect(happened("closed", { ...merged, merged_at: "soon" })).toMatchObject({ kind: "ignored" });
  });

  test("closed, reopened and a moved head are told", () => {
    expect(happened("closed")).toEqual(news({ type: "closed", pull_request: 5, by: "mona" }));
    expect(happened("reopened")).toEqual(news({ type: "reopened", pull_request: 5 }));
    expect(happened("synchronize")).toEqual(news({ type: "head-moved", sha: SHA }));
  });

  test.each(["edited", "ready_for_review", "converted_to_draft", "auto_merge_enabled", "enqueued"])(
    "%s is a reason to look",
    (action) => {
      expect(happened(action)).toEqual(LOOK);
    },
  );

  test("leaving the merge queue is told with GitHub's reason, cut, and with whom, if it was a person", () => {
    const left = (reason: unknown, sender: object = mona) =>
      said("pull_request", { action: "dequeued", pull_request: pull, reason, sender });
    const dequeued = (reason: string, by: string | null) => news({ type: "dequeued", pull_request: 5, reason, by });
    expect(left("CI_FAILURE", otherBot)).toEqual(dequeued("CI_FAILURE", null));
    expect(left("MANUAL")).toEqual(dequeued("MANUAL", "mona"));
    expect(left("CI_FAILURE", us)).toEqual(dequeued("CI_FAILURE", null));
    expect(left("MANUAL", us), "our own doing").toEqual(news({ type: "look", forced: false }));
    expect(left(null)).toEqual(dequeued("", "mona"));
    expect(left("x".repeat(10_000))).toEqual(dequeued("x".repeat(100), "mona"));
    expect(left(7)).toMatchObject({ kind: "ignored" });
  });

  test("the commit that a merge queue tests is told by the queue, and by the workflows that run on it", () => {
    const branch = (number: number | string) => `gh-readonly-queue/release/1.0/pr-${number}-${"a".repeat(40)}`;
    const command = { type: "queue-tests", pull_request: 5, sha: SHA } as const;
    const told = translated({ type: "pull-news", repository: where, numbers: [5], command });
    const group = (head_ref: string) =>
      said("merge_group", { action: "checks_requested", merge_group: { head_ref, head_sha: SHA } });
    expect(group(`refs/heads/${branch(5)}`)).toEqual(told);
    for (const other of [
      "refs/heads/main",
      "",
      `refs/heads/${branch(0)}`,
      `refs/heads/${branch("x")}`,
      "x".repeat(99_999),
    ])
      expect(group(other)).toMatchObject({ kind: "ignored" });
    const run = (changes: object) =>
      said("workflow_run", {
        action: "requested",
        workflow: { path: ".github/workflows/ci.yml" },
        workflow_run: {
          ...{ id: 1, run_attempt: 1, html_url: "u", head_sha: SHA, conclusion: null, pull_requests: [] },
          ...{ head_branch: branch(5), head_repository: { id: 42 }, event: "merge_group", ...changes },
        },
      });
    expect(run({})).toEqual(told);
    expect(run({ event: "push" })).toMatchObject({ kind: "ignored" });
    expect(run({ head_repository: { id: 43 } })).toMatchObject({ kind: "ignored" });
  });

  test("releases, issues, other labels and checks of the default branch are news for triggers", () => {
    const newsOf = (event: string, payload: object) => Object(Object(said(event, payload)).event).news;
    const release = { id: 7, tag_name: "v1", name: null, body: "Notes", html_url: "https://github.com/r" };
    const told = { id: 7, tag: "v1", name: "", body: "Notes", url: "https://github.com/r" };
    expect(newsOf("release", { action: "published", release })).toEqual({ kind: "release_published", release: told });
    const run = (changes: object) => ({
      action: "completed",
      workflow: { path: ".github/workflows/ci.yml" },
      repository: { id: 42, name: "hello", owner: { login: "octocat" }, default_branch: "main" },
      workflow_run: {
        ...{ id: 1, name: "CI", run_attempt: 1, html_url: "u", head_sha: SHA, conclusion: "failure" },
        ...{ pull_requests: [], head_branch: "main", head_repository: { id: 42 }, event: "push", ...changes },
      },
    });
    const check = { name: "CI", url: "u", sha: SHA, branch: "main", run: 1 };
    expect(newsOf("workflow_run", run({}))).toEqual({ kind: "check_failed", check });
    expect(newsOf("workflow_run", run({ conclusion: "success" }))).toEqual({ kind: "check_passed", check });
    for (const other of [{ conclusion: "cancelled" }, { head_branch: "mine" }, { head_repository: { id: 43 } }])
      expect(said("workflow_run", run(other))).toMatchObject({ kind: "ignored" });
  });

  test("a failed check of a pull request is told with who has pushed it; a fork's is not", () => {
    const run = (changes: object) => ({
      action: "completed",
      workflow: { path: ".github/workflows/ci.yml" },
      workflow_run: {
        ...{ id: 1, name: "CI", run_attempt: 1, html_url: "u", head_sha: SHA, conclusion: "failure", actor: otherBot },
        ...{ pull_requests: [{ number: 5 }], head_branch: "mine", head_repository: { id: 42 }, ...changes },
      },
    });
    const failedBy = (changes: object) => Object(Object(said("workflow_run", run(changes))).event).failed;
    expect(failedBy({})).toEqual({ sha: SHA, actor: { id: 9, is_bot: true } });
    expect(failedBy({ actor: { ...mona, login: "renovate" } })).toEqual({ sha: SHA, actor: { id: 3, is_bot: false } });
    expect(failedBy({ actor: null })).toEqual({ sha: SHA, actor: null });
    for (const other of [{ conclusion: "success" }, { conclusion: "cancelled" }, { head_repository: { id: 43 } }])
      expect(failedBy(other)).toBeUndefined();
  });

  test("what we did ourselves is no news, except where GitHub acts in our name", () => {
    for (const action of ["synchronize", "edited", "auto_merge_enabled"]) {
      expect(happened(action, {}, us)).toMatchObject({ kind: "ignored" });
    }
    expect(happened("auto_merge_disabled", {}, us)).toEqual(LOOK);
    expect(happened("auto_merge_disabled")).toEqual(news({ type: "auto-merge-disabled", by: "mona", base: "main" }));
  });

  test("a fork's head is looked at where it is for the default branch, since no push tells of it", () => {
    const fork = { head: { ...pull.head, repo: { id: 43 } } };
    const brings = { type: "files-pushed", repository: where, head_sha: SHA, pull_request: 5 } as const;
    expect(happened("opened", fork)).toEqual(translated(brings));
    const command = { type: "head-moved", sha: SHA } as const;
    const moved = { type: "pull-news", repository: where, numbers: [5], command } as const;
    expect(happened("synchronize", fork)).toEqual(translated({ ...moved, fork_head: SHA }));
    const elsewhere = { ...fork, base: { ref: "release" } };
    expect(happened("opened", elsewhere)).toMatchObject({ kind: "ignored" });
    expect(happened("synchronize", elsewhere)).toEqual(translated(moved));
    expect(happened("opened")).toMatchObject({ kind: "ignored" });
  });

  test("forks that have borrowed the name, and branches of people, are told by number: a job may have taken them", () => {
    const command = { type: "closed", pull_request: 5, by: "mona" } as const;
    const told = translated({ type: "pull-news", repository: where, numbers: [5], command });
    for (const repo of [{ id: 43 }, null]) expect(happened("closed", { head: { ...pull.head, repo } })).toEqual(told);
    expect(happened("closed", { head: { ...pull.head, ref: "weeds" } })).toEqual(told);
  });

  test("reviews that decide something, and settled conversations, are reasons to look", () => {
    const reviewed = (action: string, state: string) =>
      said("pull_request_review", { action, pull_request: pull, review: { state } });
    expect(reviewed("submitted", "approved")).toEqual(REVIEWED);
    expect(reviewed("submitted", "changes_requested")).toEqual(REVIEWED);
    expect(reviewed("submitted", "commented")).toEqual(news({ type: "touched" }));
    expect(said("pull_request_review_thread", { action: "resolved", pull_request: pull })).toEqual(LOOK);
  });
});

const FOLDER = [`.jobs/${JOB}/job.md`, `.jobs/${JOB}/job.config.json`];

describe("pushes", () => {
  const commit = { added: ["a"], modified: ["b"], removed: [] as string[] };
  const push = {
    ref: "refs/heads/main",
    after: SHA,
    deleted: false,
    created: false,
    forced: false,
    head_commit: { tree_id: "7ree" } as object | null,
    commits: [commit] as object[],
  };
  const pushed = (changes: Partial<typeof push> = {}, sender: object = mona) =>
    said("push", { ...push, ...changes, sender });

  test("a push to a default branch that is called like the set-up's is one to the default branch", () => {
    const named = { repository: { ...repository, default_branch: "journeyman-set-up" } };
    expect(said("push", { ...push, ref: "refs/heads/journeyman-set-up", ...named, sender: mona })).toMatchObject({
      event: { type: "default-branch-moved", branch: "journeyman-set-up" },
    });
  });

  const moved = (settings_changed: boolean, tree_sha = "7ree", lock_files_changed = settings_changed) =>
    translated({
      type: "default-branch-moved",
      repository: where,
      branch: "main",
      head_sha: SHA,
      tree_sha,
      settings_changed,
      lock_files_changed,
    });

  test("another branch is told of where it brings settings or a workflow, and not where it takes them away", () => {
    const told = translated({ type: "files-pushed", repository: where, head_sha: SHA, branch: "edit" });
    const onEdit = (one: object, sender?: object) => pushed({ ref: "refs/heads/edit", commits: [commit, one] }, sender);
    expect(onEdit({ ...commit, modified: [".github/journeyman.yml"] })).toEqual(told);
    expect(onEdit({ ...commit, added: [WORKFLOW] })).toEqual(told);
    const only = translated({ type: "branch-moved", repository: where, branch: "edit", deleted: false });
    for (const one of [commit, { ...commit, removed: [WORKFLOW] }, {}]) expect(onEdit(one)).toEqual(only);
    expect(onEdit({ ...commit, added: [WORKFLOW] }, us)).toEqual(only);
  });

  test("the set-up's branch is told to have changed, and of its commit where that brings settings or a workflow", () => {
    const told = { type: "set-up-changed", repository: where } as const;
    const onSetUp = (one: object) => pushed({ ref: "refs/heads/journeyman-set-up", commits: [one] });
    expect(onSetUp({ ...commit, added: [WORKFLOW] })).toEqual(translated({ ...told, brings_files: SHA }));
    expect(onSetUp(commit)).toEqual(translated(told));
  });

  test("the set-up pull request tells of its box, and of the person who has merged it, and of no program", () => {
    const told = { type: "set-up-changed", repository: where } as const;
    const one = { number: 3, merged: false, head: { ref: "journeyman-set-up", sha: SHA, repo: { id: 42 } } };
    const happened = (action: string, changes: object, sender: object = mona) =>
      said("pull_request", { action, pull_request: { ...one, ...changes }, sender });
    const box = (mark: string) => `This list:\n\n- [x] Add.\n\n- [${mark}] Begin <!-- first-job -->\n`;
    expect(happened("edited", { body: box("x") })).toEqual(translated({ ...told, first_job: true }));
    expect(happened("edited", { body: box(" ") })).toEqual(translated({ ...told, first_job: false }));
    for (const body of [null, "- [x] Add.", "> - [x] Begin <!-- first-job -->"])
      expect(happened("edited", { body })).toEqual(translated(told));
    expect(happened("edited", { body: box(" ") }, us)).toMatchObject({ kind: "ignored" });
    const by = { pull_request: 3, author: "mona", author_id: 3 };
    const merged = { merged: true, body: box("x") };
    const asked = translated({ ...told, first_job: true, merged: by });
    expect(happened("closed", { ...merged, merged_by: mona }, us)).toEqual(asked);
    expect(happened("closed", merged)).toEqual(asked);
    for (const merged_by of [us, otherBot])
      expect(happened("closed", { ...merged, merged_by })).toEqual(translated({ ...told, first_job: true }));
    expect(happened("closed", { body: box("x") })).toEqual(translated({ ...told, first_job: true }));
  });

  test("the default branch's head is told, whoever moved it", () => {
    expect(pushed()).toEqual(moved(false));
    expect(pushed({}, us)).toEqual(moved(false));
  });

  test.each([
    ["adds the settings", { commits: [commit, { ...commit, added: [".github/journeyman.yml"] }] }, false],
    ["changes the workflow", { commits: [{ ...commit, modified: [WORKFLOW] }] }, false],
    ["removes the workflow", { commits: [{ ...commit, removed: [WORKFLOW] }, commit] }, false],
    ["is forced", { forced: true }, true],
    ["makes the branch", { created: true }, true],
    ["lists no commits", { commits: [] }, true],
    ["lists as many commits as a push may", { commits: Array.from({ length: 2_048 }, () => commit) }, true],
    ["does not say what a commit touched", { commits: [{}] }, true],
  ])("a push that %s has the settings read again", (_, changes, lockFiles) => {
    expect(pushed(changes)).toEqual(moved(true, "7ree", lockFiles));
  });

  test.each(["package-lock.json", "app/go.sum", "a/b/requirements.txt"])("a push that changes %s is told", (path) => {
    expect(pushed({ commits: [{ ...commit, modified: [path] }] })).toEqual(moved(false, "7ree", true));
    expect(pushed({ commits: [{ ...commit, modified: [`${path}.md`] }] })).toEqual(moved(false));
  });

  test("a push without a head commit leaves the tree unknown", () => {
    expect(pushed({ head_commit: null })).toEqual(moved(true, ""));
  });

  test("a job branch moved by somebody else is told, also by the run's own push", () => {
    const head = news({ type: "head-moved", sha: SHA });
    expect(pushed({ ref: `refs/heads/${BRANCH}` })).toEqual(head);
    expect(pushed({ ref: `refs/heads/${BRANCH}` }, { login: "github-actions[bot]", type: "Bot" })).toEqual(head);
    expect(pushed({ ref: `refs/heads/${BRANCH}` }, us)).toEqual(ignored("our own push"));
  });

  test.each([
    ["the job's folder and nothing else of it", { removed: FOLDER }, true],
    ["the folder, and changes files", { removed: FOLDER, added: ["HELLO.md"], modified: ["README.md"] }, true],
    ["half of the folder", { removed: FOLDER.slice(1) }, false],
    ["another job's folder", { removed: FOLDER.map((path) => path.replace(JOB, "zzzzzzzz")) }, false],
    ["the folder, and leaves a file in it", { removed: FOLDER, added: [`.jobs/${JOB}/x`] }, false],
    ["nothing", {}, false],
    ["what nobody tells", { removed: undefined }, false],
  ])("our token's push that takes away %s", (_, files, clean) => {
    const head_commit = { tree_id: "7ree", added: [], modified: [], removed: [], ...files };
    const changes = { ref: `refs/heads/${BRANCH}`, head_commit };
    const head = news({ type: "head-moved", sha: SHA, clean: true });
    expect(pushed(changes, us)).toEqual(clean ? head : ignored("our own push"));
    expect(pushed(changes)).toEqual(news({ type: "head-moved", sha: SHA }));
  });

  test("our own push that GitHub made of an update of the branch", () => {
    const ref = `refs/heads/${BRANCH}`;
    const by = (message: string) => pushed({ ref, head_commit: { tree_id: "7ree", message } }, us);
    expect(by(`Merge branch 'main' into ${BRANCH}`)).toEqual(news({ type: "head-moved", sha: SHA }));
    expect(by(`Run job ${JOB}: Merge`)).toEqual(ignored("our own push"));
  });

  test("another branch is told to have moved, since jobs may be for it, also by our own merge", () => {
    const told = translated({ type: "branch-moved", repository: where, branch: "weeds", deleted: false });
    expect(pushed({ ref: "refs/heads/weeds" })).toEqual(told);
    expect(pushed({ ref: "refs/heads/weeds" }, us)).toEqual(told);
  });

  test("tags and deletions are ignored", () => {
    expect(pushed({ ref: "refs/tags/main" })).toEqual(ignored("the push is not to a branch"));
    expect(pushed({ deleted: true, head_commit: null })).toEqual(ignored("the push deletes a branch"));
  });

  test("a deleted branch is told, a tag of its name is not", () => {
    expect(said("delete", { ref: BRANCH, ref_type: "branch" })).toEqual(news({ type: "branch-deleted" }));
    expect(said("delete", { ref: BRANCH, ref_type: "tag" })).toEqual(ignored("the deleted ref is not a branch"));
    expect(said("delete", { ref: "weeds", ref_type: "branch" })).toEqual(
      translated({ type: "branch-moved", repository: where, branch: "weeds", deleted: true }),
    );
  });
});

describe("installations", () => {
  const garden = { owner: "mona", name: "garden", id: 42 };
  const listed = { id: 42, name: "garden", full_name: "mona/garden", private: false };
  const bare = (event: string, payload: object) =>
    translateWebhook(event, { installation: { id: 9 }, ...payload }, SELF);
  const changed = (added: object[], removed: object[] = []) =>
    translated({ type: "repositories-changed", installation_id: 9, added, removed });

  const installs = (added: object[], removed: object[] = []) =>
    translated({ type: "repositories-changed", installation_id: 9, added, removed, installs: true });

  test.each(["created", "new_permissions_accepted", "unsuspend"])(
    "%s makes us learn the repositories anew",
    (action) => {
      expect(bare("installation", { action, repositories: [listed] })).toEqual(installs([garden]));
      expect(bare("installation", { action })).toEqual(installs([]));
    },
  );

  test.each(["deleted"])("%s makes us forget them", (action) => {
    expect(bare("installation", { action, repositories: [listed] })).toEqual(
      translated({ type: "uninstalled", installation_id: 9 }),
    );
  });

  test("a changed selection is told as it is", () => {
    const shed = { ...listed, id: 43, full_name: "mona/shed" };
    expect(
      bare("installation_repositories", {
        action: "added",
        repositories_added: [listed],
        repositories_removed: [shed],
      }),
    ).toEqual(installs([garden], [{ owner: "mona", name: "shed", id: 43 }]));
  });

  test("a repository that has another name or owner is forgotten under the old one", () => {
    expect(said("repository", { action: "renamed", changes: { repository: { name: { from: "yard" } } } })).toEqual(
      changed([garden], [{ ...garden, name: "yard" }]),
    );
    expect(
      said("repository", { action: "transferred", changes: { owner: { from: { organization: { login: "co" } } } } }),
    ).toEqual(changed([garden], [{ ...garden, owner: "co" }]));
    expect(said("repository", { action: "deleted" })).toEqual(changed([], [garden]));
  });

  test("another default branch makes us learn the repository anew, other edits do not", () => {
    expect(said("repository", { action: "edited", changes: { default_branch: { from: "master" } } })).toEqual(
      changed([garden]),
    );
    expect(said("repository", { action: "edited", changes: { description: { from: "x" } } })).toMatchObject({
      kind: "ignored",
    });
  });
});

describe("everything else", () => {
  test.each([
    ["ping", { zen: "x" }, "no listener for ping"],
    ["workflow_job", { action: "queued" }, "no listener for workflow_job.queued"],
    ["constructor", {}, "no listener for constructor"],
    ["push", null, "the payload is not an event"],
    ["push", "text", "the payload is not an event"],
    ["push", { action: 5 }, "the payload is not an event"],
  ])("%s of %j is ignored with a reason", (event, payload, reason) => {
    expect(translateWebhook(event, payload, SELF)).toEqual(ignored(reason));
  });
});
