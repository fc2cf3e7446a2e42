import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type EditorInput, edit, editorInput } from "../../agent/tools/editor.ts";
import { MAX_ANSWER } from "../../agent/tools/tool-result.ts";

let top = "";
let root = "";
beforeEach(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), "editor-test-")));
  root = join(top, "checkout");
  mkdirSync(root);
  writeFileSync(join(top, "outside.txt"), "private\n");
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

const put = (path: string, text: string | Uint8Array) => {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), text);
};
const at = (path: string) => readFileSync(join(root, path), "utf8");
const run = (input: EditorInput) => edit(root, editorInput.parse(input));

describe("view", () => {
  test("numbers the lines and takes a range", async () => {
    put("a.txt", "one\ntwo\nthree\n");
    expect((await run({ command: "view", path: "a.txt", view_range: [2, -1] })).text).toBe(
      "     2\ttwo\n     3\tthree\n     4\t",
    );
    expect((await run({ command: "view", path: join(root, "a.txt"), view_range: [1, 1] })).text).toBe("     1\tone");
    expect(await run({ command: "view", path: "a.txt", view_range: [9, 10] })).toMatchObject({ failed: true });
  });

  test("lists a folder two levels deep without git's own and installed packages", async () => {
    for (const path of ["src/a.ts", "src/deep/b/c.ts", ".git/HEAD", "node_modules/x/y.js", "README.md"]) put(path, "");
    const { text } = await run({ command: "view", path: "." });
    expect(text.split("\n")).toEqual([".:", ".git/", "README.md", "node_modules/", "src/", "src/a.ts", "src/deep/"]);
  });

  test("cuts a long file in the middle", async () => {
    put("long.txt", "line\n".repeat(20_000));
    const { text } = await run({ command: "view", path: "long.txt" });
    expect(text).toContain("view_range shows them");
    expect(text.length).toBeLessThan(MAX_ANSWER + 200);
  });

  test("says what it cannot show", async () => {
    put("bin", Uint8Array.of(1, 0, 2));
    put("latin1.txt", Uint8Array.of(0x63, 0xe9));
    expect((await run({ command: "view", path: "bin" })).text).toContain("not UTF-8");
    expect((await run({ command: "view", path: "latin1.txt" })).failed).toBe(true);
    expect((await run({ command: "view", path: "nope" })).text).toBe("nope does not exist.");
  });
});

describe("changes", () => {
  test("create makes folders and replaces a whole file", async () => {
    expect((await run({ command: "create", path: "a/b/c.txt", file_text: "x" })).text).toBe("Created a/b/c.txt.");
    expect((await run({ command: "create", path: "a/b/c.txt", file_text: "y" })).text).toBe("Replaced a/b/c.txt.");
    expect(at("a/b/c.txt")).toBe("y");
    expect((await run({ command: "create", path: "a/b", file_text: "y" })).failed).toBe(true);
  });

  test("str_replace wants exactly one place and takes the new text literally", async () => {
    put("a.js", "a = 1;\nb = 1;\n");
    expect((await run({ command: "str_replace", path: "a.js", old_str: "= 1", new_str: "" })).text).toContain(
      "2 times",
    );
    expect((await run({ command: "str_replace", path: "a.js", old_str: "zz", new_str: "" })).text).toContain(
      "not occur",
    );
    expect((await run({ command: "str_replace", path: "a.js", old_str: "a = 1", new_str: "a = '$&$1'" })).failed).toBe(
      false,
    );
    expect(at("a.js")).toBe("a = '$&$1';\nb = 1;\n");
  });

  test("insert puts text after a line, at the top and at the end", async () => {
    put("a.txt", "1\n2\n");
    await run({ command: "insert", path: "a.txt", insert_line: 0, insert_text: "0\n" });
    await run({ command: "insert", path: "a.txt", insert_line: 3, insert_text: "3" });
    expect(at("a.txt")).toBe("0\n1\n2\n3\n");
    expect((await run({ command: "insert", path: "a.txt", insert_line: 9, insert_text: "x" })).failed).toBe(true);
  });

  test("a file whose lines all end with CRLF keeps that, whichever line ends the model writes", async () => {
    const text = "a = 1;\r\nb = 1;\r\nc = 1;\r\n";
    put("a.js", text);
    expect((await run({ command: "view", path: "a.js", view_range: [1, 2] })).text).toBe(
      "     1\ta = 1;\n     2\tb = 1;",
    );
    for (const end of ["\n", "\r\n"]) {
      put("a.js", text);
      const [old_str, new_str] = [`a = 1;${end}b = 1;${end}`, `a = 2;${end}b = 2;${end}`];
      expect(await run({ command: "str_replace", path: "a.js", old_str, new_str })).toMatchObject({ failed: false });
      await run({ command: "insert", path: "a.js", insert_line: 1, insert_text: `x = 1;${end}y = 1;${end}` });
      expect(at("a.js")).toBe("a = 2;\r\nx = 1;\r\ny = 1;\r\nb = 2;\r\nc = 1;\r\n");
      await run({ command: "create", path: "a.js", file_text: `d = 1;${end}e = 1;${end}` });
      expect(at("a.js")).toBe("d = 1;\r\ne = 1;\r\n");
    }
  });

  test("a file that mixes line ends is changed as it stands, and a miss says that it does", async () => {
    put("a.txt", "1\r\n2\n3\r\n");
    const missed = await run({ command: "str_replace", path: "a.txt", old_str: "1\n2", new_str: "x" });
    expect(missed).toMatchObject({ failed: true, text: expect.stringContaining("some of its lines end with CRLF") });
    await run({ command: "str_replace", path: "a.txt", old_str: "1\r\n2", new_str: "x" });
    expect(at("a.txt")).toBe("x\n3\r\n");
  });

  test("workflow files can be read and not written", async () => {
    put(".github/workflows/ci.yml", "on: push\n");
    expect((await run({ command: "view", path: ".github/workflows/ci.yml" })).failed).toBe(false);
    const answer = await run({ command: "create", path: "./.github/workflows/x.yml", file_text: "" });
    expect(answer.text).toContain("cannot change files");
    expect(at(".github/workflows/ci.yml")).toBe("on: push\n");
  });
});

describe("nothing outside the checkout", () => {
  const paths = ["../outside.txt", "link.txt", "dir/outside.txt", "dir/new.txt", "dangling", ".git/config", "", "a\0b"];

  test.each(paths)("%j is refused for reading and writing", async (path) => {
    symlinkSync(join(top, "outside.txt"), join(root, "link.txt"));
    symlinkSync(top, join(root, "dir"));
    symlinkSync(join(top, "not-there"), join(root, "dangling"));
    expect(await run({ command: "view", path })).toMatchObject({ failed: true });
    expect(await run({ command: "create", path, file_text: "gotcha" })).toMatchObject({ failed: true });
    expect(readFileSync(join(top, "outside.txt"), "utf8")).toBe("private\n");
  });

  test("an absolute path and a folder with the same beginning are refused", async () => {
    mkdirSync(`${root}-twin`);
    writeFileSync(`${root}-twin/x`, "twin");
    expect((await run({ command: "view", path: `${root}-twin/x` })).text).toContain("outside the checkout");
    expect((await run({ command: "view", path: "/etc/passwd" })).failed).toBe(true);
  });

  test("a link inside the checkout is followed, and the checkout itself may be reached by a link", async () => {
    put("real.txt", "here\n");
    symlinkSync("real.txt", join(root, "alias.txt"));
    symlinkSync(root, join(top, "by-link"));
    expect((await run({ command: "view", path: "alias.txt" })).text).toContain("here");
    const answer = await edit(join(top, "by-link"), { command: "view", path: join(top, "by-link", "real.txt") });
    expect(answer.text).toContain("here");
  });
});
