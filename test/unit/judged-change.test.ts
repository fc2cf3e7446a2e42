import { describe, expect, it } from "vitest";
import { changeOf } from "../../src/github/effects/review.ts";

const file = (change: Partial<Parameters<typeof changeOf>[0][number]> = {}) => ({
  ...{ filename: "a.txt", status: "modified", patch: "@@ -1 +1 @@\n-a\n+b" },
  ...change,
});

describe("what the judge is shown of a change", () => {
  it("is whole where every file is there as a patch", () => {
    expect(changeOf([file(), file({ filename: "b.txt", status: "added" })])).toEqual({
      text: expect.stringContaining('added "b.txt"\n@@'),
      whole: true,
    });
  });

  it.each([
    ["a binary, which has no patch and counts no changes", { filename: "a.png", patch: undefined }],
    ["a file that is too long for a patch", { patch: undefined }],
    ["a moved file", { status: "renamed", previous_filename: "test/a.txt", patch: undefined }],
    ["a moved file that was changed as well", { status: "renamed", previous_filename: "test/a.txt" }],
  ] as const)("is not whole with %s", (_name, change) => {
    const { text, whole } = changeOf([file(), file(change)]);
    expect(whole).toBe(false);
    if ("previous_filename" in change) expect(text).toContain('renamed "a.txt" from "test/a.txt"');
  });
});
