/** REST: files, commits and comparisons. */
import * as z from "zod";
import { notFound, parseBody, Refusal } from "./errors.ts";
import type { Commit } from "./git-commits.ts";
import { ZERO } from "./git-refs.ts";
import type { PatchedFile } from "./git-store.ts";
import type { FileEntry } from "./git-trees.ts";
import type { Json } from "./model.ts";
import { repoApi, repoHtml } from "./payloads.ts";
import { commitJson, emailOf, gitCommitJson } from "./payloads-commits.ts";
import { refChanged } from "./ref-changes.ts";
import { mayTouch } from "./rest-git.ts";
import { ok, paged, type Reply, type RepositoryRequest, type Route, repositoryRoute } from "./router.ts";
import type { World } from "./world.ts";

function contentJson(
  world: World,
  request: RepositoryRequest,
  entry: FileEntry,
  path: string,
  withText: boolean,
): Json {
  const { repository } = request;
  const data = entry.type === "blob" ? repository.git.blob(entry.sha) : undefined;
  const ref = request.query.get("ref") ?? repository.defaultBranch;
  const url = `${repoApi(world, repository)}/contents/${path}?ref=${ref}`;
  const html = `${repoHtml(world, repository)}/${entry.type === "tree" ? "tree" : "blob"}/${ref}/${path}`;
  return {
    type: entry.type === "tree" ? "dir" : "file",
    ...(withText && data ? { encoding: "base64", content: data.toString("base64") } : {}),
    size: data?.length ?? 0,
    name: path.split("/").at(-1) ?? "",
    path,
    sha: entry.sha,
    url,
    git_url: `${repoApi(world, repository)}/git/${entry.type}s/${entry.sha}`,
    html_url: html,
    download_url: null,
    _links: { self: url, html },
  };
}

function getContents(world: World, request: RepositoryRequest): Reply {
  const { git, defaultBranch } = request.repository;
  const path = (request.params.path ?? "").replace(/^\/+|\/+$/g, "");
  if (git.isEmpty()) throw new Refusal(404, "This repository is empty.");
  const ref = request.query.get("ref") ?? defaultBranch;
  if (!git.resolve(ref)) throw new Refusal(404, `No commit found for the ref ${ref}`);
  const entry = git.find(ref, path);
  if (!entry) throw notFound();
  if (entry.type === "tree") {
    const prefix = path === "" ? "" : `${path}/`;
    const children = git.list(entry.sha, false);
    return ok(children.map((child) => contentJson(world, request, child, `${prefix}${child.path}`, false)));
  }
  const data = git.blob(entry.sha) ?? Buffer.alloc(0);
  if (/\braw\b/.test(request.accept))
    return { status: 200, raw: { type: "application/vnd.github.raw; charset=utf-8", data } };
  return ok(contentJson(world, request, entry, path, true));
}

const person = z.object({ name: z.string(), email: z.string() });
const fileBody = z.object({
  message: z.string(),
  content: z.base64(),
  sha: z.string().optional(),
  branch: z.string().optional(),
  committer: person.optional(),
  author: person.optional(),
});
const deleteBody = fileBody.omit({ content: true }).required({ sha: true });

function writeFile(world: World, request: RepositoryRequest): Reply {
  const remove = request.method === "DELETE";
  const body = remove
    ? { ...parseBody(deleteBody, request.body), content: undefined }
    : parseBody(fileBody, request.body);
  const { repository } = request;
  const { git } = repository;
  const path = request.params.path ?? "";
  mayTouch(request, [path]);
  const branch = body.branch ?? repository.defaultBranch;
  const ref = `refs/heads/${branch}`;
  const before = git.refs.get(ref);
  if (before === undefined && !git.isEmpty()) throw new Refusal(404, `Branch ${branch} not found`);
  if (repository.protections.has(branch)) throw new Refusal(409, "Changes must be made through a pull request.");
  const known = before === undefined ? undefined : git.find(before, path);
  if (remove && !known) throw notFound();
  if (known && body.sha === undefined) throw new Refusal(422, `Invalid request.\n\n"sha" wasn't supplied.`);
  if (body.sha !== undefined && known?.sha !== body.sha) throw new Refusal(409, `${path} does not match ${body.sha}`);
  const { user, appId } = request.cause();
  const at = world.now();
  const own = { name: user.login, email: emailOf(user), at };
  const author = body.author ? { ...body.author, at } : own;
  const committer = body.committer ? { ...body.committer, at } : { name: "GitHub", email: "noreply@github.com", at };
  const content = body.content === undefined ? null : Buffer.from(body.content, "base64");
  const written = git.commitFiles(before, { [path]: content }, { author, committer, message: body.message });
  if (appId !== undefined && !body.author && !body.committer) repository.verifiedCommits.add(written);
  if (git.refs.set(ref, written, before ?? ZERO) !== "ok")
    throw new Refusal(409, `is at ${git.refs.get(ref)} but expected ${before}`);
  refChanged(world, repository, { ref, before: before ?? ZERO, after: written }, request.cause());
  const entry = git.find(written, path);
  const commit = git.commit(written);
  if (!commit) throw new Error("a commit that was just written is missing");
  return {
    status: known ? 200 : 201,
    body: {
      content: entry ? contentJson(world, request, entry, path, false) : null,
      commit: gitCommitJson(world, repository, commit),
    },
  };
}

async function compare(world: World, request: RepositoryRequest): Promise<Reply> {
  const { repository } = request;
  const { git } = repository;
  const [baseName = "", headName = ""] = (request.params.range ?? "").split("...");
  const [base, head] = [git.resolve(baseName), git.resolve(headName.replace(/^[^:/]+:/, ""))];
  if (!base || !head) throw notFound();
  const mergeBase = await git.mergeBase(base, head);
  if (mergeBase === undefined) throw new Refusal(404, `No common ancestor between ${baseName} and ${headName}.`);
  const ahead = git.between(base, head);
  const behind = git.between(head, base);
  const commit = (sha: string) => commitJson(world, repository, must(git.commit(sha)));
  const status =
    ahead.length > 0 ? (behind.length > 0 ? "diverged" : "ahead") : behind.length > 0 ? "behind" : "identical";
  return ok({
    url: `${repoApi(world, repository)}/compare/${baseName}...${headName}`,
    html_url: `${repoHtml(world, repository)}/compare/${baseName}...${headName}`,
    base_commit: commit(base),
    merge_base_commit: commit(mergeBase),
    status,
    ahead_by: ahead.length,
    behind_by: behind.length,
    total_commits: ahead.length,
    commits: ahead.map((one) => commitJson(world, repository, one)),
    files: (await git.patches(mergeBase, head)).map((file) => fileJson(world, request, file, head)),
  });
}

function must(commit: Commit | undefined): Commit {
  if (!commit) throw notFound();
  return commit;
}

export function fileJson(
  world: World,
  { repository }: RepositoryRequest,
  { patch, ...file }: PatchedFile,
  head: string,
): Json {
  const html = repoHtml(world, repository);
  return {
    ...file,
    // binary and empty files have none
    ...(patch === "" ? {} : { patch }),
    changes: file.additions + file.deletions,
    blob_url: `${html}/blob/${head}/${file.filename}`,
    raw_url: `${html}/raw/${head}/${file.filename}`,
    contents_url: `${repoApi(world, repository)}/contents/${file.filename}?ref=${head}`,
  };
}

function listCommits(world: World, request: RepositoryRequest): Reply {
  const { repository } = request;
  const { git } = repository;
  if (git.isEmpty()) throw new Refusal(409, "Git Repository is empty.");
  const start = git.resolve(request.query.get("sha") ?? repository.defaultBranch);
  if (!start) throw notFound();
  const path = request.query.get("path");
  const commits = git.between(undefined, start).reverse();
  const touching = path
    ? commits.filter((commit) => {
        const { added, modified, removed } = git.changes(commit.parents[0], commit.sha);
        return [...added, ...modified, ...removed].some((file) => file === path || file.startsWith(`${path}/`));
      })
    : commits;
  return paged(world, request, touching, (page) => page.map((commit) => commitJson(world, repository, commit)));
}

async function getCommit(world: World, request: RepositoryRequest): Promise<Reply> {
  const { repository } = request;
  const { git } = repository;
  const found = git.resolve(request.params.sha ?? "");
  const commit = found ? git.commit(found) : undefined;
  if (!commit) throw new Refusal(422, `No commit found for SHA: ${request.params.sha}`);
  const before = commit.parents[0] ?? git.editTree(undefined, new Map());
  const files = await git.patches(before, commit.sha);
  const total = (key: "additions" | "deletions") => files.reduce((sum, file) => sum + file[key], 0);
  return ok({
    ...commitJson(world, repository, commit),
    stats: {
      additions: total("additions"),
      deletions: total("deletions"),
      total: total("additions") + total("deletions"),
    },
    files: files.map((file) => fileJson(world, request, file, commit.sha)),
  });
}

export const contentRoutes: readonly Route[] = [
  repositoryRoute("GET /contents", "contents:read", getContents),
  repositoryRoute("GET /contents/*path", "contents:read", getContents),
  repositoryRoute("PUT /contents/*path", "contents:write", writeFile),
  repositoryRoute("DELETE /contents/*path", "contents:write", writeFile),
  repositoryRoute("GET /compare/*range", "contents:read", compare),
  repositoryRoute("GET /commits", "contents:read", listCommits),
];

/** Must be the last route, since `*sha` would match `/commits/:ref/check-runs`. */
export const commitRoutes: readonly Route[] = [repositoryRoute("GET /commits/*sha", "contents:read", getCommit)];
