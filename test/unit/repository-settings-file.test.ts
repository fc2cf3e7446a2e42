import { expect, it } from "vitest";
import { DEFAULT_REPOSITORY_SETTINGS } from "../../src/contracts/settings.ts";
import { parseSettings, parseSettingsBlob } from "../../src/github/repository-settings/settings-file.ts";

const problem = (text: string): string => {
  const answer = parseSettings(text);
  return answer.ok ? "none" : answer.problem;
};

it("reads a full file, and an empty one as the defaults", () => {
  const answer = parseSettings("auto_merge:\n  enabled: true\n  method: rebase\nlimits: {minutes: 5}\n");
  expect(answer).toMatchObject({
    ok: true,
    settings: { auto_merge: { enabled: true, method: "rebase" }, limits: { minutes: 5 } },
  });
  for (const empty of ["", "# nothing\n", "---\n"])
    expect(parseSettings(empty)).toEqual({
      ...{ ok: true, settings: DEFAULT_REPOSITORY_SETTINGS, schedules: [], triggers: [] },
    });
});

it("names the key and the line of what it does not understand", () => {
  expect([
    problem("auto_merge:\n  enabled: true\n  alowed_paths: [docs/**]\n"),
    problem("automerge: true\n"),
    problem("limits:\n  minutes: soon\n"),
    problem("auto_merge:\n  method: fast\n"),
    problem("auto_merge:\n  allowed_paths:\n    - docs/**\n    - 3\n"),
    problem("- a\n- b\n"),
    problem("auto_merge: [\n"),
    problem("a: 1\na: 2\n"),
    problem("a: *nowhere\n"),
  ]).toMatchInlineSnapshot(`
    [
      "\`.github/journeyman.yml\` has a key that does not exist: \`auto_merge.alowed_paths\` (line 3). Did you mean \`allowed_paths\`?",
      "\`.github/journeyman.yml\` has a key that does not exist: \`automerge\` (line 1). Did you mean \`auto_merge\`?",
      "\`.github/journeyman.yml\` has a wrong value at \`limits.minutes\` (line 2): Invalid input: expected number, received string.",
      "\`.github/journeyman.yml\` has a wrong value at \`auto_merge.method\` (line 2): Invalid option: expected one of "merge"|"squash"|"rebase".",
      "\`.github/journeyman.yml\` has a wrong value at \`auto_merge.allowed_paths[1]\` (line 4): Invalid input: expected string, received number.",
      "\`.github/journeyman.yml\` must be a map of settings.",
      "\`.github/journeyman.yml\` is not valid YAML: fix line 2.",
      "\`.github/journeyman.yml\` is not valid YAML: fix line 2.",
      "\`.github/journeyman.yml\` uses too many or unknown aliases. Write the values out.",
    ]
  `);
});

it("takes only those forbidden paths that git and the verdict read alike", () => {
  const good = ["src/**/*.ts", "*.lock", "infra", "a b/[cd]?.txt", ".env*", "{a,b}"];
  expect(parseSettings(`forbidden_paths: ${JSON.stringify(good)}`)).toMatchObject({
    settings: { forbidden_paths: good },
  });
  for (const bad of ["/etc", ":(top)x", "!x", "{a}", "a\nb", "\\x", "+(a)", ""])
    expect(problem(`forbidden_paths: [${JSON.stringify(bad)}]`)).toContain("`forbidden_paths[0]`");
});

it("takes names of hosts for the way out, and tells a list without any from no list at all", () => {
  const good = ["registry.npmjs.org", "*.pythonhosted.org", "xn--bcher-kva.example", "a.b-c.d1.co"];
  expect(parseSettings(`egress: ${JSON.stringify(good)}`)).toMatchObject({ settings: { egress: good } });
  expect(parseSettings("egress: [PyPI.org]")).toMatchObject({ settings: { egress: ["pypi.org"] } });
  expect(parseSettings("egress: []")).toMatchObject({ settings: { egress: [] } });
  expect(DEFAULT_REPOSITORY_SETTINGS.egress).toBeUndefined();
  const sites = ["https://pypi.org", "pypi.org:443", "pypi.org/simple", "pypi.org.", "u@pypi.org", "bücher.example"];
  const addresses = ["127.0.0.1", "10.1", "a.0x7f", "[::1]", "::1", "2130706433"];
  const wide = ["*", "*.org", "a.*.org", "pypi.*", "**.pypi.org", "localhost", "", "a b.org", "a..org", "-a.org"];
  for (const bad of [...sites, ...addresses, ...wide, "x".repeat(250).concat(".org")])
    expect(problem(`egress: [${JSON.stringify(bad)}]`), bad).toContain("wrong value at `egress[0]` (line 1)");
  expect(problem("egress: [https://pypi.org]")).toContain("is a host name such as registry.npmjs.org");
  expect(problem("egress:\n")).toContain("wrong value at `egress` (line 1)");
  expect(problem(`egress: ${JSON.stringify(Array.from({ length: 101 }, (_, at) => `h${at}.example.org`))}`)).toContain(
    "`egress`",
  );
});

it("refuses what is too large, binary or made to grow", () => {
  expect(problem(`# ${"x".repeat(70_000)}\n`)).toContain("larger than 64 KB");
  expect(parseSettingsBlob({ text: null, isTruncated: false })).toMatchObject({ ok: false });
  expect(parseSettingsBlob({ text: "a", isTruncated: true })).toMatchObject({ ok: false });
  expect(parseSettingsBlob(null)).toBeNull();
  const bomb = [
    "a: &a [x, x, x, x, x]",
    ..."bcdefgh".split("").map((key, n) => `${key}: &${key} [${`*${"abcdefg"[n]},`.repeat(5)}]`),
  ];
  expect(problem(bomb.join("\n"))).toMatch(/^`\.github\/journeyman\.yml` /);
});

it("names every mistake at once, each with its line", () => {
  const text = [
    "automerge: true",
    "hurry: true",
    "auto_merge:",
    "  method: fast",
    "limits: {minutes: soon, turns: 0}",
    "forbidden_paths: [/etc, ok, '{a']",
  ].join("\n");
  expect(problem(text).split(" It ")).toEqual([
    '`.github/journeyman.yml` has a wrong value at `auto_merge.method` (line 4): Invalid option: expected one of "merge"|"squash"|"rebase".',
    "has a wrong value at `limits.minutes` (line 5): Invalid input: expected number, received string.",
    "has a wrong value at `limits.turns` (line 5): Too small: expected number to be >=1.",
    expect.stringContaining("has a wrong value at `forbidden_paths[0]` (line 6): may use *"),
    "has a wrong value at `forbidden_paths[2]` (line 6): has a { that is not closed.",
    "has a key that does not exist: `automerge` (line 1). Did you mean `auto_merge`?",
    "has a key that does not exist: `hurry` (line 2). Remove it or correct its name.",
  ]);
  expect(problem(Array.from({ length: 14 }, (_, at) => `k${at}: 1`).join("\n"))).toContain("`k9` (line 10)");
  expect(problem(Array.from({ length: 14 }, (_, at) => `k${at}: 1`).join("\n"))).toMatch(/ And 4 more\.$/);
  expect(problem("a`b\u0007: 1")).toContain("``a`b``");
});

it.each([
  [
    "lists in lists on a line, which stopped the server for ever",
    "- ".repeat(30_000),
    "nests lists and maps too deeply: fix line 1",
  ],
  [
    "lists in lists on lines",
    Array.from({ length: 300 }, (_, at) => `${" ".repeat(at)}-`).join("\n"),
    "nests lists and maps too deeply",
  ],
  [
    "maps in maps on lines",
    Array.from({ length: 300 }, (_, at) => `${" ".repeat(at)}a:`).join("\n"),
    "nests lists and maps too deeply",
  ],
  ["lists in brackets", `egress: ${"[".repeat(60_000)}`, "nests lists and maps too deeply: fix line 1"],
  ["maps in brackets", "{a: ".repeat(16_000), "nests lists and maps too deeply: fix line 1"],
  ["brackets that a comment seems to close", "[ # ]\n".repeat(10_000), "nests lists and maps too deeply: fix line 17"],
  [
    "brackets that do not belong together",
    `a: ${"[}".repeat(100)}`,
    "has a closing bracket that nothing opened: fix line 1",
  ],
  [
    "keys behind question marks",
    "? ".repeat(400),
    "has a key after a question mark, which is not supported: fix line 1",
  ],
  ["keys and keys of a line", "a: ".repeat(20_000), "nests lists and maps too deeply: fix line 1"],
  [
    "anchors",
    Array.from({ length: 100 }, (_, at) => `k${at}: &a${at} 1`).join("\n"),
    "has too many anchors and aliases: fix line 21",
  ],
  ["more lines than a page has", "- a\n".repeat(15_000), "is too long"],
])("does not hand to the parser %s", (_, text, why) => {
  expect(problem(text)).toContain(`\`.github/journeyman.yml\` ${why}`);
});

it("takes instructions that are indented, full of brackets, dashes and questions", () => {
  const said = `${" ".repeat(90)}? a: b - [[[[[[[[[[[[[[[[[[[[[[[[[[[ - - - - - - - - - - - - - - - - - - - -`;
  expect(parseSettings(`instructions: |\n  first\n  ${said}\n`)).toMatchObject({
    settings: { instructions: `first\n${said}\n` },
  });
});
