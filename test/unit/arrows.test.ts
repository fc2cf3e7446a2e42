/**
 * The house rules that a reader of one file cannot see: who may import whom, who reads the environment, how long a
 * file may be and what it may be called. To give a room another arrow, change the table below, and say why.
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The ports of the engine: what it needs of the rooms around it, and what it offers them. */
const OUTER = ["src/text", "src/contracts", "src/domain", "src/engine/ports"];

/** What each room may import beside itself: rooms, or single files of them. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  "src/text": [],
  "src/contracts": ["package.json", "src/text"],
  "src/domain": ["src/text", "src/contracts"],
  "src/engine": ["src/text", "src/contracts", "src/domain"],
  "src/store": OUTER,
  "src/github/events": ["src/text", "src/contracts", "src/domain"],
  "src/github/render": OUTER,
  "src/github/client": OUTER,
  "src/github/repository-settings": [...OUTER, "src/github/render"],
  "src/github/effects": [...OUTER, "src/github/client", "src/github/render", "src/github/repository-settings"],
  "src/http": OUTER,
  "src/webhooks": OUTER,
  "src/job-log": OUTER,
  "src/llm": OUTER,
  "src/payments": OUTER,
  // Actions mode is a composition of its own: it wires what compose.ts wires, for one event and without a server.
  "src/actions-mode": [
    ...["src/app.ts", "src/main/log.ts", "src/main/environment.ts", "src/main/settings.ts", "src/main/llm-settings.ts"],
    ...["src/engine", "src/store", "src/github", ...OUTER],
  ],
  // What the provider says of its models is one list, for the product and for the endpoint that stands for the provider.
  "test/sandbox": ["src/contracts/models.ts", "src/text/html.ts"],
  agent: ["src/text", "src/contracts"],
};

/** Files that belong to no room: the process and what wires it. Only `compose.ts` sees every room of the App. */
const ENTRIES: Readonly<Record<string, readonly string[]>> = {
  "test/sandbox/cli.ts": [
    ...["test/sandbox", "src/contracts/version.ts", "src/main/environment.ts", "src/main/settings.ts"],
  ],
  "src/main.ts": ["src/main/serve.ts"],
  "src/app.ts": ["src/http", ...OUTER],
  "src/github/github-client.ts": ["src/github", ...OUTER],
  "src/main/cli.ts": [
    ...["src/main/serve.ts", "src/main/keys-command.ts", "src/main/environment.ts", "src/main/settings.ts"],
    "src/contracts",
  ],
  "src/main/serve.ts": [
    ...["src/main/compose.ts", "src/main/setup.ts", "src/main/environment.ts", "src/main/settings.ts"],
    ...["src/main/log.ts", "src/http/server/bootstrap.ts", "src/text", "src/contracts"],
  ],
  // of a thread of its own: what it does is done on the main one as well
  "src/main/body-thread.ts": ["src/github/events/translate.ts", "src/http"],
  "src/main/environment.ts": [],
  "src/main/llm-settings.ts": ["src/contracts"],
  "src/main/setup.ts": ["src/main/settings.ts", "src/main/log.ts", "src/text", "src/contracts"],
  "src/main/keys-command.ts": ["src/main/compose.ts", "src/main/settings.ts", "src/http", "src/store", ...OUTER],
  "src/main/compose.ts": [
    ...["src/app.ts", "src/main/log.ts", "src/main/seal.ts", "src/main/settings.ts", "src/engine", "src/store"],
    ...["src/github", "src/http", "src/webhooks", "src/job-log", "src/llm", "src/payments", ...OUTER],
  ],
  "src/main/settings.ts": [
    ...["src/main/environment.ts", "src/main/llm-settings.ts", "src/main/private-key.ts"],
    ...["src/main/unknown-settings.ts", "src/text", "src/contracts", "src/domain"],
  ],
  "src/main/unknown-settings.ts": ["src/main/environment.ts", "src/text", "src/contracts"],
  "src/main/private-key.ts": ["src/text", "src/contracts"],
  "src/main/seal.ts": OUTER,
  "src/main/log.ts": ["src/main/settings.ts", "src/text", "src/contracts"],
};

/** Packages that a pure room may use, none of which does any I/O; a room that is not named here may use any. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  "src/text": ["node:util", "fastest-levenshtein"],
  "src/contracts": ["zod", "ipaddr.js", "node:util"],
  // zod for the view, whose shape the API describes
  "src/domain": ["zod"],
  "src/github/events": ["zod"],
};

/** Whose process it is, reads its environment; nobody else. */
const ENVIRONMENT_READERS = [
  "src/main/environment.ts",
  "agent/action/main.ts",
  "agent/action/post.ts",
  "agent/main.ts",
  "agent/egress/main.ts",
  "agent/gateway/main.ts",
  "agent/uploader/main.ts",
  "agent/action/main.ts",
  "agent/action/post.ts",
  "test/sandbox/actions/docker-shim.ts",
];
const ENVIRONMENT =
  /\bprocess\s*\??\.\s*env\b|\bprocess\s*\[|\}\s*=\s*process\b(?!\s*\.)|\b(?:from|import|require)\s*\(?\s*["'](?:node:)?process["']/;
/** The sandbox starts git, bash and the agent, and must find them; it reads nothing else. */
const SEARCH_PATH = /\bprocess\.env(?:\.PATH\b|\[["']PATH["']\])/g;

const LINES_LIMIT = 400;
const EMPTY_NAMES = /(?:^|[-.])(?:utils?|helpers?|common|manager)(?=[-.]|$)/;

const IMPORTS = [
  /^\s*(?:import|export)\b[^"'`;]*?\bfrom\s*["']([^"']+)["']/gm,
  /^\s*import\s*["']([^"']+)["']/gm,
  /\bimport\s*\(\s*["'`]([^"'`]+)["'`]/g,
  /\brequire\s*\(\s*["'`]([^"'`]+)["'`]/g,
];

const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, " ").replace(/(^|[^:"'`\\])\/\/[^\n]*/g, "$1");

const isWithin = (file: string, place: string): boolean => file === place || file.startsWith(`${place}/`);

const roomOf = (file: string): string | undefined =>
  ENTRIES[file] === undefined ? Object.keys(ROOMS).find((room) => isWithin(file, room)) : undefined;

function importsOf(text: string): string[] {
  const code = withoutComments(text);
  return IMPORTS.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1] ?? ""));
}

function importMistakes(file: string, text: string): string[] {
  const room = roomOf(file);
  const allowed = room === undefined ? ENTRIES[file] : ROOMS[room];
  if (allowed === undefined) return [`${file} belongs to no room and is no entry (section 9 of DESIGN.md)`];
  const packages = room === undefined ? undefined : PACKAGES[room];
  return importsOf(text).flatMap((specifier) => {
    if (!specifier.startsWith(".")) {
      const ok = packages === undefined || packages.includes(specifier);
      return ok ? [] : [`${file} imports ${specifier}, but ${room} may use no package but: ${packages.join(", ")}`];
    }
    const target = join(dirname(file), specifier);
    if (room !== undefined && isWithin(target, room)) return [];
    if (allowed.some((place) => isWithin(target, place))) return [];
    return [
      `${file} imports ${target}, but ${room ?? file} may import only: ${allowed.join(", ") || "nothing of ours"}`,
    ];
  });
}

function otherMistakes(file: string, text: string): string[] {
  const mistakes: string[] = [];
  const code = withoutComments(text);
  const reads = isWithin(file, "test/sandbox") ? code.replace(SEARCH_PATH, "") : code;
  if (ENVIRONMENT.test(reads) && !ENVIRONMENT_READERS.includes(file)) {
    mistakes.push(`${file} reads the environment; only ${ENVIRONMENT_READERS.join(", ")} may`);
  }
  const lines = text.replace(/\n$/, "").split("\n").length;
  if (lines > LINES_LIMIT) mistakes.push(`${file} has ${lines} lines; ${LINES_LIMIT} are the most`);
  if (EMPTY_NAMES.test(basename(file, ".ts"))) mistakes.push(`${file} has a name that says nothing of what it owns`);
  return mistakes;
}

const mistakesOf = (file: string, text: string): string[] => [
  ...importMistakes(file, text),
  ...otherMistakes(file, text),
];

const FILES = ["src", "agent", "test/sandbox"].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name))),
);

describe("the house", () => {
  test("has files in it, found with their imports", () => {
    expect(FILES).toContain("src/domain/job/decide.ts");
    expect(importsOf(readFileSync(join(ROOT, "src/domain/job/github-event.ts"), "utf8"))).toEqual([
      "./command.ts",
      "./comment-id.ts",
      "./job.ts",
    ]);
  });

  test("every file keeps to the arrows of DESIGN.md section 9 and to the house rules", () => {
    expect(FILES.flatMap((file) => mistakesOf(file, readFileSync(join(ROOT, file), "utf8")))).toEqual([]);
  });
});

const LONG = "\n".repeat(LINES_LIMIT + 1);

describe("the rules are able to object", () => {
  test.each([
    ["src/domain/job/a.ts", "may import only: src/text", 'import type { X } from "../../engine/ports/store.ts";'],
    ["src/domain/job/a.ts", "may use no package but: zod", 'import { createHash } from "node:crypto";'],
    ["src/store/a.ts", "imports src/engine/runner.ts", 'import { Runner } from "../engine/runner.ts";'],
    ["src/http/a.ts", "imports src/store/lowdb/b.ts", 'export { x } from "../store/lowdb/b.ts";'],
    ["src/github/events/a.ts", "imports src/github/client/b.ts", 'import { x } from "../client/b.ts";'],
    ["src/github/events/a.ts", "imports octokit", 'import { Octokit } from "octokit";'],
    [
      "test/sandbox/a.ts",
      "may import only: src/contracts/models.ts",
      'import {\n  x,\n  y,\n} from "../../src/contracts/brief.ts";',
    ],
    ["test/sandbox/a.ts", "imports src/main/compose.ts", 'await import("../../src/main/compose.ts");'],
    ["agent/a.ts", "may import only: src/text, src/contracts", 'import "../src/domain/job/job.ts";'],
    ["src/main.ts", "imports src/store/lowdb/b.ts", 'import { x } from "./store/lowdb/b.ts";'],
    ["src/actions-mode/a.ts", "imports src/http/b.ts", 'import { x } from "../http/b.ts";'],
    ["src/main/compose.ts", "imports test/sandbox/b.ts", 'import { x } from "../../test/sandbox/b.ts";'],
    ["src/loose.ts", "belongs to no room", ""],
    ["src/github/loose.ts", "belongs to no room", ""],
    ["src/http/a.ts", "reads the environment", "const port = process.env.PORT;"],
    ["src/http/b.ts", "reads the environment", 'const port = process["env"];'],
    ["src/http/c.ts", "reads the environment", "const { env } = process;"],
    ["src/http/d.ts", "reads the environment", 'import { env } from "node:process";'],
    ["test/sandbox/a.ts", "reads the environment", "const home = process.env.HOME;"],
    ["src/http/a.ts", "has 401 lines; 400 are the most", LONG],
    ["src/http/string-utils.ts", "a name that says nothing", ""],
    ["src/store/manager.ts", "a name that says nothing", ""],
  ])("%s: %s", (file, mistake, text) => {
    expect(mistakesOf(file, text)).toEqual([expect.stringContaining(mistake)]);
  });

  test.each([
    ["src/store/a.ts", "the engine's interfaces", 'import type { Effect } from "../engine/ports/store.ts";'],
    ["src/store/b.ts", "its own room", 'import { b } from "./lowdb/b.ts";'],
    ["src/http/a.ts", "a package", 'import express from "express";'],
    ["agent/tools/a.ts", "an arrow of the table", 'import { redact } from "../../src/contracts/redact.ts";'],
    ["test/sandbox/a.ts", "the search path", "spawn(command, { env: { PATH: process.env.PATH } });"],
    ["src/http/b.ts", "comments", "// process.env is read elsewhere\n/* process.env */\nprocess.exitCode = 1;"],
    ["src/http/commonmark.ts", "a file as long as it may be", LONG.slice(1)],
  ])("but not in %s to %s", (file, _, text) => {
    expect(mistakesOf(file, text)).toEqual([]);
  });
});
