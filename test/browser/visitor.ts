/**
 * A visitor in a real browser on a site of this machine; records everything that fails on a page or leads elsewhere.
 */
import { type Browser, chromium, type Page } from "playwright-core";
import { describe, inject } from "vitest";

const program = inject("chromium");

/** As `describe`, but left out where there is no browser. */
export const describeBrowser = describe.skipIf(program === null);

/** Longer than a job takes on a slow machine; what is there earlier is seen at once. */
const TIMEOUT_MS = 100_000;

export const openBrowser = (): Promise<Browser> =>
  // Chromium's own sandbox does not start as root.
  chromium.launch({ executablePath: program ?? "", chromiumSandbox: process.getuid?.() !== 0 });

export interface Visitor {
  readonly page: Page;
  /** Dialogs, errors of scripts and of the policy, and requests to other hosts. */
  readonly githubError: readonly string[];
  /** Comes as somebody who was never here, and sees what is at this address. */
  arrive(url: string, look?: { width?: number; dark?: boolean }): Promise<void>;
}

export async function openVisitor(browser: Browser, options: { javaScriptEnabled?: boolean } = {}): Promise<Visitor> {
  // an animation is drawn anew sixty times a second
  const context = await browser.newContext({ reducedMotion: "reduce", ...options });
  context.setDefaultTimeout(TIMEOUT_MS);
  const page = await context.newPage();
  const githubError: string[] = [];
  let origin = "";
  page.on("pageerror", (error) => githubError.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") githubError.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const asked = request.url();
    if (!asked.startsWith(origin) && !asked.startsWith("data:")) githubError.push(`request: ${asked}`);
  });
  page.on("dialog", (dialog) => {
    githubError.push(`dialog: ${dialog.message()}`);
    dialog.dismiss().catch(() => {});
  });
  return {
    page,
    githubError,
    async arrive(url, { width = 1200, dark = false } = {}) {
      await page.goto("about:blank");
      await context.clearCookies();
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme: dark ? "dark" : "light" });
      githubError.length = 0;
      origin = new URL(url).origin;
      await page.goto(url);
    },
  };
}
