/** REST: pull requests, their files and merging. */
import * as z from "zod";
import { mayWrite } from "./access.ts";
import { mergePull } from "./auto-merge.ts";
import { notAccessible, notFound, parseBody, Refusal, validationFailed } from "./errors.ts";
import { mergeableOf } from "./mergeability.ts";
import { commitJson } from "./payloads-commits.ts";
import { pullJson, pullSummaryJson } from "./payloads-pulls.ts";
import * as pulls from "./pulls.ts";
import { fileJson } from "./rest-contents.ts";
import {
  created,
  noContent,
  numberParam,
  ok,
  paged,
  type Reply,
  type RepositoryRequest,
  type Route,
  repositoryRoute,
} from "./router.ts";
import type { PullIssue } from "./state.ts";
import type { World } from "./world.ts";

const newPull = z.object({
  title: z.string().min(1),
  body: z.string().nullish(),
  head: z.string(),
  base: z.string(),
  draft: z.boolean().default(false),
  maintainer_can_modify: z.boolean().optional(),
});

export interface PullOrder {
  readonly title: string;
  readonly body: string | null;
  readonly head: string;
  readonly base: string;
  readonly draft: boolean;
}

/** GitHub's checks before it opens a pull request, shared by REST and GraphQL. */
export function openChecked(
  world: World,
  request: Pick<RepositoryRequest, "repository" | "cause">,
  order: PullOrder,
): PullIssue {
  const { repository } = request;
  const headRef = order.head.replace(/^[^:/]+:/, "");
  const invalid = (field: string) =>
    new Refusal(422, "Validation Failed", { errors: [{ resource: "PullRequest", field, code: "invalid" }] });
  const baseSha = repository.git.branch(order.base);
  const headSha = repository.git.branch(headRef);
  if (baseSha === undefined) throw invalid("base");
  if (headSha === undefined) throw invalid("head");
  const open = world.state
    .pulls(repository)
    .some(
      (one) =>
        one.state === "open" && !one.pull.fork && one.pull.headRef === headRef && one.pull.baseRef === order.base,
    );
  if (open)
    throw validationFailed("PullRequest", `A pull request already exists for ${repository.owner.login}:${headRef}.`);
  if (repository.git.isAncestor(headSha, baseSha))
    throw validationFailed("PullRequest", `No commits between ${order.base} and ${headRef}`);
  const input = {
    title: order.title,
    body: order.body,
    headRef,
    headSha,
    baseRef: order.base,
    baseSha,
    draft: order.draft,
  };
  return pulls.openPull(world, repository, input, request.cause());
}

function createPull(world: World, request: RepositoryRequest): Reply {
  const body = parseBody(newPull, request.body);
  const issue = openChecked(world, request, { ...body, body: body.body ?? null });
  return created(pullJson(world, request.repository, issue));
}

export function pullParam(world: World, request: RepositoryRequest): PullIssue {
  const issue = world.state.pull(request.repository, numberParam(request, "number"));
  if (!issue) throw notFound();
  return issue;
}

/** Unknown until asked: the request starts the computation, and a later one gets the result. */
export function askMergeability(world: World, request: Pick<RepositoryRequest, "repository">, issue: PullIssue): void {
  if (issue.state === "open" && mergeableOf(request.repository, issue) === null)
    world.tasks.start(() => pulls.refreshMergeability(world, request.repository, issue));
}

function getPull(world: World, request: RepositoryRequest): Reply {
  const issue = pullParam(world, request);
  const reply = ok(pullJson(world, request.repository, issue));
  askMergeability(world, request, issue);
  return reply;
}

function listPulls(world: World, request: RepositoryRequest): Reply {
  const { query, repository } = request;
  const [state, head, base] = [query.get("state") ?? "open", query.get("head"), query.get("base")];
  const found = world.state
    .pulls(repository)
    .filter((one) => state === "all" || one.state === state)
    .filter((one) => head === null || `${(one.pull.fork ?? repository.owner).login}:${one.pull.headRef}` === head)
    .filter((one) => base === null || one.pull.baseRef === base)
    .reverse();
  return paged(world, request, found, (page) => page.map((one) => pullSummaryJson(world, repository, one)));
}

const pullPatch = z.object({
  title: z.string().min(1).optional(),
  body: z.string().nullish(),
  state: z.enum(["open", "closed"]).optional(),
  base: z.string().optional(),
});

function patchPull(world: World, request: RepositoryRequest): Reply {
  const { repository } = request;
  const issue = pullParam(world, request);
  const cause = request.cause();
  if (!mayWrite(request.actor, repository, "pull_requests") && cause.user.id !== issue.user.id) throw notAccessible();
  const body = parseBody(pullPatch, request.body);
  if (body.base !== undefined && !repository.git.branch(body.base))
    throw validationFailed("PullRequest", `Proposed base branch '${body.base}' was not found`, { field: "base" });
  pulls.editPull(world, repository, issue, { title: body.title, body: body.body, base: body.base }, cause);
  if (body.state === "closed") pulls.closePull(world, repository, issue, cause);
  if (body.state === "open" && issue.state === "closed") {
    if (issue.pull.merged)
      throw validationFailed("PullRequest", "state cannot be changed. The pull request cannot be reopened.");
    const head = repository.git.branch(issue.pull.headRef);
    if (!head)
      throw validationFailed(
        "PullRequest",
        `state cannot be changed. The ${issue.pull.headRef} branch has been deleted.`,
      );
    issue.pull.headSha = head;
    pulls.reopenPull(world, repository, issue, cause);
  }
  return ok(pullJson(world, repository, issue));
}

async function listFiles(world: World, request: RepositoryRequest): Promise<Reply> {
  const { pull } = pullParam(world, request);
  const { git } = request.repository;
  const base = pull.merged ? pull.baseSha : (git.branch(pull.baseRef) ?? pull.baseSha);
  const start = (await git.mergeBase(base, pull.headSha)) ?? base;
  const files = await git.patches(start, pull.headSha);
  return paged(world, request, files, (page) => page.map((file) => fileJson(world, request, file, pull.headSha)));
}

function listCommits(world: World, request: RepositoryRequest): Reply {
  const { pull } = pullParam(world, request);
  const commits = request.repository.git.between(pull.baseSha, pull.headSha);
  return paged(world, request, commits, (page) => page.map((commit) => commitJson(world, request.repository, commit)));
}

const mergeBody = z.object({
  commit_title: z.string().optional(),
  commit_message: z.string().optional(),
  sha: z.string().optional(),
  merge_method: z.enum(["merge", "squash", "rebase"]).default("merge"),
});

async function merge(world: World, request: RepositoryRequest): Promise<Reply> {
  const issue = pullParam(world, request);
  if (!mayWrite(request.actor, request.repository, "contents")) throw notAccessible();
  const body = parseBody(mergeBody, request.body);
  const order = { method: body.merge_method, sha: body.sha, title: body.commit_title, message: body.commit_message };
  const outcome = await mergePull(world, request.repository, issue, order, request.cause());
  if (!outcome.ok) throw new Refusal(outcome.status, outcome.message);
  return ok({ sha: outcome.sha, merged: true, message: "Pull Request successfully merged" });
}

export const pullRoutes: readonly Route[] = [
  repositoryRoute("POST /pulls", "pull_requests:write", createPull),
  repositoryRoute("GET /pulls", "pull_requests:read", listPulls),
  repositoryRoute("GET /pulls/:number", "pull_requests:read", getPull),
  repositoryRoute("PATCH /pulls/:number", "pull_requests:write", patchPull),
  repositoryRoute("GET /pulls/:number/files", "pull_requests:read", listFiles),
  repositoryRoute("GET /pulls/:number/commits", "pull_requests:read", listCommits),
  repositoryRoute("GET /pulls/:number/merge", "pull_requests:read", (world, request) => {
    if (!pullParam(world, request).pull.merged) throw notFound();
    return noContent;
  }),
  repositoryRoute("PUT /pulls/:number/merge", "contents:write", merge),
];
