import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CHECKOUT, RunnerBench, textOf, workflow } from "./runner-harness.ts";

let bench: RunnerBench;

beforeEach(async () => {
  bench = await RunnerBench.open();
});

afterEach(() => bench.close());

describe("steps that go wrong", () => {
  test("a failing step skips the rest, except what asks for failure or always", async () => {
    const { run, job } = await bench.play(
      workflow(`
- { name: breaks, run: exit 3 }
- { name: plain, run: echo unreached }
- { name: on failure, if: failure(), run: echo mended }
- { name: always, if: "always() && github.event.head_commit.message != ''", run: echo swept }`),
    );
    expect([run?.conclusion, job?.conclusion]).toEqual(["failure", "failure"]);
    expect(job?.steps.map((step) => step.conclusion)).toEqual([
      "success",
      "failure",
      "skipped",
      "success",
      "success",
      "success",
    ]);
    expect(textOf(job?.log)).toContain("##[error]Process completed with exit code 3.");
  });

  test("continue-on-error keeps the job green and tells both results", async () => {
    const { run, job } = await bench.play(
      workflow(`
- { id: risky, continue-on-error: true, run: exit 1 }
- run: echo "\${{ steps.risky.outcome }} then \${{ steps.risky.conclusion }}"`),
    );
    expect(run?.conclusion).toBe("success");
    expect(textOf(job?.log)).toContain("failure then success");
  });

  test("a failing pipe fails only under shell: bash, as on GitHub", async () => {
    const quiet = await bench.play(workflow("- run: false | cat"));
    const strict = await bench.play(workflow("- { run: false | cat, shell: bash }"));
    expect([quiet.run?.conclusion, strict.run?.conclusion]).toEqual(["success", "failure"]);
  });

  test("a step past its own limit fails, a job past its limit is cancelled and still cleans up", async () => {
    const step = await bench.play(workflow("- { run: exec sleep 600, timeout-minutes: 0.01 }"));
    expect([step.run?.conclusion, textOf(step.job?.log)]).toEqual([
      "failure",
      expect.stringContaining("has timed out after 0.01 minutes"),
    ]);
    const job = await bench.play(
      workflow("- run: exec sleep 600\n- { if: always(), run: echo swept }", { job: "timeout-minutes: 0.01" }),
    );
    expect([job.run?.conclusion, textOf(job.job?.log)]).toEqual(["cancelled", expect.stringContaining("\nswept\n")]);
  });

  test("a reserved name in GITHUB_ENV is refused and a malformed line fails the step", async () => {
    const { run, job } = await bench.play(
      workflow(
        '- run: |\n    echo "GITHUB_SHA=forged" >> "$GITHUB_ENV"\n- run: echo "sha $GITHUB_SHA"; echo nonsense >> "$GITHUB_ENV"',
      ),
    );
    expect(textOf(job?.log)).toContain(`sha ${run?.headSha}`);
    expect([run?.conclusion, textOf(job?.log)]).toEqual([
      "failure",
      expect.stringContaining("Invalid format 'nonsense'"),
    ]);
  });

  test.runIf(existsSync("/proc/self"))("a background process of a step does not outlive the job", async () => {
    const { job } = await bench.play(workflow('- run: |\n    sleep 600 >/dev/null 2>&1 &\n    echo "pid=$!"'));
    const pid = Number(/pid=(\d+)/.exec(textOf(job?.log).split("##[endgroup]").at(-1) ?? "")?.[1]);
    expect(pid).toBeGreaterThan(1);
    // A dead process that nobody has collected yet still has a number, but no command line.
    await expect.poll(() => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""), { timeout: 5_000 }).toBe("");
  });
});

describe("cancel, repeat and groups", () => {
  const sleeper = workflow(
    "- run: |\n    trap 'echo asked; exit 1' INT\n    echo awake\n    sleep 600 & wait\n- { if: cancelled(), run: echo swept }",
    {
      top: `concurrency: { group: "g-\${{ github.ref }}" }`,
    },
  );
  const awake = () => textOf(bench.backend.jobs.at(-1)?.log).includes("\nawake\n");

  test("a cancel asks the process to end, runs the clean-up steps and concludes cancelled", async () => {
    bench.backend.push(bench.backend.commit(sleeper));
    await bench.backend.until(awake);
    bench.backend.cancel(bench.backend.runs[0]?.id ?? 0);
    await bench.runner.idle();
    expect(bench.backend.runs[0]?.conclusion).toBe("cancelled");
    expect(textOf(bench.backend.jobs[0]?.log)).toMatch(/asked[\s\S]*swept/);
    expect(bench.backend.jobs[0]?.steps.map((step) => step.conclusion)).toEqual([
      "success",
      "cancelled",
      "success",
      "success",
    ]);
  });

  test("a cancel tells the step's own process alone, first by SIGINT and then by SIGTERM", async () => {
    const script = `node -e '
      for (const name of ["SIGINT", "SIGTERM"]) process.on(name, () => console.log("child: " + name));
      setInterval(() => {}, 1000); console.log("awake")' &
    trap 'echo shell: INT' INT
    trap 'echo shell: TERM; exit 1' TERM
    while true; do wait || true; done`;
    bench.backend.push(bench.backend.commit(workflow(`- run: |\n${script.replaceAll(/^/gm, "    ")}`)));
    await bench.backend.until(awake);
    bench.backend.cancel(bench.backend.runs[0]?.id ?? 0);
    await bench.runner.idle();
    expect(textOf(bench.backend.jobs[0]?.log)).toMatch(/awake\nshell: INT\nshell: TERM\n/);
    expect(textOf(bench.backend.jobs[0]?.log)).not.toMatch(/^child: SIG/m);
  });

  test("five minutes after a cancel, what still runs is killed", async () => {
    await bench.close();
    bench = await RunnerBench.open({ afterCancelMs: 300 });
    const sweeping = workflow("- run: echo awake; exec sleep 600\n- { if: always(), run: echo sweeping; sleep 600 }");
    bench.backend.push(bench.backend.commit(sweeping));
    await bench.backend.until(awake);
    bench.backend.cancel(bench.backend.runs[0]?.id ?? 0);
    await bench.runner.idle();
    expect(bench.backend.runs[0]?.conclusion).toBe("cancelled");
    expect(bench.backend.jobs[0]?.steps.map((step) => step.conclusion)).toEqual([
      ...["success", "cancelled", "cancelled", "success"],
    ]);
  });

  test("a process that ignores SIGINT and SIGTERM is killed after the grace", async () => {
    await bench.close();
    bench = await RunnerBench.open({ grace: { interruptMs: 100, terminateMs: 100 } });
    bench.backend.push(
      bench.backend.commit(
        workflow("- run: |\n    trap '' INT TERM\n    echo awake\n    while true; do sleep 0.2; done"),
      ),
    );
    await bench.backend.until(awake);
    bench.backend.cancel(bench.backend.runs[0]?.id ?? 0);
    await bench.runner.idle();
    expect(bench.backend.runs[0]?.conclusion).toBe("cancelled");
  });

  test("of a group one run works and one waits; a newer one waiting cancels the older", async () => {
    const sha = bench.backend.commit(sleeper);
    bench.backend.push(sha);
    await bench.backend.until(awake);
    bench.backend.push(sha);
    bench.backend.push(sha);
    await bench.backend.until(
      () => bench.backend.runs[1]?.conclusion === "cancelled" && bench.backend.runs.length === 3,
    );
    expect(bench.backend.runs.map((run) => run.events)).toEqual([
      ["queued", "in_progress"],
      ["queued", "cancelled"],
      ["queued"],
    ]);
    bench.backend.cancel(bench.backend.runs[0]?.id ?? 0);
    await bench.backend.until(() => bench.backend.runs[2]?.events.includes("in_progress") === true && awake());
    bench.backend.cancel(bench.backend.runs[2]?.id ?? 0);
    await bench.runner.idle();
  });

  test("cancel-in-progress ends the run that works", async () => {
    const files = workflow("- run: echo awake; test -e go || exec sleep 600", {
      job: "concurrency: { group: one, cancel-in-progress: true }",
    });
    bench.backend.push(bench.backend.commit(files));
    await bench.backend.until(awake);
    bench.backend.push(
      bench.backend.commit(
        workflow("- run: echo quick", { job: "concurrency: { group: ONE, cancel-in-progress: true }" }),
      ),
    );
    await bench.runner.idle();
    expect(bench.backend.runs.map((run) => run.conclusion)).toEqual(["cancelled", "success"]);
  });

  test("a repeated run keeps its id and knows its attempt", async () => {
    const { run } = await bench.play(workflow('- run: test "$GITHUB_RUN_ATTEMPT" = 2'));
    expect(run?.conclusion).toBe("failure");
    bench.backend.rerun(run?.id ?? 0, 2);
    await bench.runner.idle();
    expect(bench.backend.runs).toHaveLength(1);
    expect(run?.events).toEqual(["queued", "in_progress", "failure", "in_progress", "success"]);
  });

  test("closing the runner ends what is running", async () => {
    bench.backend.push(bench.backend.commit(sleeper));
    await bench.backend.until(awake);
    await bench.runner.close();
    expect(bench.backend.runs[0]?.conclusion).toBe("cancelled");
    expect(bench.backend.liveTokens.size).toBe(0);
  });
});

describe("checkout", () => {
  test("leaves no credentials behind when told not to, and usable ones otherwise", async () => {
    const { run, job } = await bench.play(
      workflow(
        `
- uses: ${CHECKOUT}
  with: { persist-credentials: false, path: plain }
- uses: ${CHECKOUT}
  with: { path: kept, fetch-depth: 0, show-progress: false }
- run: |
    ! git -C plain ls-remote origin
    cd kept && git ls-remote --exit-code origin main && git rev-list --count HEAD
    git -c user.name=A -c user.email=a@b commit --quiet --allow-empty -m pushed && git push --quiet origin HEAD:refs/heads/work
  env: { GIT_TERMINAL_PROMPT: "0" }`,
        { top: "permissions: { contents: write }" },
      ),
    );
    expect([run?.conclusion, textOf(job?.log)]).toEqual([
      "success",
      expect.stringContaining("ignores the input 'show-progress'"),
    ]);
    expect(
      bench.backend.git(
        "--git-dir",
        join(bench.backend.folder, "repos/ada/demo.git"),
        "log",
        "-1",
        "--format=%s",
        "work",
      ),
    ).toBe("pushed");
  });

  test("stands on the run's own commit and branch though the branch has moved on, or on the ref it is given", async () => {
    const sha = bench.backend.commit(
      workflow(
        `- uses: ${CHECKOUT}\n- run: git log -1 --format=%s; git branch --show-current\n- uses: ${CHECKOUT}\n  with: { ref: main }\n- run: git log -1 --format=%s`,
      ),
      { message: "First" },
    );
    bench.backend.commit({ "b.txt": "b" }, { message: "Second" });
    bench.backend.push(sha, { message: "First" });
    await bench.runner.idle();
    expect(textOf(bench.backend.jobs[0]?.log)).toMatch(/First\nmain\n[\s\S]*Second/);
  });
});
