/** A new server as a person sets it up, in a real browser: the server and GitHub are two sites, as they are in life. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import * as z from "zod";
import { builtProgram } from "../build.ts";
import { until } from "../flows/harness.ts";
import { freePort } from "../sandbox/free-port.ts";
import { type SandboxGitHub, startGitHub } from "../sandbox/github/main.ts";
import { describeBrowser, openBrowser, openVisitor } from "./visitor.ts";

/** From the address that the server prints to the installed App: a field that is filled in, a button, a link. */
const MOST_STEPS = 8;

const MEASURE = "[document.documentElement.scrollWidth, document.cookie]";

describeBrowser("the set-up page in a browser", () => {
  let dir: string;
  let github: SandboxGitHub;
  let browser: Browser;
  let server: ChildProcess;
  let printed = "";
  let site: string;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "set-up-page-"));
    github = await startGitHub();
    github.createUser("ada");
    github.createUser("octo", "Organization");
    github.createRepository({ owner: "octo", name: "demo" });
    browser = await openBrowser();
    const port = await freePort();
    // another site than GitHub's, which is 127.0.0.1
    site = `http://localhost:${port}`;
    const [command = "", ...args] = builtProgram("src/main.ts");
    server = spawn(command, args, {
      cwd: dir,
      env: {
        ...{ PATH: process.env.PATH ?? "", HOST: "127.0.0.1", PORT: String(port) },
        ...{ GHE_HOST: new URL(github.url).host, GHE_PROTOCOL: "http" },
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    server.stdout?.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
    await until("the invitation", () => printed.includes("No App yet"));
  });
  afterAll(async () => {
    await browser?.close();
    if (server?.exitCode === null) {
      server.kill("SIGTERM");
      await once(server, "exit");
    }
    await github?.close();
    await rm(dir, { recursive: true, force: true });
  });

  const button = (page: Page, name: string): Locator => page.getByRole("button", { name, exact: true });

  async function fitsAndHidesCookies(page: Page): Promise<void> {
    const [width, cookies] = z.tuple([z.number(), z.string()]).parse(await page.evaluate(MEASURE));
    expect([page.url(), width, cookies]).toEqual([page.url(), 360, ""]);
  }

  it("leads from the token to the installed App in eight steps, on a narrow screen too", async () => {
    const { page, githubError, arrive } = await openVisitor(browser);
    await arrive(`${site}/setup`, { width: 360 });
    let steps = 0;
    const step = async (done: Promise<unknown>): Promise<void> => {
      await done;
      steps += 1;
    };
    await fitsAndHidesCookies(page);
    await step(page.getByLabel("Token").fill(/works once: (\S+)/.exec(printed)?.[1] ?? ""));
    await step(button(page, "Go on").click());
    await page.getByText("a GitHub App of its own").waitFor();
    await fitsAndHidesCookies(page);
    expect(await page.getByLabel("Public address").inputValue()).toBe(site);
    await step(page.getByLabel("Organisation").fill("octo"));
    await step(button(page, "Go on").click());
    await page.getByText(`Webhooks go to ${site}/api/github/webhooks`).waitFor();
    await fitsAndHidesCookies(page);

    await step(button(page, "Create the App on GitHub").click());
    await step(button(page, "Create GitHub App for octo").click());
    await page.getByText("GitHub has made the App Journeyman").waitFor();
    expect(page.url()).toMatch(new RegExp(`^${site}/setup/callback\\?`));

    await step(page.getByRole("link", { name: "Install Journeyman" }).click());
    // the server goes on by itself while somebody reads
    await until("the server is ready", async () => (await fetch(`${site}/ready`)).status === 200);
    await step(button(page, "Install").click());
    await page.getByText("Journeyman is set up").waitFor();
    expect(steps).toBeLessThanOrEqual(MOST_STEPS);

    await github.idle();
    expect(github.deliveries().map(({ event, statusCode }) => `${event} ${statusCode}`)).toEqual(["installation 200"]);
    // the browser itself tells of the page that asks for the token, which is no page to everybody
    const complaints = githubError.filter((one) => !one.includes(github.url) && !one.includes("401 (Unauthorized)"));
    expect(complaints).toEqual([]);
    await page.goto(`${site}/setup`);
    await page.getByText("Journeyman is set up").waitFor();
  });
});
