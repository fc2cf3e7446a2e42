/**
 * The house rules that a reader of one file cannot see: who may import whom, who reads the environment, how long a
 * file may be and what it may be called. To give a room another arrow, change the table below, and say why.
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The engine's interfaces: what it needs of the rooms around it, and what it offers them. */
const INTERFACES = [
  ...["src/engine/ports.ts", "src/engine/market-ports.ts", "src/engine/outgoing.ts", "src/engine/people.ts"],
  "src/engine/verification-ports.ts",
  "src/engine/run-ports.ts",
  "src/engine/door.ts",
];
const OUTER = ["src/wire", "src/job", ...INTERFACES];

/** What each room may import beside itself: rooms, or single files of them. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  "src/wire": ["package.json"],
  "src/job": ["src/wire"],
  "src/engine": ["src/wire", "src/job"],
  "src/store": OUTER,
  "src/github/inbound": ["src/wire", "src/job"],
  "src/github/outbound": OUTER,
  "src/http": OUTER,
  "src/notify": OUTER,
  "src/logs": OUTER,
  "src/schedule": OUTER,
  "src/llm": OUTER,
  "src/payments": OUTER,
  // Actions mode is a composition of its own: it wires what compose.ts wires, for one event and without a server.
  "src/actions": [
    ...["src/app.ts", "src/log.ts", "src/environment.ts", "src/settings.ts", "src/llm-settings.ts", "src/engine"],
    ...["src/store", "src/github/inbound", "src/github/outbound", ...OUTER],
  ],
  // What the provider says of its models is one list, for the product and for the endpoint that stands for the provider.
  "src/sandbox": ["src/wire/models.ts", "src/wire/html.ts"],
  agent: ["src/wire"],
};

/** Files that belong to no room: the process and what wires it. Only `compose.ts` sees every room of the App. */
const ENTRIES: Readonly<Record<string, readonly string[]>> = {
  "src/main.ts": ["src/serve.ts"],
  "src/cli.ts": [
    ...["src/serve.ts", "src/keys-command.ts", "src/environment.ts", "src/settings.ts", "src/sandbox", "src/wire"],
  ],
  "src/action.ts": ["src/actions", "src/environment.ts"],
  "src/serve.ts": [
    ...["src/compose.ts", "src/setup.ts", "src/environment.ts", "src/settings.ts", "src/log.ts", "src/http/gate.ts"],
    "src/wire",
  ],
  // of a thread of its own: what it does is done on the main one as well
  "src/body-thread.ts": ["src/github/inbound/hear.ts", "src/http"],
  "src/environment.ts": [],
  "src/llm-settings.ts": ["src/wire"],
  "src/sandbox-absent.ts": [],
  "src/setup.ts": ["src/settings.ts", "src/log.ts", "src/wire"],
  "src/keys-command.ts": ["src/compose.ts", "src/settings.ts", "src/http", "src/store", ...OUTER],
  "src/app.ts": ["src/http", ...OUTER],
  "src/compose.ts": [
    "src/app.ts",
    "src/identity.ts",
    "src/log.ts",
    "src/seal.ts",
    "src/settings.ts",
    "src/webhook-proxy.ts",
    ...Object.keys(ROOMS).filter((room) => !["src/sandbox", "src/actions", "agent"].includes(room)),
  ],
  "src/settings.ts": [
    ...["src/environment.ts", "src/llm-settings.ts", "src/private-key.ts", "src/unknown-settings.ts"],
    ...["src/wire", "src/job"],
  ],
  "src/unknown-settings.ts": ["src/environment.ts", "src/wire"],
  "src/private-key.ts": ["src/wire"],
  "src/seal.ts": OUTER,
  "src/identity.ts": ["src/settings.ts", ...OUTER],
  "src/webhook-proxy.ts": ["src/settings.ts", ...OUTER],
  "src/log.ts": ["src/settings.ts", "src/wire"],
};

/** Packages that a pure room may use, none of which does any I/O; a room that is not named here may use any. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  "src/wire": ["zod", "node:util", "ipaddr.js", "fastest-levenshtein"],
  // zod for the view, whose shape the API describes
  "src/job": ["zod"],
  "src/github/inbound": ["zod"],
};

/** Whose process it is, reads its environment; nobody else. */
const ENVIRONMENT_READERS = [
  "src/environment.ts",
  "agent/action/main.ts",
  "agent/action/post.ts",
  "agent/main.ts",
  "agent/egress.ts",
  "agent/gateway.ts",
  "agent/courier.ts",
  "agent/action/main.ts",
  "agent/action/post.ts",
  "src/sandbox/actions/docker-shim.ts",
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

const roomOf = (file: string): string | undefined => Object.keys(ROOMS).find((room) => isWithin(file, room));

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
  const reads = isWithin(file, "src/sandbox") ? code.replace(SEARCH_PATH, "") : code;
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

const FILES = ["src", "agent"].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name))),
);

describe("the house", () => {
  test("has files in it, found with their imports", () => {
    expect(FILES).toContain("src/job/decide.ts");
    expect(importsOf(readFileSync(join(ROOT, "src/job/signal.ts"), "utf8"))).toEqual([
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
    ["src/job/a.ts", "may import only: src/wire", 'import type { X } from "../engine/ports.ts";'],
    ["src/job/a.ts", "may use no package but: zod", 'import { createHash } from "node:crypto";'],
    ["src/store/a.ts", "imports src/engine/runner.ts", 'import { Runner } from "../engine/runner.ts";'],
    ["src/http/a.ts", "imports src/store/lowdb/b.ts", 'export { x } from "../store/lowdb/b.ts";'],
    ["src/github/inbound/a.ts", "imports src/github/outbound/b.ts", 'import { x } from "../outbound/b.ts";'],
    ["src/github/inbound/a.ts", "imports octokit", 'import { Octokit } from "octokit";'],
    ["src/sandbox/a.ts", "may import only: src/wire/models.ts", 'import {\n  x,\n  y,\n} from "../wire/brief.ts";'],
    ["src/sandbox/a.ts", "imports src/compose.ts", 'await import("../compose.ts");'],
    ["agent/a.ts", "may import only: src/wire", 'import "../src/job/job.ts";'],
    ["src/main.ts", "imports src/store/lowdb/b.ts", 'import { x } from "./store/lowdb/b.ts";'],
    ["src/actions/a.ts", "imports src/http/b.ts", 'import { x } from "../http/b.ts";'],
    ["src/compose.ts", "imports src/sandbox/b.ts", 'import { x } from "./sandbox/b.ts";'],
    ["src/loose.ts", "belongs to no room", ""],
    ["src/github/loose.ts", "belongs to no room", ""],
    ["src/http/a.ts", "reads the environment", "const port = process.env.PORT;"],
    ["src/http/b.ts", "reads the environment", 'const port = process["env"];'],
    ["src/http/c.ts", "reads the environment", "const { env } = process;"],
    ["src/http/d.ts", "reads the environment", 'import { env } from "node:process";'],
    ["src/sandbox/a.ts", "reads the environment", "const home = process.env.HOME;"],
    ["src/http/a.ts", "has 401 lines; 400 are the most", LONG],
    ["src/http/string-utils.ts", "a name that says nothing", ""],
    ["src/store/manager.ts", "a name that says nothing", ""],
  ])("%s: %s", (file, mistake, text) => {
    expect(mistakesOf(file, text)).toEqual([expect.stringContaining(mistake)]);
  });

  test.each([
    ["src/store/a.ts", "the engine's interfaces", 'import type { Effect } from "../engine/ports.ts";'],
    ["src/store/b.ts", "its own room", 'import { b } from "./lowdb/b.ts";'],
    ["src/http/a.ts", "a package", 'import express from "express";'],
    ["agent/tools/a.ts", "an arrow of the table", 'import { redact } from "../../src/wire/redact.ts";'],
    ["src/sandbox/a.ts", "the search path", "spawn(command, { env: { PATH: process.env.PATH } });"],
    ["src/http/b.ts", "comments", "// process.env is read elsewhere\n/* process.env */\nprocess.exitCode = 1;"],
    ["src/http/commonmark.ts", "a file as long as it may be", LONG.slice(1)],
  ])("but not in %s to %s", (file, _, text) => {
    expect(mistakesOf(file, text)).toEqual([]);
  });
});
