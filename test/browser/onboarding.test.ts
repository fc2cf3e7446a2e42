/** From the installation to the first merged job, as a person goes in a browser: what they press and fill in is counted. */
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openHarness, type SharedHarness, until } from "../flows/harness.ts";
import { ADMIN, OWNER } from "../sandbox/environment.ts";
import { describeBrowser, openBrowser, openVisitor } from "./visitor.ts";

const NAME = "fresh";
const FRESH = `${OWNER}/${NAME}`;
const CI = "on: pull_request\njobs: { test: { runs-on: ubuntu-24.04, steps: [{ run: 'true' }] } }\n";
/** Between two edits of the pull request, and longer than news of it are held back. */
const MINUTE = 61_000;

describeBrowser("a repository without the files, in a browser", () => {
  let shared: SharedHarness;
  let browser: Browser;
  beforeAll(async () => {
    shared = await openHarness({}, { SET_UP_PULL_REQUESTS: "true" });
    browser = await openBrowser();
    const { github, sandbox } = shared;
    github.createRepository({
      ...{ owner: OWNER, name: NAME, autoMergeAllowed: true },
      files: { "README.md": "# fresh\n", ".github/workflows/ci.yml": CI },
    });
    github.setCollaborator(FRESH, ADMIN, "admin");
    // The scripted model stands in for the provider's own address.
    github.setVariable(FRESH, "ANTHROPIC_BASE_URL", sandbox.model.url);
  });
  afterAll(async () => {
    await browser?.close();
    await shared?.close();
  });

  const button = (page: Page, name: string): Locator => page.getByRole("button", { name, exact: true });

  /** Opens the link in a tab of its own, as somebody who wants to come back. */
  async function inNewTab(page: Page, link: Locator): Promise<Page> {
    const opened = page.context().waitForEvent("page");
    await link.click({ modifiers: ["ControlOrMeta"] });
    return opened;
  }

  it("is set up and has its first job merged by ten clicks and three fields", async () => {
    const { github, sandbox } = shared;
    const { page, githubError, arrive } = await openVisitor(browser);
    const counted = { clicks: 0, fields: 0 };
    const click = async (what: Locator) => {
      await what.click();
      counted.clicks += 1;
    };
    const fill = async (what: Locator, text: string) => {
      await what.fill(text);
      counted.fields += 1;
    };
    const follow = (link: string): Promise<Page> => {
      counted.clicks += 1;
      return inNewTab(page, page.getByRole("link", { name: link }));
    };
    /** What the App puts off is done now; then the page says this by itself. */
    const reads = (text: RegExp) =>
      until(`the page to say ${text}`, async () => {
        shared.pass(MINUTE);
        return text.test((await page.locator(".markdown").first().textContent()) ?? "");
      });

    await arrive(`${github.url}/apps/${github.appSlug}/installations/new`);
    await click(page.getByLabel(FRESH));
    await click(button(page, "Install"));
    await until("the pull request", () => {
      shared.pass(MINUTE);
      return github.pulls(FRESH).length > 0;
    });
    await click(page.getByRole("link", { name: /^Pull requests/ }));
    await click(page.getByRole("link", { name: "Set up Journeyman" }));
    await page.getByText("This list ticks itself").waitFor();
    const setUp = page.url();

    const file = await follow("Add .github/workflows/run-job.yml");
    await click(button(file, "Commit changes"));
    await file.getByText("id-token: write").waitFor();
    await file.close();

    const secret = await follow("Add the secret");
    await fill(secret.getByLabel("Name"), "ANTHROPIC_API_KEY");
    await fill(secret.getByLabel("Secret", { exact: true }), sandbox.modelAccess.api_key);
    await click(button(secret, "Add secret"));
    await secret.getByText("ANTHROPIC_API_KEY").waitFor();
    await secret.close();

    await reads(/\[x\] Add/);
    await click(button(page, "Merge pull request"));
    await page.getByText("merged this").waitFor();
    await fill(page.getByLabel("Comment", { exact: true }), "/job create HELLO.md that says hello");
    await click(button(page, "Comment"));
    await page
      .locator("article", { hasText: `${github.appSlug}[bot]`, has: page.locator("strong", { hasText: "Merged" }) })
      .waitFor();

    expect(counted).toEqual({ clicks: 10, fields: 3 });
    expect(github.readFile(FRESH, "main", "HELLO.md")).toBe("hello\n");
    await until("every step to be ticked", () => {
      shared.pass(MINUTE);
      return !github.issue(FRESH, 1).body?.includes("[ ]");
    });
    await page.goto(setUp);
    await page.getByText("This repository is set up.").waitFor();
    expect(githubError).toEqual([]);
  });
});
