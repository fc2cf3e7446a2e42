/** The deployment of the README: compose.yaml with its one file of settings, on a real engine, from nothing to the App. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { Agent, fetch, type Response } from "undici";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { formOf } from "../flows/browser.ts";
import { pathOf } from "../process/read-markdown.ts";
import { type SandboxGitHub, startGitHub } from "../sandbox/github/main.ts";
import {
  describeContainers,
  docker,
  imageOf,
  images,
  newName,
  type Opened,
  openToContainers,
  until,
} from "./containers.ts";

/** Caddy trusts itself alone where no name leads here; the browser of a test does, too. */
const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });

/** Caddy's own image where it can be had; else Debian's Caddy on the base of these images, which is started in the same way. */
async function caddyImage(name: string): Promise<string> {
  const own = "caddy:2";
  const there = await execa("docker", ["image", "inspect", own], { reject: false });
  if (there.exitCode === 0) return own;
  if ((await execa("docker", ["pull", "--quiet", own], { reject: false })).exitCode === 0) return own;
  const install =
    "apt-get update && apt-get install --yes --no-install-recommends caddy && rm -rf /var/lib/apt/lists/*";
  await execa("docker", ["build", "--quiet", "--tag", name, "-"], {
    input: `FROM ${images?.base ?? ""}\nRUN ${install}\nENV XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data\n`,
  });
  return name;
}

const containerSchema = z.tuple([
  z.object({
    HostConfig: z.object({
      ReadonlyRootfs: z.boolean(),
      CapDrop: z.array(z.string()),
      SecurityOpt: z.array(z.string()),
      RestartPolicy: z.object({ Name: z.string() }),
      PortBindings: z.record(z.string(), z.unknown()),
    }),
  }),
]);

describeContainers("compose.yaml, as the README starts it", () => {
  const project = newName();
  const folder = mkdtempSync(join(tmpdir(), "compose-"));
  let github: SandboxGitHub;
  let open: Opened;
  let site: string;

  const compose = async (...args: string[]): Promise<string> =>
    docker(
      ...["compose", "--project-directory", folder, "--project-name", project],
      ...["--file", join(folder, "compose.yaml"), "--file", join(folder, "own.yaml"), ...args],
    );
  const cookies = new Map<string, string>();

  async function ask(url: string, form?: [string, string][]): Promise<Response> {
    const ours = url.startsWith(site);
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = ours ? { cookie, ...(form === undefined ? {} : { origin: site }) } : {};
    const body = form === undefined ? null : new URLSearchParams(form);
    const options = { method: body === null ? "GET" : "POST", redirect: "manual", headers, dispatcher, body } as const;
    const answer = await fetch(url, options);
    for (const line of answer.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, value);
    }
    return answer;
  }
  const status = async (path: string): Promise<number> => (await ask(`${site}${path}`)).status;

  /** Sends the form of a page, with these fields in place of its own; the page that answers. */
  async function send(page: string, at: string, fields: Record<string, string> = {}): Promise<Response> {
    const { action, fields: shown } = formOf(page);
    const kept = shown.filter(([name]) => !(name in fields));
    return ask(new URL(action, at).href, [...kept, ...Object.entries(fields)]);
  }

  beforeAll(async () => {
    github = await startGitHub();
    github.createUser("ada");
    open = await openToContainers(github.url);
    copyFileSync(pathOf("compose.yaml"), join(folder, "compose.yaml"));
    const caddy = await caddyImage(`${project}-caddy`);
    const app = `{ image: "${imageOf("app")}", pull_policy: never }`;
    const tls = `{ image: "${caddy}", pull_policy: never, ports: !override ["127.0.0.1::443"] }`;
    writeFileSync(join(folder, "own.yaml"), `services:\n  app: ${app}\n  tls: ${tls}\n`);
  });
  afterAll(async () => {
    await compose("down", "--volumes", "--timeout", "1");
    await docker("image", "rm", "--force", `${project}-caddy`);
    open.close();
    await github.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("it says what is missing in the one file of settings", async () => {
    writeFileSync(join(folder, ".env"), "");
    await expect(compose("config")).rejects.toThrow("write DOMAIN=journeyman.example.com into .env");
  });

  test("it starts with DOMAIN, behind TLS, and nothing but the proxy is reached from outside", async () => {
    const settings = { DOMAIN: "localhost", GHE_HOST: new URL(open.url).host, GHE_PROTOCOL: "http" };
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(join(folder, ".env"), lines.join(""));
    await compose("up", "--detach", "--wait");
    site = `https://localhost:${(await compose("port", "tls", "443")).split(":")[1]}`;
    await until("the certificate is there", async () => (await status("/ping").catch(() => 0)) === 200);
    expect([await status("/setup"), await status("/api/keys"), await status("/ready")]).toEqual([401, 404, 503]);
  });

  test("both containers can change nothing but their volumes, and gain no rights", async () => {
    for (const service of ["app", "tls"]) {
      const id = await compose("ps", "--quiet", service);
      const { HostConfig } = containerSchema.parse(JSON.parse(await docker("inspect", id)))[0];
      expect(HostConfig).toMatchObject({
        ...{ ReadonlyRootfs: true, CapDrop: ["ALL"], SecurityOpt: ["no-new-privileges:true"] },
        RestartPolicy: { Name: "unless-stopped" },
      });
      expect(Object.keys(HostConfig.PortBindings)).toEqual(service === "app" ? [] : ["443/tcp"]);
    }
  });

  test("the token of its log leads to an App, with which it goes on and starts again", async () => {
    const printed = await compose("logs", "--no-log-prefix", "app");
    const [, page = "", token = ""] = /open (\S+) and enter this token, which works once: (\S+)/.exec(printed) ?? [];
    expect(page).toBe("https://localhost/setup");
    const entered = await ask(`${site}/setup/token`, [["token", token]]);
    expect(entered.status).toBe(303);
    expect(entered.headers.getSetCookie()[0]).toMatch(/; HttpOnly; SameSite=Strict; Secure$/);

    const form = await (await ask(`${site}/setup`)).text();
    expect(form).toContain("<code>https://localhost</code>");
    const review = await (await send(form, site)).text();
    const confirm = await (await send(review, site)).text();
    const back = (await send(confirm, github.url)).headers.get("location") ?? "";
    expect(back).toMatch(new RegExp(`^${site}/setup/callback\\?code=`));
    expect((await ask(back)).status).toBe(200);
    await until("the server is ready", async () => (await status("/ready")) === 200);

    expect(await compose("exec", "--no-TTY", "app", "stat", "-c", "%a %U", "/data/app.json", "/data/api.key")).toBe(
      "600 node\n600 node",
    );
    const cli = ["node", "dist/server/cli.js", "keys", "create", "--account", "octocat", "--repository", "octo/demo"];
    expect(await compose("exec", "--no-TTY", "-e", "PUBLIC_URL=", "app", ...cli)).toMatch(/^jm_[\w-]{43}$/);
    await compose("restart", "app");
    await until("the server is ready again", async () => (await status("/ready").catch(() => 0)) === 200);
    expect((await compose("logs", "--no-log-prefix", "app")).split("No App yet")).toHaveLength(2);
  });
});
