/** Every template with a number before a counted noun uses `counted`, which gives the right plural. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { counted } from "../../src/text/plural.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const THINGS =
  "bytes|calls|cents|characters|checks|days|files|folders|globs|hours|jobs|keys|lines|messages|minutes|paths|requests|" +
  "rounds|runs|seconds|steps|submodules|times|tokens|tries|turns|writes";
/** What is rounded with a part after the point is plural also at 1.0, and names in capitals are limits above one. */
const BARE = new RegExp(`\\$\\{(?![A-Z][A-Z_]*(?:\\.\\w+)?\\})(?![^}]*toFixed)([^{}]+)\\} (?:${THINGS})\\b`, "g");
/** Numbers that are never one, each for its reason. */
const NEVER_ONE: Readonly<Record<string, string>> = {
  least: "the length of a secret",
  days: "periods that the sign-in page proposes",
  "Math.round(seconds / HOUR)": "from two on",
  "Math.round(seconds / MINUTE)": "from two on",
  "checks.length": "a single one has words of its own",
  to: "the longest answer of a model",
  maxTokens: "the same",
  lowered: "1,024 at least",
  "about.size": "of a file that is too large",
  'OFFERED_DAYS.join(", ")': "a list",
  "count(input)": "no question has a single token",
};

const sources = ["agent", "src"].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.startsWith("sandbox"))
    .map((path) => join(folder, path)),
);

describe("counted things", () => {
  it("are one thing or several", () => {
    expect([0, 1, 2].map((n) => counted(n, "check"))).toEqual(["0 checks", "1 check", "2 checks"]);
    expect([1, 3].map((n) => counted(n, "try", "tries"))).toEqual(["1 try", "3 tries"]);
  });

  it("take their number from one helper in every text", () => {
    expect(sources.length).toBeGreaterThan(200);
    const bare = sources.flatMap((path) => {
      const text = readFileSync(join(ROOT, path), "utf8");
      return [...text.matchAll(BARE)]
        .filter(([, what = ""]) => !(what in NEVER_ONE))
        .map(([found]) => `${path}: ${found}`);
    });
    expect(bare).toEqual([]);
    const either = sources.filter((path) => /[a-z]\(s\)|=== 1 \? "\w/.test(readFileSync(join(ROOT, path), "utf8")));
    expect(either).toEqual([]);
  });
});
