/** Runs every command, request and program on the pages; each must do what its page says. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { STATUSES } from "../../src/domain/job/job.ts";
import { shapeOf } from "../contract/description.ts";
import { API_KEY, type Harness, startHarness, until } from "../flows/harness.ts";
import { DEMO } from "../sandbox/environment.ts";
import { freePort } from "../sandbox/free-port.ts";
import { codeOf, curlRequest, fenceOf, fencesOf, pathOf, shellWords, tableOf, textOf } from "./read-markdown.ts";

const INSTALL = textOf("docs/install.md");
const API = textOf("docs/api.md");
const WITH_COMMANDS = ["README.md", "docs/install.md", "docs/api.md"];
/** Repository of the examples; the sandbox's own stands in for it. */
const EXAMPLE = "octocat/hello-world";
const inSandbox = (text: string): string =>
  text.replaceAll(EXAMPLE, DEMO).replaceAll(encodeURIComponent(EXAMPLE), encodeURIComponent(DEMO));

const packageFile = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(textOf("package.json")));

/** Runs `npm run [--silent] NAME -- …` as package.json says, in an empty folder and without a developer's settings. */
async function runScript(line: string): Promise<{ code: unknown; out: string; err: string }> {
  const [npm, run, ...rest] = shellWords(line, {}).filter((word) => word !== "--silent");
  const [name = "", dashes, ...args] = rest;
  expect([npm, run, dashes]).toEqual(["npm", "run", "--"]);
  const [node, entry = "", ...own] = (packageFile.scripts[name] ?? "").split(" ");
  expect(node).toBe("node");
  const cwd = await mkdtemp(join(tmpdir(), "docs-"));
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

const lines = (text: string): string[] => text.split("\n").filter((line) => line.trim() !== "");

/** What differs from run to run is the same word. */
const general = (text: string): string =>
  text
    .replace(/^ *\d+\.\ds /, "")
    .replace(/(job\/|Run job |Job )[a-z0-9]{8}\b/g, "$1ID")
    .replace(/\b[0-9a-f]{7}\b/g, "SHA")
    .replace(/\d+/g, "N")
    .trim();

describe("the commands", () => {
  const commands = WITH_COMMANDS.flatMap((page) =>
    fencesOf(textOf(page)).flatMap(({ info, text }) => (info === "sh run" ? lines(text) : [])),
  );

  test("try it: the sandbox merges the task, and prints what is shown", async () => {
    const [line = "", same] = commands.filter((one) => one.startsWith("npm run sandbox"));
    expect(same).toBe(line);
    const { code, out, err } = await runScript(line);
    expect(`${out}${err}`).toContain("merged by");
    expect(code).toBe(0);
    const printed = lines(out).map(general);
    let from = 0;
    for (const shown of lines(fenceOf(INSTALL, "text output")).map(general)) {
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

  test("are these and no others", () => {
    const tryIt = ["npm ci", "npm run sandbox"];
    const named = commands.map((one) => one.split(" -- ")[0]);
    expect(named).toEqual([...tryIt, ...tryIt, "npm run --silent keys"]);
  });
});

const text = z.string();
const keep = z.object({ key: text, id: text, job_id: text, secret: text, prLink: z.null() }).partial();
const order = z.object({ id: text, price_cents: z.number(), status: z.enum(STATUSES) });
const ofWorker = z.object({ account: z.literal("hubot") });

/** What later examples of a page call by a variable. */
function learn(variables: Record<string, string>, answer: unknown): void {
  const kept = keep.catch({}).parse(answer);
  if (ofWorker.safeParse(answer).success) variables.WORKER_KEY = kept.key ?? "";
  else if (kept.key !== undefined) Object.assign(variables, { KEY: kept.key, KEY_ID: kept.id });
  const ordered = order.safeParse(answer);
  if (ordered.success) variables.ORDER = ordered.data.id;
  if (kept.job_id !== undefined) variables.JOB = kept.job_id;
  if (kept.secret !== undefined) variables.HOOK = kept.id ?? "";
  if (kept.prLink !== undefined && kept.id !== undefined) variables.AGENT_JOB = kept.id;
}

/** A status that the page does not name is none that the page may show. */
function expectKnownStatus(answer: unknown): void {
  const status = z.object({ status: text }).safeParse(answer);
  if (!status.success || order.safeParse(answer).success) return;
  const table = keep.safeParse(answer).data?.prLink === undefined ? "`status`" : "agent v2 `status`";
  const possible = tableOf(API, table).flatMap(([name = ""]) => codeOf(name));
  expect(possible).toContain(status.data.status);
}

const generalPath = (one: string): string =>
  one
    .replace(/\/keys\/[0-9a-f]{12}\b/, "/keys/:id")
    .replace(encodeURIComponent(DEMO), ":project")
    .replace(/\/job(s?)\/[a-z0-9]{8}\b/, "/job$1/:id")
    .replace(/\bwh_[\w-]+/, ":id");

/** Sends every curl of the page in order; answers which calls these were. */
async function sendExamples(page: string, harness: Harness): Promise<string[]> {
  const newKey = await harness.request("/api/keys", {
    method: "POST",
    body: { account: "octocat", repository: DEMO, scopes: ["read", "write"] },
  });
  const { key: KEY } = z.object({ key: text }).parse(await newKey.json());
  const variables: Record<string, string> = { JOURNEYMAN: harness.app.url, API_KEY, KEY };
  const shown = fencesOf(textOf(page)).filter(({ info }) => info === "sh curl" || info.startsWith("json answer"));
  const seen: string[] = [];
  for (const [index, { info, text: command }] of shown.entries()) {
    if (info !== "sh curl") continue;
    const { method, url, headers, body } = curlRequest(inSandbox(command), variables);
    const answer = await fetch(url, { method, headers, ...(body === null ? {} : { body }) });
    const promised = shown[index + 1] ?? { info: "none", text: "" };
    expect(`json answer ${answer.status}`, command).toBe(promised.info);
    seen.push(generalPath(`${method} ${new URL(url).pathname}`));
    if (promised.text.trim() === "") continue;
    const read: unknown = await answer.json();
    expect(shapeOf(read), command).toEqual(shapeOf(JSON.parse(promised.text)));
    learn(variables, read);
    expectKnownStatus(read);
  }
  return seen;
}

const CALLS: Readonly<Record<string, readonly string[]>> = {
  "README.md": ["POST /api/create-job", "POST /api/webhooks"],
  "docs/api.md": [
    "POST /api/keys",
    "POST /api/create-job",
    "GET /api/jobs/status",
    "POST /v2/agent/:project/job",
    "GET /v2/agent/:project/job/:id",
    "POST /v2/agent/:project/job/:id/message",
    "GET /v2/agent/:project/jobs",
    "POST /v2/agent/:project/job/:id/cancel",
    "GET /api/repositories/octo/demo/health",
    "GET /api/audit",
    "POST /api/keys/:id/rotate",
    "GET /api/keys",
    "DELETE /api/keys/:id",
  ],
  "docs/webhooks.md": [
    ...["POST /api/webhooks", "POST /api/webhooks/:id/test"],
    ...["POST /api/webhooks", "POST /api/webhooks", "POST /api/webhooks"],
  ],
  "docs/market.md": [
    "POST /api/wallet/credit",
    "POST /api/jobs/run",
    "POST /api/jobs/run",
    "POST /api/keys",
    "POST /api/jobs/pull",
    "POST /api/jobs/:id/accept",
    "POST /api/jobs/:id/submit",
    "GET /api/wallet/balance",
  ],
};

describe("the REST API", () => {
  test("answers every curl of the pages as they say", async () => {
    const harness = await startHarness();
    for (const [page, calls] of Object.entries(CALLS)) expect(await sendExamples(page, harness)).toEqual(calls);
    await harness.sandbox.idle();
  });

  test("is told to a receiver as the page writes it", async () => {
    const harness = await startHarness({ actions: false });
    const port = await freePort();
    const made = await harness.request("/api/webhooks", { method: "POST", body: { url: `http://127.0.0.1:${port}/` } });
    const { id, secret } = z.object({ id: text, secret: text }).parse(await made.json());
    const program = fenceOf(textOf("docs/webhooks.md"), "js receiver");
    const receiver = spawn(process.execPath, ["--input-type=module", "--eval", program], {
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
      const { id: job } = z.object({ id: text }).parse(await created.json());
      await until("the job's event", () => out.includes(`job.created ${job} queued`));
    } finally {
      receiver.kill();
    }
  });
});
