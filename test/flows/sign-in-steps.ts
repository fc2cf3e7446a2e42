/** The steps of signing in: the App's form, GitHub's page, and back. */
import { DEMO } from "../sandbox/environment.ts";
import { type Browser, formOf, openBrowser, type Visit } from "./browser.ts";
import type { Harness } from "./harness.ts";

export type Fields = [string, string][];

export const atCallback = (next: URL): boolean => next.pathname === "/keys/callback";

/** Fills in the App's form and goes on to GitHub's page, or wherever it is sent. */
export async function requestKey(
  harness: Harness,
  browser: Browser,
  change: (fields: Fields) => Fields = (fields) => fields,
) {
  const { action, fields } = formOf((await browser.get(`${harness.app.url}/keys?repository=${DEMO}`)).text);
  return browser.post(action, change(fields));
}

/** Presses a button on GitHub's page; stops before the way back when told so. */
export async function press(page: Visit, browser: Browser, button: [string, string], stop?: (next: URL) => boolean) {
  const { action, fields } = formOf(page.text);
  return browser.post(new URL(action, page.url).href, [...fields, button], stop);
}

export async function signIn(
  harness: Harness,
  login: string,
  change?: (fields: Fields) => Fields,
  browser = openBrowser(),
) {
  return press(await requestKey(harness, browser, change), browser, ["login", login]);
}
