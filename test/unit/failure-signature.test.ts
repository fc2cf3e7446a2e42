import { describe, expect, it } from "vitest";
import { failsTheSame, type Theirs } from "../../src/domain/job/target.ts";
import { signatureOf } from "../../src/github/effects/failure-signature.ts";

const log = (rows: readonly string[], sha = "3f2a9c1") =>
  [
    `HEAD is now at ${sha} Fix it`,
    "##[group]Run npm test",
    "##[endgroup]",
    ...rows,
    "##[error]Process completed with exit code 1.",
  ].join("\n");
const one = (...rows: string[]) => signatureOf([{ name: "test", says: log(rows) }]);

describe("the signature of a failure", () => {
  it.each([
    ["times and numbers", ["2 failed in 1.25s"], ["2 failed in 31.7s"]],
    ["the order of tests", ["a failed", "b failed"], ["b failed", "a failed"]],
    ["ids and addresses", ["object 0x7ffe12 at 1234567890abcdef"], ["object 0x81aa34 at fedcba0987654321"]],
    ["blanks", ["a  failed "], ["a failed"]],
  ])("is not changed by %s", (_what, before, after) => {
    expect(one(...before)).toBe(one(...after));
  });

  it("is not changed by what came before the step that failed, such as the checkout", () => {
    const says = (sha: string) => signatureOf([{ name: "test", says: log(["a failed"], sha) }]);
    expect(says("1111111")).toBe(says("another"));
  });

  it("is changed by another failure, another check, and one check more", () => {
    const all = [
      one("a failed"),
      one("b failed"),
      signatureOf([{ name: "lint", says: log(["a failed"]) }]),
      signatureOf([
        { name: "lint", says: "" },
        { name: "test", says: log(["a failed"]) },
      ]),
    ];
    expect(new Set(all).size).toBe(all.length);
    expect(
      signatureOf([
        { name: "b", says: "x" },
        { name: "a", says: "y" },
      ]),
    ).toBe(
      signatureOf([
        { name: "a", says: "y" },
        { name: "b", says: "x" },
      ]),
    );
  });

  it("is none where nothing fails", () => {
    expect(signatureOf([])).toBeNull();
  });

  it("counts as come back only after something was pushed in between", () => {
    const theirs = (sha: string): Theirs => ({
      ...{ kind: "pull-request", number: 8, branch: "mine", head_sha: sha, pushed_sha: null },
      failing: { sha, signature: "red" },
    });
    expect(failsTheSame(theirs("a"), { sha: "b", signature: "red" })).toBe(true);
    expect(failsTheSame(theirs("a"), { sha: "a", signature: "red" })).toBe(false);
    expect(failsTheSame(theirs("a"), { sha: "b", signature: "other" })).toBe(false);
    expect(failsTheSame(theirs("a"), null)).toBe(false);
    expect(failsTheSame({ ...theirs("a"), failing: null }, { sha: "b", signature: "red" })).toBe(false);
  });
});
