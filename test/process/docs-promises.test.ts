/** Compares what the pages promise with the code, except for the generated tables. */
import { readdirSync } from "node:fs";
import { parseEnv } from "node:util";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { PERMANENT_ERRORS } from "../../src/contracts/result.ts";
import { DEFAULT_REPOSITORY_SETTINGS } from "../../src/contracts/settings.ts";
import { STATUSES } from "../../src/domain/job/job.ts";
import { HELP } from "../../src/engine/comment-replies.ts";
import { readSlashCommand, TASK_LIMIT } from "../../src/github/events/slash-command.ts";
import { VERBS } from "../../src/github/events/verbs.ts";
import { RUN_JOB_WORKFLOW } from "../../src/github/render/run-job-workflow.ts";
import { parseSettings } from "../../src/github/repository-settings/settings-file.ts";
import { readSettings } from "../../src/main/settings.ts";
import { appKey } from "../contract/app-key.ts";
import { API_KEY, startHarness } from "../flows/harness.ts";
import { DEMO } from "../sandbox/environment.ts";
import { codeOf, fenceOf, fencesOf, pathOf, tableOf, textOf } from "./read-markdown.ts";

const README = textOf("README.md");
const INSTALL = textOf("docs/install.md");
const GITHUB = textOf("docs/github.md");
const API = textOf("docs/api.md");
const OPERATIONS = textOf("docs/operations.md");
const CONTRIBUTING = textOf("CONTRIBUTING.md");

const packageFile = z
  .object({ version: z.string(), scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(textOf("package.json")));

describe("the commands", () => {
  test("that are named exist as scripts", () => {
    const pages = readdirSync(pathOf("docs")).filter((name) => name.endsWith(".md"));
    const all = [README, CONTRIBUTING, ...pages.map((page) => textOf(`docs/${page}`))].join("\n");
    const named = [...all.matchAll(/npm run (?:--silent )?([a-z:]+)/g)].map((one) => one[1]);
    expect(named.filter((name) => name === undefined || !(name in packageFile.scripts))).toEqual([]);
  });

  test("name images that the Dockerfile builds", () => {
    const targets = [...textOf("Dockerfile").matchAll(/^FROM \S+ AS (\w+)$/gm)].map((one) => one[1]);
    const named = [...INSTALL.matchAll(/docker build --target (\w+)/g)].map((one) => one[1]);
    expect([...new Set(named)].sort()).toEqual(["agent", "app"]);
    expect(targets).toEqual(expect.arrayContaining(named));
  });
});

describe("the errors of the API", () => {
  test("are these and no others", () => {
    const promised = tableOf(API, "HTTP").map(([status, code = ""]) => `${status} ${codeOf(code)[0]}`);
    const folder = pathOf("src/http/");
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
    // findings have codes of their own
    const sources = names.filter((name) => name !== "repositories/health.ts").map((name) => textOf(`src/http/${name}`));
    const made = sources.flatMap((text) => [
      ...[...text.matchAll(/failure\(\s*(\d{3}),\s*"(\w+)"/g)].map(([, status, code]) => `${status} ${code}`),
      // what the core refuses, where a table of refusals says how
      ...[...text.matchAll(/\b(?!status\b)(\w+): (4\d\d|50[23])\b(?=,| \})/g)].map(
        ([, code, status]) => `${status} ${code}`,
      ),
      // bodies that are written past `failure`, where there is no Express yet or no answer left to choose
      ...[...text.matchAll(/code: "(?!custom")(\w+)"/g)].map(
        ([, code]) => promised.find((row) => row.endsWith(` ${code}`)) ?? code,
      ),
    ]);
    expect([...new Set(made)].sort()).toEqual([...promised].sort());
  });

  test("are what it answers", async () => {
    const harness = await startHarness({ actions: false });
    const json = { "x-api-key": API_KEY, "content-type": "application/json" };
    const ask = async (method: string, path: string, headers: Record<string, string>, body?: string) => {
      const answer = await fetch(`${harness.app.url}${path}`, { method, headers, ...(body ? { body } : {}) });
      const { code } = z.object({ error: z.string(), code: z.string() }).parse(await answer.json());
      return `${answer.status} ${code}`;
    };
    const create = (body: string, headers: Record<string, string> = json) =>
      ask("POST", "/api/create-job", headers, body);
    const newKey = await harness.request("/api/keys", {
      method: "POST",
      body: { account: "ada", repository: DEMO, scopes: ["read"] },
    });
    const { key } = z.object({ key: z.string() }).parse(await newKey.json());
    const promised = tableOf(API, "HTTP").map(([status, code = ""]) => `${status} ${codeOf(code)[0]}`);
    const got = [
      await create("{}"),
      await create("{"),
      await create("[1]"),
      await create('{"job": 1}'),
      await create(`{"job": "${"x".repeat(1_100_000)}"}`),
      await create('{"job": "x", "repository": "nobody/nothing"}'),
      await create('{"job": "x"}', { ...json, "x-api-key": "wrong" }),
      await create('{"job": "x"}', { ...json, "x-api-key": key }),
      await create('{"job": "x"}', { ...json, "content-encoding": "zip" }),
      await ask("GET", "/api/jobs/status", json),
      await ask("GET", "/api/jobs/status?job_id=zzzzzzzz", json),
    ];
    expect(got).toEqual([
      "400 missing_job",
      "400 invalid_json",
      "400 invalid_body",
      "400 invalid_field",
      "413 body_too_large",
      "422 not_installed",
      "401 unauthorized",
      "403 missing_scope",
      "415 unsupported_encoding",
      "400 missing_job_id",
      "404 not_found",
    ]);
    expect(promised).toEqual(expect.arrayContaining(got));
  });
});

describe("watching", () => {
  test("the metrics are these, with these labels", async () => {
    const harness = await startHarness({ actions: false });
    expect(
      (await harness.request("/api/keys", { method: "POST", body: { account: "ada", repository: "*" } })).status,
    ).toBe(201);
    const printed = await (await harness.request("/metrics")).text();
    const names = [...printed.matchAll(/^# TYPE (journeyman_\w+) /gm)].map(([, name]) => name);
    const rows = tableOf(OPERATIONS, "metric").map(
      ([name = "", labels = ""]) => [codeOf(name)[0], codeOf(labels)] as const,
    );
    expect(rows.map(([name]) => name).sort()).toEqual(names.sort());
    for (const [name, labels] of rows) {
      const line = new RegExp(`^${name}(?:_count)?\\{(.*)\\} `, "m").exec(printed)?.[1];
      const found = [...(line ?? "").matchAll(/(\w+)="/g)].map(([, label]) => label);
      if (line !== undefined) expect(found, name).toEqual(labels);
    }
  });
});

describe("commenting", () => {
  const rows = tableOf(GITHUB, "comment");

  test("every command of the table is understood, and none is missing", () => {
    const verbs = rows.map(([cell = ""]) => {
      const comment = (codeOf(cell)[0] ?? "").replace(/<[^>]+>/, "mend the greeting");
      return readSlashCommand(comment)?.verb;
    });
    expect(verbs).not.toContain("mistaken");
    expect(new Set(verbs)).toEqual(new Set(["run", ...VERBS]));
    for (const verb of VERBS) expect(HELP, verb).toContain(`\`/job ${verb}\``);
    expect(GITHUB).toContain(`at most ${TASK_LIMIT} characters`);
  });

  test("so is every flag, and the parser's own list has no other", () => {
    const flags = tableOf(GITHUB, "flag").flatMap(([flag = ""]) => codeOf(flag));
    const given = (unwanted: RegExp): string => flags.filter((flag) => !unwanted.test(flag)).join(" ");
    const run = { verb: "run", task: "mend the greeting", no_merge: true, draft: true, again: true, over_budget: true };
    const here = readSlashCommand(`/job ${given(/market|price/)} mend the greeting`);
    expect(here).toEqual({ ...run, model: "NAME", market: null });
    const market = readSlashCommand(`/job ${given(/model/).replace("DOLLARS", "5.00")} mend the greeting`);
    expect(market).toEqual({ ...run, model: null, market: { price_cents: 500 } });
    const refused = readSlashCommand("/job --zzzz mend the greeting");
    const known = refused?.verb === "mistaken" ? /The flags are ([^.;]+)[.;]/.exec(refused.sentence)?.[1] : undefined;
    expect(codeOf(known ?? "")).toEqual(flags);
  });
});

describe("the App that one registers", () => {
  const manifest = z.object({ default_events: z.array(z.string()) }).parse(parse(textOf("app.yml")));

  test("asks for the events that are handled, and for no others", () => {
    const handled = [...textOf("src/github/events/translate.ts").matchAll(/^ {2}\["([a-z_]+)(?:\.[a-z_]+)?", /gm)]
      .map(([, event = ""]) => event)
      // GitHub sends these to every App
      .filter((event) => !event.startsWith("installation"));
    expect([...new Set(handled)].sort()).toEqual([...manifest.default_events].sort());
  });
});

describe("preparing a repository", () => {
  const settingsOn = (page: string) =>
    fencesOf(page).flatMap(({ info, text }) => (info === "yaml settings" ? [parseSettings(text)] : []));

  const READ = { ok: true, schedules: [], triggers: [] };

  test("the settings files of the pages are read as they stand, the long one with every key", () => {
    const long = parseSettings(fenceOf(GITHUB, "yaml settings all"));
    const enabled = { ...DEFAULT_REPOSITORY_SETTINGS.auto_merge, enabled: true };
    const short = { ...READ, settings: { ...DEFAULT_REPOSITORY_SETTINGS, auto_merge: enabled } };
    expect(settingsOn(INSTALL)).toEqual([short]);
    const egress = ["registry.npmjs.org", "pypi.org", "files.pythonhosted.org"];
    const setup = ["apt-get update", "apt-get install --yes --no-install-recommends libpq-dev postgresql"];
    const container = { image: "debian:12", setup, setup_minutes: 15 };
    const node = {
      ...{ image: "node:24", setup_paths: ["package.json", "package-lock.json"], setup_minutes: 15 },
      setup: ["cp /workspace/package*.json / && npm ci --ignore-scripts"],
    };
    const python = {
      ...{ image: "python:3.13", setup_paths: ["requirements.txt"], setup_minutes: 15 },
      setup: ["pip install -r /workspace/requirements.txt"],
    };
    const cache = { paths: ["~/.npm"], fill: ["npm ci --ignore-scripts"] };
    const places = { running: 5, running_per_requester: 2, open_pull_requests: 10 };
    const limits = { ...DEFAULT_REPOSITORY_SETTINGS.limits, ...places };
    expect(settingsOn(GITHUB)).toEqual(
      [{ limits }, { egress }, { container }, { container: node }, { container: python }, { cache }].map((part) => ({
        ...READ,
        settings: { ...DEFAULT_REPOSITORY_SETTINGS, ...part },
      })),
    );
    const llm = { provider: "anthropic", model: "claude-sonnet-5-5", max_tokens: 32_000 };
    expect(long).toEqual({ ...READ, settings: { ...DEFAULT_REPOSITORY_SETTINGS, auto_merge: enabled, llm } });
  });

  test("the secrets that are named are those of run-job.yml, which has at most 25 lines and stands on the page as it is", () => {
    const workflow = textOf(".github/workflows/run-job.yml");
    const used = [...workflow.matchAll(/\b(?:secrets|vars)\.([A-Z_]+)/g)].map(([, name = ""]) => name);
    const named = tableOf(INSTALL, "name").flatMap(([name = ""]) => codeOf(name));
    expect([...new Set(used)].sort()).toEqual([...named].sort());
    expect(workflow.trim().split("\n").length).toBeLessThanOrEqual(25);
    expect(fenceOf(INSTALL, "yaml workflow")).toBe(workflow);
  });

  test("the job's comment shows the workflow file as it is", () => {
    expect(RUN_JOB_WORKFLOW).toBe(textOf(".github/workflows/run-job.yml"));
  });
});

describe("settings of the server", () => {
  test("those that are refused are named, and are refused", () => {
    const refused = codeOf(OPERATIONS.split("\n").find((line) => line.includes("are refused with a sentence")) ?? "");
    const reading = readSettings(Object.fromEntries(refused.map((name) => [name, "x"])), "/");
    expect(reading.kind === "mistakes" ? reading.mistakes.map((one) => one.split(":")[0]) : []).toEqual(refused);
    expect(refused.length).toBeGreaterThan(0);
  });

  test("the file of the example starts a server", () => {
    const file = parseEnv(fenceOf(INSTALL, "ini settings"));
    const reading = readSettings({ ...file, PRIVATE_KEY: Buffer.from(appKey).toString("base64") }, "/");
    expect(reading).toMatchObject({ kind: "settings", notes: [], settings: { app_id: 123456 } });
  });
});

describe("why an attempt fails", () => {
  test("names every error of a model's provider that ends a job at once", () => {
    for (const code of PERMANENT_ERRORS) expect(OPERATIONS).toContain(`\`${code}\``);
  });
});

test("what troubleshooting quotes is said somewhere", () => {
  const sources = ["src", "agent"].flatMap((folder) =>
    readdirSync(pathOf(folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => textOf(`${folder}/${name}`)),
  );
  // sentences that are put together of several strings read as one
  const said = sources.join("\n").replace(/["`]\s*\+\s*["`]/g, "");
  const quotes = [...textOf("docs/troubleshooting.md").matchAll(/"([^"\n]+)"/g)].map(([, quote = ""]) => quote);
  const pieces = quotes.flatMap((quote) => quote.split("…").map((piece) => piece.replaceAll("`", "").trim()));
  expect(pieces.filter((piece) => !said.replaceAll("\\`", "").replaceAll("`", "").includes(piece))).toEqual([]);
});

describe("the rest of what is promised", () => {
  test("the life of a job names every status", () => {
    const promised = tableOf(GITHUB, "status").flatMap(([status = ""]) => codeOf(status));
    expect([...promised, "pending_payment", "held"].sort()).toEqual([...STATUSES].sort());
  });

  test("every reason of the verdict is one that the verdict gives", () => {
    const verdict = [
      "job/merge-verdict",
      "job/catching-up",
      "job/merge-queue",
      "job/signatures",
      "job/required-checks",
      "market/agreement",
      "job/never-merging",
    ]
      .map((name) => textOf(`src/domain/${name}.ts`))
      .join("");
    const reasons = tableOf(GITHUB, "reason").flatMap(([reason = ""]) => codeOf(reason));
    expect(reasons.length).toBeGreaterThan(10);
    const pieces = reasons.flatMap((reason) => reason.split(/\d+|…/).map((piece) => piece.trim()));
    expect(pieces.filter((piece) => !verdict.includes(piece))).toEqual([]);
  });

  test("the changelog speaks of this version", () => {
    expect(textOf("CHANGELOG.md")).toMatch(new RegExp(`^## ${packageFile.version.replaceAll(".", "\\.")}\\b`, "m"));
  });

  test("the architecture's tables of a job speaks of commands and statuses that exist", () => {
    const rows = tableOf(textOf("docs/architecture.md"), "command");
    const commands = [...textOf("src/domain/job/command.ts").matchAll(/readonly type: "([a-z-]+)"/g)].map(
      (one) => one[1],
    );
    expect(rows.flatMap(([command = ""]) => codeOf(command)).filter((name) => !commands.includes(name))).toEqual([]);
    const statuses = rows.flatMap(([, from = "", to = ""]) => codeOf(`${from} ${to}`));
    expect(statuses.filter((name) => !STATUSES.some((status) => status === name))).toEqual([]);
    expect(statuses).toContain("submitted");
  });

  test("CONTRIBUTING has a paragraph for every room", () => {
    const split = new Set(["src/github"]);
    const foldersOf = (folder: string): string[] =>
      readdirSync(pathOf(folder), { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => `${folder}/${entry.name}`)
        .flatMap((path) => (split.has(path) ? foldersOf(path) : [path]));
    const rooms = [...CONTRIBUTING.matchAll(/^### (.+)$/gm)].flatMap(([, title = ""]) => codeOf(title));
    expect(rooms.sort()).toEqual([...foldersOf("src"), "agent", "test/sandbox"].sort());
  });
});
