/** The doctor: what it says of a repository, in a comment, over REST and at the command line, and of the server itself. */
import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { builtProgram } from "../build.ts";
import { dataFolder } from "../data-folder.ts";
import { DEMO } from "../sandbox/environment.ts";
import { API_KEY, type Harness, startHarness, until } from "./harness.ts";

const anotherKey = (): string =>
  generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs1", format: "pem" }).toString();

interface Health {
  readonly healthy: boolean;
  readonly findings: readonly { readonly code: string; readonly level: string }[];
}

const health = async (harness: Harness, repository = DEMO, key = API_KEY): Promise<[number, Health]> => {
  const answer = await harness.request(`/api/repositories/${repository}/health`, { key });
  return [answer.status, (await answer.json()) as Health];
};

async function doctor(args: readonly string[], env: Readonly<Record<string, string>>) {
  const [command = "", ...first] = builtProgram("src/main/cli.ts");
  const cwd = dataFolder("doctor-");
  const child = spawn(command, [...first, "doctor", ...args], { cwd, env: { PATH: process.env.PATH ?? "", ...env } });
  let out = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (out += text));
  const [code] = await once(child, "close");
  return { code, out };
}

describe("the doctor of a repository", () => {
  it("finds nothing that keeps the demo from running, and names what is worth knowing", async () => {
    const harness = await startHarness({ actions: false });
    const [status, { healthy, findings }] = await health(harness);
    expect([status, healthy]).toEqual([200, true]);
    expect(findings.map(({ code, level }) => [code, level])).toEqual([["no_required_check", "advice"]]);
    const issue = harness.ask("/job doctor");
    await until("the answer", () => harness.comment(issue).includes("No check is required"));
    expect(harness.comment(issue)).toMatch(/^Nothing keeps jobs/);
  });

  it("says the same in a comment, over REST and at the command line where something is wrong", async () => {
    const harness = await startHarness({ actions: false });
    harness.github.pushCommit(DEMO, "main", { ".github/workflows/run-job.yml": "on: push\njobs: {}\n" }, "ada");
    const issue = harness.ask("/job doctor");
    await until("the answer", () => harness.comment(issue).includes("does not use the run action"));
    const [, { healthy, findings }] = await health(harness);
    expect(healthy).toBe(false);
    expect(findings[0]?.code).toBe("workflow_no_dispatch_trigger");
    const { code, out } = await doctor([DEMO], { API_KEY, PUBLIC_URL: harness.app.url });
    expect(code).toBe(1);
    expect(out).toContain("problem  `.github/workflows/run-job.yml` does not use the run action.");
  });

  it("names what is wrong with the settings, and an image whose name is none", async () => {
    const harness = await startHarness({ actions: false });
    const container = { image: "acme/ci; rm -rf /", setup: ["true"] };
    const broken = `auto_merge: { enabled: perhaps }\ncontainer: ${JSON.stringify(container)}\n`;
    harness.github.pushCommit(DEMO, "main", { ".github/journeyman.yml": broken }, "ada");
    const issue = harness.ask("/job doctor");
    await until("the answer", () => harness.comment(issue).includes("container.image"));
    expect(harness.comment(issue)).toContain("auto_merge.enabled");
    const [, { healthy, findings }] = await health(harness);
    expect([healthy, findings[0]?.code]).toEqual([false, "settings_broken"]);
  });

  it("knows no repository in which the App is not installed, and speaks of none to a key of another", async () => {
    const harness = await startHarness({ actions: false });
    expect((await health(harness, "octo/nowhere"))[0]).toBe(422);
    expect((await health(harness, "octo/..%2f"))[0]).toBe(400);
    const made = await harness.request("/api/keys", {
      method: "POST",
      body: { account: "ada", repository: "octo/other", scopes: ["read"] },
    });
    const { key } = (await made.json()) as { key: string };
    expect((await health(harness, DEMO, key))[0]).toBe(403);
    expect((await doctor([DEMO], { API_KEY, PUBLIC_URL: "http://127.0.0.1:9" })).out).toMatch(
      /cannot be reached; start/,
    );
    expect((await doctor(["nonsense"], { API_KEY })).out).toMatch(/owner\/name/);
    expect((await doctor([], { API_KEY })).code).toBe(1);
  });
});

describe("the doctor of the server", () => {
  async function server(more: Readonly<Record<string, string>> = {}) {
    const harness = await startHarness({ actions: false });
    const { github } = harness;
    const settings = {
      ...{ APP_ID: String(github.appId), PRIVATE_KEY: github.privateKey, WEBHOOK_SECRET: "a secret of this test" },
      ...{ GHE_HOST: new URL(github.url).host, GHE_PROTOCOL: "http", DATA_DIR: ".", API_KEY },
      ...{ PUBLIC_URL: harness.app.url, ...more },
    };
    return { harness, examine: () => doctor(["--server"], settings) };
  }

  it("finds nothing wrong where all is well", async () => {
    const { examine } = await server();
    expect(await examine()).toEqual({ code: 0, out: "Nothing is wrong.\n" });
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ["a key of another App", { PRIVATE_KEY: anotherKey() }, /GitHub rejects the App's credentials/],
    ["an address that nobody answers", { PUBLIC_URL: "http://127.0.0.1:9" }, /cannot be reached from this machine/],
    ["no address", { PUBLIC_URL: "" }, /knows no address of its own/],
    ["a folder that is not there", { DATA_DIR: "./nowhere" }, /is not there, or cannot be written to/],
    ["a GitHub that is away", { GHE_HOST: "127.0.0.1:9" }, /GitHub cannot be asked/],
    ["webhooks that go elsewhere", { PUBLIC_URL: "http://127.0.0.1:9" }, /GitHub sends webhooks to/],
  ])("names %s", async (_name, settings, text) => {
    const { examine } = await server(settings);
    const { code, out } = await examine();
    expect(out).toMatch(text);
    expect(code).toBe(/advice/.test(out) && !/problem/.test(out) ? 0 : 1);
  });
});
