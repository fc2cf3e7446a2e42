/** Tasks of everyday work on code: mend, add, rename, test, merge. */
import { all, bash, changingOnly, type EvalTask, ending, finish, MODULE, replace, testOf, write } from "./task.ts";

const PRICE = `/** Sum of the prices, in cents. */
export function total(prices) {
  let sum = 0;
  for (let at = 1; at < prices.length; at += 1) sum += prices[at];
  return sum;
}
`;

const SETTINGS = Array.from({ length: 20_000 }, (_, at) => `setting_${at} = ${at % 97}`).join("\n");

const CONFLICT = `export function greet(name) {
<<<<<<< HEAD
  return \`Hello, \${name.trim()}!\`;
=======
  return \`Hello, \${name || "stranger"}!\`;
>>>>>>> main
}
`;

const CLAMP = "export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));\n";

export const CODE_TASKS: readonly EvalTask[] = [
  {
    name: "fix a bug",
    files: { "package.json": MODULE, "price.js": PRICE },
    task: "`total` in price.js gives a sum that is too small. Fix it.",
    hidden: {
      "hidden.test.js": testOf("price.js", "total", "assert.equal(total([1, 2, 3]), 6);\nassert.equal(total([]), 0);"),
    },
    judge: ending("done"),
    scripted: [bash("cat price.js"), replace("price.js", "let at = 1", "let at = 0"), finish()],
  },
  {
    name: "add a function",
    files: { "package.json": MODULE, "text.js": 'export const shout = (text) => text.toUpperCase() + "!";\n' },
    task:
      "Add a function `slug(text)` to text.js and export it: lower case, every run of characters other than a-z and 0-9 " +
      "becomes one dash, and there is no dash at either end.",
    hidden: {
      "hidden.test.js": testOf(
        "text.js",
        "shout, slug",
        'assert.equal(slug("  Hello, World 2! "), "hello-world-2");\nassert.equal(slug("--"), "");\nassert.equal(shout("a"), "A!");',
      ),
    },
    judge: ending("done"),
    scripted: [
      bash(
        `cat >> text.js <<'END'\nexport const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");\nEND`,
      ),
      finish(),
    ],
  },
  {
    name: "rename across files",
    files: {
      "package.json": MODULE,
      "src/fetch.js": 'export const getIt = (id) => "item " + id;\n',
      "src/a.js": 'import { getIt } from "./fetch.js";\nexport const a = () => getIt(1);\n',
      "src/b.js": 'import { getIt as other } from "./fetch.js";\nexport const b = () => other(2);\n',
      "docs/use.md": "Call `getIt(id)`.\n",
    },
    task: "Rename the function `getIt` to `loadItem` everywhere, documentation included. Behaviour stays as it is.",
    hidden: {
      "hidden.test.js":
        'import assert from "node:assert/strict";\nimport { test } from "node:test";\nimport { a } from "./src/a.js";\nimport { b } from "./src/b.js";\nimport { loadItem } from "./src/fetch.js";\ntest("hidden", () => assert.deepEqual([a(), b(), loadItem(3)], ["item 1", "item 2", "item 3"]));\n',
    },
    judge: all(ending("done"), ({ checkout }) =>
      ["src/fetch.js", "src/a.js", "src/b.js", "docs/use.md"].some((path) => /\bgetIt\b/.test(checkout.file(path)))
        ? "the old name is still there"
        : null,
    ),
    scripted: [bash("grep -rl getIt src docs | xargs sed -i 's/getIt/loadItem/g'"), finish()],
  },
  {
    name: "write a test that can fail",
    files: { "package.json": MODULE, "clamp.js": CLAMP },
    task: "Write a test of `clamp` in clamp.test.js with node:test: inside of the range, below it, above it.",
    judge: all(ending("done"), changingOnly("clamp.test.js")),
    hidden: {
      "hidden.test.js": `import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
const passes = (source) => {
  writeFileSync("clamp.js", source);
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  try { execFileSync(process.execPath, ["--test", "--test-isolation=none", "clamp.test.js"], { stdio: "ignore", env }); return true; } catch { return false; }
};
test("passes on the function and fails on broken ones", () => {
  assert.equal(passes(${JSON.stringify(CLAMP)}), true);
  assert.equal(passes("export const clamp = (value, low, high) => Math.min(high, value);"), false);
  assert.equal(passes("export const clamp = (value, low, high) => Math.max(low, value);"), false);
});
`,
    },
    scripted: [
      write(
        "clamp.test.js",
        'import assert from "node:assert/strict";\nimport { test } from "node:test";\nimport { clamp } from "./clamp.js";\ntest("clamp", () => assert.deepEqual([clamp(2, 1, 3), clamp(0, 1, 3), clamp(9, 1, 3)], [2, 1, 3]));\n',
      ),
      bash("node --test clamp.test.js"),
      finish(),
    ],
  },
  {
    name: "change one line of a large file",
    files: { "settings.ini": `${SETTINGS}\n` },
    task: "Set `setting_13337` in settings.ini to 42. Nothing else may change.",
    judge: all(ending("done"), changingOnly("settings.ini"), ({ checkout }) =>
      checkout.file("settings.ini") === `${SETTINGS.replace(/^setting_13337 = .*$/m, "setting_13337 = 42")}\n`
        ? null
        : "the file is not what it should be",
    ),
    scripted: [
      bash("cat settings.ini"),
      bash("sed -i 's/^setting_13337 = .*/setting_13337 = 42/' settings.ini"),
      finish(),
    ],
  },
  {
    name: "resolve a merge conflict",
    files: { "package.json": MODULE, "greet.js": CONFLICT },
    task: "Somebody committed greet.js with conflict markers. Resolve it so that both sides' intentions hold.",
    hidden: {
      "hidden.test.js": testOf(
        "greet.js",
        "greet",
        'assert.equal(greet(" Ada "), "Hello, Ada!");\nassert.equal(greet(""), "Hello, stranger!");\nassert.equal(greet(undefined), "Hello, stranger!");',
      ),
    },
    judge: ending("done"),
    scripted: [
      write("greet.js", 'export function greet(name) {\n  return "Hello, " + (name?.trim() || "stranger") + "!";\n}\n'),
      finish(),
    ],
  },
  {
    name: "repair red CI on a retry",
    files: { "package.json": MODULE, "date.js": "export const year = (date) => date.getYear();\n" },
    later: {
      "date.js":
        "export const year = (date) => date.getYear() + 1900;\nexport const month = (date) => date.getMonth();\n",
    },
    task: "Make `year` in date.js return the full year, and add `month`, from 1 to 12. Both in UTC.",
    brief: {
      attempt: 2,
      failure: "The check “test” failed.",
      failed_checks: [
        {
          name: "test",
          log: "not ok 2 - month\n  expected: 12\n  actual: 11\n  at date.test.js:7\n##[error]Process completed with exit code 1.",
        },
      ],
    },
    hidden: {
      "hidden.test.js": testOf(
        "date.js",
        "month, year",
        'const date = new Date("2026-12-31T23:30:00-05:00");\nassert.equal(year(date), 2027);\nassert.equal(month(date), 1);',
      ),
    },
    judge: ending("done"),
    scripted: [
      write(
        "date.js",
        "export const year = (date) => date.getUTCFullYear();\nexport const month = (date) => date.getUTCMonth() + 1;\n",
      ),
      finish(),
    ],
  },
];
