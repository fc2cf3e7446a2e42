import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RunnerBench, textOf, workflow } from "./runner-harness.ts";

let bench: RunnerBench;

beforeEach(async () => {
  bench = await RunnerBench.open();
});

afterEach(() => bench.close());

/** What the steps print, without the scripts that the log quotes. */
const said = (log: string | undefined): string =>
  textOf(log).replaceAll(/##\[group\]Run [\s\S]*?\nshell: [^\n]*\n##\[endgroup\]\n/g, "");

const script = (lines: string): string => `- run: |\n${lines.trim().replaceAll(/^/gm, "    ")}`;

describe("workflow commands in what a step prints", () => {
  test("count at the start of a line after blanks, and in the old form anywhere in it", async () => {
    const { job } = await bench.play(
      workflow(
        script(`
echo "   ::add-mask::first-secret"
echo "no ::add-mask::plain-word"
echo "a file named ##[add-mask]second-secret"
printf 'progress\\r::add-mask::third-secret\\n'
echo "::ADD-MASK::fourth%0Asecret"
echo "first-secret plain-word second-secret third-secret fourth"
echo "::error file=a.ts,line=3::100%25 wrong%0Aand more"
echo "##[warning]old;%5D"
echo "::unknown::word" && echo "##[unknown]word"`),
      ),
    );
    expect(said(job?.log)).toContain(
      [
        ...["no ::add-mask::plain-word", "progress", "*** plain-word *** *** ***"],
        ...["##[error]100% wrong", "and more", "##[warning]old;]", "::unknown::word", "##[unknown]word", ""],
      ].join("\n"),
    );
  });

  test("stop at a token in either form, until that token, which is masked when it is longer than six letters", async () => {
    const { job } = await bench.play(
      workflow(
        script(`
echo "one ##[stop-commands]pwned/git~1'"
echo "::add-mask::left-alone" && echo "left-alone"
echo "::stop-commands::other" && echo "::other::" && echo "##[error]no error"
echo "then ##[PWNED/git~1']" && echo "::add-mask::taken" && echo "taken"
echo "::stop-commands::short" && echo "a short word" && echo "::short::"`),
      ),
    );
    expect(said(job?.log)).toContain(
      [
        ...["one ##[stop-commands]***", "::add-mask::left-alone", "left-alone", "::stop-commands::other", "::other::"],
        ...[
          "##[error]no error",
          "then ##[PWNED/git~1']",
          "***",
          "::stop-commands::short",
          "a short word",
          "::short::",
          "",
        ],
      ].join("\n"),
    );
  });

  test("a token that is the name of a command stops nothing and fails the step", async () => {
    for (const token of ["add-mask", "", "pause-logging"]) {
      const { run, job } = await bench.play(
        workflow(script(`echo "::stop-commands::${token}"; echo "::add-mask::hidden"; echo hidden`)),
      );
      expect([run?.conclusion, said(job?.log)]).toEqual(["failure", expect.stringContaining("\n***\n")]);
    }
  });

  test("what was stopped in one step counts again in the next", async () => {
    const { job } = await bench.play(
      workflow(`${script('echo "::stop-commands::a-token"')}\n${script('echo "::add-mask::hidden"; echo hidden')}`),
    );
    expect(said(job?.log)).toMatch(/\n\*\*\*\n$/);
  });

  test("outputs may still be set by printing, and the environment no more", async () => {
    const { run, job } = await bench.play(
      workflow(`
- { id: say, run: "echo '##[set-output name=word]blue'; echo '::set-output::nameless'", continue-on-error: true }
- { run: "echo 'got \${{ steps.say.outputs.word }}'; echo '::set-env name=A::b'" }`),
    );
    expect(run?.conclusion).toBe("failure");
    expect(said(job?.log)).toContain("got blue\n");
    expect(said(job?.log)).toContain("The `set-env` command is disabled");
  });

  test("are shown themselves only after echo is on, and a mask never", async () => {
    const { job } = await bench.play(
      workflow(
        script(
          `echo "::debug::quiet"; echo "::echo::on"; echo "::group::open"; echo "::add-mask::hidden"; echo "::echo::off"; echo "::endgroup::"`,
        ),
      ),
    );
    expect(said(job?.log)).toContain("\n::group::open\n##[group]open\n::echo::off\n##[endgroup]\n");
  });
});

describe("problem matchers", () => {
  const MATCHERS = JSON.stringify({
    problemMatcher: [
      { owner: "lint", pattern: [{ regexp: "^bad (\\w+): (.*)$", file: 1, message: 2 }] },
      {
        owner: "tests",
        severity: "warning",
        pattern: [
          { regexp: "^In (.*):$", file: 1 },
          { regexp: "^  - (.*)$", message: 1, loop: true },
        ],
      },
    ],
  });
  const play = (lines: string) =>
    bench.play(
      workflow(
        `- run: |\n    cat > matchers.json <<'EOF'\n    ${MATCHERS}\n    EOF\n    echo "::add-matcher::matchers.json"\n${script(lines)}`,
      ),
    );

  test("of an earlier step read later lines, also while commands are stopped, and without their colours", async () => {
    const { run, job } = await play(`
echo "::stop-commands::quiet-please"
echo "bad file: no such word"
printf '\\033[31mbad color: red\\033[0m\\n'
echo "In a.ts:"; echo "  - first"; echo "  - second"; echo "else"; echo "  - third"
echo "bad empty: "`);
    expect(run?.conclusion).toBe("success");
    expect(said(job?.log)).toContain(
      [
        ...["##[error]bad file: no such word", "##[error]bad color: red", "In a.ts:", "##[warning]  - first"],
        ...["##[warning]  - second", "else", "  - third", "bad empty: ", ""],
      ].join("\n"),
    );
  });

  test("end by their owner's name or by their file", async () => {
    const { job } = await play(`
echo "::remove-matcher owner=LINT::"; echo "bad file: one"
echo "In a.ts:" && echo "  - still"
echo "::remove-matcher::matchers.json"; echo "In a.ts:" && echo "  - gone"`);
    expect(said(job?.log)).toContain("\nbad file: one\nIn a.ts:\n##[warning]  - still\nIn a.ts:\n  - gone\n");
  });

  test("that are not there fail the step that names them", async () => {
    const { run, job } = await bench.play(workflow(script('echo "::add-matcher::nowhere.json"')));
    expect([run?.conclusion, said(job?.log)]).toEqual([
      "failure",
      expect.stringContaining("Unable to process command '::add-matcher::nowhere.json' successfully."),
    ]);
  });
});
