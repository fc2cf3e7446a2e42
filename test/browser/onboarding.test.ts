/** From the installation to the first merged job, as a person goes in a browser: what they press and fill in is counted. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openHarness, type SharedHarness, until } from "../flows/harness.ts";
import { ADMIN, FEDERATION, OWNER, WRITER } from "../sandbox/environment.ts";
import { followSetUp, install, stepsOn } from "./set-up-walk.ts";
import { describeBrowser, openBrowser, openVisitor } from "./visitor.ts";

const CI = "on: pull_request\njobs: { test: { runs-on: ubuntu-24.04, steps: [{ run: 'true' }] } }\n";
/** Between two edits of the pull request, and longer than news of it are held back. */
const MINUTE = 61_000;

interface Way {
  /** On all repositories, as GitHub's page has it at first, or on this one alone; false: the App is there. */
  readonly installs: "all" | "one" | false;
  readonly adds_secret?: boolean;
  /** Where to, the App's page leads on to GitHub's list. */
  readonly is_listed?: boolean;
  readonly on?: SharedHarness;
}

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
  function freshRepository(name: string, { isPrivate = false, on = shared } = {}): string {
    const { github, sandbox } = on;
    const files = { "README.md": `# ${name}\n`, ".github/workflows/ci.yml": CI };
    const setup = { owner: OWNER, name, private: isPrivate, autoMergeAllowed: true, files };
    const fresh = github.createRepository(setup).name;
    github.setCollaborator(fresh, ADMIN, "admin");
    // The scripted model stands in for the provider's own address.
    github.setVariable(fresh, "ANTHROPIC_BASE_URL", sandbox.model.url);
    return fresh;
  }

  /** What the App puts off is done now. */
  const opened = (fresh: string, on = shared) =>
    until("the pull request", () => {
      on.pass(MINUTE);
      return on.github.pulls(fresh).length > 0;
    });

  /** Goes from the installation, or the App's being there, to the first merged job; answers what that took. */
  async function setUp(fresh: string, { installs, adds_secret = true, is_listed = false, on = shared }: Way) {
    const { github, sandbox, app } = on;
    const { page, githubError, arrive } = await openVisitor(browser);
    const steps = stepsOn(page);
    await arrive(`${github.url}/${installs === false ? fresh : `apps/${github.appSlug}/installations/new`}`);
    if (installs !== false) {
      await install(page, steps, installs === "all" ? undefined : fresh);
      await opened(fresh, on);
      if (is_listed) await steps.click(page.getByRole("link", { name: `${fresh} Set up Journeyman` }));
    } else {
      github.install(fresh);
      await opened(fresh, on);
      await steps.click(page.getByRole("link", { name: /^Pull requests/ }));
      await steps.click(page.getByRole("link", { name: "Set up Journeyman" }));
    }
    await page.getByText("This list ticks itself").waitFor();
    const place = page.url();
    await followSetUp(page, steps, {
      key: adds_secret ? sandbox.modelAccess.api_key : null,
      // the page shows by itself that a step is done
      ticked: () =>
        until("a step to be ticked", async () => {
          on.pass(MINUTE);
          const done = page.locator(".markdown li", { hasText: "Add .github", has: page.locator("input:checked") });
          return (await done.count()) > 0;
        }),
      bot: `${github.appSlug}[bot]`,
    });

    expect(github.readFile(fresh, "main", "README.md")).toMatch(/\nhello\n$/);
    await until("every step to be ticked", () => {
      on.pass(MINUTE);
      return !github.issue(fresh, 1).body?.includes("[ ]");
    });
    await page.goto(place);
    await page.getByText("This repository is set up.").waitFor();
    expect(await page.locator(".markdown input").count()).toBe(4);
    expect(githubError.filter((one) => !one.startsWith(`request: ${app.url}/`))).toEqual([]);
    return steps.counted();
  }

  it("is set up and has its first job merged by six clicks and two fields", async () => {
    const counted = await setUp(freshRepository("first"), { installs: "all" });
    expect(counted).toEqual({ clicks: 6, fields: 2 });
  });

  it("takes two clicks more where it is chosen among all", async () => {
    const counted = await setUp(freshRepository("chosen"), { installs: "one" });
    expect(counted).toEqual({ clicks: 8, fields: 2 });
  });

  it("takes one click more where it is private, in GitHub's list", async () => {
    const fresh = freshRepository("private", { isPrivate: true });
    // who GitHub's list is shown to
    shared.github.setCollaborator(fresh, WRITER, "admin");
    const counted = await setUp(fresh, { installs: "all", is_listed: true });
    expect(counted).toEqual({ clicks: 7, fields: 2 });
  });

  it("takes five clicks and no field where the owner has installed the App and keeps the key for all", async () => {
    const fresh = freshRepository("second");
    shared.github.setSecret(fresh, "ANTHROPIC_API_KEY", shared.sandbox.modelAccess.api_key);
    const counted = await setUp(fresh, { installs: false, adds_secret: false });
    expect(counted).toEqual({ clicks: 5, fields: 0 });
  });

  it("takes four clicks and no field from the installation on where its runs sign in as themselves", async () => {
    const keyless = { claims: { repository_owner: OWNER } };
    const variables = { SET_UP_PULL_REQUESTS: "true", RUN_FEDERATION: Object.values(FEDERATION).join(" ") };
    const on = await openHarness({ realRuns: true, keyless }, variables);
    try {
      const fresh = freshRepository("keyless", { on });
      const counted = await setUp(fresh, { installs: "all", adds_secret: false, on });
      expect(counted).toEqual({ clicks: 4, fields: 0 });
      expect(on.github.secrets(fresh)).toEqual({});
      expect(on.sandbox.model.federation.exchanges.map(({ status }) => status)).toEqual([200]);
    } finally {
      await on.close();
    }
  });

  it("is found in GitHub's list alone where it is private, since anybody can ask the App's page", async () => {
    const { github, app } = shared;
    const fresh = freshRepository("hidden", { isPrivate: true });
    github.setCollaborator(fresh, WRITER, "write");
    const installation = github.install(fresh);
    await opened(fresh);
    const { page, arrive } = await openVisitor(browser);
    await arrive(`${app.url}/installed?installation_id=${installation}`);
    expect(new URL(page.url()).pathname).toBe("/pulls");
    await page.getByRole("link", { name: `${fresh} Set up Journeyman` }).click();
    await page.getByText("This list ticks itself").waitFor();
  });
});
