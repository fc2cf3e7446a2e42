/**
 * `npm run docs -- pictures`: plays a job and a set-up in the sandbox, and takes the pages' pictures of it in a real
 * Chromium. The reaction needs a font for emoji, such as Debian's fonts-noto-color-emoji.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Locator, type Page } from "playwright-core";
import { findChromium } from "../browser/set-up.ts";
import { install, stepsOn } from "../browser/set-up-walk.ts";
import { until } from "../flows/harness.ts";
import { pathOf } from "../process/read-markdown.ts";
import { type SandboxProgram, startSandboxProgram } from "../process/sandbox-program.ts";
import { FRESH } from "../sandbox/environment.ts";
import { freePort } from "../sandbox/free-port.ts";
import { startServer } from "./server.ts";

const WIDTH = 640;
const HEIGHT = 1_000;
const MARGIN = 16;
/** Longer than a job takes on a slow machine. */
const TIMEOUT_MS = 100_000;

/** The page from its heading to where one writes a comment. */
async function take(page: Page, name: string): Promise<void> {
  const edge = async (what: Locator): Promise<number | undefined> =>
    (await what.count()) === 0 ? undefined : (await what.first().boundingBox())?.y;
  const from = ((await edge(page.locator("h1"))) ?? 0) - MARGIN;
  const form = await edge(page.locator("article, .box, form", { hasText: "Comment as" }));
  const to = form ?? (await page.locator("body").boundingBox())?.height ?? HEIGHT;
  const clip = { x: 0, y: from, width: WIDTH, height: to - from };
  await page.screenshot({ path: pathOf(`docs/pictures/${name}.png`), fullPage: true, clip });
  console.log(`docs/pictures/${name}.png is taken.`);
}

/** From an issue to its merged pull request, as a person goes. */
async function play(page: Page, site: string): Promise<void> {
  const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
  await page.goto(`${site}/issues/new`);
  await page.getByLabel("Title").fill("Greet whoever finds this repository");
  await press("Open issue");
  await page.getByLabel("Comment", { exact: true }).fill("/job create HELLO.md that says hello");
  await press("Comment");
  const answer = page.locator("article", { hasText: "journeyman[bot]" });
  await answer.locator("strong", { hasText: "Merged" }).waitFor();
  await page.locator(".state", { hasText: "Closed" }).first().waitFor();
  await page.reload();
  await take(page, "comment");
  await page
    .getByRole("link", { name: /Create HELLO\.md/ })
    .first()
    .click();
  await page.getByText("merged this").waitFor();
  await take(page, "merged");
  await page.getByRole("link", { name: "journeyman", exact: true }).first().click();
  await page.getByRole("heading", { name: "journeyman" }).waitFor();
  await take(page, "check");
}

/** The pull request that sets a repository up, as it is opened. */
async function setUp(page: Page, sandbox: SandboxProgram): Promise<void> {
  await page.goto(sandbox.told("Install"));
  await install(page, stepsOn(page), FRESH);
  await page.getByText("This list ticks itself").waitFor();
  await take(page, "set-up");
}

/** The page on which a new server asks for its App. */
async function serverPage(page: Page): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "pictures-"));
  const server = startServer(dir, await freePort());
  try {
    const token = await until("the invitation", () => /works once: (\S+)/.exec(server.printed())?.[1]);
    await page.goto(`${server.url}/setup`);
    await page.getByLabel("Token").fill(token);
    await page.getByRole("button", { name: "Go on", exact: true }).click();
    await page.getByLabel("Public address").fill("https://journeyman.example.com");
    await page.getByLabel("Organisation").fill("octo");
    await take(page, "set-up-page");
  } finally {
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

export async function takePictures(): Promise<void> {
  const executablePath = findChromium();
  if (executablePath === null)
    throw new Error("There is no Chromium on the PATH; Debian's package is called chromium.");
  const sandbox = await startSandboxProgram();
  // Chromium's own sandbox does not start as root.
  const browser = await chromium.launch({ executablePath, chromiumSandbox: process.getuid?.() !== 0 });
  try {
    const context = await browser.newContext({
      viewport: { width: WIDTH, height: HEIGHT },
      deviceScaleFactor: 1.5,
      colorScheme: "light",
    });
    context.setDefaultTimeout(TIMEOUT_MS);
    await play(await context.newPage(), sandbox.told("GitHub"));
    await setUp(await context.newPage(), sandbox);
    await serverPage(await context.newPage());
  } finally {
    await browser.close();
    await sandbox.stop();
  }
}
