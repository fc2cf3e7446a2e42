/** The page on security tells of the lists in the code, whole and in its words; and the lists are whole. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { redact } from "../../src/contracts/redact.ts";
import { TOKENS } from "../../src/contracts/tokens.ts";
import { NEVER_MERGING } from "../../src/domain/job/never-merging.ts";
import { FOREIGN_PARSERS } from "./foreign-parsers.ts";

const ROOT = join(import.meta.dirname, "../..");
const PAGE = readFileSync(join(ROOT, "docs/security.md"), "utf8");

const row = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
const table = (names: readonly string[], rows: readonly (readonly string[])[]): string =>
  [names, names.map(() => "---"), ...rows].map(row).join("\n");

/** What stands on the page between these marks. */
const onPage = (name: string): string =>
  PAGE.split(`<!-- ${name} -->\n`)[1]?.split("\n<!-- end -->")[0]?.trim() ?? "no such table";

describe("docs/security.md", () => {
  test("names every token, where it lives, for how long, and who is shown it", () => {
    const rows = TOKENS.map(({ name, lives, lasts, shown }) => [name, lives, lasts, shown]);
    expect(onPage("tokens")).toBe(table(["token", "where it lives", "for how long", "shown to"], rows));
  });

  test("names every file that never merges by itself", () => {
    const rows = NEVER_MERGING.map(({ globs, what }) => [what, globs.map((glob) => `\`${glob}\``).join(", ")]);
    expect(onPage("never-merging")).toBe(table(["what", "paths, in any case, with all that is below"], rows));
  });

  test("names every parser with its bounds", () => {
    const rows = FOREIGN_PARSERS.map(({ name, from, size, depth, time }) => [
      ...[name, from, `${size.toLocaleString("en")} characters`, depth, time],
    ]);
    expect(onPage("parsers")).toBe(table(["parser", "whose bytes", "size", "depth", "time"], rows));
  });

  test("leads to each of its sections, and is led to from the README", () => {
    const anchors = [...PAGE.matchAll(/^## (.+)$/gm)].map(([, title = ""]) =>
      title
        .toLowerCase()
        .replaceAll(/[^\w -]/g, "")
        .replaceAll(" ", "-"),
    );
    const links = [...PAGE.matchAll(/\]\(#([\w-]+)\)/g)].map(([, anchor]) => anchor);
    expect(links).toEqual(anchors);
    expect(readFileSync(join(ROOT, "README.md"), "utf8")).toContain("(docs/security.md)");
  });
});

describe("the list of tokens", () => {
  test("has every setting that is a secret", () => {
    const settings = readFileSync(join(ROOT, "src/main/settings.ts"), "utf8");
    const names = [...settings.matchAll(/^ {2}(\w+): (?:secret\(|encryptionKey)/gm)].map(([, name = ""]) => name);
    expect(names.length).toBeGreaterThan(6);
    const listed = TOKENS.map(({ name }) => name).join("\n");
    expect([...names, "PRIVATE_KEY"].filter((name) => !listed.includes(`\`${name}\``))).toEqual([]);
  });

  test("has the shape of everything that looks like a token, and redaction goes by it", () => {
    const x = "x".repeat(40);
    const some = [`ghs_1_${x}.${x}.${x}`, `ghp_${x}`, `github_pat_${x}`, `sk-ant-${x}`, `whsec_${x}`, `jm_${x}`];
    for (const token of [...some, "AKIA0123456789ABCDEF", "-----BEGIN RSA PRIVATE KEY-----\nx"]) {
      const known = TOKENS.flatMap(({ shapes = [] }) => shapes).some((shape) => token.replace(shape, "") === "");
      expect(known, token).toBe(true);
      expect(redact(`a ${token} b`)).not.toContain(token);
    }
  });
});
