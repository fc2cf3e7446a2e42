/** What README and CONTRIBUTING promise is run, or compared with the code that keeps it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { DEFAULT_MODEL } from "../../src/contracts/models.ts";
import { DEFAULT_REPOSITORY_SETTINGS, repositorySettingsSchema } from "../../src/contracts/settings.ts";
import { STATUSES } from "../../src/domain/job/job.ts";
import { DEFAULT_QUOTAS } from "../../src/domain/job/quotas.ts";
import { HELP } from "../../src/engine/comment-replies.ts";
import { readSlashCommand, TASK_LIMIT, VERBS } from "../../src/github/events/slash-command.ts";
import { RUN_JOB_WORKFLOW } from "../../src/github/render/run-job-workflow.ts";
import { parseSettings } from "../../src/github/repository-settings/settings-file.ts";
import { DEFAULT_HOST, DEFAULT_PORT } from "../../src/main/environment.ts";
import { readSettings } from "../../src/main/settings.ts";
import { appKey } from "../contract/app-key.ts";
import { API_KEY, startHarness, until } from "../flows/harness.ts";
import { DEMO } from "../sandbox/environment.ts";
import { codeOf, curlRequest, fencesOf, pathOf, shellWords, tableOf, textOf } from "./read-markdown.ts";

const README = textOf("README.md");
const CONTRIBUTING = textOf("CONTRIBUTING.md");
const FENCES = fencesOf(README);
/** Repository of the examples; the sandbox's own stands in for it. */
const EXAMPLE = "octocat/hello-world";
const inSandbox = (text: string): string =>
  text.replaceAll(EXAMPLE, DEMO).replaceAll(encodeURIComponent(EXAMPLE), encodeURIComponent(DEMO));

const packageFile = z
  .object({ version: z.string(), scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(textOf("package.json")));

const fence = (info: string): string => {
  const found = FENCES.filter((one) => one.info === info);
  if (found.length !== 1) throw new Error(`${found.length} fences are marked as ${info}`);
  return found[0]?.text ?? "";
};

/** Runs `npm run [--silent] NAME -- …` as package.json says, in an empty folder and without a developer's settings. */
async function runScript(line: string): Promise<{ code: unknown; out: string; err: string }> {
  const [npm, run, ...rest] = shellWords(line, {}).filter((word) => word !== "--silent");
  const [name = "", dashes, ...args] = rest;
  expect([npm, run, dashes]).toEqual(["npm", "run", "--"]);
  const [node, entry = "", ...own] = (packageFile.scripts[name] ?? "").split(" ");
  expect(node).toBe("node");
  const cwd = await mkdtemp(join(tmpdir(), "readme-"));
  try {
    const child = spawn(process.execPath, [pathOf(entry), ...own, ...args], {
      cwd,
      env: { PATH: process.env.PATH ?? "" },
    });
    let [out, err] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      err += chunk.toString();
    });
    const [code] = await once(child, "close");
    return { code, out, err };
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = z.object({ port: z.number() }).parse(server.address());
  server.close();
  await once(server, "close");
  return port;
}

const lines = (text: string): string[] => text.split("\n").filter((line) => line.trim() !== "");

describe("the commands of the README", () => {
  const commands = FENCES.filter(({ info }) => info === "sh run").flatMap(({ text }) => lines(text));

  test("try it: the sandbox merges the task, and prints what is shown", async () => {
    const line = commands.find((one) => one.startsWith("npm run sandbox"));
    const { code, out, err } = await runScript(line ?? "");
    expect(`${out}${err}`).toContain("merged by");
    expect(code).toBe(0);
    const general = (text: string): string =>
      text
        .replace(/^ *\d+\.\ds /, "")
        .replace(/(job\/|Run job |Job )[a-z0-9]{8}\b/g, "$1ID")
        .replace(/\b[0-9a-f]{7}\b/g, "SHA")
        .replace(/\d+/g, "N")
        .trim();
    const printed = lines(out).map(general);
    let from = 0;
    for (const shown of lines(fence("text output")).map(general)) {
      const at = printed.indexOf(shown, from);
      expect(at, `“${shown}” after line ${from} of:\n${printed.join("\n")}`).toBeGreaterThanOrEqual(0);
      from = at + 1;
    }
  });

  test("the keys command prints the key alone", async () => {
    const { code, out } = await runScript(commands.find((one) => one.includes("keys")) ?? "");
    expect(out).toMatch(/^jm_[\w-]{43}\n$/);
    expect(code).toBe(0);
  });

  test("are these, and every script that is named exists", () => {
    expect(commands.map((one) => one.split(" -- ")[0])).toEqual(["npm ci", "npm run sandbox", "npm run --silent keys"]);
    const named = [...`${README}${CONTRIBUTING}`.matchAll(/npm run (?:--silent )?([a-z:]+)/g)].map((one) => one[1]);
    expect(named.filter((name) => name === undefined || !(name in packageFile.scripts))).toEqual([]);
  });

  test("name images that the Dockerfile builds", () => {
    const targets = [...textOf("Dockerfile").matchAll(/^FROM \S+ AS (\w+)$/gm)].map((one) => one[1]);
    const named = [...README.matchAll(/docker build --target (\w+)/g)].map((one) => one[1]);
    expect(named).toEqual(["agent", "app"]);
    expect(targets).toEqual(expect.arrayContaining(named));
  });
});

/** Keys of objects, however deep, and the kind of every value: what an example and a real answer must share. */
const shapeOf = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.length === 0 || typeof value[0] === "string" ? "list" : [shapeOf(value[0])];
  if (typeof value !== "object" || value === null) return "value";
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, one]) => [name, shapeOf(one)] as const)
      .sort(([a], [b]) => a.localeCompare(b)),
  );
};

describe("the REST API", () => {
  test("answers every curl of the README as the README says", async () => {
    const harness = await startHarness();
    const variables: Record<string, string> = { JOURNEYMAN: harness.app.url, API_KEY };
    const text = z.string();
    const keep = z.object({ key: text, id: text, job_id: text, secret: text, prLink: z.null() }).partial();
    const statusesOf = (table: string) => tableOf(README, table).flatMap(([status = ""]) => codeOf(status));
    const [statuses, agentStatuses] = [statusesOf("`status`"), statusesOf("agent v2 `status`")];
    const shown = FENCES.filter(({ info }) => info === "sh curl" || info.startsWith("json answer"));
    const seen: string[] = [];
    for (const [index, { info, text }] of shown.entries()) {
      if (info !== "sh curl") continue;
      const request = curlRequest(inSandbox(text), variables);
      const { method, headers, body } = request;
      const answer = await fetch(request.url, { method, headers, ...(body === null ? {} : { body }) });
      const promised = shown[index + 1] ?? { info: "none", text: "" };
      expect(`json answer ${answer.status}`, text).toBe(promised.info);
      seen.push(`${method} ${new URL(request.url).pathname}`);
      if (promised.text.trim() === "") continue;
      const read: unknown = await answer.json();
      expect(shapeOf(read), text).toEqual(shapeOf(JSON.parse(promised.text)));
      const kept = keep.catch({}).parse(read);
      const worker = z.object({ account: z.literal("hubot") }).safeParse(read).success;
      if (worker) variables.WORKER_KEY = kept.key ?? "";
      else if (kept.key !== undefined) Object.assign(variables, { KEY: kept.key, ID: kept.id });
      const ordered = z.object({ id: z.string(), price_cents: z.number(), status: z.enum(STATUSES) }).safeParse(read);
      if (ordered.success) variables.ORDER = ordered.data.id;
      if (kept.job_id !== undefined) variables.JOB = kept.job_id;
      if (kept.secret !== undefined) variables.HOOK = kept.id ?? "";
      if (kept.prLink !== undefined && kept.id !== undefined) variables.AGENT_JOB = kept.id;
      const status = z.object({ status: z.string() }).safeParse(read);
      const possible = kept.prLink === undefined ? statuses : agentStatuses;
      if (status.success && !ordered.success) expect(possible).toContain(status.data.status);
    }
    const general = (one: string): string =>
      one
        .replace(/\/keys\/[0-9a-f]{12}\b/, "/keys/:id")
        .replace(encodeURIComponent(DEMO), ":project")
        .replace(/\/job(s?)\/[a-z0-9]{8}\b/, "/job$1/:id")
        .replace(/\bwh_[\w-]+/, ":id");
    expect(seen.map(general)).toEqual([
      "POST /api/keys",
      "POST /api/create-job",
      "GET /api/jobs/status",
      "POST /v2/agent/:project/job",
      "GET /v2/agent/:project/job/:id",
      "POST /v2/agent/:project/job/:id/message",
      "GET /v2/agent/:project/jobs",
      "POST /v2/agent/:project/job/:id/cancel",
      "POST /api/webhooks",
      "POST /api/webhooks/:id/test",
      "POST /api/wallet/credit",
      "POST /api/jobs/run",
      "POST /api/jobs/run",
      "POST /api/keys",
      "POST /api/jobs/pull",
      "POST /api/jobs/:id/accept",
      "POST /api/jobs/:id/submit",
      "GET /api/wallet/balance",
      "POST /api/keys/:id/rotate",
      "GET /api/keys",
      "GET /api/audit",
      "DELETE /api/keys/:id",
    ]);
    await harness.sandbox.idle();
  });

  test("is told to a receiver as the README writes it", async () => {
    const harness = await startHarness({ actions: false });
    const port = await freePort();
    const made = await harness.request("/api/webhooks", { method: "POST", body: { url: `http://127.0.0.1:${port}/` } });
    const { id, secret } = z.object({ id: z.string(), secret: z.string() }).parse(await made.json());
    const receiver = spawn(process.execPath, ["--input-type=module", "--eval", fence("js receiver")], {
      cwd: pathOf(""),
      env: { PORT: String(port), JOURNEYMAN_SECRET: secret },
    });
    try {
      let out = "";
      receiver.stdout.on("data", (chunk: Buffer) => {
        out += chunk.toString();
      });
      const forged = () => fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: "{}" }).catch(() => null);
      await until("the receiver to refuse what we have not signed", async () => (await forged())?.status === 400);
      await harness.request(`/api/webhooks/${id}/test`, { method: "POST", body: {} });
      await until("the test event", () => out.startsWith("webhook.test"));
      const created = await harness.request(`/v2/agent/${encodeURIComponent(DEMO)}/job`, {
        method: "POST",
        body: { prompt: "create HELLO.md that says hello" },
      });
      const { id: job } = z.object({ id: z.string() }).parse(await created.json());
      await until("the job's event", () => out.includes(`job.created ${job} queued`));
    } finally {
      receiver.kill();
    }
  });

  test("has these errors and no others", () => {
    const promised = tableOf(README, "HTTP").map(([status, code = ""]) => `${status} ${codeOf(code)[0]}`);
    const folder = pathOf("src/http/");
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
    const sources = names.map((name) => textOf(`src/http/${name}`));
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

  test("answers with them", async () => {
    const harness = await startHarness({ actions: false });
    const json = { "x-api-key": API_KEY, "content-type": "application/json" };
    const ask = async (method: string, path: string, headers: Record<string, string>, body?: string) => {
      const answer = await fetch(`${harness.app.url}${path}`, { method, headers, ...(body ? { body } : {}) });
      const { code } = z.object({ error: z.string(), code: z.string() }).parse(await answer.json());
      return `${answer.status} ${code}`;
    };
    const create = (body: string, headers: Record<string, string> = json) =>
      ask("POST", "/api/create-job", headers, body);
    const minted = await harness.request("/api/keys", {
      method: "POST",
      body: { account: "ada", repository: DEMO, scopes: ["read"] },
    });
    const { key } = z.object({ key: z.string() }).parse(await minted.json());
    const promised = tableOf(README, "HTTP").map(([status, code = ""]) => `${status} ${codeOf(code)[0]}`);
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
    const rows = tableOf(README, "metric").map(
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
  const rows = tableOf(README, "comment");

  test("every command of the table is understood, and none is missing", () => {
    const verbs = rows.map(([cell = ""]) => {
      const comment = (codeOf(cell)[0] ?? "").replace(/<[^>]+>/, "mend the greeting");
      return readSlashCommand(comment)?.verb;
    });
    expect(verbs).not.toContain("mistaken");
    expect(new Set(verbs)).toEqual(new Set(["run", ...VERBS]));
    for (const verb of VERBS) expect(HELP, verb).toContain(`\`/job ${verb}\``);
    expect(README).toContain(`at most ${TASK_LIMIT} characters`);
  });

  test("so is every flag, and the parser's own list has no other", () => {
    const flags = tableOf(README, "flag").flatMap(([flag = ""]) => codeOf(flag));
    const given = (unwanted: RegExp): string => flags.filter((flag) => !unwanted.test(flag)).join(" ");
    const run = { verb: "run", task: "mend the greeting", no_merge: true, draft: true };
    const here = readSlashCommand(`/job ${given(/market|price/)} mend the greeting`);
    expect(here).toEqual({ ...run, model: "NAME", market: null });
    const market = readSlashCommand(`/job ${given(/model/).replace("DOLLARS", "5.00")} mend the greeting`);
    expect(market).toEqual({ ...run, model: null, market: { price_cents: 500 } });
    const refused = readSlashCommand("/job --zzzz mend the greeting");
    const known = refused?.verb === "mistaken" ? /The flags are ([^;]+);/.exec(refused.sentence)?.[1] : undefined;
    expect(codeOf(known ?? "")).toEqual(flags);
  });
});

describe("the App that one registers", () => {
  const manifest = z
    .object({ default_permissions: z.record(z.string(), z.string()), default_events: z.array(z.string()) })
    .parse(parse(textOf("app.yml")));

  test("has the permissions and events of the README", () => {
    const permissions = tableOf(README, "permission").map(([name = "", access]) => [codeOf(name)[0], access]);
    expect(Object.fromEntries(permissions)).toEqual(manifest.default_permissions);
    expect(tableOf(README, "event").map(([name = ""]) => codeOf(name)[0])).toEqual(manifest.default_events);
  });

  test("asks for the events that are heard, and for no others", () => {
    const heard = [...textOf("src/github/events/translate.ts").matchAll(/^ {2}\["([a-z_]+)(?:\.[a-z_]+)?", /gm)]
      .map(([, event = ""]) => event)
      // GitHub sends these to every App
      .filter((event) => !event.startsWith("installation"));
    expect([...new Set(heard)].sort()).toEqual([...manifest.default_events].sort());
  });
});

describe("preparing a repository", () => {
  test("the settings files of the README are read as they stand, the long one with every key", () => {
    const short = parseSettings(FENCES.find(({ info }) => info === "yaml settings")?.text ?? "nothing");
    const long = parseSettings(fence("yaml settings all"));
    const enabled = { ...DEFAULT_REPOSITORY_SETTINGS.auto_merge, enabled: true };
    expect(short).toEqual({ ok: true, settings: { ...DEFAULT_REPOSITORY_SETTINGS, auto_merge: enabled } });
    const llm = { provider: "anthropic", model: "claude-sonnet-5-5", max_tokens: 32_000 };
    expect(long).toEqual({ ok: true, settings: { ...DEFAULT_REPOSITORY_SETTINGS, auto_merge: enabled, llm } });
  });

  test("the table has every key with its default", () => {
    const rows = tableOf(README, "key").map(([key = "", value = ""]) => [codeOf(key)[0], codeOf(value)[0] ?? value]);
    const keys = Object.entries(repositorySettingsSchema.shape).flatMap(([group, part]) =>
      "shape" in part.unwrap()
        ? Object.keys((part.unwrap() as { shape: object }).shape).map((key) => `${group}.${key}`)
        : [group],
    );
    expect(rows.map(([key]) => key)).toEqual(keys);
    const told = (value: unknown) => (typeof value === "string" ? value || '""' : JSON.stringify(value));
    const defaults = Object.entries(DEFAULT_REPOSITORY_SETTINGS).flatMap(([group, part]) =>
      typeof part === "object" && !Array.isArray(part)
        ? Object.entries(part).map(([key, value]) => [`${group}.${key}`, told(value)])
        : [[group, told(part)]],
    );
    const unset = ["the server's", "all hosts"];
    expect(rows.filter(([, value = ""]) => !unset.includes(value))).toEqual(defaults);
  });

  test("the action has the inputs of the README", () => {
    const action = z
      .object({ inputs: z.record(z.string(), z.object({ default: z.string() })) })
      .parse(parse(textOf("action.yml")));
    const promised = tableOf(README, "input").map(([name = "", value = ""]) => [codeOf(name)[0], codeOf(value)[0]]);
    expect(promised).toEqual(Object.entries(action.inputs).map(([name, input]) => [name, input.default]));
  });

  test("secrets are those of run-job.yml, which has at most 25 lines, and inputs those of its action", () => {
    const workflow = textOf(".github/workflows/run-job.yml");
    const used = [...workflow.matchAll(/\b(?:secrets|vars)\.([A-Z_]+)/g)].map(([, name = ""]) => name);
    const named = tableOf(README, "name").flatMap(([name = ""]) => codeOf(name));
    expect([...new Set(used)].sort()).toEqual([...named].sort());
    expect(workflow.trim().split("\n").length).toBeLessThanOrEqual(25);
    const action = z
      .object({ inputs: z.record(z.string(), z.object({ default: z.string().optional() })) })
      .parse(parse(textOf(".github/actions/run-job/action.yml")));
    const rows = tableOf(README, "run-job's input");
    const promised = rows.map(([name = "", value = ""]) => [codeOf(name)[0], codeOf(value)[0]]);
    expect(promised).toEqual(Object.entries(action.inputs).map(([name, input]) => [name, input.default]));
  });

  test("the job's comment shows the workflow file as it is", () => {
    expect(RUN_JOB_WORKFLOW).toBe(textOf(".github/workflows/run-job.yml"));
  });
});

/** Defaults that have a name. */
const NAMED: Readonly<Record<string, string>> = {
  ...{ DEFAULT_MODEL, DEFAULT_HOST, DEFAULT_PORT: String(DEFAULT_PORT) },
  ...Object.fromEntries(Object.entries(DEFAULT_QUOTAS).map(([name, most]) => [`DEFAULT_QUOTAS.${name}`, String(most)])),
  "DEFAULT_QUOTAS.kept_bytes / MB": String(DEFAULT_QUOTAS.kept_bytes / (1024 * 1024)),
};

describe("settings of the server", () => {
  const rows = tableOf(README, "variable").map(([name = "", value = ""]) => [codeOf(name)[0], codeOf(value)[0]]);

  test("all are in the table with their defaults, and none is invented", () => {
    const source = textOf("src/main/settings.ts");
    const schema = /^const schema = z\.object\(\{\n([\s\S]*?)^\}\);/m.exec(source)?.[1] ?? "";
    const read = [...schema.matchAll(/^ {2}([A-Z_]+): (.*?),$/gms)].map(([, name, rule = ""]) => {
      const value = /\.default\("?([^")]*)"?\)/.exec(rule)?.[1];
      return [name, value === undefined ? value : (NAMED[value] ?? value)];
    });
    expect(read.length).toBeGreaterThan(20);
    const key = [
      ["PRIVATE_KEY", undefined],
      ["PRIVATE_KEY_PATH", undefined],
    ];
    const byName = (a: readonly unknown[], b: readonly unknown[]) => String(a[0]).localeCompare(String(b[0]));
    expect([...rows].sort(byName)).toEqual([...read, ...key].sort(byName));
  });

  test("those that are refused are named, and are refused", () => {
    const refused = codeOf(README.split("\n").find((line) => line.includes("are refused with a sentence")) ?? "");
    const reading = readSettings(Object.fromEntries(refused.map((name) => [name, "x"])), "/");
    expect(reading.kind === "mistakes" ? reading.mistakes.map((one) => one.split(":")[0]) : []).toEqual(refused);
    expect(refused.length).toBeGreaterThan(0);
  });

  test("the file of the example starts a server", () => {
    const file = parseEnv(fence("ini settings"));
    const reading = readSettings({ ...file, PRIVATE_KEY: Buffer.from(appKey).toString("base64") }, "/");
    expect(reading).toMatchObject({ kind: "settings", notes: [], settings: { app_id: 123456 } });
  });
});

describe("the rest of what is promised", () => {
  test("the life of a job names every status", () => {
    const promised = tableOf(README, "status").flatMap(([status = ""]) => codeOf(status));
    expect([...promised, "pending_payment", "held"].sort()).toEqual([...STATUSES].sort());
  });

  test("every reason of the verdict is one that the verdict gives", () => {
    const verdict = ["job/verdict", "market/agreement", "job/never-merging"]
      .map((name) => textOf(`src/domain/${name}.ts`))
      .join("");
    const reasons = tableOf(README, "reason").flatMap(([reason = ""]) => codeOf(reason));
    expect(reasons.length).toBeGreaterThan(10);
    const pieces = reasons.flatMap((reason) => reason.split(/\d+|…/).map((piece) => piece.trim()));
    expect(pieces.filter((piece) => !verdict.includes(piece))).toEqual([]);
  });

  test("the changelog speaks of this version", () => {
    expect(textOf("CHANGELOG.md")).toMatch(new RegExp(`^## ${packageFile.version.replaceAll(".", "\\.")}\\b`, "m"));
  });

  test("links and paths lead somewhere", () => {
    const links = ["README.md", "CONTRIBUTING.md", "docs/design.md"].flatMap((page) =>
      [...textOf(page).matchAll(/\]\(([^)#]+)\)/g)]
        .map(([, link = ""]) => link)
        .filter((link) => !link.startsWith("http"))
        .map((link) => join(page, "..", link)),
    );
    const paths = codeOf(CONTRIBUTING)
      .map((code) => code.replace(/^npx vitest run /, ""))
      .filter((code) => /^(?:src|test|agent|\.github|\.ci)\/[\w./-]+$/.test(code));
    expect([links.length > 4, paths.length > 10]).toEqual([true, true]);
    expect([...links, ...paths].filter((path) => !existsSync(pathOf(path)))).toEqual([]);
  });

  test("the design's table of the job speaks of commands and statuses that exist", () => {
    const rows = tableOf(textOf("docs/design.md"), "command");
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
