import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { notesIn, problemsOf } from "../../release/facts.ts";
import { AGENT_IMAGE, PUBLISHER, RUN_JOB_ACTION } from "../../src/contracts/publisher.ts";
import { VERSION } from "../../src/contracts/version.ts";
import { RUN_JOB_WORKFLOW } from "../../src/github/render/run-job-workflow.ts";
import { NAMED_FILES, otherNames, withPublisher } from "../docs/publisher-name.ts";

const ROOT = join(import.meta.dirname, "../..");
const text = (path: string): string => readFileSync(join(ROOT, path), "utf8");
/** What tells of earlier versions, and the tests of names. */
const HISTORY =
  /^(?:CHANGELOG\.md|test\/fixtures\/.*|test\/unit\/publisher\.test\.ts|test\/process\/release\.test\.ts)$/;

describe("the publisher's name", () => {
  test("is one line of package.json, and everything else follows", () => {
    expect(PUBLISHER).toMatch(/^[\w.-]+\/[\w.-]+$/);
    expect(text("package.json").split(PUBLISHER)).toHaveLength(2);
    expect(AGENT_IMAGE).toBe(`ghcr.io/${PUBLISHER.split("/")[0]?.toLowerCase()}/agent:${VERSION}`);
    expect(RUN_JOB_WORKFLOW).toContain(`      - uses: ${RUN_JOB_ACTION}\n`);
  });

  test("stands as text in the listed files alone, and is that of package.json (`npm run docs` writes it)", () => {
    const files = execFileSync("git", ["ls-files"], { cwd: ROOT, encoding: "utf8" }).trim().split("\n");
    const named = files.filter((path) => NAMED_FILES.includes(path));
    expect(named.length).toBeGreaterThan(3);
    for (const path of named) expect(otherNames(text(path)), path).toEqual([]);
    const others = files.filter((path) => ![...NAMED_FILES, "package.json"].includes(path) && !HISTORY.test(path));
    for (const path of others.filter((one) => existsSync(join(ROOT, one))))
      expect(text(path).includes(PUBLISHER), path).toBe(false);
  });

  test("is replaced by a fork's, and can be again", () => {
    const fork = `Other/${PUBLISHER.split("/")[1]}-too`;
    for (const path of NAMED_FILES.filter((one) => existsSync(join(ROOT, one)))) {
      const forked = withPublisher(text(path), fork);
      expect(otherNames(forked, fork), path).toEqual([]);
      expect(withPublisher(forked)).toBe(text(path));
    }
    expect(withPublisher("image: ghcr.io/a/app:1", "Acme/Fork")).toBe("image: ghcr.io/acme/app:1");
    expect(withPublisher("- uses: actions/checkout@0123 # v5", "Acme/Fork")).toBe("- uses: actions/checkout@0123 # v5");
    expect(withPublisher("docker push ghcr.io/your-org/agent:1", "Acme/Fork")).toContain("your-org");
  });
});

describe("a release", () => {
  const changelog = "# Changes\n\n## Unreleased\n\n## 1.2.3\n\n- New.\n\n## 1.2.2 (2026-01-01)\n\n- Old.\n";
  const facts = { version: "1.2.3", repository: "github:acme/fork", changelog };
  const asked = { version: "1.2.3", publisher: "acme/fork", published: false };

  test("of what package.json and CHANGELOG.md name has no problem, and has that section as its notes", () => {
    expect(problemsOf(facts, asked)).toEqual([]);
    expect(notesIn(changelog, "1.2.3")).toBe("- New.\n");
    expect(notesIn(changelog, "1.2.2")).toBe("- Old.\n");
    expect(notesIn(changelog, "1.2")).toBeNull();
  });

  test.each([
    ["of another version", facts, { ...asked, version: "1.2.2" }, "package.json names the version 1.2.3 and not 1.2.2"],
    ["of no version", { ...facts, version: "v1" }, { ...asked, version: "v1" }, "“v1” is not a version such as 1.2.3"],
    ["of a fork that kept the name", facts, { ...asked, publisher: "b/c" }, '"repository": "github:b/c"'],
    ["without notes", { ...facts, changelog: "## Unreleased\n" }, asked, "no section “## 1.2.3”"],
    ["for a second time", facts, { ...asked, published: true }, "v1.2.3 is published already"],
  ])("%s is refused in a sentence", (_, found, wanted, says) => {
    expect(problemsOf(found, wanted).join("\n")).toContain(says);
  });
});
