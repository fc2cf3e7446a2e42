/** `npm run sandbox` as somebody tries onboarding there: by what it prints, with its own App, runner and model. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it, onTestFailed } from "vitest";
import { type SandboxProgram, startSandboxProgram } from "../process/sandbox-program.ts";
import { FRESH } from "../sandbox/environment.ts";
import { followSetUp, install, stepsOn } from "./set-up-walk.ts";
import { describeBrowser, openBrowser, openVisitor } from "./visitor.ts";

describeBrowser("a repository without the files, in the sandbox", () => {
  let sandbox: SandboxProgram;
  let browser: Browser;
  beforeAll(async () => {
    sandbox = await startSandboxProgram();
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await sandbox?.stop();
  });

  it("is set up from the address that is printed, with the key and the first job that are", async () => {
    onTestFailed(() => void process.stderr.write(sandbox.printed()));
    const { page, githubError, arrive } = await openVisitor(browser);
    const address = sandbox.told("Install");
    const key = /The secret is ([^\s;]+);/.exec(sandbox.printed())?.[1] ?? "";
    await arrive(address);
    const steps = stepsOn(page);
    await install(page, steps, FRESH);
    await followSetUp(page, steps, { key, bot: "journeyman[bot]" });
    await page.goto(`${new URL(address).origin}/${FRESH}/blob/main/README.md`);
    expect(await page.locator("pre.file").textContent()).toMatch(/\nhello\n$/);
    expect(githubError.filter((one) => !one.startsWith(`request: ${sandbox.told("App")}/`))).toEqual([]);
  });
});
