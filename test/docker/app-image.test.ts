/** The server's image, started as docs/install.md says, against a local GitHub. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { fencesOf, shellWords, textOf } from "../process/read-markdown.ts";
import { type SandboxGitHub, startGitHub } from "../sandbox/github/main.ts";
import { describeContainers, docker, imageOf, newName, type Opened, openToContainers, until } from "./containers.ts";

const API_KEY = "image-admin-key-0123456789";
/** The user `node` of the base image. */
const UID = "1000";
const HEADERS = { "x-api-key": API_KEY, "content-type": "application/json" };

/** The command of docs/install.md, on names of this test's own. */
function commandOfPage(own: Readonly<Record<string, string>>): string[] {
  const lines = fencesOf(textOf("docs/install.md")).map(
    ({ text }) => /^docker run -d [\s\S]*? journeyman$/m.exec(text)?.[0],
  );
  const [docker, ...args] = shellWords(lines.find((line) => line !== undefined) ?? "", {});
  expect(docker).toBe("docker");
  for (const word of Object.keys(own)) expect(args).toContain(word);
  return args.map((word, index) => (index === args.length - 1 ? imageOf("app") : (own[word] ?? word)));
}

const inspectSchema = z.tuple([
  z.object({
    State: z.object({ ExitCode: z.number(), Pid: z.number(), Health: z.object({ Status: z.string() }) }),
    RestartCount: z.number(),
    Config: z.object({ User: z.string(), Labels: z.record(z.string(), z.string()) }),
  }),
]);

describeContainers("the server's image, as docs/install.md starts it", () => {
  const name = newName();
  const folder = mkdtempSync(join(tmpdir(), "app-image-"));
  let github: SandboxGitHub;
  let open: Opened;

  const inspect = async () => inspectSchema.parse(JSON.parse(await docker("inspect", name)))[0];
  const exec = (...command: string[]) => docker("exec", name, ...command);
  // Asked again each time, since a container that starts again gets another port.
  const url = async () => `http://${await docker("port", name, "3000/tcp")}`;
  const status = async (path: string): Promise<number> =>
    fetch(`${await url()}${path}`).then(
      (answer) => answer.status,
      () => 0,
    );
  const ready = () =>
    until("the server is ready", () =>
      status("/ready").then(
        (code) => code === 200,
        () => false,
      ),
    );
  const keys = async () => (await fetch(`${await url()}/api/keys`, { headers: HEADERS })).text();

  beforeAll(async () => {
    github = await startGitHub();
    open = await openToContainers(github.url);
    const env = {
      APP_ID: String(github.appId),
      PRIVATE_KEY: Buffer.from(github.privateKey).toString("base64"),
      WEBHOOK_SECRET: "image-webhook-secret-0123456789",
      GHE_HOST: new URL(open.url).host,
      GHE_PROTOCOL: "http",
      PUBLIC_URL: "https://journeyman.example.com",
      API_KEY,
    };
    const file = join(folder, "server.env");
    writeFileSync(
      file,
      Object.entries(env)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(""),
      { mode: 0o600 },
    );
    const own = {
      journeyman: name,
      "server.env": file,
      "journeyman-data:/data": `${name}:/data`,
      "127.0.0.1:3000:3000": "127.0.0.1::3000",
    };
    await docker(...commandOfPage(own));
    await ready();
  });
  afterAll(async () => {
    await docker("rm", "--force", name);
    await docker("volume", "rm", "--force", name);
    open.close();
    await github.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("it is labelled and not root's", async () => {
    const { Config } = await inspect();
    expect(Config.User).toBe("node");
    expect(Config.Labels["org.opencontainers.image.licenses"]).toBe("MIT");
    expect(await exec("id", "-u")).toBe(UID);
  });

  test("it answers /health, /ping and /ready, and docker calls it healthy", async () => {
    for (const path of ["/health", "/ping", "/ready"]) expect(await status(path), path).toBe(200);
    await until("docker calls it healthy", async () => (await inspect()).State.Health.Status === "healthy");
  });

  test("its programs hold no capability, can gain none, and write nowhere but to /data and /tmp", async () => {
    const rights = await exec("grep", "-E", "^(CapPrm|CapEff|CapBnd|NoNewPrivs)", "/proc/1/status");
    expect(rights.split(/\s+/)).toEqual([
      "CapPrm:",
      "0".repeat(16),
      "CapEff:",
      "0".repeat(16),
      "CapBnd:",
      "0".repeat(16),
      "NoNewPrivs:",
      "1",
    ]);
    const places = "/ /etc /opt/journeyman /opt/journeyman/dist /home/node /var/tmp /usr/local/bin /data /tmp";
    const tried = await docker(
      "exec",
      "--user",
      "0",
      name,
      "sh",
      "-c",
      `for at in ${places}; do touch $at/x 2>/dev/null && echo $at; done; rm -f /tmp/x /data/x; true`,
    );
    const tried_as_node = await exec(
      "sh",
      "-c",
      `for at in ${places}; do touch $at/x 2>/dev/null && echo $at; done; rm -f /tmp/x /data/x; true`,
    );
    expect(tried.split("\n")).toEqual(["/tmp"]);
    expect(tried_as_node.split("\n")).toEqual(["/data", "/tmp"]);
    expect(await exec("find", "/data", "-not", "-user", UID)).toBe("");
  });

  test("it finds what it knew when it was killed with -9, and docker starts it again by itself", async () => {
    const made = await fetch(`${await url()}/api/keys`, {
      method: "POST",
      headers: HEADERS,
      body: JSON.stringify({ account: "octocat", repository: "*", scopes: ["read"] }),
    });
    expect(made.status).toBe(201);
    const { RestartCount } = await inspect();
    // By a program inside, since docker takes its own kill as a request not to restart.
    const kill = `for at in /proc/[0-9]*; do if tr '\\0' ' ' < $at/cmdline | grep -q '^node .*main.js'; then kill -9 \${at#/proc/}; fi; done`;
    await exec("sh", "-c", kill).catch(() => {});
    await until("docker has started it again", async () => (await inspect()).RestartCount > RestartCount);
    await ready();
    expect(await keys()).toContain('"octocat"');
  });

  test("it ends with 0 within its time when it is told to, and finds what it knew when it is started again", async () => {
    await docker("stop", name);
    expect((await inspect()).State.ExitCode).toBe(0);
    await docker("start", name);
    await ready();
    expect(await keys()).toContain('"octocat"');
  });
});
