/** GraphQL objects of the repository: refs, git objects, issues, comments, people. Pull requests have their own file. */
import * as z from "zod";
import { authorize, causeOf } from "./access.ts";
import { Refusal } from "./errors.ts";
import type { TreeEntry } from "./git-trees.ts";
import { connection } from "./graphql-connection.ts";
import { type GraphqlContext, mustHave } from "./graphql-context.ts";
import { issueOrPull } from "./graphql-issue-or-pull.ts";
import { issueObject, userObject } from "./graphql-issues.ts";
import { pullObject, rollupObject, suiteObjects } from "./graphql-pulls.ts";
import { reviewNode } from "./graphql-reviews.ts";
import { rulesOf } from "./graphql-rules.ts";
import type { Repository } from "./model.ts";
import { repoHtml } from "./payloads.ts";
import { hasPull } from "./state.ts";
import { iso } from "./world.ts";

/** GitHub cuts a blob's text at this size. */
const TEXT_LIMIT = 512 * 1024;

const named = z.looseObject({ owner: z.string(), name: z.string() });
const numbered = z.looseObject({ number: z.number() });

export function queries(context: GraphqlContext) {
  const { world, request } = context;
  return {
    viewer: () => {
      const { user } = causeOf(world.state, request.actor, world.appId);
      // The viewer is a User even for an App, and keeps the suffix that actors lose.
      return { ...userObject(context, user), __typename: "User", login: user.login };
    },
    repository: (args: unknown) => {
      const { owner, name } = named.parse(args);
      const missing = new Refusal(404, `Could not resolve to a Repository with the name '${owner}/${name}'.`);
      const found = world.state.repository(owner, name);
      try {
        return repositoryObject(context, authorize(request.actor, found, ["metadata:read"]));
      } catch (error) {
        throw error instanceof Refusal && error.status === 404 ? missing : error;
      }
    },
    // an error for one that cannot be resolved leaves the others
    nodes: (args: unknown) =>
      z
        .looseObject({ ids: z.array(z.string()) })
        .parse(args)
        .ids.map(async (id) => nodeObject(context, id)),
    node: (args: unknown) => nodeObject(context, z.looseObject({ id: z.string() }).parse(args).id),
  };
}

export function repositoryObject(context: GraphqlContext, repository: Repository): object {
  const { git, defaultBranch } = repository;
  const html = repoHtml(context.world, repository);
  const issueOf = (args: unknown, kind: string) => {
    const { number } = numbered.parse(args);
    const issue = repository.issues.get(number);
    if (!issue) throw new Refusal(404, `Could not resolve to ${kind} with the number of ${number}.`);
    return issue;
  };
  return {
    __typename: "Repository",
    id: `R_${repository.id}`,
    databaseId: repository.id,
    name: repository.name,
    nameWithOwner: `${repository.owner.login}/${repository.name}`,
    owner: userObject(context, repository.owner),
    url: html,
    isEmpty: git.isEmpty(),
    isPrivate: repository.private,
    isArchived: false,
    isFork: false,
    autoMergeAllowed: repository.autoMergeAllowed,
    deleteBranchOnMerge: repository.deleteBranchOnMerge,
    mergeCommitAllowed: repository.mergeMethods.merge,
    squashMergeAllowed: repository.mergeMethods.squash,
    rebaseMergeAllowed: repository.mergeMethods.rebase,
    defaultBranchRef: () => refObject(context, repository, `refs/heads/${defaultBranch}`),
    ref: (args: unknown) => {
      mustHave(context, repository, "contents:read");
      const { qualifiedName } = z.looseObject({ qualifiedName: z.string() }).parse(args);
      const full = qualifiedName.startsWith("refs/") ? qualifiedName : `refs/heads/${qualifiedName}`;
      return refObject(context, repository, full);
    },
    object: (args: unknown) => {
      mustHave(context, repository, "contents:read");
      return expressionObject(
        context,
        repository,
        z.looseObject({ expression: z.string().nullish(), oid: z.string().nullish() }).parse(args),
      );
    },
    ...issueOrPull(context, repository),
    issue: (args: unknown) => {
      mustHave(context, repository, "issues:read");
      const issue = issueOf(args, "an Issue");
      if (hasPull(issue)) throw new Refusal(404, `Could not resolve to an Issue with the number of ${issue.number}.`);
      return issueObject(context, repository, issue);
    },
    pullRequests: (args: unknown) => {
      mustHave(context, repository, "pull_requests:read");
      const { headRefName } = z.looseObject({ headRefName: z.string().nullish() }).parse(args);
      const pulls = [...repository.issues.values()].filter(hasPull);
      const found = pulls.filter(({ pull }) => headRefName == null || pull.headRef === headRefName);
      const newestFirst = found.toSorted((a, b) => b.number - a.number);
      return connection(
        "pullRequests",
        newestFirst.map((pull) => pullObject(context, repository, pull)),
        args,
      );
    },
    pullRequest: (args: unknown) => {
      mustHave(context, repository, "pull_requests:read");
      const issue = issueOf(args, "a PullRequest");
      if (!hasPull(issue))
        throw new Refusal(404, `Could not resolve to a PullRequest with the number of ${issue.number}.`);
      return pullObject(context, repository, issue);
    },
  };
}

export function refObject(context: GraphqlContext, repository: Repository, ref: string): object | null {
  const sha = repository.git.refs.get(ref);
  if (sha === undefined) return null;
  const prefix = ref.startsWith("refs/tags/") ? "refs/tags/" : "refs/heads/";
  return {
    __typename: "Ref",
    id: `REF_${repository.id}_${Buffer.from(ref).toString("base64url")}`,
    name: ref.slice(prefix.length),
    prefix,
    ...rulesOf(context, repository, ref.slice(prefix.length)),
    target: () => gitObject(context, repository, sha),
  };
}

/** `main:path/to/file`, `main:` for the root, a branch or a SHA. */
function expressionObject(
  context: GraphqlContext,
  repository: Repository,
  { expression, oid }: { expression?: string | null | undefined; oid?: string | null | undefined },
): object | null {
  const { git } = repository;
  if (oid) return gitObject(context, repository, oid);
  const [revision = "", path] = splitOnce(expression ?? "");
  const start = revision === "HEAD" ? git.branch(repository.defaultBranch) : git.resolve(revision);
  if (path === undefined) return start ? gitObject(context, repository, start) : null;
  const entry = start ? git.find(start, path) : undefined;
  return entry ? gitObject(context, repository, entry.sha) : null;
}

const splitOnce = (text: string): [string, string | undefined] => {
  const at = text.indexOf(":");
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
};

export function gitObject(context: GraphqlContext, repository: Repository, sha: string): object | null {
  const object = repository.git.objects.read(sha);
  const common = {
    oid: sha,
    abbreviatedOid: sha.slice(0, 7),
    commitUrl: `${repoHtml(context.world, repository)}/commit/${sha}`,
  };
  if (object?.type === "blob") return blobObject(common, sha, object.data);
  if (object?.type === "commit") return commitObject(context, repository, sha);
  if (object?.type === "tree")
    return {
      ...common,
      __typename: "Tree",
      id: `T_${sha}`,
      entries: () =>
        repository.git
          .list(sha, false)
          .map((entry) => entryObject(context, repository, { ...entry, name: entry.path })),
    };
  return null;
}

function entryObject(context: GraphqlContext, repository: Repository, entry: TreeEntry & { type: string }) {
  return {
    __typename: "TreeEntry",
    name: entry.name,
    path: entry.name,
    mode: Number.parseInt(entry.mode, 8),
    type: entry.type,
    oid: entry.sha,
    size: repository.git.blob(entry.sha)?.length ?? 0,
    object: () => gitObject(context, repository, entry.sha),
  };
}

function blobObject(common: object, sha: string, data: Buffer): object {
  const isBinary = data.subarray(0, 8000).includes(0);
  return {
    ...common,
    __typename: "Blob",
    id: `B_${sha}`,
    byteSize: data.length,
    isBinary,
    isTruncated: data.length > TEXT_LIMIT,
    text: isBinary ? null : data.subarray(0, TEXT_LIMIT).toString("utf8"),
  };
}

export function commitObject(context: GraphqlContext, repository: Repository, sha: string): object | null {
  const commit = repository.git.commit(sha);
  if (!commit) return null;
  const [headline = "", ...body] = commit.message.split("\n");
  const url = `${repoHtml(context.world, repository)}/commit/${sha}`;
  return {
    __typename: "Commit",
    id: `C_${repository.id}_${sha}`,
    oid: sha,
    abbreviatedOid: sha.slice(0, 7),
    url,
    commitUrl: url,
    message: commit.message,
    messageHeadline: headline,
    messageBody: body.join("\n").trim(),
    committedDate: iso(commit.committer.at),
    authoredDate: iso(commit.author.at),
    author: { name: commit.author.name, email: commit.author.email, date: iso(commit.author.at) },
    tree: () => gitObject(context, repository, commit.tree),
    parents: (args: unknown) =>
      connection(
        "parents",
        commit.parents.map((parent) => commitObject(context, repository, parent)),
        args,
      ),
    signature: repository.verifiedCommits.has(sha)
      ? { __typename: "GpgSignature", isValid: true, state: "VALID" }
      : null,
    statusCheckRollup: () => rollupObject(context, repository, sha),
    checkSuites: (args: unknown) => connection("checkSuites", suiteObjects(context, repository, sha), args),
  };
}

export const unresolved = (id: string): Refusal =>
  new Refusal(404, `Could not resolve to a node with the global id of '${id}'`);

/** Ids read `KIND_number`; see the `node_id`s of the REST answers. */
export function nodeNumber(id: string, ...kinds: string[]): number {
  const [kind = "", number = ""] = id.split("_");
  if (!kinds.includes(kind)) throw unresolved(id);
  return Number(number);
}

function nodeObject(context: GraphqlContext, id: string): object {
  const { state } = context.world;
  for (const repository of state.repositories.values()) {
    if (id === `R_${repository.id}`)
      return repositoryObject(context, authorize(context.request.actor, repository, ["metadata:read"]));
    for (const issue of repository.issues.values()) {
      if (id === `I_${issue.id}` && !issue.pull) {
        mustHave(context, repository, "issues:read");
        return issueObject(context, repository, issue);
      }
      if (hasPull(issue) && id === `PR_${issue.pull.id}`) {
        mustHave(context, repository, "pull_requests:read");
        return pullObject(context, repository, issue);
      }
    }
  }
  const review = reviewNode(context, id);
  if (review === undefined) throw unresolved(id);
  return review;
}
