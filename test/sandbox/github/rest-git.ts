/** REST: git data (trees, blobs, commits, refs) and branches. */
import * as z from "zod";
import { mayWrite } from "./access.ts";
import { notAccessible, notFound, parseBody, Refusal } from "./errors.ts";
import type { Signature } from "./git-commits.ts";
import { isValidRef, ZERO } from "./git-refs.ts";
import type { TreeChange } from "./git-trees.ts";
import { repoApi } from "./payloads.ts";
import { emailOf, gitCommitJson } from "./payloads-commits.ts";
import { refChanged, refJson } from "./ref-changes.ts";
import {
  created,
  noContent,
  ok,
  paged,
  type Reply,
  type RepositoryRequest,
  type Route,
  repositoryRoute,
} from "./router.ts";
import { unsignedRef } from "./signatures.ts";
import { iso, type World } from "./world.ts";

const sha = z.string().regex(/^[0-9a-f]{40}$/, "is not a valid SHA");
const treeBody = z.object({
  base_tree: z.string().optional(),
  tree: z.array(
    z.object({
      path: z.string().min(1),
      mode: z.enum(["100644", "100755", "040000", "160000", "120000"]).default("100644"),
      type: z.enum(["blob", "tree", "commit"]).optional(),
      sha: sha.nullish(),
      content: z.string().optional(),
    }),
  ),
});
const person = z.object({ name: z.string(), email: z.string(), date: z.iso.datetime({ offset: true }).optional() });
const commitBody = z.object({
  message: z.string(),
  tree: sha,
  parents: z.array(sha).default([]),
  author: person.optional(),
  committer: person.optional(),
  signature: z.string().optional(),
});

export const isWorkflowFile = (path: string): boolean => path.startsWith(".github/workflows/");

/** GitHub answers 409 to git data calls of a repository without commits. */
function mustHaveCommits({ repository }: RepositoryRequest): void {
  if (repository.git.isEmpty()) throw new Refusal(409, "Git Repository is empty.");
}

/** An App without `workflows: write` may not change workflow files. */
export function mayTouch(request: RepositoryRequest, paths: Iterable<string>): void {
  if (request.actor.kind !== "token" || mayWrite(request.actor, request.repository, "workflows")) return;
  for (const path of paths) if (isWorkflowFile(path)) throw notAccessible();
}

function createTree(world: World, request: RepositoryRequest): Reply {
  mustHaveCommits(request);
  const { git } = request.repository;
  const { base_tree: base, tree } = parseBody(treeBody, request.body);
  const baseTree = base === undefined ? undefined : (git.commit(base)?.tree ?? base);
  if (baseTree !== undefined && git.objects.read(baseTree)?.type !== "tree") throw notFound();
  mayTouch(
    request,
    tree.map((entry) => entry.path),
  );
  const changes = new Map<string, TreeChange>();
  for (const entry of tree) {
    if (entry.content !== undefined && entry.sha)
      throw new Refusal(422, "Must supply either tree.sha or tree.content. Cannot supply both.");
    if (/^\/|\/$|\/\/|(?:^|\/)(?:\.|\.\.|\.git)(?:\/|$)/.test(entry.path))
      throw new Refusal(422, "tree.path contains a malformed path component");
    if (entry.content !== undefined) changes.set(entry.path, { mode: entry.mode, sha: git.writeBlob(entry.content) });
    else if (entry.sha === null) changes.set(entry.path, null);
    else if (entry.sha === undefined) throw new Refusal(422, "Must supply a valid tree.sha or tree.content.");
    else if (!git.objects.read(entry.sha))
      throw new Refusal(422, `tree.sha ${entry.sha} is not a valid ${entry.type ?? "blob"}`);
    else changes.set(entry.path, { mode: entry.mode, sha: entry.sha });
  }
  return created(treeJson(world, request, git.editTree(baseTree, changes), false));
}

function treeJson(world: World, request: RepositoryRequest, tree: string, recursive: boolean) {
  const { git } = request.repository;
  const api = repoApi(world, request.repository);
  return {
    sha: tree,
    url: `${api}/git/trees/${tree}`,
    tree: git.list(tree, recursive).map((entry) => ({
      ...entry,
      ...(entry.type === "blob" ? { size: git.blob(entry.sha)?.length ?? 0 } : {}),
      url: `${api}/git/${entry.type}s/${entry.sha}`,
    })),
    truncated: false,
  };
}

function getTree(world: World, request: RepositoryRequest): Reply {
  mustHaveCommits(request);
  const { git } = request.repository;
  const name = request.params.sha ?? "";
  const commit = git.resolve(name);
  const tree = commit ? git.commit(commit)?.tree : name;
  if (!tree || git.objects.read(tree)?.type !== "tree") throw notFound();
  return ok(treeJson(world, request, tree, request.query.has("recursive")));
}

function createCommit(world: World, request: RepositoryRequest): Reply {
  mustHaveCommits(request);
  const { repository } = request;
  const { git } = repository;
  const body = parseBody(commitBody, request.body);
  if (git.objects.read(body.tree)?.type !== "tree") throw new Refusal(422, "Tree SHA does not exist");
  for (const parent of body.parents)
    if (!git.commit(parent)) throw new Refusal(422, "Parent SHA does not exist or is not a commit object");
  const { user, appId, byWorkflowToken } = request.cause();
  const own: Signature = { name: user.login, email: emailOf(user), at: world.now() };
  const signed = (given: z.infer<typeof person>): Signature => ({
    name: given.name,
    email: given.email,
    at: given.date === undefined ? world.now() : Date.parse(given.date),
  });
  // GitHub signs what an App commits in its own name, as the committer "GitHub"; GITHUB_TOKEN is an App's token too.
  const verified = (appId !== undefined || byWorkflowToken) && !body.author && !body.committer && !body.signature;
  const author = body.author ? signed(body.author) : own;
  const web: Signature = { name: "GitHub", email: "noreply@github.com", at: world.now() };
  const committer = verified ? web : body.committer ? signed(body.committer) : author;
  const written = git.writeCommit({ tree: body.tree, parents: body.parents, author, committer, message: body.message });
  if (verified) repository.verifiedCommits.add(written);
  const commit = git.commit(written);
  if (!commit) throw new Error("a commit that was just written is missing");
  return created(gitCommitJson(world, repository, commit));
}

function getCommit(world: World, request: RepositoryRequest): Reply {
  mustHaveCommits(request);
  const commit = request.repository.git.commit(request.params.sha ?? "");
  if (!commit) throw notFound();
  return ok(gitCommitJson(world, request.repository, commit));
}

const blobBody = z.object({ content: z.string(), encoding: z.enum(["utf-8", "base64"]).default("utf-8") });

function createBlob(world: World, request: RepositoryRequest): Reply {
  mustHaveCommits(request);
  const { content, encoding } = parseBody(blobBody, request.body);
  const written = request.repository.git.writeBlob(Buffer.from(content, encoding));
  return created({ sha: written, url: `${repoApi(world, request.repository)}/git/blobs/${written}` });
}

function getBlob(world: World, request: RepositoryRequest): Reply {
  const name = request.params.sha ?? "";
  const data = request.repository.git.blob(name);
  if (!data) throw notFound();
  if (request.accept.includes("raw")) return { status: 200, raw: { type: "application/octet-stream", data } };
  return ok({
    sha: name,
    node_id: `B_${request.repository.id}_${name}`,
    size: data.length,
    url: `${repoApi(world, request.repository)}/git/blobs/${name}`,
    content: data.toString("base64"),
    encoding: "base64",
  });
}

function getRef(world: World, request: RepositoryRequest): Reply {
  mustHaveCommits(request);
  const ref = `refs/${request.params.ref}`;
  const found = request.repository.git.refs.get(ref);
  if (found === undefined) throw notFound();
  return ok(refJson(world, request.repository, ref, found));
}

function matchingRefs(world: World, request: RepositoryRequest): Reply {
  mustHaveCommits(request);
  const refs = [...request.repository.git.refs.list(`refs/${request.params.ref}`)];
  return paged(
    world,
    request,
    refs.map(([ref, target]) => refJson(world, request.repository, ref, target)),
  );
}

const newRef = z.object({ ref: z.string(), sha });

function createRef(world: World, request: RepositoryRequest): Reply {
  mustHaveCommits(request);
  const { git } = request.repository;
  const body = parseBody(newRef, request.body);
  if (!isValidRef(body.ref)) throw new Refusal(422, `${body.ref} is not a valid ref name.`);
  if (!git.objects.read(body.sha)) throw new Refusal(422, "Object does not exist");
  mustBeFree(request, body.ref);
  mustKeepWorkflows(request, body.sha);
  mustBeSigned(request, body.ref, undefined, body.sha);
  const outcome = git.refs.set(body.ref, body.sha, ZERO);
  if (outcome === "moved") throw new Refusal(422, "Reference already exists");
  if (outcome === "blocked") throw new Refusal(422, "Reference update failed");
  refChanged(world, request.repository, { ref: body.ref, before: ZERO, after: body.sha }, request.cause());
  return created(refJson(world, request.repository, body.ref, body.sha));
}

function mustBeSigned({ repository }: RepositoryRequest, ref: string, before: string | undefined, after: string): void {
  const sentence = unsignedRef(repository, ref, before, after);
  if (sentence !== undefined) throw new Refusal(422, sentence);
}

function mustBeFree({ repository }: RepositoryRequest, ref: string): void {
  const rule = repository.refRules.find(({ branches }) => branches.test(ref.replace(/^refs\/heads\//, "")));
  if (rule) throw new Refusal(422, `Repository rule violations found\n\n${rule.words.join("\n")}`);
}

/** Commits that become reachable may not change workflow files without the permission. */
function mustKeepWorkflows(request: RepositoryRequest, target: string): void {
  const { git } = request.repository;
  if (request.actor.kind !== "token" || mayWrite(request.actor, request.repository, "workflows")) return;
  const known = git.branch(request.repository.defaultBranch);
  if (known === target) return;
  for (const commit of git.between(known, target)) {
    if (commit.parents.length > 1) continue;
    const { added, modified, removed } = git.changes(commit.parents[0], commit.sha);
    mayTouch(request, [...added, ...modified, ...removed]);
  }
}

const movedRef = z.object({ sha, force: z.boolean().default(false) });

function updateRef(world: World, request: RepositoryRequest): Reply {
  mustHaveCommits(request);
  const { git, protections } = request.repository;
  const ref = `refs/${request.params.ref}`;
  const body = parseBody(movedRef, request.body);
  const before = git.refs.get(ref);
  if (before === undefined) throw new Refusal(422, "Reference does not exist");
  if (!git.objects.read(body.sha)) throw new Refusal(422, "Object does not exist");
  if (protections.has(ref.slice("refs/heads/".length)))
    throw new Refusal(422, "Changes must be made through a pull request.");
  if (!body.force && !git.isAncestor(before, body.sha)) throw new Refusal(422, "Update is not a fast forward");
  mustKeepWorkflows(request, body.sha);
  mustBeSigned(request, ref, before, body.sha);
  if (git.refs.set(ref, body.sha, before) !== "ok") throw new Refusal(422, "Reference cannot be updated");
  refChanged(world, request.repository, { ref, before, after: body.sha }, request.cause());
  return ok(refJson(world, request.repository, ref, body.sha));
}

function deleteRef(world: World, request: RepositoryRequest): Reply {
  mustHaveCommits(request);
  const { git, protections } = request.repository;
  const ref = `refs/${request.params.ref}`;
  const before = git.refs.get(ref);
  if (protections.has(ref.slice("refs/heads/".length))) throw new Refusal(422, "Cannot delete this protected branch");
  if (before === undefined || !git.refs.delete(ref)) throw new Refusal(422, "Reference does not exist");
  refChanged(world, request.repository, { ref, before, after: ZERO }, request.cause());
  return noContent;
}

function branchJson(world: World, request: RepositoryRequest, name: string, target: string) {
  const commit = request.repository.git.commit(target);
  const protection = request.repository.protections.get(name);
  return {
    name,
    commit: {
      sha: target,
      url: `${repoApi(world, request.repository)}/commits/${target}`,
      commit: commit && {
        message: commit.message,
        tree: { sha: commit.tree },
        author: { ...commit.author, at: undefined, date: iso(commit.author.at) },
      },
    },
    protected: protection !== undefined,
    protection: {
      enabled: protection !== undefined,
      required_status_checks: {
        enforcement_level: protection ? "everyone" : "off",
        contexts: protection?.requiredChecks ?? [],
      },
    },
  };
}

function listBranches(world: World, request: RepositoryRequest): Reply {
  const branches = [...request.repository.git.refs.list("refs/heads/")];
  return paged(
    world,
    request,
    branches.map(([ref, target]) => branchJson(world, request, ref.slice("refs/heads/".length), target)),
  );
}

function getBranch(world: World, request: RepositoryRequest): Reply {
  const name = request.params.branch ?? "";
  const target = request.repository.git.branch(name);
  if (target === undefined) throw new Refusal(404, "Branch not found");
  return ok(branchJson(world, request, name, target));
}

export const gitRoutes: readonly Route[] = [
  repositoryRoute("POST /git/trees", "contents:write", createTree),
  repositoryRoute("GET /git/trees/*sha", "contents:read", getTree),
  repositoryRoute("POST /git/commits", "contents:write", createCommit),
  repositoryRoute("GET /git/commits/:sha", "contents:read", getCommit),
  repositoryRoute("POST /git/blobs", "contents:write", createBlob),
  repositoryRoute("GET /git/blobs/:sha", "contents:read", getBlob),
  repositoryRoute("GET /git/ref/*ref", "contents:read", getRef),
  repositoryRoute("GET /git/matching-refs/*ref", "contents:read", matchingRefs),
  repositoryRoute("POST /git/refs", "contents:write", createRef),
  repositoryRoute("PATCH /git/refs/*ref", "contents:write", updateRef),
  repositoryRoute("DELETE /git/refs/*ref", "contents:write", deleteRef),
  repositoryRoute("GET /branches", "contents:read", listBranches),
  repositoryRoute("GET /branches/*branch", "contents:read", getBranch),
];
