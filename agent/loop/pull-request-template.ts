/**
 * Finds the form that the repository has for the text of pull requests, in the base commit and where GitHub looks for
 * it. Of several in a folder GitHub takes none by itself, and neither does this.
 */
import { head } from "../../src/text/text.ts";
import { type Checkout, objectsAt, pathsAt } from "../git.ts";

/** In GitHub's order. */
const FOLDERS = [".github/", "./", "docs/"];
const NAME = /^pull_request_template(?:\.(?:md|txt))?$/i;
const MAX_TEMPLATE = 10_000;

export async function readPullRequestTemplate(checkout: Checkout, sha: string): Promise<string | null> {
  const paths = await pathsAt(checkout, sha, FOLDERS);
  const found = FOLDERS.flatMap((folder) => {
    const before = folder === "./" ? "" : folder;
    return paths.find((path) => path.startsWith(before) && NAME.test(path.slice(before.length))) ?? [];
  });
  if (found.length === 0) return null;
  const files = await objectsAt(
    checkout,
    found.map((path) => `${sha}:${path}`),
  );
  const texts = files.flatMap((file) => (file?.type === "blob" ? [file.text.trim()] : []));
  const first = texts.find((text) => text !== "");
  return first === undefined ? null : head(first, MAX_TEMPLATE);
}
