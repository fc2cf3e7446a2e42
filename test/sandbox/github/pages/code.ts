/** Pages of branches, folders, files and commits. */

import { type Html, html, nothing } from "../../../../src/text/html.ts";
import type { Commit } from "../git-commits.ts";
import type { FileEntry } from "../git-trees.ts";
import { repoHtml } from "../payloads.ts";
import { checkList, rollup } from "./checks.ts";
import { changedFiles } from "./diff.ts";
import { live } from "./layout.ts";
import { markdown } from "./markdown.ts";
import { time, treeLink } from "./marks.ts";
import type { Page, Render, Visit } from "./visit.ts";

const subject = (commit: Commit): string => commit.message.split("\n")[0] ?? "";

const commitLine = ({ repository, base }: Visit, commit: Commit): Html =>
  html`<p class="box-head"><b>${commit.author.name}</b> <a href="${base}/commit/${commit.sha}">${subject(commit)}</a> ${rollup(repository, base, commit.sha)} <span class="dim">${commit.sha.slice(0, 7)} ${time(commit.committer.at)}</span></p>`;

export async function commitPage(visit: Visit): Promise<Page | undefined> {
  const { repository, rest } = visit;
  const { git } = repository;
  const commit = git.commit(rest[0] ?? "");
  if (commit === undefined) return undefined;
  const files = await git.patches(commit.parents[0] ?? git.editTree(undefined, new Map()), commit.sha);
  const verified = repository.verifiedCommits.has(commit.sha) ? html` <span class="pill">Verified</span>` : nothing;
  return {
    title: subject(commit),
    tab: "code",
    body: html`<h1>${subject(commit)}</h1><p class="dim">${commit.sha} by ${commit.author.name}${verified}</p><pre class="message">${commit.message}</pre>
${live("checks", html`<section class="card"><header><b>Checks</b></header><div class="card-body">${checkList(visit, commit.sha)}</div></section>`)}${changedFiles(files)}`,
  };
}

function folder(visit: Visit, ref: string, path: string, entries: readonly FileEntry[]): Html {
  const link = ({ path: name }: FileEntry): string => treeLink(visit.base, ref, path === "" ? name : `${path}/${name}`);
  const rows = [...entries].sort((a, b) => Number(b.type === "tree") - Number(a.type === "tree"));
  return html`<ul class="rows">${rows.map((one) => html`<li><a href="${link(one)}">${one.path}${one.type === "tree" ? "/" : ""}</a></li>`)}</ul>`;
}

function branches({ repository, base }: Visit): Html {
  const refs = [...repository.git.refs.list("refs/heads/")].map(
    ([ref, sha]) => [ref.slice("refs/heads/".length), sha] as const,
  );
  return html`<section class="panel"><h2>Branches</h2>${live("branches", html`<ul class="plain">${refs.map(([name, sha]) => html`<li><a class="branch" href="${treeLink(base, name)}">${name}</a> ${rollup(repository, base, sha)}</li>`)}</ul>`)}</section>`;
}

function tree(visit: Visit, ref: string, path: string): Page | undefined {
  const { repository, base } = visit;
  const { git } = repository;
  const entry = git.find(ref, path);
  const sha = git.resolve(ref);
  const commit = sha === undefined ? undefined : git.commit(sha);
  if (entry === undefined || commit === undefined) return undefined;
  const isFile = entry.type === "blob";
  const read = (file: string): string | undefined => git.readFile(ref, file)?.toString("utf8");
  const readme = path === "" ? read("README.md") : undefined;
  const content = isFile
    ? html`<pre class="file">${read(path)}</pre>`
    : folder(visit, ref, path, entry.type === "tree" ? git.list(entry.sha, false) : []);
  return {
    title: path === "" ? `${ref} · Code` : `${path} at ${ref}`,
    tab: "code",
    body: html`<h1><a class="branch" href="${treeLink(base, ref)}">${ref}</a> ${path}</h1><div class="columns"><div>${live("code", html`<div class="box">${commitLine(visit, commit)}${content}</div>`)}${readme === undefined ? nothing : html`<section class="card"><header><b>README.md</b></header><div class="card-body">${markdown(readme, base)}</div></section>`}</div><div class="side">${branches(visit)}<section class="panel"><h2>Clone</h2><pre>git clone ${repoHtml(visit.world, repository)}.git</pre></section></div></div>`,
  };
}

/** `{ref}/{path}`: branch names may contain slashes, so the first prefix that is a branch counts. */
export const codePage: Render = (visit) => {
  const { git } = visit.repository;
  const parts = (visit.rest[0] ?? "").split("/");
  const cut = parts.findIndex((_, index) => git.resolve(parts.slice(0, index + 1).join("/")) !== undefined);
  return cut < 0 ? undefined : tree(visit, parts.slice(0, cut + 1).join("/"), parts.slice(cut + 1).join("/"));
};

export const repositoryPage: Render = (visit) => {
  const { repository } = visit;
  const empty = { title: "Code", tab: "code", body: html`<p class="empty">This repository is empty.</p>` } as const;
  return tree(visit, repository.defaultBranch, "") ?? empty;
};
