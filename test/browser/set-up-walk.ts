/** Sets a repository up as a person does, in a browser, and counts what that person presses and fills in. */
import type { Locator, Page } from "playwright-core";

export interface Counted {
  readonly clicks: number;
  readonly fields: number;
}

export interface Steps {
  counted(): Counted;
  click(what: Locator): Promise<void>;
  fill(what: Locator, text: string): Promise<void>;
  /** Opens the link in a tab of its own, as somebody who wants to come back. */
  follow(link: string): Promise<Page>;
}

export const button = (page: Page, name: string): Locator => page.getByRole("button", { name, exact: true });

export function stepsOn(page: Page): Steps {
  let clicks = 0;
  let fields = 0;
  return {
    counted: () => ({ clicks, fields }),
    async click(what) {
      await what.click();
      clicks += 1;
    },
    async fill(what, text) {
      await what.fill(text);
      fields += 1;
    },
    async follow(link) {
      clicks += 1;
      const opened = page.context().waitForEvent("page");
      await page.getByRole("link", { name: link }).click({ modifiers: ["ControlOrMeta"] });
      return opened;
    },
  };
}

/**
 * From GitHub's page for installing the App to the set-up pull request, where the App's own page leads. `only`: the one
 * repository that is chosen in place of all.
 */
export async function install(page: Page, steps: Steps, only?: string): Promise<void> {
  if (only !== undefined) {
    await steps.click(page.getByLabel("Only select repositories"));
    await steps.click(page.getByLabel(only));
  }
  await steps.click(button(page, "Install"));
}

interface Wishes {
  /** Null where there is one for all, or none is needed. */
  readonly key: string | null;
  readonly ticked?: () => Promise<unknown>;
  readonly bot: string;
}

/** From the set-up pull request to the first merged job, which its merge begins. */
export async function followSetUp(page: Page, steps: Steps, { key, ticked, bot }: Wishes): Promise<void> {
  await page.getByText("This list ticks itself").waitFor();
  const file = await steps.follow("Add .github/workflows/run-job.yml");
  await steps.click(button(file, "Commit changes"));
  await file.getByText("id-token: write").waitFor();
  await file.close();

  if (key !== null) {
    const secret = await steps.follow("Add the secret");
    await steps.fill(secret.getByLabel("Name"), "ANTHROPIC_API_KEY");
    await steps.fill(secret.getByLabel("Secret", { exact: true }), key);
    await steps.click(button(secret, "Add secret"));
    await secret.getByText("ANTHROPIC_API_KEY").waitFor();
    await secret.close();
  }

  await ticked?.();
  await steps.click(button(page, "Merge pull request"));
  await page.getByText("merged this").waitFor();
  await page.locator("article", { hasText: bot, has: page.locator("strong", { hasText: "Merged" }) }).waitFor();
}
