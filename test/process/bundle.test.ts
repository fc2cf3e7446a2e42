/** The shipped bundles: reproducible, complete, and without unneeded packages. */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import * as z from "zod";
import { BUNDLES, bundle, isBundleName } from "../../esbuild.config.ts";
import { builtFolder } from "../build.ts";
import { appKey } from "../contract/app-key.ts";
import { openBrowser } from "../flows/browser.ts";
import { freePort } from "../sandbox/free-port.ts";

/** Outside of the project, so that no package is found above it; in a hidden folder, as some put programs. */
const root = mkdtempSync(join(tmpdir(), ".bundles-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const NAMES = Object.keys(BUNDLES).filter(isBundleName);
/** The files that each is made of. */
const inputs = new Map<string, readonly string[]>();
beforeAll(async () => {
  for (const name of NAMES) inputs.set(name, await bundle(name, folderOf(name)));
});

const folderOf = (name: string): string => join(root, name);

/** Written by a server that runs from there. */
const COMPILED = /^compiled\//;

const digestsIn = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => !COMPILED.test(name))
      .map((name) => join(folder, name))
      .filter((path) => statSync(path).isFile())
      .sort()
      .map((path) => [relative(folder, path), createHash("sha256").update(readFileSync(path)).digest("hex")]),
  );

describe.each(NAMES)("the bundle %s", (name) => {
  it("is the same to the byte when it is built again", () => {
    const digests = digestsIn(folderOf(name));
    // the one that other tests start programs from
    expect(digestsIn(builtFolder(name))).toEqual(digests);
    for (const program of Object.keys(BUNDLES[name].programs)) expect(digests).toHaveProperty([`${program}.js`]);
  });

  it("keeps the licence of every package that is in it", async () => {
    const text = readFileSync(join(folderOf(name), "LICENSES.txt"), "utf8");
    expect(text).toContain("Permission is hereby granted");
    expect(text).not.toContain("undefined");
  });
});

it("Actions mode has nothing of the server's own in it", () => {
  const files = inputs.get("action-mode") ?? [];
  expect(files).toContain("src/actions-mode/run.ts");
  expect(files.filter((path) => /^(?:test|src\/(?:http|webhooks|payments|job-log|llm))\//.test(path))).toEqual([]);
  expect(files.filter((path) => path.startsWith("src/main/")).toSorted()).toEqual([
    "src/main/compose/engine.ts",
    "src/main/environment.ts",
    "src/main/llm-settings.ts",
    "src/main/log.ts",
    "src/main/unknown-settings.ts",
  ]);
});

/** Loaded before the program, which then takes this Node for an older one. */
const OLDER_NODE =
  'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.20.2"}})';

describe("on a Node that is too old, a program says so and does nothing:", () => {
  const programs = NAMES.flatMap((name) =>
    Object.keys(BUNDLES[name].programs).map((program) => [name, program] as const),
  );

  it.each(programs)("%s/%s", (name, program) => {
    const args = ["--import", OLDER_NODE, join(folderOf(name), `${program}.js`)];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      ...{ cwd: root, env: {}, encoding: "utf8", timeout: 30_000 },
    });
    expect({ status, stdout, stderr }).toEqual({
      status: 1,
      stdout: "",
      stderr:
        "Journeyman needs Node 24 or newer; this is Node 20.20.2. Install a newer one, or run `npm ci` and `npm start` in Journeyman's folder, which bring their own.\n",
    });
  });
});

it("Actions mode starts without a package beside it, and names what it misses", () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(folderOf("action-mode"), "main.js")], {
    cwd: root,
    env: {},
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 1, stderr: "" });
  // the runner reads no line as a command, but for this one
  expect(stdout).toMatch(
    /^::stop-commands::(\S{16,})\n(?:::\1::\n::error title=Journeyman::\S.*\n::stop-commands::\1\n)+$/,
  );
  expect(stdout).toContain("::error title=Journeyman::GITHUB_EVENT_PATH");
});

const lineSchema = z.object({ url: z.string() });

/** The bundled server without a package beside it, in an empty folder; its address. */
async function startServer(env: Readonly<Record<string, string>>, address: (line: string) => string | null) {
  const cwd = mkdtempSync(join(root, "cwd-"));
  const child = spawn(process.execPath, [join(folderOf("server"), "main.js")], {
    cwd,
    env: { HOST: "127.0.0.1", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const url = address(line);
    if (url === null) continue;
    child.stdout.resume();
    return url;
  }
  throw new Error("the server ended before it was ready");
}

const get = async (url: string): Promise<string> => {
  const response = await fetch(url);
  await response.arrayBuffer();
  return `${response.status} ${response.headers.get("content-type")?.split(";")[0]}`;
};

describe("the bundled server needs no package beside it", () => {
  it("for the API, its description and the pages that show it", async () => {
    const url = await startServer(
      {
        ...{ APP_ID: "1", PRIVATE_KEY: appKey, WEBHOOK_SECRET: "a secret of this test", PORT: "0" },
        ...{ GHE_HOST: "127.0.0.1:9", GHE_PROTOCOL: "http", LOG_FORMAT: "json", GITHUB_CLIENT_ID: "a-client" },
        ...{ GITHUB_CLIENT_SECRET: "the-secret-of-a-client", PUBLIC_URL: "http://127.0.0.1" },
        ...{ STRIPE_SECRET_KEY: "sk_test_of_this_test", STRIPE_WEBHOOK_SECRET: "whsec_of_this_test" },
      },
      (line) => lineSchema.safeParse(JSON.parse(line)).data?.url ?? null,
    );
    expect(await get(`${url}/ping`)).toBe("200 text/plain");
    expect(await get(`${url}/api/openapi.json`)).toBe("200 application/json");
    expect(await get(`${url}/docs`)).toBe("200 text/html");
    expect(await get(`${url}/docs/swagger-ui-bundle.js`)).toMatch(/^200 (?:text|application)\/javascript$/);
    expect(await get(`${url}/docs/swagger-ui.css`)).toBe("200 text/css");
    expect(await get(`${url}/docs/favicon-32x32.png`)).toBe("200 image/png");
  });

  it("for the set-up page, with the manifest that it sends to GitHub", async () => {
    let token = "";
    const url = await startServer({ PORT: String(await freePort()) }, (line) => {
      const [, at, printed = ""] = /open (\S+)\/setup and enter this token.*: (\S+)$/.exec(line) ?? [];
      token = printed;
      return at ?? null;
    });
    expect(await get(`${url}/setup`)).toBe("401 text/html");
    const browser = openBrowser();
    await browser.post(`${url}/setup/token`, [["token", token]]);
    const review = await browser.post(`${url}/setup/app`, [
      ["address", "https://journeyman.example.com"],
      ["name", "A"],
    ]);
    expect(review.text).toContain("default_permissions");
  });

  it("for the keys command", () => {
    const cwd = mkdtempSync(join(root, "cwd-"));
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [join(folderOf("server"), "cli.js"), ...args], { cwd, env: {}, encoding: "utf8" });
    expect(run("keys", "create", "--account", "octocat", "--repository", "octo/demo").stdout).toMatch(/^jm_/);
  });
});
