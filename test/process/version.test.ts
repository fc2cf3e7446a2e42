/** Every place shows the version of package.json. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import * as z from "zod";
import { builtProgram } from "../build.ts";
import { appKey } from "../contract/app-key.ts";

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8"));
const API_KEY = "the-admin-key-of-this-test";
const DEADLINE = { timeout: 60_000, interval: 50 };

async function run(program: string, args: readonly string[], env: Readonly<Record<string, string>>) {
  const dir = await mkdtemp(join(tmpdir(), "version-"));
  const [command = "", ...first] = builtProgram(program);
  const child = spawn(command, [...first, ...args], { cwd: dir, env: { PATH: process.env.PATH ?? "", ...env } });
  const ended = once(child, "exit");
  let out = "";
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
  });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
    await rm(dir, { recursive: true, force: true });
  });
  return { out: () => out, ended };
}

/** A GitHub and a receiver of webhooks at once: what calls, by the path that it called. */
async function listener() {
  const agents = new Map<string, string>();
  const server = createServer((request, response) => {
    agents.set(request.url ?? "", request.headers["user-agent"] ?? "");
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ id: 1, slug: "journeyman" }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  return { agents, host: `127.0.0.1:${typeof address === "object" ? address?.port : 0}` };
}

it("is printed by --version", async () => {
  const program = await run("src/main/cli.ts", ["--version"], {});
  expect(await program.ended).toEqual([0, null]);
  expect(program.out()).toBe(`${version}\n`);
});

it("is the same in the log, for probes, metrics and the description, and to GitHub and receivers of webhooks", async () => {
  const { agents, host } = await listener();
  const program = await run("src/main.ts", [], {
    ...{ APP_ID: "1", PRIVATE_KEY: appKey, WEBHOOK_SECRET: "a secret of this test", API_KEY },
    ...{ HOST: "127.0.0.1", PORT: "0", GHE_HOST: host, GHE_PROTOCOL: "http", WEBHOOK_ALLOW_PRIVATE: "true" },
  });
  const ready = () =>
    program
      .out()
      .split("\n")
      .find((line) => line.includes("Journeyman is ready"));
  await expect.poll(ready, DEADLINE).toBeDefined();
  const line = z.object({ version: z.string(), url: z.string() }).parse(JSON.parse(ready() ?? ""));
  expect(line.version).toBe(version);
  const ask = (path: string, body?: object) =>
    fetch(`${line.url}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { "x-api-key": API_KEY, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  expect(await (await ask("/health")).json()).toEqual({ status: "ok", version });
  expect(await (await ask("/api/openapi.json")).json()).toMatchObject({ info: { version } });
  expect(await (await ask("/metrics")).text()).toContain(
    `journeyman_info{version="${version}",node="${process.version}"} 1`,
  );
  await expect.poll(() => agents.get("/api/v3/app"), DEADLINE).toContain(`journeyman/${version} `);
  const made = await (await ask("/api/webhooks", { url: `http://${host}/hook` })).json();
  await ask(`/api/webhooks/${z.object({ id: z.string() }).parse(made).id}/test`, {});
  await expect.poll(() => agents.get("/hook"), DEADLINE).toBe(`Journeyman-Webhooks/${version}`);
});
