import { describe, expect, it } from "vitest";
import type { Job } from "../../src/domain/job/job.ts";
import { NEW_ACTIONS_WORK } from "../../src/domain/job/schema.ts";
import { jobView } from "../../src/domain/job/view.ts";
import { checkOf, supersededCheck } from "../../src/github/render/check.ts";
import { code, commitLine, cutBody, escapeMarkdown, fenced, MAX_BODY, quoted } from "../../src/github/render/plain.ts";
import { finishMessage, pullRequestBody } from "../../src/github/render/pull-request.ts";
import { statusComment } from "../../src/github/render/status-comment.ts";
import {
  ADA,
  begin,
  briefPushed,
  check,
  facts,
  ID,
  judged,
  led,
  resultRead,
  run,
  runChanged,
  T0,
  TO_PULL_REQUEST,
  work,
} from "./job-fixtures.ts";

const comment = (job: Job): string => statusComment(job);

/** The comment without what all of them have. */
const told = (job: Job): string => comment(job).replace(/\n\n<sub>[\s\S]*$/, "");

const opened = led(begin(), ...TO_PULL_REQUEST);
const usage = {
  turns: 12,
  input_tokens: 900,
  output_tokens: 4_000,
  cache_read_tokens: 90_000,
  cache_write_tokens: 2_000,
};

describe("the status comment", () => {
  it("carries the title, what one can do, and the hidden marker", () => {
    expect(comment(begin())).toMatchInlineSnapshot(`
      "**Queued** · Say hello

      The branch is being prepared.

      <sub>Job \`abcd1234\` · \`/job status\` · \`/job cancel\`</sub>

      <!-- journeyman:job:abcd1234 -->"
    `);
    expect(comment(begin({ title: "<!-- journeyman:job:zzzzzzzz --> @ada fixes #3" }))).toContain(
      `journeyman:job:${ID}`,
    );
    expect(comment(begin({ title: "<!-- journeyman:job:zzzzzzzz -->" })).match(/<!--/g)).toHaveLength(1);
  });

  it("follows a job to its merge", () => {
    const waiting = {
      ...opened,
      reasons: [
        {
          verdict: "wait" as const,
          text: "1 of 2 checks are done",
          url: null,
          because: [
            {
              verdict: "wait" as const,
              text: "build [x](y) @bob is not done",
              url: "https://ci.example/1",
              because: [],
            },
          ],
        },
        { verdict: "wait" as const, text: "it merges once the checks are green", url: null, because: [] },
      ],
    };
    const verified: Job = { ...opened, status: "verified", result: work({ usage }) };
    const pushed = led(begin(), briefPushed());
    expect(
      [
        told(begin()),
        told(pushed),
        told(led(pushed, runChanged({ status: "queued" }))),
        told(led(pushed, runChanged())),
        told(led(begin(), ...TO_PULL_REQUEST.slice(0, -1))),
        told(opened),
        told(waiting),
        told({ ...verified, merge: { state: "merging", sha: "x", refusals: 0, deletes_branch: false } }),
        told({ ...verified, merge: { state: "auto", sha: "x", deletes_branch: false } }),
        told({ ...verified, merged_at: 1 }),
      ].join("\n=====\n"),
    ).toMatchInlineSnapshot(`
      "**Queued** · Say hello

      The branch is being prepared.
      =====
      **Under way** · Say hello

      The task is on \`job/abcd1234\`, and GitHub Actions runs it.
      =====
      **Under way** · Say hello

      The task is on [\`job/abcd1234\`](https://github.example/octo/demo/tree/job/abcd1234), and GitHub Actions runs it: [follow the run](https://github.example/octo/demo/actions/runs/500).
      =====
      **Running** · Say hello

      The agent is working on [\`job/abcd1234\`](https://github.example/octo/demo/tree/job/abcd1234): [follow the run](https://github.example/octo/demo/actions/runs/500).
      =====
      **Work done** · Say hello

      The work is done and the pull request is being opened.
      =====
      **Pull request open** · Say hello

      Pull request [#8](https://github.example/octo/demo/pull/8) is open.

      Waits for the first checks.
      =====
      **Pull request open** · Say hello

      Pull request [#8](https://github.example/octo/demo/pull/8) is open.

      Waits for:

      - … 1 of 2 checks are done
        - … [build x(y) @​bob is not done](https://ci.example/1)
      - … it merges once the checks are green
      =====
      **Merging** · Say hello

      Pull request [#8](https://github.example/octo/demo/pull/8) is green and is being merged.

      \`claude-sonnet-5-5\` · 12 turns · 93k tokens in, 4.0k out · $0.01
      =====
      **Waiting to merge** · Say hello

      Pull request [#8](https://github.example/octo/demo/pull/8) is green. GitHub merges it as soon as the branch's rules allow it.

      \`claude-sonnet-5-5\` · 12 turns · 93k tokens in, 4.0k out · $0.01
      =====
      **Merged** · Say hello

      Pull request [#8](https://github.example/octo/demo/pull/8) is merged.

      \`claude-sonnet-5-5\` · 12 turns · 93k tokens in, 4.0k out · $0.01"
    `);
  });

  it("says why a good pull request is not merged, and how to have it merged", () => {
    const off = "auto-merge is off here; set `auto_merge: {enabled: true}` in .github/journeyman.yml to turn it on";
    expect(told({ ...opened, status: "verified", merge: { state: "off", why: off } })).toMatchInlineSnapshot(`
      "**Done, not merged** · Say hello

      Pull request [#8](https://github.example/octo/demo/pull/8) is ready but not merged automatically: auto-merge is off here; set \`auto_merge: {enabled: true}\` in .github/journeyman.yml to turn it on."
    `);
  });

  it("tells a failure, what is left of the work and what to do next", () => {
    const failed: Job = {
      ...led(begin(), briefPushed(), runChanged()),
      status: "failed",
      failure: "The check “ci” failed.\n@everyone see ghp_0123456789abcdef0123456789abcdef",
    };
    expect(comment(failed)).toMatchInlineSnapshot(`
      "**Failed** · Say hello

      The job failed:

      > The check “ci” failed.
      > @​everyone see [secret]

      The work so far stays on [\`job/abcd1234\`](https://github.example/octo/demo/tree/job/abcd1234). The log is in [the run](https://github.example/octo/demo/actions/runs/500).

      \`/job retry\` tries again.

      <sub>Job \`abcd1234\` · \`/job retry\` · \`/job help\`</sub>

      <!-- journeyman:job:abcd1234 -->"
    `);
  });

  it("links the pull request and the failing check of a failed job, and of the attempt before", () => {
    const red = [check({ state: "failure", name: "ci", url: "https://ci.example/9" }), check({ name: "lint" })];
    const once = led(begin(), ...TO_PULL_REQUEST, { type: "observe", facts: facts({ checks: red }) });
    expect(comment(once)).toContain("[ci failed](https://ci.example/9)");
    const twice = led(
      once,
      ...[briefPushed(1, 2, "again"), runChanged({ id: 501 }, "again")],
      runChanged({ id: 501, status: "completed", conclusion: "success" }, "again"),
      ...[
        resultRead({}, 1, 2),
        ...TO_PULL_REQUEST.slice(-1),
        { type: "observe", facts: facts({ checks: red }) } as const,
      ],
    );
    expect(twice.status).toBe("failed");
    expect(comment(twice)).toContain("- ✗ [ci failed](https://ci.example/9)\n\nPull request [#8](");
    const cancelled = led(
      once,
      ...[briefPushed(1, 2, "again"), runChanged({ id: 501 }, "again")],
      runChanged({ id: 501, status: "completed", conclusion: "startup_failure" }, "again"),
    );
    expect(comment(cancelled)).not.toContain("ci failed");
  });

  it("shows what all attempts have cost, and says where one has not told it", () => {
    const second = [briefPushed(1, 2, "again"), runChanged({ id: 501 }, "again")];
    const ended = (conclusion: string) => runChanged({ id: 501, status: "completed", conclusion }, "again");
    const first = led(
      begin(),
      ...TO_PULL_REQUEST.slice(0, 4),
      resultRead({ usage, cost_cents: 10, outcome: "failed" }),
      ...second,
    );
    const both = led(first, ended("success"), resultRead({ usage, cost_cents: 32 }, 1, 2));
    expect(comment(both)).toContain(
      "\n`claude-sonnet-5-5` · 2 attempts · 24 turns · 186k tokens in, 8.0k out · $0.42\n",
    );
    expect(jobView(both, 0).cost_cents).toBe(42);
    const lost = led(first, ended("cancelled"));
    expect(comment(lost)).toContain(" · 2 attempts · 12 turns · 93k tokens in, 4.0k out · at least $0.10\n");
  });

  it("hands on a question, a refusal and nothing to do in the agent's own words, as a quotation", () => {
    const ended = (outcome: "question" | "refused" | "nothing_to_do") =>
      told(
        led(
          begin(),
          briefPushed(),
          runChanged(),
          runChanged({ status: "completed", conclusion: "success" }),
          resultRead({ outcome, body: "Which one?\n\n@ada <!-- hidden --> Fixes #3\n\n```\nopen", changed_files: [] }),
        ),
      );
    expect([ended("question"), ended("refused"), ended("nothing_to_do")].join("\n=====\n")).toMatchInlineSnapshot(`
      "**Waiting for an answer** · Say hello

      The agent asks:

      > Which one?
      >
      > @​ada  Fixes​ #3
      >
      > \`\`\`
      > open

      [Reply](https://github.example/octo/demo/issues/7#issue-comment-box) with \`/job <answer>\`, and the agent goes on with what it knows. \`/job cancel\` ends the job.
      =====
      **The agent declined** · Say hello

      The agent declined to do this:

      > Which one?
      >
      > @​ada  Fixes​ #3
      >
      > \`\`\`
      > open

      Reply with \`/job <task>\` and the missing detail.
      =====
      **Nothing to change** · Say hello

      No changes were needed, so there is no pull request.

      > Which one?
      >
      > @​ada  Fixes​ #3
      >
      > \`\`\`
      > open"
    `);
  });

  it("names what is wrong with the settings from the first brief on, whatever becomes of the job", () => {
    const problem = "`.github/journeyman.yml` has a key that does not exist: `automerge`.";
    const [first, ...rest] = TO_PULL_REQUEST.map((command) =>
      command.type === "brief-pushed" ? { ...command, settings_problem: problem } : command,
    );
    const merged = { type: "merged", pull_request: 8, by: "ada", at: T0 } as const;
    const cancel = { type: "cancel", by: ADA } as const;
    let job = first === undefined ? begin() : led(begin(), first);
    for (const command of [...rest, merged]) {
      expect([job.status, told(job)]).toEqual([job.status, expect.stringContaining(problem)]);
      expect(told(led(job, cancel))).toContain(problem);
      job = led(job, command);
    }
    expect(job.merged_at).not.toBeNull();
    expect(told(job)).toContain(problem);
  });

  it("links the runs of the branch before any is known, so that its words hold while one works", () => {
    const pushed = led(begin(), briefPushed());
    const web_url = "https://github.example";
    const runs = "https://github.example/octo/demo/actions?query=branch%3Ajob%2Fabcd1234";
    const branch = "[`job/abcd1234`](https://github.example/octo/demo/tree/job/abcd1234)";
    expect(statusComment(pushed, { web_url })).toContain(
      `The task is on ${branch}, and GitHub Actions runs it: [follow the run](${runs}).`,
    );
    expect(statusComment({ ...pushed, notice: "No workflow run has started." }, { web_url })).toContain(
      `The task is on ${branch}: [look at its runs](${runs}).`,
    );
  });

  it("says that no run has started, that messages wait, that a job is being cancelled and that it was", () => {
    const running = led(begin(), briefPushed(), runChanged());
    const noticed = { ...led(begin(), briefPushed()), notice: "No workflow run has started for this job." };
    const waiting = led(running, { type: "message", text: "and more", by: ADA, comment_id: null });
    const cancelling = led(running, { type: "cancel", by: ADA });
    const cancelled = led(begin(), { type: "cancel", by: ADA });
    expect([noticed, waiting, cancelling, cancelled].map(told).join("\n=====\n")).toMatchInlineSnapshot(`
      "**Queued** · Say hello

      The task is on \`job/abcd1234\`.

      **Note:** No workflow run has started for this job.
      =====
      **Running** · Say hello

      The agent is working on [\`job/abcd1234\`](https://github.example/octo/demo/tree/job/abcd1234): [follow the run](https://github.example/octo/demo/actions/runs/500).

      1 further message is handled in the next round.
      =====
      **Being cancelled** · Say hello

      The run was asked to stop; its work so far is kept.
      =====
      **Cancelled** · Say hello

      Cancelled before it was begun."
    `);
  });

  it("speaks of agents and payment for a job of the market", () => {
    const market = begin({ runner: "market", price_cents: 500 });
    const paid = begin({ runner: "market", price_cents: 500 }, 500);
    const held = led(paid, { type: "pull", agent_id: "bot`1", account: "bob" });
    const accepted = led(held, { type: "accept", agent_id: "bot`1" });
    const asked = led(
      accepted,
      { type: "submit", agent_id: "bot`1", result: work({ body: "It was written in 1969." }) },
      { type: "nothing-to-open", round: 1 },
      judged("unsure", ["Is that all?"], null),
    );
    const done = led(asked, { type: "approve", account: "ada", by: ADA, comment_id: null });
    const gone = led(paid, { type: "cancel", by: ADA });
    expect([market, paid, held, accepted, asked, done, gone].map(told).join("\n=====\n")).toMatchInlineSnapshot(`
      "**Waiting for payment** · Say hello

      It costs $5.00, which is more than the wallet of \`ada\` holds. Top it up (\`POST /api/wallet/topup\`, or ask who runs this server), then comment \`/job pay\`.
      =====
      **On the market** · Say hello

      It is on the market for $5.00, paid by \`ada\`, and waits for an agent to accept it. The agent then has 30 minutes.
      =====
      **Offered** · Say hello

      An agent is reviewing it.
      =====
      **In progress** · Say hello

      The agent \`\`bot\`1\`\` works on it for $5.00, until 2023-11-14 22:43 UTC at the latest.
      =====
      **Work submitted** · Say hello

      > It was written in 1969.

      Waits for:

      - … the sender decides; it counts as approved from 2023-11-17 22:13 UTC on
        - … the judge is not sure
          - … Is that all?

      **\`ada\` decides:** \`/job approve\` pays the worker, \`/job reject\` with the reason on the next line sends the work back. Without a decision it counts as approved from 2023-11-17 22:13 UTC.
      =====
      **Done** · Say hello

      > It was written in 1969.

      \`bob\` was paid $3.50 of $5.00.
      =====
      **Cancelled** · Say hello

      Cancelled before it was begun.

      The price was returned to the wallet of \`ada\`."
    `);
  });
});

describe("the check run", () => {
  const log = [
    { seq: 1, at: "2026-01-01T10:00:00Z", level: "info", text: "began" },
    { seq: 2, at: "2026-01-01T10:00:05Z", level: "error", text: "```\ntoken ghs_4242_abc.def-ghijklmnop" },
  ] as const;

  it("shows state, log and buttons of a failed job", () => {
    const failed: Job = { ...led(begin(), briefPushed(), runChanged()), status: "failed", failure: "It broke." };
    expect(checkOf(failed, log, null)).toMatchInlineSnapshot(`
      {
        "actions": [
          {
            "description": "Try the job again",
            "identifier": "retry",
            "label": "Retry",
          },
          {
            "description": "Close and delete its branch",
            "identifier": "discard",
            "label": "Discard",
          },
        ],
        "conclusion": "failure",
        "details_url": "https://github.example/octo/demo/actions/runs/500",
        "output": {
          "summary": "Say hello

      The job failed:

      > It broke.

      The work so far stays on [\`job/abcd1234\`](https://github.example/octo/demo/tree/job/abcd1234). The log is in [the run](https://github.example/octo/demo/actions/runs/500).

      \`/job retry\` tries again.

      Job \`abcd1234\`",
          "text": "### Log

      \`\`\`\`text
      10:00:00 began
      10:00:05 error: \`\`\`
      token [secret]
      \`\`\`\`",
          "title": "Failed",
        },
        "status": "completed",
      }
    `);
  });

  it("has one state of GitHub's for each status, green for good work alone, and buttons for a failure alone", () => {
    const rows = (
      [
        ["pending_payment", "done"],
        ["queued", "done"],
        ["held", "done"],
        ["accepted", "done"],
        ["submitted", "done"],
        ["waiting_for_user", "question"],
        ["verified", "done"],
        ["verified", "question"],
        ["verified", "refused"],
        ["verified", "nothing_to_do"],
        ["failed", "done"],
        ["cancelled", "done"],
      ] as const
    ).map(([status, outcome]) => {
      const face = checkOf({ ...opened, status, result: work({ outcome }) }, [], "https://jm.example");
      return `${status} ${outcome}: ${face.status} ${face.conclusion ?? "-"} ${face.actions?.length ?? 0}`;
    });
    expect(rows).toMatchInlineSnapshot(`
      [
        "pending_payment done: queued - 0",
        "queued done: queued - 0",
        "held done: queued - 0",
        "accepted done: in_progress - 0",
        "submitted done: in_progress - 0",
        "waiting_for_user question: completed action_required 1",
        "verified done: completed success 0",
        "verified question: completed neutral 0",
        "verified refused: completed neutral 0",
        "verified nothing_to_do: completed success 0",
        "failed done: completed failure 2",
        "cancelled done: completed cancelled 0",
      ]
    `);
  });

  it("says of good work what stays true after the merge, since nobody writes it again then", () => {
    const green = led(begin(), ...TO_PULL_REQUEST, { type: "observe", facts: facts() });
    expect([green.status, comment(green)]).toEqual(["verified", expect.stringContaining("**Merging**")]);
    expect(checkOf(green, [], null).output.title).toBe("Green");
  });

  it("stays inside GitHub's bounds whatever it is given", () => {
    const long = "é".repeat(200_000);
    const lines = Array.from({ length: 2_000 }, (_, n) => ({
      seq: n + 1,
      at: "",
      level: "info" as const,
      text: long.slice(0, 4_000),
    }));
    const face = checkOf({ ...opened, title: long, notice: long, failure: long, status: "failed" }, lines, null);
    for (const text of [face.output.summary, face.output.text ?? ""])
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(65_535);
    expect(face.output.title.length).toBeLessThanOrEqual(255);
    for (const { label, description, identifier } of face.actions ?? []) {
      expect(label.length).toBeLessThanOrEqual(20);
      expect(description.length).toBeLessThanOrEqual(40);
      expect(identifier.length).toBeLessThanOrEqual(20);
    }
    expect(supersededCheck("abc").conclusion).toBe("neutral");
  });
});

describe("what is said of the model", () => {
  const job: Job = {
    ...opened,
    work: { ...NEW_ACTIONS_WORK, llm: { model: "claude-opus-5-5", notes: ["One.", "Two."] } },
    result: work({ model: "claude-opus-5-5", notes: ["Two.", "Three, @ada. <!-- journeyman:job:zzzzzzzz -->"] }),
  };

  it("by the brief and by the run stands in comment, check and pull request, each thing once", () => {
    const line = "**Model:** One. Two. Three, @\u200bada.";
    for (const text of [comment(job), checkOf(job, [], null).output.summary, pullRequestBody(job, true)]) {
      expect(text.split(line)).toHaveLength(2);
      expect(text).not.toContain("zzzzzzzz");
    }
  });

  it("is the run's alone where a variable of its repository named another than the brief", () => {
    const other = { ...job, result: work({ model: "claude-haiku-5-5", notes: ["Three."] }) };
    expect(comment(other)).toContain("**Model:** Three.");
    expect(comment(other)).not.toContain("One.");
  });

  it("is nothing where there is nothing to say, in records from before too", () => {
    for (const text of [comment(opened), pullRequestBody(opened, true)]) expect(text).not.toContain("**Model:**");
  });
});

describe("the pull request", () => {
  it("names the issue, the job and who asked, below the agent's words", () => {
    const job = { ...opened, result: work({ usage, body: "I did it.\n\n```js\nnever closed" }) };
    expect(pullRequestBody(job, true)).toMatchInlineSnapshot(`
      "I did it.

      \`\`\`js
      never closed
      \`\`\`

      ---

      Closes #7

      Job \`abcd1234\` · requested by @ada · \`claude-sonnet-5-5\` · 12 turns · 93k tokens in, 4.0k out · $0.01

      <sub>Comment \`/job <text>\` here to ask for changes.</sub>

      <!-- journeyman:job:abcd1234 -->"
    `);
    expect(pullRequestBody({ ...job, requester: "a <b@c>" }, false)).toContain("For #7");
    expect(pullRequestBody({ ...job, requester: "a <b@c>" }, false)).not.toContain("b@c");
  });

  it("puts nothing foreign into the trailers of the commit", () => {
    const title = "Do it [skip ci]\n\nCo-authored-by: Mallory <m@example.com>\nskip-checks: true";
    expect(finishMessage({ ...opened, result: work({ title }) })).toEqual({
      headline: "Do it",
      body: "Job: abcd1234\n\nCo-authored-by: ada <ada@users.noreply.github.com>",
    });
    expect(finishMessage({ ...opened, requester: null }).body).toBe("Job: abcd1234");
    expect(finishMessage({ ...opened, requester: "ada_octo" }).body).toContain("Co-authored-by: ada_octo <");
  });
});

describe("foreign text", () => {
  it("mentions nobody, closes nothing, hides nothing and carries no secret", () => {
    const text =
      "@ada and x@y.z, fixes #4, closes: octo/demo#5 <!-- a --> sk-ant-0123456789abcdef0123 \u202e\u{e0041}<!--";
    expect(escapeMarkdown(text)).toBe("@\u200bada and x@y.z, fixes\u200b #4, closes\u200b: octo/demo#5  [secret]");
  });

  it("stays inside its fence, its code span and its quotation", () => {
    expect(fenced("a\n````\nb")).toBe("`````text\na\n````\nb\n`````");
    expect(code("a`b")).toBe("``a`b``");
    expect(code("`")).toBe("`` ` ``");
    expect(quoted("a\n\nb")).toBe("> a\n>\n> b");
  });

  it("is cut by characters and bytes, inside no character, and closes what it leaves open", () => {
    const body = cutBody(`\`\`\`\n${"😀".repeat(40_000)}`, "\n\nTAIL");
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(MAX_BODY);
    expect(body).toMatch(/😀…?\n```\n\n… \(cut\)\n\nTAIL$/u);
    expect(body).not.toMatch(/[\ud800-\udbff](?![\udc00-\udfff])/);
    expect(commitLine("x".repeat(500))).toHaveLength(100);
    expect(commitLine("[skip ci]")).toBe("no title");
    expect(commitLine("run\u200b  Job abcd1234: again")).toBe("run-Job abcd1234: again");
    expect(commitLine("[skip ci] Post job abcd1234: x")).toBe("Post-job abcd1234: x");
    expect(commitLine("Run jobs in order")).toBe("Run jobs in order");
  });
});

it("counts a run that waits as such", () => {
  expect(told(led(begin(), briefPushed(), runChanged({ status: "queued" })))).toContain(run().url);
});
