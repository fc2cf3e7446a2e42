/** From the installation to the first merged job, as a person goes in a browser: what they press and fill in is counted. */
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openHarness, type SharedHarness, until } from "../flows/harness.ts";
import { ADMIN, OWNER } from "../sandbox/environment.ts";
import { describeBrowser, openBrowser, openVisitor } from "./visitor.ts";

const CI = "on: pull_request\njobs: { test: { runs-on: ubuntu-24.04, steps: [{ run: 'true' }] } }\n";
/** Between two edits of the pull request, and longer than news of it are held back. */
const MINUTE = 61_000;

describeBrowser("a repository without the files, in a browser", () => {
  let shared: SharedHarness;
  let browser: Browser;
  beforeAll(async () => {
    shared = await openHarness({}, { SET_UP_PULL_REQUESTS: "true" });
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await shared?.close();
  });

  /** One that its owner's admin may set up, with a CI of its own. */
  function freshRepository(name: string): string {
    const { github, sandbox } = shared;
    const files = { "README.md": `# ${name}\n`, ".github/workflows/ci.yml": CI };
    const fresh = github.createRepository({ owner: OWNER, name, autoMergeAllowed: true, files }).name;
    github.setCollaborator(fresh, ADMIN, "admin");
    // The scripted model stands in for the provider's own address.
    github.setVariable(fresh, "ANTHROPIC_BASE_URL", sandbox.model.url);
    return fresh;
  }

  const button = (page: Page, name: string): Locator => page.getByRole("button", { name, exact: true });

  /** Opens the link in a tab of its own, as somebody who wants to come back. */
  async function inNewTab(page: Page, link: Locator): Promise<Page> {
    const opened = page.context().waitForEvent("page");
    await link.click({ modifiers: ["ControlOrMeta"] });
    return opened;
  }

  /** Goes from the installation, or the App's being there, to the first merged job; answers what that took. */
  async function setUp(fresh: string, { installs, adds_secret }: { installs: boolean; adds_secret: boolean }) {
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
    /** What the App puts off is done now; then the page shows by itself that a step is done. */
    const ticked = () =>
      until("a step to be ticked", async () => {
        shared.pass(MINUTE);
        return (await page.locator(".markdown input:checked").count()) > 0;
      });

    await arrive(`${github.url}/${installs ? `apps/${github.appSlug}/installations/new` : fresh}`);
    if (installs) {
      await click(page.getByLabel(fresh));
      await click(button(page, "Install"));
    } else github.install(fresh);
    await until("the pull request", () => {
      shared.pass(MINUTE);
      return github.pulls(fresh).length > 0;
    });
    await click(page.getByRole("link", { name: /^Pull requests/ }));
    await click(page.getByRole("link", { name: "Set up Journeyman" }));
    await page.getByText("This list ticks itself").waitFor();
    const place = page.url();

    const file = await follow("Add .github/workflows/run-job.yml");
    await click(button(file, "Commit changes"));
    await file.getByText("id-token: write").waitFor();
    await file.close();

    if (adds_secret) {
      const secret = await follow("Add the secret");
      await fill(secret.getByLabel("Name"), "ANTHROPIC_API_KEY");
      await fill(secret.getByLabel("Secret", { exact: true }), sandbox.modelAccess.api_key);
      await click(button(secret, "Add secret"));
      await secret.getByText("ANTHROPIC_API_KEY").waitFor();
      await secret.close();
    }

    await ticked();
    await click(button(page, "Merge pull request"));
    await page.getByText("merged this").waitFor();
    await fill(page.getByLabel("Comment", { exact: true }), "/job create HELLO.md that says hello");
    await click(button(page, "Comment"));
    await page
      .locator("article", { hasText: `${github.appSlug}[bot]`, has: page.locator("strong", { hasText: "Merged" }) })
      .waitFor();

    expect(github.readFile(fresh, "main", "HELLO.md")).toBe("hello\n");
    await until("every step to be ticked", () => {
      shared.pass(MINUTE);
      return !github.issue(fresh, 1).body?.includes("[ ]");
    });
    await page.goto(place);
    await page.getByText("This repository is set up.").waitFor();
    expect(await page.locator(".markdown input").count()).toBe(4);
    expect(githubError).toEqual([]);
    return counted;
  }

  it("is set up and has its first job merged by ten clicks and three fields", async () => {
    const counted = await setUp(freshRepository("first"), { installs: true, adds_secret: true });
    expect(counted).toEqual({ clicks: 10, fields: 3 });
  });

  it("takes six clicks and one field where the owner has installed the App and keeps the key for all", async () => {
    const fresh = freshRepository("second");
    shared.github.setSecret(fresh, "ANTHROPIC_API_KEY", shared.sandbox.modelAccess.api_key);
    const counted = await setUp(fresh, { installs: false, adds_secret: false });
    expect(counted).toEqual({ clicks: 6, fields: 1 });
  });
});
