/**
 * Finds the form that the repository has for the text of pull requests, in the base commit and where GitHub looks for
 * it. Of several in a folder GitHub takes none by itself, and neither does this.
 */

import { head } from "../../src/text/text.ts";
import { type Checkout, fileAt, namesAt } from "../git.ts";

/** In GitHub's order. */
const FOLDERS = [".github/", "", "docs/"];
const NAME = /^pull_request_template(?:\.(?:md|txt))?$/i;
const MAX_TEMPLATE = 10_000;

export async function readPullRequestTemplate(checkout: Checkout, sha: string): Promise<string | null> {
  for (const folder of FOLDERS) {
    const name = (await namesAt(checkout, sha, folder)).find((one) => NAME.test(one));
    const text = name === undefined ? null : await fileAt(checkout, sha, `${folder}${name}`);
    if (text !== null && text.trim() !== "") return head(text.trim(), MAX_TEMPLATE);
  }
  return null;
}
