import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CHECKOUT, RunnerBench, textOf, WORKFLOW, workflow } from "./runner-harness.ts";

let bench: RunnerBench;

beforeEach(async () => {
  bench = await RunnerBench.open();
});

afterEach(() => bench.close());

const ACTION = ".github/actions/mine";

/** An action of the repository: `main` and `post` are programs. */
const action = (main: string, post = "", { at = ACTION, runs = "", inputs = "" } = {}): Record<string, string> => ({
  [`${at}/action.yml`]: `name: Mine\ndescription: A test\n${inputs}\nruns:\n  using: node24\n  main: main.mjs\n${post && "  post: post.mjs\n"}${runs}`,
  [`${at}/main.mjs`]: main,
  ...(post && { [`${at}/post.mjs`]: post }),
});

const REMOTE = `ada/demo/${ACTION}@main`;
const logOf = (): string => textOf(bench.backend.jobs.at(-1)?.log);
const stepsOf = () => bench.backend.jobs.at(-1)?.steps.map((step) => [step.name, step.conclusion]);

describe("a JavaScript action", () => {
  const SHOW = `
    const names = ["INPUT_NAME", "INPUT_FROM_TOKEN", "INPUT_LEFT_OUT", "INPUT_MORE", "GITHUB_ACTION", "GITHUB_ACTION_REPOSITORY",
      "GITHUB_ACTION_REF", "GITHUB_ACTION_PATH", "GITHUB_TOKEN", "STEP"];
    for (const name of names) console.log(name + "=" + process.env[name]);
    for (const name of ["ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"])
      console.log("has " + name + " " + Boolean(process.env[name]));
    console.log("in " + (process.cwd() === process.env.GITHUB_WORKSPACE) + " by " + process.version.split(".")[0]);`;
  const INPUTS = `inputs:
  name: { description: a, default: nobody }
  from token: { description: b, default: "\${{ github.token }}" }
  left_out: { description: c, required: true }`;

  test("gets its inputs, defaults, names and tokens as variables, and its scripts only what scripts get", async () => {
    const { run } = await bench.play({
      ...action(SHOW, "", { inputs: INPUTS }),
      ...workflow(
        `
- uses: ${REMOTE}
  with: { NAME: "\${{ github.actor }}", more: 1 }
  env: { STEP: own }
- run: |
    echo "script \${ACTIONS_RUNTIME_TOKEN:-none} \${ACTIONS_ID_TOKEN_REQUEST_URL:+url} \${ACTIONS_ID_TOKEN_REQUEST_TOKEN:+token}"
    echo "$GITHUB_ACTION \${GITHUB_ACTION_REPOSITORY-unset}"`,
        { top: "permissions: { contents: read, id-token: write }" },
      ),
    });
    expect(run?.conclusion).toBe("success");
    for (const line of [
      ...["INPUT_NAME=ada", "INPUT_FROM_TOKEN=***", "INPUT_LEFT_OUT=", "INPUT_MORE=1", "GITHUB_ACTION=__ada_demo"],
      ...["GITHUB_ACTION_REPOSITORY=ada/demo", "GITHUB_ACTION_REF=main", "GITHUB_ACTION_PATH=undefined"],
      ...["GITHUB_TOKEN=undefined", "STEP=own", "has ACTIONS_RUNTIME_TOKEN true"],
      ...["has ACTIONS_ID_TOKEN_REQUEST_URL true", "has ACTIONS_ID_TOKEN_REQUEST_TOKEN true"],
      ...[`in true by ${process.version.split(".")[0]}`, "script none url token", "__run unset"],
      "##[warning]Unexpected input(s) 'more', valid inputs are ['name', 'from token', 'left_out']",
    ])
      expect(logOf()).toContain(`\n${line}\n`);
  });

  test("speaks by files to later steps, and by state to its own post, which sees what later steps have changed", async () => {
    const files = `
      import { appendFileSync } from "node:fs";
      const { GITHUB_OUTPUT, GITHUB_ENV, GITHUB_PATH, GITHUB_STATE, GITHUB_STEP_SUMMARY } = process.env;
      appendFileSync(GITHUB_OUTPUT, "word=blue\\n");
      appendFileSync(GITHUB_ENV, "MOOD=good\\n");
      appendFileSync(GITHUB_PATH, process.cwd() + "/bin\\n");
      appendFileSync(GITHUB_STATE, "pid=7\\n");
      appendFileSync(GITHUB_STEP_SUMMARY, "# Mine");
      console.log("::save-state name=more::printed");
      console.log("main " + process.env.STATE_pid);`;
    const post = `console.log("post", process.env.STATE_pid, process.env.STATE_more, process.env.MOOD, process.env.INPUT_WORD, process.env.PATH.split(":")[0] === process.cwd() + "/bin");`;
    const { run, job } = await bench.play({
      ...action(files, post, { inputs: "inputs: { word: { description: a } }" }),
      ...workflow(`
- { id: first, uses: "${REMOTE}", with: { word: "\${{ steps.last.outputs.word || 'not yet' }}" } }
- run: echo "\${{ steps.first.outputs.word }} $MOOD"; echo "MOOD=changed" >> "$GITHUB_ENV"
- { id: last, run: 'echo "word=now" >> "$GITHUB_OUTPUT"; echo "state <\${STATE_pid-}>"' }`),
    });
    expect(run?.conclusion).toBe("success");
    for (const line of ["main undefined", "blue good", "state <>", "post 7 printed changed now true"])
      expect(logOf()).toContain(`\n${line}\n`);
    expect(job?.summary).toBe("# Mine\n");
  });

  test("fails its step by its exit code, and by a main that is not there", async () => {
    const failing = await bench.play({ ...action("process.exit(3)"), ...workflow(`- uses: ${REMOTE}`) });
    expect(failing.run?.conclusion).toBe("failure");
    const missing = await bench.play({ [`${ACTION}/action.yml`]: "name: A\nruns: { using: node20, main: gone.js }" });
    expect([missing.run?.conclusion, logOf()]).toEqual([
      "failure",
      expect.stringMatching(/File not found: '.*gone\.js'/),
    ]);
  });
});

describe("what actions do before and after all steps", () => {
  const tell = (word: string): string => `console.log("${word}", process.env.INPUT_ME);`;
  const ME = "inputs: { me: { description: a } }";

  test("pre comes first, post comes last, the last action's first, each told as a step of its own", async () => {
    const runs = "  pre: pre.mjs\n  pre-if: github.event_name == 'push'\n";
    const { run } = await bench.play({
      ...action(tell("main"), tell("post"), { inputs: ME, runs }),
      [`${ACTION}/pre.mjs`]: tell("pre"),
      ...workflow(`
- run: echo script
- { name: One, uses: "${REMOTE}", with: { me: one } }
- { uses: "${REMOTE}", with: { me: two } }`),
    });
    expect(run?.conclusion).toBe("success");
    const order = [...logOf().matchAll(/^(?:pre|main|post|script)\b.*$/gm)].map(([line]) => line);
    expect(order).toEqual(["pre one", "pre two", "script", "main one", "main two", "post two", "post one"]);
    expect(stepsOf()?.map(([name]) => name)).toEqual([
      ...["Set up job", "Pre One", `Pre Run ${REMOTE}`, "Run echo script", "One", `Run ${REMOTE}`],
      ...[`Post Run ${REMOTE}`, "Post One", "Complete job"],
    ]);
  });

  test("post runs after a failure too, only for actions that had begun, and can itself fail the job", async () => {
    const { run } = await bench.play({
      ...action("process.exit(1)", 'console.log("tidied"); process.exit(1)'),
      ...workflow(`
- { uses: "${REMOTE}", continue-on-error: true }
- run: exit 1
- uses: ${REMOTE}`),
    });
    expect(run?.conclusion).toBe("failure");
    expect(logOf().match(/^tidied$/gm)).toHaveLength(1);
    expect(stepsOf()?.slice(1)).toEqual([
      ...[
        [`Run ${REMOTE}`, "success"],
        ["Run exit 1", "failure"],
        [`Run ${REMOTE}`, "skipped"],
      ],
      ...[
        [`Post Run ${REMOTE}`, "success"],
        ["Complete job", "success"],
      ],
    ]);
    await bench.play(action("", "process.exit(1)"));
    const green = await bench.play(workflow(`- uses: ${REMOTE}`));
    expect([green.run?.conclusion, stepsOf()?.at(-2)]).toEqual(["failure", [`Post Run ${REMOTE}`, "failure"]]);
  });

  test("post-if is asked after the last step", async () => {
    const files = action(tell("main"), tell("post"), { runs: "  post-if: failure()\n" });
    const green = await bench.play({ ...files, ...workflow(`- uses: ${REMOTE}`) });
    expect([green.run?.conclusion, stepsOf()?.at(-2)?.[1]]).toEqual(["success", "skipped"]);
    await bench.play(workflow(`- uses: ${REMOTE}\n- run: exit 1`));
    expect(stepsOf()?.at(-2)?.[1]).toBe("success");
  });

  test("commands that main has stopped count again in post, where its token is still masked", async () => {
    const stop =
      'console.log("::stop-commands::a-long-token"); console.log("::add-mask::left-alone"); console.log("left-alone");';
    await bench.play({
      ...action(stop, 'console.log("name ##[add-mask]left-alone"); console.log("left-alone a-long-token");'),
      ...workflow(`- uses: ${REMOTE}`),
    });
    expect(logOf()).toContain("\nleft-alone\n");
    expect(logOf()).toContain("\n*** ***\n");
  });
});

describe("a cancel", () => {
  const awake = () => /^awake$/m.test(logOf());
  const cancelled = async (files: Record<string, string>) => {
    bench.backend.push(bench.backend.commit(files));
    await bench.backend.until(awake);
    bench.backend.cancel(bench.backend.runs.at(-1)?.id ?? 0);
    await bench.runner.idle();
    return bench.backend.runs.at(-1)?.conclusion;
  };
  const WAIT = 'setInterval(() => {}, 1000); console.log("awake");';
  const CHILD = `
    import { spawn } from "node:child_process";
    spawn(process.execPath, ["-e", 'process.on("SIGINT", () => console.log("child: SIGINT")); setInterval(() => {}, 1000)'], { stdio: "inherit" });`;

  test("tells main's own process by SIGINT, and then post runs", async () => {
    const main = `${CHILD}\nprocess.on("SIGINT", () => { console.log("main: SIGINT"); process.exit(1); });\n${WAIT}`;
    const conclusion = await cancelled({
      ...action(main, 'console.log("post", process.env.STATE_x);'),
      ...workflow(`- uses: ${REMOTE}\n- run: echo unreached`),
    });
    expect(conclusion).toBe("cancelled");
    expect(logOf()).toMatch(/\nmain: SIGINT\n[\s\S]*\npost undefined\n/);
    expect(logOf()).not.toMatch(/child: SIGINT|^unreached$/m);
    expect(stepsOf()?.map(([, result]) => result)).toEqual(["success", "cancelled", "skipped", "success", "success"]);
  });

  test("tells a main that goes on by SIGTERM, and kills it and its children when it still goes on", async () => {
    await bench.close();
    bench = await RunnerBench.open({ grace: { interruptMs: 200, terminateMs: 3_000 } });
    const main = `${CHILD}\nfor (const name of ["SIGINT", "SIGTERM"]) process.on(name, () => console.log("main: " + name));\n${WAIT}`;
    expect(await cancelled({ ...action(main, 'console.log("tidied");'), ...workflow(`- uses: ${REMOTE}`) })).toBe(
      "cancelled",
    );
    expect(logOf()).toMatch(/\nmain: SIGINT\nmain: SIGTERM\n[\s\S]*\ntidied\n/);
  });

  test("at the very moment that the action is said to begin reaches it as well", async () => {
    const { port } = bench.backend;
    const cancelNow: typeof port.updateJob = (id, change) => {
      port.updateJob(id, change);
      const begins = change.steps?.some((step) => step.status === "in_progress" && step.name.includes(REMOTE));
      if (begins) bench.backend.cancel(bench.backend.runs.at(-1)?.id ?? 0);
    };
    await bench.runner.close();
    bench.restart({ backend: { ...port, updateJob: cancelNow } });
    bench.backend.push(bench.backend.commit({ ...action(WAIT, ""), ...workflow(`- uses: ${REMOTE}`) }));
    await bench.backend.until(() => bench.backend.runs.at(-1)?.conclusion === "cancelled");
    expect(logOf()).not.toContain("awake");
  });

  test("before the action has begun leaves it without post", async () => {
    expect(
      await cancelled({
        ...action("", 'console.log("tidied");'),
        ...workflow(`- run: echo awake; exec sleep 600\n- uses: ${REMOTE}`),
      }),
    ).toBe("cancelled");
    expect(logOf()).not.toContain("tidied");
  });

  test("gives post five minutes, after which it is killed", async () => {
    await bench.close();
    bench = await RunnerBench.open({ afterCancelMs: 1_500 });
    const main = `process.on("SIGINT", () => process.exit(1));\n${WAIT}`;
    const post = 'for (const name of ["SIGINT", "SIGTERM"]) process.on(name, () => {});\nsetInterval(() => {}, 1000);';
    expect(await cancelled({ ...action(main, post), ...workflow(`- uses: ${REMOTE}`) })).toBe("cancelled");
    expect(stepsOf()?.map(([, result]) => result)).toEqual(["success", "cancelled", "cancelled", "success"]);
  });
});

describe("where an action is from", () => {
  test("a folder of this machine stands for a repository at every ref", async () => {
    const folder = join(bench.backend.folder, "project");
    await mkdir(join(folder, "deep/run"), { recursive: true });
    await writeFile(join(folder, "deep/run/action.yaml"), "name: A\nruns: { using: node24, main: ../main.mjs }");
    await writeFile(join(folder, "deep/main.mjs"), 'console.log("from the folder", process.env.GITHUB_ACTION_REF);');
    await bench.runner.close();
    bench.restart({ actions: { "someone/project": folder } });
    const { run } = await bench.play(workflow("- uses: someone/project/deep/run@v1"));
    expect([run?.conclusion, logOf()]).toEqual(["success", expect.stringContaining("\nfrom the folder v1\n")]);
  });

  test("a repository is read at the ref that is named, be it a branch or a commit", async () => {
    const sha = bench.backend.commit(action('console.log("first");'));
    await bench.play({
      ...action('console.log("second");'),
      ...workflow(`- uses: ada/demo/${ACTION}@${sha}\n- uses: ${REMOTE}`),
    });
    expect(logOf()).toMatch(/\nfirst\n[\s\S]*\nsecond\n/);
  });

  test("the workspace is looked at when the step begins, and has no pre", async () => {
    const local = { ...action('console.log("local");', "", { runs: "  pre: pre.mjs\n" }), [WORKFLOW]: "" };
    const without = await bench.play({ ...local, ...workflow(`- uses: ./${ACTION}`) });
    expect([without.run?.conclusion, logOf()]).toEqual([
      "failure",
      expect.stringContaining("Did you forget to run actions/checkout"),
    ]);
    const { run } = await bench.play(workflow(`- uses: ${CHECKOUT}\n- uses: ./${ACTION}`));
    expect([run?.conclusion, logOf()]).toEqual(["success", expect.stringMatching(/`pre` execution[\s\S]*\nlocal\n/)]);
    const outside = await bench.play(workflow("- uses: ./../../elsewhere"));
    expect([outside.run?.conclusion, logOf()]).toEqual([
      "failure",
      expect.stringContaining("outside of the workspace"),
    ]);
  });

  test.each([
    ["someone/something@v1", "Unable to resolve action someone/something@v1"],
    ["ada/demo@nowhere", "Unable to resolve action ada/demo@nowhere"],
    ["docker://alpine:3", "the sandbox does not play docker://alpine:3"],
    ["ada/demo/../x@main", "the sandbox does not play ada/demo/../x@main"],
    ["ada/demo@main", "Can't find 'action.yml' or 'action.yaml' under 'ada/demo@main'"],
    [
      `ada/demo/composite@main`,
      "ada/demo/composite@main: the sandbox plays actions of node20 and node24, not of 'composite'",
    ],
  ])("%s fails the job before its first step", async (uses, sentence) => {
    const { run } = await bench.play({
      "composite/action.yml": "name: A\nruns: { using: composite, steps: [] }",
      ...workflow(`- run: echo unreached\n- uses: ${uses}`),
    });
    expect([run?.conclusion, logOf()]).toEqual(["failure", expect.stringContaining(sentence)]);
    expect(stepsOf()?.map(([, result]) => result)).toEqual(["failure", "skipped", "skipped", "success"]);
  });
});

test.runIf(existsSync("/proc/self"))("an action's child that goes on is ended with the job", async () => {
  const main = `
    import { spawn } from "node:child_process";
    const child = spawn("sleep", ["600"], { detached: true, stdio: "ignore" });
    child.unref(); console.log("child=" + child.pid);`;
  await bench.play({ ...action(main), ...workflow(`- uses: ${REMOTE}`) });
  const pid = /^child=(\d+)$/m.exec(logOf())?.[1];
  expect(pid).toBeDefined();
  await expect.poll(() => existsSync(`/proc/${pid}/fd/0`), { timeout: 5_000 }).toBe(false);
});
