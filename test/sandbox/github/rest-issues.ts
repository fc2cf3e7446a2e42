/** REST: issues, labels and comments, and reactions to them. */
import * as z from "zod";
import { hasRole, mayWrite, type Need } from "./access.ts";
import { notAccessible, notFound, parseBody, Refusal, validationFailed } from "./errors.ts";
import * as issues from "./issues.ts";
import type { Comment, Issue, Json } from "./model.ts";
import { commentJson, issueJson, labelJson } from "./payloads-issues.ts";
import { closePull, editPull, pullEvent, reopenPull } from "./pulls.ts";
import { listReactions, react, unreact } from "./rest-reactions.ts";
import {
  created,
  noContent,
  numberParam,
  ok,
  paged,
  type Reply,
  type RepositoryRequest,
  type Route,
  rendered,
  repositoryRoute,
} from "./router.ts";
import { hasPull } from "./state.ts";
import type { World } from "./world.ts";

/** GitHub's documented limit of a comment or issue body, in characters. */
const BODY_LIMIT = 65_536;
const READ: readonly Need[] = ["issues:read", "pull_requests:read"];
const WRITE: readonly Need[] = ["issues:write", "pull_requests:write"];

const labelName = z.union([z.string(), z.object({ name: z.string() }).transform((label) => label.name)]);
const newIssue = z.object({
  title: z.string().min(1),
  body: z.string().nullish(),
  labels: z.array(labelName).optional(),
});
const issuePatch = z.object({
  title: z.string().optional(),
  body: z.string().nullish(),
  state: z.enum(["open", "closed"]).optional(),
  state_reason: z.enum(["completed", "not_planned", "reopened", "duplicate"]).nullish(),
  labels: z.array(labelName).optional(),
});
const commentBody = z.object({ body: z.string() });

function issueParam(request: RepositoryRequest): Issue {
  const issue = request.repository.issues.get(numberParam(request, "number"));
  if (!issue) throw notFound();
  mustFit(request, issue);
  return issue;
}

/** `issues` covers issues, `pull_requests` pull requests; a token with one of them cannot access the other. */
function mustFit(request: RepositoryRequest, issue: Issue): void {
  if (request.actor.kind !== "token" || request.method === "GET") return;
  const fits = mayWrite(request.actor, request.repository, issue.pull ? "pull_requests" : "issues");
  if (!fits && !(issue.pull && mayWrite(request.actor, request.repository, "issues"))) throw notAccessible();
}

function commentParam(request: RepositoryRequest): { issue: Issue; comment: Comment } {
  const found = issues.findComment(request.repository, numberParam(request, "comment_id"));
  if (!found) throw notFound();
  mustFit(request, found.issue);
  return found;
}

function checkBody(body: string, resource: string): void {
  if (body.trim() === "") throw validationFailed(resource, "body can't be blank", { field: "body" });
  if (body.length > BODY_LIMIT)
    throw validationFailed(resource, `body is too long (maximum is ${BODY_LIMIT} characters)`, { field: "body" });
}

function createIssue(world: World, request: RepositoryRequest): Reply {
  const { title, body, labels } = parseBody(newIssue, request.body);
  // Labels by people without write access are dropped silently, as on GitHub.
  const allowed = mayWrite(request.actor, request.repository, "issues") ? (labels ?? []) : [];
  const input = { title, body: body ?? null, labels: allowed };
  return created(
    issueJson(world, request.repository, issues.openIssue(world, request.repository, input, request.cause())),
  );
}

function listIssues(world: World, request: RepositoryRequest): Reply {
  const state = request.query.get("state") ?? "open";
  const labels = (request.query.get("labels") ?? "").split(",").filter((label) => label !== "");
  const creator = request.query.get("creator");
  const found = [...request.repository.issues.values()]
    .filter((issue) => state === "all" || issue.state === state)
    .filter((issue) => creator === null || issue.user.login === creator)
    .filter((issue) => labels.every((label) => issue.labels.includes(label)))
    .reverse();
  return paged(world, request, found, (page) => page.map((issue) => issueJson(world, request.repository, issue)));
}

function patchIssue(world: World, request: RepositoryRequest): Reply {
  const issue = issueParam(request);
  const { repository } = request;
  const cause = request.cause();
  if (!mayWrite(request.actor, repository, "issues") && cause.user.id !== issue.user.id)
    throw new Refusal(403, "Must have admin rights to Repository.");
  const body = parseBody(issuePatch, request.body);
  if (hasPull(issue)) {
    editPull(world, repository, issue, { title: body.title, body: body.body }, cause);
    if (body.state === "closed") closePull(world, repository, issue, cause);
    if (body.state === "open" && issue.state === "closed") reopenPull(world, repository, issue, cause);
  } else {
    issues.editIssue(world, repository, issue, { title: body.title, body: body.body }, cause);
    if (body.state) issues.setIssueState(world, repository, issue, body.state, cause, body.state_reason ?? null);
  }
  if (body.labels) setLabels(world, request, issue, body.labels);
  return ok(issueJson(world, repository, issue));
}

function setLabels(world: World, request: RepositoryRequest, issue: Issue, names: readonly string[]): void {
  const cause = request.cause();
  const told = (action: string, more: Json) => {
    if (hasPull(issue)) pullEvent(world, request.repository, issue, action, cause, more);
  };
  for (const label of issue.labels)
    if (!names.includes(label)) issues.removeLabel(world, request.repository, issue, label, cause, told);
  issues.addLabels(world, request.repository, issue, names, cause, told);
}

const labelsBody = z.union([
  z.object({ labels: z.array(labelName) }).transform(({ labels }) => labels),
  z.array(labelName),
]);

function changeLabels(world: World, request: RepositoryRequest): Reply {
  const issue = issueParam(request);
  if (
    !mayWrite(request.actor, request.repository, "issues") &&
    !mayWrite(request.actor, request.repository, "pull_requests")
  )
    throw notFound();
  const name = request.params.name;
  if (name !== undefined) {
    if (!issue.labels.some((label) => label.toLowerCase() === name.toLowerCase()))
      throw new Refusal(404, "Label does not exist");
    setLabels(
      world,
      request,
      issue,
      issue.labels.filter((label) => label.toLowerCase() !== name.toLowerCase()),
    );
  } else {
    const names = parseBody(labelsBody, request.body);
    setLabels(world, request, issue, request.method === "PUT" ? names : [...issue.labels, ...names]);
  }
  return listLabels(world, request, issue);
}

function listLabels(world: World, request: RepositoryRequest, issue: Issue): Reply {
  return paged(
    world,
    request,
    issue.labels.map((name) => labelJson(world, request.repository, name)),
  );
}

const newLabel = z.object({
  name: z.string().min(1).max(50),
  color: z.string().default("ededed"),
  description: z.string().nullish(),
});

function createLabel(world: World, request: RepositoryRequest): Reply {
  const { name, color } = parseBody(newLabel, request.body);
  if (request.repository.labels.has(name.toLowerCase()))
    throw new Refusal(422, "Validation Failed", {
      errors: [{ resource: "Label", code: "already_exists", field: "name" }],
    });
  issues.ensureLabel(world, request.repository, name, color);
  return created(labelJson(world, request.repository, name));
}

function createComment(world: World, request: RepositoryRequest): Reply {
  const issue = issueParam(request);
  const { body } = parseBody(commentBody, request.body);
  checkBody(body, "IssueComment");
  if (issue.locked && !mayWrite(request.actor, request.repository, "issues"))
    throw new Refusal(403, "Unable to create comment because issue is locked.");
  const comment = issues.addComment(world, request.repository, issue, body, request.cause());
  return created(commentJson(world, request.repository, issue, comment));
}

function mayChange(request: RepositoryRequest, comment: Comment): boolean {
  const { actor, repository } = request;
  if (actor.kind === "user") return actor.user.id === comment.user.id || hasRole(repository, actor.user.login, "write");
  return actor.kind === "token";
}

function patchComment(world: World, request: RepositoryRequest): Reply {
  const { issue, comment } = commentParam(request);
  if (!mayChange(request, comment)) throw new Refusal(403, "Must have admin rights to Repository.");
  const { body } = parseBody(commentBody, request.body);
  checkBody(body, "IssueComment");
  issues.editComment(world, request.repository, { issue, comment, body }, request.cause());
  return ok(commentJson(world, request.repository, issue, comment));
}

function deleteComment(world: World, request: RepositoryRequest): Reply {
  const { issue, comment } = commentParam(request);
  if (!mayChange(request, comment)) throw new Refusal(403, "Must have admin rights to Repository.");
  issues.deleteComment(world, request.repository, issue, comment, request.cause());
  return noContent;
}

function getComment(world: World, request: RepositoryRequest): Reply {
  const { issue, comment } = commentParam(request);
  return ok({
    ...commentJson(world, request.repository, issue, comment),
    ...rendered(world, request, comment.body),
  });
}

function getIssue(world: World, request: RepositoryRequest): Reply {
  const issue = issueParam(request);
  return ok({ ...issueJson(world, request.repository, issue), ...rendered(world, request, issue.body) });
}

function listComments(world: World, request: RepositoryRequest): Reply {
  const issue = issueParam(request);
  const since = Date.parse(request.query.get("since") ?? "") || 0;
  const found = issue.comments.filter((comment) => comment.updatedAt >= since);
  return paged(world, request, found, (page) =>
    page.map((comment) => commentJson(world, request.repository, issue, comment)),
  );
}

const onComment = (request: RepositoryRequest) => commentParam(request).comment.reactions;
const onIssue = (request: RepositoryRequest) => issueParam(request).reactions;

export const issueRoutes: readonly Route[] = [
  repositoryRoute("POST /issues", "issues:write", createIssue),
  repositoryRoute("GET /issues", READ, listIssues),
  repositoryRoute("GET /issues/:number", READ, getIssue),
  repositoryRoute("PATCH /issues/:number", WRITE, patchIssue),
  repositoryRoute("POST /labels", WRITE, createLabel),
  repositoryRoute("GET /labels", READ, (world, request) =>
    paged(
      world,
      request,
      [...request.repository.labels.values()].map(({ name }) => labelJson(world, request.repository, name)),
    ),
  ),
  repositoryRoute("GET /issues/:number/labels", READ, (world, request) =>
    listLabels(world, request, issueParam(request)),
  ),
  repositoryRoute("POST /issues/:number/labels", WRITE, changeLabels),
  repositoryRoute("PUT /issues/:number/labels", WRITE, changeLabels),
  repositoryRoute("DELETE /issues/:number/labels/:name", WRITE, changeLabels),
  repositoryRoute("POST /issues/:number/comments", WRITE, createComment),
  repositoryRoute("GET /issues/:number/comments", READ, listComments),
  repositoryRoute("GET /issues/comments/:comment_id", READ, getComment),
  repositoryRoute("PATCH /issues/comments/:comment_id", WRITE, patchComment),
  repositoryRoute("DELETE /issues/comments/:comment_id", WRITE, deleteComment),
  repositoryRoute("GET /issues/comments/:comment_id/reactions", READ, (w, r) => listReactions(w, r, onComment(r))),
  repositoryRoute("POST /issues/comments/:comment_id/reactions", WRITE, (w, r) => react(w, r, onComment(r))),
  repositoryRoute("DELETE /issues/comments/:comment_id/reactions/:reaction_id", WRITE, (_, r) =>
    unreact(r, onComment(r)),
  ),
  repositoryRoute("GET /issues/:number/reactions", READ, (w, r) => listReactions(w, r, onIssue(r))),
  repositoryRoute("POST /issues/:number/reactions", WRITE, (w, r) => react(w, r, onIssue(r))),
  repositoryRoute("DELETE /issues/:number/reactions/:reaction_id", WRITE, (_, r) => unreact(r, onIssue(r))),
];
