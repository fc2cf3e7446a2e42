/** Pages of commits, folders and files. */
import { html } from "./html.ts";
import type { Repository } from "./model.ts";
import type { Page } from "./pages.ts";
import { diff } from "./pages-issues.ts";
import { fullName } from "./payloads.ts";
import type { World } from "./world.ts";

export async function commitPage(
  _world: World,
  repository: Repository,
  [sha = ""]: readonly string[],
): Promise<Page | undefined> {
  const { git } = repository;
  const commit = git.commit(sha);
  if (!commit) return undefined;
  const files = await git.patches(commit.parents[0] ?? git.editTree(undefined, new Map()), sha);
  return {
    title: commit.message.split("\n")[0] ?? sha,
    body: html`<p class="dim">${sha} by ${commit.author.name}${repository.verifiedCommits.has(sha) ? " · Verified" : ""}</p><p class="text">${commit.message}</p>
${files.map((file) => html`<h3>${file.filename}</h3>${diff(file.patch)}`)}`,
  };
}

/** `{ref}/{path}`: a branch's name may have slashes, so the first prefix that is one counts. */
export function codePage(_world: World, repository: Repository, [rest = ""]: readonly string[]): Page | undefined {
  const { git } = repository;
  const parts = rest.split("/");
  const cut = parts.findIndex((_, index) => git.resolve(parts.slice(0, index + 1).join("/")) !== undefined);
  if (cut < 0) return undefined;
  const ref = parts.slice(0, cut + 1).join("/");
  const path = parts.slice(cut + 1).join("/");
  const entry = git.find(ref, path);
  if (!entry) return undefined;
  const title = path === "" ? ref : `${path} at ${ref}`;
  if (entry.type === "blob") return { title, body: html`<pre>${git.blob(entry.sha)?.toString("utf8")}</pre>` };
  const prefix = `/${fullName(repository)}/tree/${ref}/${path === "" ? "" : `${path}/`}`;
  const children = entry.type === "tree" ? git.list(entry.sha, false) : [];
  return {
    title,
    body: html`<ul>${children.map((child) => html`<li><a href="${prefix}${child.path}">${child.path}${child.type === "tree" ? "/" : ""}</a></li>`)}</ul>`,
  };
}
