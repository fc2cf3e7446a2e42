/** Uses the sandbox in a real browser, by mouse and keyboard only. */
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import * as z from "zod";
import { openHarness, type SharedHarness } from "../flows/harness.ts";
import { DEMO } from "../sandbox/environment.ts";
import { defaultScript } from "../sandbox/model/default-script.ts";
import { KNOWN_TASKS } from "../sandbox/model/task.ts";
import { describeBrowser, openBrowser, openVisitor, type Visitor } from "./visitor.ts";

/** How long four attempts of a job may take on a slow machine. */
const FOUR_TRIES_MS = 300_000;

/** How wide a page is, and what colour its ground has. */
const MEASURE = "[document.documentElement.scrollWidth, getComputedStyle(document.body).backgroundColor]";

describeBrowser("the sandbox in a browser", () => {
  let shared: SharedHarness;
  let browser: Browser;
  let visitor: Visitor;
  let site: string;
  beforeAll(async () => {
    shared = await openHarness();
    browser = await openBrowser();
    // one for all tests: a window costs more than most of them
    visitor = await openVisitor(browser);
    site = `${shared.github.url}/${DEMO}`;
  });
  afterAll(async () => {
    await browser?.close();
    await shared?.close();
  });

  const visit = async (look?: { width?: number; dark?: boolean }): Promise<Visitor> => {
    await visitor.arrive(site, look);
    return visitor;
  };

  const button = (page: Page, name: string): Locator => page.getByRole("button", { name, exact: true });
  /** The App's comment, as soon as it says that the job is in this state. */
  const appSays = (page: Page, state: string | RegExp): Locator =>
    page.locator("article", { hasText: "journeyman[bot]", has: page.locator("strong", { hasText: state }) });

  async function openIssue(page: Page, issue: { title: string; body?: string; label?: string }): Promise<void> {
    await page.goto(site);
    await page.getByRole("link", { name: /^Issues/ }).click();
    await page.getByRole("link", { name: "New issue" }).click();
    await page.getByLabel("Title").fill(issue.title);
    await page.getByLabel("Description").fill(issue.body ?? "");
    await page.getByLabel("Label").fill(issue.label ?? "");
    await button(page, "Open issue").click();
    await page.getByRole("heading", { level: 1, name: issue.title }).waitFor();
  }

  async function comment(page: Page, body: string): Promise<void> {
    await page.getByLabel("Comment", { exact: true }).fill(body);
    await button(page, "Comment").click();
    await page
      .locator("article", { hasText: "commented" })
      .filter({ hasText: body.split("\n", 1).join() })
      .first()
      .waitFor();
  }

  async function beSomebody(page: Page, login: string): Promise<void> {
    await page.getByLabel("You are").selectOption(login);
    await page.getByText(`Comment as ${login}`).waitFor();
  }

  /** From the issue to the check run of its failed job, by the links that are there. */
  async function toCheck(page: Page): Promise<void> {
    await appSays(page, "Failed")
      .getByRole("link", { name: /^job\// })
      .click();
    await page.locator(".box-head").getByRole("img", { name: "failure" }).click();
    await page.getByRole("link", { name: "journeyman", exact: true }).click();
    await button(page, "Retry").waitFor();
  }

  it("opens an issue, takes /job, and shows how it is merged without a reload", async () => {
    const { page, githubError } = await visit();
    // the page looks once a second, so the agent stays at work until it was seen there
    const seen = Promise.withResolvers<void>();
    shared.sandbox.model.setScript((request) => seen.promise.then(() => defaultScript(request)));
    await openIssue(page, { title: "Greet", body: "We should **greet**." });
    for (const task of KNOWN_TASKS) await page.getByText(`/job ${task}`, { exact: true }).waitFor();
    await comment(page, "/job create HELLO.md that says hello");
    await page.evaluate("document.body.setAttribute('data-same-page', '')");
    await page.getByLabel("Comment", { exact: true }).fill("still being written");
    await appSays(page, "Under way").waitFor();
    seen.resolve();
    await appSays(page, "Merged").waitFor();
    await page.locator(".state", { hasText: "Closed" }).first().waitFor();
    expect(await page.locator("[data-same-page]").count()).toBe(1);
    expect(await page.getByLabel("Comment", { exact: true }).inputValue()).toBe("still being written");
    await page.getByRole("link", { name: /Create HELLO\.md/ }).click();
    await page.getByText("merged this").waitFor();
    await page.getByRole("link", { name: "Files changed" }).click();
    await page.locator(".diff .add", { hasText: "+hello" }).waitFor();
    expect(githubError).toEqual([]);
  });

  it("fails on a task that the model does not know, tries again by Retry and gives up by Discard", {
    timeout: FOUR_TRIES_MS,
  }, async () => {
    const { page, githubError } = await visit();
    await openIssue(page, { title: "Something else" });
    const issue = page.url();
    await comment(page, "/job make everything better");
    await appSays(page, "Failed").waitFor();
    for (const task of KNOWN_TASKS) expect(await appSays(page, "Failed").textContent()).toContain(task);
    await toCheck(page);
    await button(page, "Retry").click();
    await page.getByText("The App was told.").waitFor();
    await page.goto(issue);
    await page.getByText("round 2").first().waitFor();
    await appSays(page, "Failed").waitFor();
    await toCheck(page);
    await button(page, "Discard").click();
    await page.getByText("The App was told.").waitFor();
    await page.getByRole("link", { name: "Code" }).click();
    await page
      .getByRole("link", { name: /^job\// })
      .first()
      .waitFor({ state: "detached" });
    expect(githubError).toEqual([]);
  });

  it("approves a pull request as somebody else and merges it by hand", async () => {
    const { page, githubError } = await visit();
    await openIssue(page, { title: "By hand" });
    const issue = page.url();
    await comment(page, "/job --no-merge create HAND.md that says hand");
    await page
      .getByRole("link", { name: /Create HAND\.md/ })
      .first()
      .click();
    await beSomebody(page, "olga");
    await page.getByLabel("Review").fill("Good as it **is**.");
    await button(page, "Approve").click();
    await page
      .locator("article", { hasText: "olga approved these changes" })
      .getByText("is", { exact: true })
      .waitFor();
    await beSomebody(page, "rex");
    await button(page, "Merge pull request").click();
    await page.getByText("Must have push access to repository").waitFor();
    await page.getByRole("link", { name: "Go back" }).click();
    await beSomebody(page, "ada");
    await button(page, "Squash and merge").click();
    await page.getByText("ada merged this").waitFor();
    await page.goto(issue);
    await appSays(page, "Merged").waitFor();
    // what rex tried is told by the browser, too
    expect(githubError.filter((line) => !line.includes("403"))).toEqual([]);
  });

  it("closes a pull request, and closes and reopens an issue", async () => {
    const { page, githubError } = await visit();
    await openIssue(page, { title: "Not needed" });
    const issue = page.url();
    await comment(page, "/job --no-merge create SPARE.md that says spare");
    await page
      .getByRole("link", { name: /Create SPARE\.md/ })
      .first()
      .click();
    await button(page, "Close pull request").click();
    await page.locator("h1 + p, .head + p").locator(".state", { hasText: "Closed" }).waitFor();
    await page.goto(issue);
    await button(page, "Close issue").click();
    await button(page, "Reopen issue").click();
    await button(page, "Close issue").waitFor();
    expect(githubError).toEqual([]);
  });

  it("starts a job by a label, from a new issue and on one that is there", async () => {
    const { page, githubError } = await visit();
    await openIssue(page, { title: "create LABELLED.md that says labelled", label: "job" });
    await appSays(page, "Merged").waitFor();
    await openIssue(page, { title: "create LATER.md that says later" });
    await page.getByLabel("Label").fill("job");
    await button(page, "Add label").click();
    await appSays(page, "Merged").waitFor();
    expect(githubError).toEqual([]);
  });

  it("renders Markdown, and nothing that somebody wrote does anything", async () => {
    const { page, githubError } = await visit();
    const hostile = [
      "<script>document.title = 'taken'</script><img src=x onerror=\"document.title='taken'\">",
      "<a href=\"javascript:document.title='taken'\">one</a> [two](javascript:alert(1)) ![three](http://192.0.2.1/x.png)",
      "<form action=/-/act-as method=post><button>Merge pull request</button></form><style>body{display:none}</style>",
      "</div></article><details open ontoggle=alert(1)><summary>S</summary></details>",
    ].join("\n\n");
    const title = `<script>document.title='taken'</script>"><svg onload=alert(1)>`;
    await openIssue(page, {
      title,
      body: `# Plan\n\n- [site](https://example.com)\n\n| a |\n|---|\n| \`b\` |\n\n${hostile}`,
      label: "<b>bold</b>",
    });
    await comment(page, `talk\n\n${hostile}`);
    await page.locator(".markdown h1", { hasText: "Plan" }).waitFor();
    expect(await page.locator(".markdown td code").textContent()).toBe("b");
    expect(await page.locator('.markdown a[href="https://example.com"]').count()).toBe(1);
    const inMarkdown = (what: string) => page.locator(`.markdown :is(${what})`).count();
    expect(
      await inMarkdown(
        "script, img, form, button, style, svg, [onerror], [onload], [ontoggle], [href^='javascript' i]",
      ),
    ).toBe(0);
    expect(await page.locator("article .markdown").count()).toBe(2);
    await page.goto(`${site}/issues`);
    await page.getByText(title).waitFor();
    expect(await page.title()).toContain("Issues");
    expect(githubError).toEqual([]);
  });

  it("works without JavaScript", async () => {
    const { page, arrive } = await openVisitor(browser, { javaScriptEnabled: false });
    await arrive(site);
    await openIssue(page, { title: "No script" });
    await comment(page, "only words");
    await page.getByLabel("You are").selectOption("olga");
    await button(page, "Switch").click();
    await page.getByText("Comment as olga").waitFor();
  });

  it("fits a narrow screen, light and dark", async () => {
    for (const dark of [false, true]) {
      const { page, githubError } = await visit({ width: 360, dark });
      for (const path of ["", "/issues", "/issues/1", "/issues/new", "/pull/2", "/pull/2/files", "/actions"]) {
        await page.goto(`${site}${path}`);
        const [wide, ground] = z.tuple([z.number(), z.string()]).parse(await page.evaluate(MEASURE));
        expect([path, wide]).toEqual([path, 360]);
        expect(ground).toBe(dark ? "rgb(13, 17, 23)" : "rgb(255, 255, 255)");
      }
      expect(githubError).toEqual([]);
    }
  });
});
