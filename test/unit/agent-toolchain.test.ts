/** What the agent makes of the tools around it: the shell's variables, what the model is told, what it refuses. */
import { describe, expect, test } from "vitest";
import { cLibrary, newerLibrary } from "../../agent/c-library.ts";
import { firstMessage } from "../../agent/loop/prompt.ts";
import { readSettings } from "../../agent/settings.ts";
import { parseResult } from "../../src/contracts/result.ts";
import { BRIEF, JOB_ID, makeCheckout, runAgent } from "./agent-job.ts";

const shellOf = (toolchain: unknown, environment: Record<string, string> = {}) => {
  const read = readSettings(
    { JOB_ID, PATH: "/usr/bin", AGENT_TOOLCHAIN: JSON.stringify(toolchain), ...environment },
    "/",
  );
  if (!read.ok) throw new Error(read.reason);
  return read.settings.shellEnvironment;
};

describe("the shell's environment", () => {
  test("has the tools first on PATH, and the variables that name them", () => {
    const toolchain = { path_before: ["/cache/go/bin"], variables: { GOROOT: "/cache/go" } };
    expect(shellOf(toolchain)).toEqual({ PATH: "/cache/go/bin:/usr/bin", GOROOT: "/cache/go" });
  });

  test("is that of the repository's own image, with what it may lack last on PATH", () => {
    const variables = { PATH: "/opt/ruby/bin:/bin", GEM_HOME: "/gems", LD_PRELOAD: "/lib/jemalloc.so", EMPTY: "" };
    expect(shellOf({ variables, path_after: ["/opt/journeyman/bin"] })).toEqual({
      ...variables,
      PATH: "/opt/ruby/bin:/bin:/opt/journeyman/bin",
    });
  });

  test("keeps its own home, proxy and secrets, whatever the image says", () => {
    const variables = { HOME: "/root", BASH_ENV: "/x", HTTPS_PROXY: "http://elsewhere", AGENT_LLM_TOKEN: "image" };
    const shell = shellOf({ variables }, { EGRESS_PROXY: "http://gateway:8080", AGENT_LLM_TOKEN: "secret" });
    expect(shell).toMatchObject({ HTTPS_PROXY: "http://gateway:8080", AGENT_LLM_TOKEN: "secret" });
    expect(shell).not.toHaveProperty("HOME");
    expect(shell).not.toHaveProperty("BASH_ENV");
  });

  test("has the home that holds the repository's cache", () => {
    expect(shellOf({ home: "/home/agent", cached: ["~/.npm"] })).toMatchObject({ HOME: "/home/agent" });
  });

  test.each(["{", "[]", '{"variables":{"A":1}}'])("%s is no toolchain", (text) => {
    expect(readSettings({ JOB_ID, AGENT_TOOLCHAIN: text }, "/").ok).toBe(false);
  });
});

describe("the first message", () => {
  const about = (brief: Partial<typeof BRIEF>, tools: string[] = [], cached: string[] = []) =>
    firstMessage({ brief: { ...BRIEF, ...brief }, task: "x", instructions: [], tools, cached });

  test("names the tools that are set up, and nothing where there are none", () => {
    expect(about({}, ["go 1.22.12", "Ruby 3.3.4"])).toContain(
      "These tools are set up, on PATH and read-only: `go 1.22.12`, `Ruby 3.3.4`.",
    );
    expect(about({})).not.toMatch(/set up|image/);
  });

  test("names the folders of the cache, and nothing where there are none", () => {
    expect(about({}, [], ["~/.npm", "~/.m2"])).toContain("lock files needed: `~/.npm`, `~/.m2`.");
    expect(about({})).not.toContain("lock files");
  });

  test("names the repository's image and the commands that have set it up", () => {
    const container = { image: "ruby:3.4", setup: ["bundle --version</set_up>", "apk add git"], setup_minutes: 15 };
    const text = about({ container });
    expect(text).toContain("The shell runs in the image `ruby:3.4`");
    expect(text).toContain("apk add git\n</set_up>");
    expect(text.match(/<\/set_up>/g)).toHaveLength(1);
    expect(about({ container: { ...container, setup: [] } })).not.toContain("set_up");
  });
});

describe("tools that were built for another C library", () => {
  test.each([
    [null, "2.36", null],
    ["2.36", "2.41", null],
    ["2.41", "2.41", null],
    ["2.9", "2.41", null],
    ["2.43", "2.41", "(glibc 2.43) is newer than that of the agent's image (2.41)"],
    ["3.0", "2.41", "(glibc 3.0) is newer"],
    ["", "2.41", "is not glibc"],
  ])("of %j, where the image has %s", (runners, own, words) => {
    if (words === null) expect(newerLibrary(runners, own)).toBeNull();
    else expect(newerLibrary(runners, own)).toContain(words);
  });

  test("are refused in the job's result before the model is asked", async () => {
    const checkout = makeCheckout();
    const { code } = await runAgent(checkout, { AGENT_TOOLCHAIN: JSON.stringify({ c_library: "9.9" }) });
    const result = parseResult(checkout.file(`.jobs/${JOB_ID}/result.json`));
    checkout.remove();
    expect(code).toBe(1);
    expect(result).toMatchObject({ outcome: "failed", permanent_error: "misconfigured" });
    expect(result?.reason).toMatch(/^This runner's C library \(glibc 9\.9\) is newer .* name an image as `container`/);
  });

  test("this process knows its own", () => {
    expect(cLibrary()).toMatch(/^2\.\d+$/);
  });
});
