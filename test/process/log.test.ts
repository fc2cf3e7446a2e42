/** The log's format for an operator: the App's own lines, and Probot's, without its Sentry client. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import * as z from "zod";

const ROOT = join(import.meta.dirname, "../..");
const KEY = "sk-ant-api03-0123456789abcdefghijklmnopqrstuvwxyz";

/** Runs these lines in a process of their own, in the project's folder, and gives what they print. */
async function printed(lines: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const args = ["--input-type=module", "--eval", lines];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: ROOT,
    env: { PATH: process.env.PATH ?? "", ...env },
  });
  return stdout;
}

const PROBOT = `
  import { createProbot } from "probot";
  const { log } = createProbot({ overrides: { githubToken: "none" } });
  log.debug("a detail");
  log.info({ job: "abcd1234" }, "a job");
  log.error(new Error("it broke"));`;

describe("Probot's own log", () => {
  it("is for people to read unless JSON is asked for", async () => {
    const text = await printed(PROBOT, { LOG_LEVEL: "info" });
    expect(text).toContain("INFO (probot): a job");
    expect(text).toContain("ERROR (probot): it broke");
    expect(text).not.toContain("a detail");
  });

  it("is one JSON object a line in production, from the level on that is set", async () => {
    const text = await printed(PROBOT, { LOG_FORMAT: "json", LOG_LEVEL: "debug" });
    const lines = text.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 20, msg: "a detail" },
      { level: 30, msg: "a job", job: "abcd1234" },
      { level: 50, msg: "it broke", err: { type: "Error" } },
    ]);
    const levels = await printed(PROBOT, { LOG_FORMAT: "json", LOG_LEVEL: "error", LOG_LEVEL_IN_STRING: "true" });
    expect(JSON.parse(levels)).toMatchObject({ level: "error", msg: "it broke" });
  });
});

const ours = (format: "json" | "pretty" | null, level: string): string => `
  import { createLog } from "./src/main/log.ts";
  const log = await createLog({ format: ${JSON.stringify(format)}, level: "${level}" });
  log.debug("a detail");
  log.warn({ job: "abcd1234" }, "a job");
  const request = { headers: { authorization: "Bearer ${KEY}" } };
  log.error({ err: Object.assign(new Error("no key ${KEY} here"), { request }) }, "it broke");`;

describe("our log", () => {
  it("has one name in each line, also of a part that Probot has named", async () => {
    const text = await printed(`
      import { createLog } from "./src/main/log.ts";
      const log = await createLog({ format: "json", level: "info" });
      log.child({ name: "probot" }).child({ name: "event" }).warn("of a part");`);
    expect(text.match(/"name":"\w+"/g)).toEqual(['"name":"journeyman"']);
  });

  it("is JSON where no person looks, without a key and without the request that an error carries", async () => {
    const text = await printed(ours(null, "info"));
    expect(text).not.toContain(KEY);
    expect(text).not.toContain("authorization");
    const line = z.looseObject({ level: z.number(), name: z.literal("journeyman"), msg: z.string() });
    const lines = text
      .trim()
      .split("\n")
      .map((one) => line.parse(JSON.parse(one)));
    expect(lines).toMatchObject([
      { level: 40, msg: "a job", job: "abcd1234" },
      { level: 50, msg: "it broke", err: { type: "Error", message: expect.stringContaining("no key") } },
    ]);
  });

  it("is for people to read where that is asked for, from the level on that is set, and as discreet", async () => {
    const text = await printed(ours("pretty", "debug"));
    expect(text).toMatch(/DEBUG.*a detail/);
    expect(text).toMatch(/ERROR.*it broke/);
    expect(text).not.toContain(KEY);
    expect(await printed(ours("pretty", "error"))).not.toContain("a job");
  });
});
