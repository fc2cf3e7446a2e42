import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { commitMessage } from "../../agent/action/commit-title.ts";
import { inertRow, Output } from "../../agent/action/output.ts";
import { asCode, asWord, summaryOf } from "../../agent/action/summary.ts";
import { resultSchema } from "../../src/contracts/result.ts";
import { obeyed } from "../process/action-runner.ts";

/** Pieces that a runner, a terminal or Markdown could take for more than text. */
const piece = fc.constantFrom(
  ...["::", "##[", "]", "stop-commands", "error", "add-mask", "\n", "\r", "\u2028", "\t", " ", "x", "```", "`", "|"],
  ...["\u001b[0m", "a.ts:1:2: error", "a.ts(1,2)", "%0A", "\u0000", "0123456789abcdef"],
);
const text = fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join(""));

function recorded() {
  let written = "";
  let nth = 0;
  const output = new Output(
    (more) => {
      written += more;
    },
    () => `token-${nth++}`,
    ["secret-1", "two\nlines"],
  );
  return { output, written: () => written };
}

describe("the step's output", () => {
  test("masks, then stops commands, before anything else", () => {
    expect(recorded().written()).toBe(
      "::add-mask::secret-1\n::add-mask::two\n::add-mask::lines\n::stop-commands::token-0\n",
    );
  });

  test("whatever is shown, nothing of it is obeyed, and what is said between still is", () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const { output, written } = recorded();
        output.show(before);
        output.mask("later");
        output.show(after);
        output.annotate("error", "Said.");
        output.show(before);
        const said = obeyed(written()).filter((one) => !/^add-mask (?:secret-1|two|lines)$/.test(one));
        expect(said).toEqual(["add-mask later", "error Said."]);
      }),
    );
  });

  test("a row stays a row, and is no command by itself either", () => {
    fc.assert(
      fc.property(text, (row) => {
        const shown = inertRow(row.replaceAll("\n", " "));
        expect(shown).not.toMatch(/[\p{Cc}\u2028\u2029]|##\[|^\s*::/u);
      }),
    );
  });

  test("ordinary words and numbers are left as they are", () => {
    const row = "Ended: done. 5 turns, 6607 tokens in, 1.1 cents, at http://localhost:8080 (about 3 s)";
    expect(inertRow(row)).toBe(row);
  });
});

describe("the summary", () => {
  test("no text leaves its block, and no name its word", () => {
    fc.assert(
      fc.property(text, (words) => {
        const [first = "", ...rest] = asCode(words).split("\n");
        const fence = first.replace(/text$/, "");
        expect(rest.filter((row) => row.startsWith(fence))).toEqual([fence]);
        const ticks = /^`+/.exec(asWord(words))?.[0] ?? "";
        expect(asWord(words).split(ticks)).toHaveLength(3);
        expect(asWord(words)).not.toMatch(/[|\n]/);
      }),
    );
  });

  test("is within what GitHub takes", () => {
    const result = resultSchema.parse({ version: 1, outcome: "done", title: "t", body: "b".repeat(50_000) });
    const summary = { result, putBack: Array(100).fill("p".repeat(4_000)), notes: ["n".repeat(50_000)], refusal: "r" };
    expect(summaryOf(summary).length).toBeLessThan(65_000);
  });
});

describe("the commit of the work", () => {
  const titled = (title: string) =>
    commitMessage("ab12cd34", resultSchema.parse({ version: 1, outcome: "done", title }));

  test("has the agent's title as it is for its subject, so that a repository's rules for subjects can be met", () => {
    expect(titled("fix(api): refuse empty names")).toBe("fix(api): refuse empty names\n\nJob: ab12cd34");
  });

  test("is named by its job where there is no title", () => {
    expect([titled(" "), commitMessage("ab12cd34", null)]).toEqual(["Job ab12cd34: done", "Job ab12cd34: no result"]);
  });

  test("never begins as a brief does, which would start the workflow again", () => {
    for (const title of ["Run job x", "run  Job x", "Ru\u00adn job x", "[skip ci]Run job x"])
      expect(titled(title)).toMatch(/^run-job x\n/i);
  });

  test("has one line of a title, which can keep no CI from running", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("[skip ci]", "[skip ", "ci]", "skip-checks: true", "\n", "x"), { maxLength: 8 }),
        (words) => {
          const [subject = "", ...body] = titled(words.join("")).split("\n");
          expect(subject).not.toMatch(/\[skip ci\]|skip-checks:\s*true/);
          expect(body.join("")).toMatch(/^(?:Job: ab12cd34)?$/);
        },
      ),
    );
  });
});
