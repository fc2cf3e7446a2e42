/** GraphQL mutations. Each checks permissions, then does what the corresponding REST route does. */
import * as z from "zod";
import { authorize, causeOf, type Need } from "./access.ts";
import { enableAutoMerge, mergePull } from "./auto-merge.ts";
import { Refusal } from "./errors.ts";
import { isValidRef, ZERO } from "./git-refs.ts";
import type { GraphqlContext } from "./graphql-context.ts";
import { commentObject } from "./graphql-issues.ts";
import { queueMutations } from "./graphql-merge-queue.ts";
import { commitObject, nodeNumber, refObject, unresolved } from "./graphql-objects.ts";
import { pullObject } from "./graphql-pulls.ts";
import { reviewMutations } from "./graphql-reviews.ts";
import { findComment, react } from "./issues.ts";
import type { Cause, MergeMethod, Repository } from "./model.ts";
import { emailOf } from "./payloads-commits.ts";
import { disableAutoMerge, markReady } from "./pulls.ts";
import { refChanged } from "./ref-changes.ts";
import { isWorkflowFile, mayTouch } from "./rest-git.ts";
import { openChecked } from "./rest-pulls.ts";
import { reactionsOfReview } from "./reviews.ts";
import type { RepositoryRequest } from "./router.ts";
import { unsignedRef } from "./signatures.ts";
import type { PullIssue } from "./state.ts";

const oid = z.string();
const withInput = <T extends z.ZodType>(input: T) => z.object({ input });
const optional = z.string().nullish();

const commitInput = withInput(
  z.looseObject({
    branch: z.looseObject({ repositoryNameWithOwner: optional, branchName: optional, id: optional }),
    expectedHeadOid: oid,
    message: z.looseObject({ headline: z.string(), body: optional }),
    fileChanges: z
      .looseObject({
        additions: z.array(z.looseObject({ path: z.string(), contents: z.string() })).nullish(),
        deletions: z.array(z.looseObject({ path: z.string() })).nullish(),
      })
      .nullish(),
  }),
);
const autoMergeInput = withInput(
  z.looseObject({
    pullRequestId: z.string(),
    mergeMethod: z.enum(["MERGE", "SQUASH", "REBASE"]).nullish(),
    commitHeadline: optional,
    commitBody: optional,
    expectedHeadOid: optional,
  }),
);
const pullInput = withInput(z.looseObject({ pullRequestId: z.string() }));
const createPullInput = withInput(
  z.looseObject({
    repositoryId: z.string(),
    title: z.string(),
    body: optional,
    headRefName: z.string(),
    baseRefName: z.string(),
    draft: z.boolean().nullish(),
  }),
);
const minimizeInput = withInput(z.looseObject({ subjectId: z.string(), classifier: z.string() }));
const reactionInput = withInput(z.looseObject({ subjectId: z.string(), content: z.string() }));
const updateRefsInput = withInput(
  z.looseObject({
    repositoryId: z.string(),
    refUpdates: z.array(
      z.looseObject({ name: z.string(), afterOid: oid, beforeOid: oid.nullish(), force: z.boolean().nullish() }),
    ),
  }),
);
const METHODS: Readonly<Record<string, MergeMethod>> = { MERGE: "merge", SQUASH: "squash", REBASE: "rebase" };

export function mutations(context: GraphqlContext) {
  return {
    createCommitOnBranch: (args: unknown) => createCommitOnBranch(context, commitInput.parse(args).input),
    enablePullRequestAutoMerge: (args: unknown) => enable(context, autoMergeInput.parse(args).input),
    disablePullRequestAutoMerge: (args: unknown) => disable(context, pullInput.parse(args).input.pullRequestId),
    ...queueMutations(context, (id, need) => pullById(context, id, need), cause(context)),
    mergePullRequest: (args: unknown) => merge(context, autoMergeInput.parse(args).input),
    markPullRequestReadyForReview: (args: unknown) => ready(context, pullInput.parse(args).input.pullRequestId),
    createPullRequest: (args: unknown) => createPull(context, createPullInput.parse(args).input),
    minimizeComment: (args: unknown) => minimize(context, minimizeInput.parse(args).input),
    ...reviewMutations(context, (id) => pullById(context, id, "pull_requests:write")),
    addReaction: (args: unknown) => addReaction(context, reactionInput.parse(args).input),
    createRef: (args: unknown) => createRef(context, args),
    updateRefs: (args: unknown) => updateRefs(context, updateRefsInput.parse(args).input),
    deleteRef: (args: unknown) =>
      deleteRef(context, withInput(z.looseObject({ refId: z.string() })).parse(args).input.refId),
  };
}

const cause = ({ world, request }: GraphqlContext): Cause => causeOf(world.state, request.actor, world.appId);

function allowed(context: GraphqlContext, repository: Repository | undefined, need: Need, id: string): Repository {
  if (!repository) throw unresolved(id);
  return authorize(context.request.actor, repository, [need]);
}

function repositoryById(context: GraphqlContext, id: string, need: Need): Repository {
  return allowed(context, context.world.state.repositories.get(nodeNumber(id, "R")), need, id);
}

function pullById(context: GraphqlContext, id: string, need: Need): { repository: Repository; issue: PullIssue } {
  const number = nodeNumber(id, "PR");
  for (const repository of context.world.state.repositories.values()) {
    const issue = context.world.state.pulls(repository).find((one) => one.pull.id === number);
    if (issue) return { repository: allowed(context, repository, need, id), issue };
  }
  throw unresolved(id);
}

/** The parts of a REST request that shared checks use. */
const asRequest = (context: GraphqlContext, repository: Repository): RepositoryRequest => ({
  ...context.request,
  repository,
  cause: () => cause(context),
});

function createCommitOnBranch(context: GraphqlContext, input: z.infer<typeof commitInput>["input"]) {
  const { world } = context;
  const [owner = "", name = ""] = (input.branch.repositoryNameWithOwner ?? "").split("/");
  const label = input.branch.repositoryNameWithOwner ?? input.branch.id ?? "";
  const repository = allowed(context, world.state.repository(owner, name), "contents:write", label);
  const ref = `refs/heads/${(input.branch.branchName ?? "").replace(/^refs\/heads\//, "")}`;
  const { git } = repository;
  const before = git.refs.get(ref);
  if (before === undefined) throw new Refusal(404, `No branch named ${ref} found`);
  const stale = () =>
    new Refusal(409, `Expected branch to point to "${input.expectedHeadOid}" but it did not. Pull and try again.`);
  if (before !== input.expectedHeadOid) throw stale();
  const additions = input.fileChanges?.additions ?? [];
  const deletions = input.fileChanges?.deletions ?? [];
  mayTouch(
    asRequest(context, repository),
    [...additions, ...deletions].map((file) => file.path).filter(isWorkflowFile),
  );
  for (const { path } of deletions)
    if (!git.find(before, path))
      throw new Refusal(422, `The path "${path}" does not exist on the branch and cannot be deleted`);
  if (repository.protections.has(ref.slice("refs/heads/".length)))
    throw new Refusal(422, "Changes must be made through a pull request.");
  const { user } = cause(context);
  const at = world.now();
  const files = Object.fromEntries([
    ...deletions.map(({ path }) => [path, null] as const),
    ...additions.map(({ path, contents }) => [path, Buffer.from(contents, "base64")] as const),
  ]);
  const body = input.message.body ?? "";
  const written = git.commitFiles(before, files, {
    author: { name: user.login, email: emailOf(user), at },
    committer: { name: "GitHub", email: "noreply@github.com", at },
    message: `${input.message.headline}${body === "" ? "" : `\n\n${body}`}`,
  });
  repository.verifiedCommits.add(written);
  if (git.refs.set(ref, written, before) !== "ok") throw stale();
  refChanged(world, repository, { ref, before, after: written }, cause(context));
  return {
    clientMutationId: null,
    commit: commitObject(context, repository, written),
    ref: refObject(context, repository, ref),
  };
}

async function enable(context: GraphqlContext, input: z.infer<typeof autoMergeInput>["input"]) {
  const { repository, issue } = pullById(context, input.pullRequestId, "pull_requests:write");
  authorize(context.request.actor, repository, ["contents:write"]);
  const order = {
    method: METHODS[input.mergeMethod ?? "MERGE"] ?? "merge",
    headline: input.commitHeadline ?? undefined,
    body: input.commitBody ?? undefined,
    expectedHeadOid: input.expectedHeadOid ?? undefined,
  };
  const no = await enableAutoMerge(context.world, repository, issue, order, cause(context));
  if (no !== undefined) throw new Refusal(422, no);
  return { clientMutationId: null, pullRequest: pullObject(context, repository, issue), actor: null };
}

function disable(context: GraphqlContext, id: string) {
  const { repository, issue } = pullById(context, id, "pull_requests:write");
  if (!issue.pull.autoMerge) throw new Refusal(422, "Can't disable auto-merge for this pull request.");
  disableAutoMerge(context.world, repository, issue, "auto-merge was disabled", cause(context));
  return { clientMutationId: null, pullRequest: pullObject(context, repository, issue), actor: null };
}

async function merge(context: GraphqlContext, input: z.infer<typeof autoMergeInput>["input"]) {
  const { repository, issue } = pullById(context, input.pullRequestId, "contents:write");
  const order = {
    method: METHODS[input.mergeMethod ?? "MERGE"] ?? "merge",
    sha: input.expectedHeadOid ?? undefined,
    title: input.commitHeadline ?? undefined,
    message: input.commitBody ?? undefined,
  };
  const outcome = await mergePull(context.world, repository, issue, order, cause(context));
  if (!outcome.ok) throw new Refusal(422, outcome.message);
  return { clientMutationId: null, pullRequest: pullObject(context, repository, issue), actor: null };
}

function ready(context: GraphqlContext, id: string) {
  const { repository, issue } = pullById(context, id, "pull_requests:write");
  markReady(context.world, repository, issue, cause(context));
  return { clientMutationId: null, pullRequest: pullObject(context, repository, issue) };
}

function createPull(context: GraphqlContext, input: z.infer<typeof createPullInput>["input"]) {
  const repository = repositoryById(context, input.repositoryId, "pull_requests:write");
  const issue = openChecked(context.world, asRequest(context, repository), {
    title: input.title,
    body: input.body ?? null,
    head: input.headRefName,
    base: input.baseRefName,
    draft: input.draft ?? false,
  });
  return { clientMutationId: null, pullRequest: pullObject(context, repository, issue) };
}

function minimize(context: GraphqlContext, input: z.infer<typeof minimizeInput>["input"]) {
  const number = nodeNumber(input.subjectId, "IC");
  for (const repository of context.world.state.repositories.values()) {
    const found = findComment(repository, number);
    if (!found) continue;
    allowed(context, repository, found.issue.pull ? "pull_requests:write" : "issues:write", input.subjectId);
    found.comment.minimized = input.classifier;
    return { clientMutationId: null, minimizedComment: commentObject(context, repository, found.issue, found.comment) };
  }
  throw unresolved(input.subjectId);
}

/** Reviews get reactions only here; REST has none for them. */
function addReaction(context: GraphqlContext, input: z.infer<typeof reactionInput>["input"]) {
  const number = nodeNumber(input.subjectId, "PRR");
  for (const repository of context.world.state.repositories.values()) {
    const reactions = reactionsOfReview(context.world, repository, number);
    if (!reactions) continue;
    allowed(context, repository, "pull_requests:write", input.subjectId);
    react(context.world, reactions, input.content.toLowerCase(), cause(context).user);
    return { clientMutationId: null };
  }
  throw unresolved(input.subjectId);
}

function createRef(context: GraphqlContext, args: unknown) {
  const { input } = withInput(z.looseObject({ repositoryId: z.string(), name: z.string(), oid })).parse(args);
  const repository = repositoryById(context, input.repositoryId, "contents:write");
  if (!isValidRef(input.name)) throw new Refusal(422, `${input.name} is not a valid ref name.`);
  if (!repository.git.commit(input.oid)) throw new Refusal(422, "Object does not exist");
  const unsigned = unsignedRef(repository, input.name, undefined, input.oid);
  if (unsigned !== undefined) throw new Refusal(422, unsigned);
  if (repository.git.refs.set(input.name, input.oid, ZERO) !== "ok")
    throw new Refusal(422, `A ref named "${input.name}" already exists in the repository.`);
  refChanged(context.world, repository, { ref: input.name, before: ZERO, after: input.oid }, cause(context));
  return { clientMutationId: null, ref: refObject(context, repository, input.name) };
}

/** All or nothing: all refs are checked before the first one moves, and nothing runs in between. */
function updateRefs(context: GraphqlContext, input: z.infer<typeof updateRefsInput>["input"]) {
  const repository = repositoryById(context, input.repositoryId, "contents:write");
  const { git } = repository;
  const moves = input.refUpdates.map((update) => ({ ...update, before: git.refs.get(update.name) ?? ZERO }));
  for (const move of moves) {
    if (!isValidRef(move.name)) throw new Refusal(422, `${move.name} is not a valid ref name.`);
    if (repository.protections.has(move.name.slice("refs/heads/".length)))
      throw new Refusal(422, "Changes must be made through a pull request.");
    if (move.beforeOid && move.beforeOid !== move.before)
      throw new Refusal(409, `Expected ref "${move.name}" to point to "${move.beforeOid}" but it did not.`);
    if (move.afterOid === ZERO) continue;
    if (!git.commit(move.afterOid)) throw new Refusal(422, "Object does not exist");
    const unsigned = unsignedRef(repository, move.name, move.before === ZERO ? undefined : move.before, move.afterOid);
    if (unsigned !== undefined) throw new Refusal(422, unsigned);
    if (!move.force && move.before !== ZERO && !git.isAncestor(move.before, move.afterOid))
      throw new Refusal(422, "Update is not a fast forward");
  }
  for (const move of moves) {
    if (move.afterOid === ZERO) git.refs.delete(move.name);
    else git.refs.set(move.name, move.afterOid);
    refChanged(
      context.world,
      repository,
      { ref: move.name, before: move.before, after: move.afterOid },
      cause(context),
    );
  }
  return { clientMutationId: null };
}

function deleteRef(context: GraphqlContext, id: string) {
  const [, number = "", name = ""] = /^REF_(\d+)_(.+)$/.exec(id) ?? [];
  const repository = allowed(context, context.world.state.repositories.get(Number(number)), "contents:write", id);
  const ref = Buffer.from(name, "base64url").toString("utf8");
  const before = repository.git.refs.get(ref);
  if (before === undefined || !repository.git.refs.delete(ref)) throw unresolved(id);
  refChanged(context.world, repository, { ref, before, after: ZERO }, cause(context));
  return { clientMutationId: null };
}
