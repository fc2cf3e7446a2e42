/** REST: who is assigned to an issue or pull request, and who is asked to review one. */
import * as z from "zod";
import { hasRole, roleOf } from "./access.ts";
import { notFound, parseBody, Refusal } from "./errors.ts";
import type { User } from "./model.ts";
import { issueJson } from "./payloads-issues.ts";
import { pullJson } from "./payloads-pulls.ts";
import { pullEvent } from "./pulls.ts";
import {
  created,
  noContent,
  numberParam,
  type Reply,
  type RepositoryRequest,
  type Route,
  repositoryRoute,
} from "./router.ts";
import type { World } from "./world.ts";

const MOST_ASSIGNEES = 10;
const assigneesBody = z.object({ assignees: z.array(z.string()).default([]) });

/** People who may not push are left out without a word. */
function addAssignees(world: World, request: RepositoryRequest): Reply {
  const { repository } = request;
  const issue = repository.issues.get(numberParam(request, "number"));
  if (!issue) throw notFound();
  const { assignees } = parseBody(assigneesBody, request.body);
  for (const login of assignees) {
    const user = world.state.user(login);
    const known = issue.assignees.some(({ id }) => id === user?.id);
    if (user && !known && hasRole(repository, login, "write") && issue.assignees.length < MOST_ASSIGNEES)
      issue.assignees.push(user);
  }
  issue.updatedAt = world.now();
  return created(issueJson(world, repository, issue));
}

const reviewersBody = z.object({
  reviewers: z.array(z.string()).default([]),
  team_reviewers: z.array(z.string()).default([]),
});

/** All of them or none. */
function requestReviewers(world: World, request: RepositoryRequest): Reply {
  const { repository } = request;
  const issue = world.state.pull(repository, numberParam(request, "number"));
  if (!issue) throw notFound();
  const { reviewers, team_reviewers } = parseBody(reviewersBody, request.body);
  if (reviewers.some((login) => login.toLowerCase() === issue.user.login.toLowerCase()))
    throw new Refusal(422, "Review cannot be requested from pull request author.");
  const people = reviewers.map((login) => world.state.user(login));
  const isCollaborator = (user: User | undefined): user is User =>
    user !== undefined &&
    (user.id === repository.owner.id || repository.collaborators.has(user.login.toLowerCase())) &&
    roleOf(repository, user.login) !== "none";
  if (!people.every(isCollaborator) || team_reviewers.some((team) => !repository.teams.has(team)))
    throw new Refusal(
      422,
      `Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the ${repository.owner.login}/${repository.name} repository.`,
    );
  const { requestedReviewers } = issue.pull;
  for (const user of people.filter(isCollaborator)) {
    if (requestedReviewers.some(({ id }) => id === user.id)) continue;
    requestedReviewers.push(user);
    pullEvent(world, repository, issue, "review_requested", request.cause());
  }
  return created(pullJson(world, repository, issue));
}

function getCollaborator(world: World, request: RepositoryRequest): Reply {
  const user = world.state.user(request.params.username ?? "");
  const { collaborators, owner } = request.repository;
  if (!user || (user.id !== owner.id && !collaborators.has(user.login.toLowerCase()))) throw notFound();
  return noContent;
}

export const triageRoutes: readonly Route[] = [
  repositoryRoute("POST /issues/:number/assignees", "issues:write", addAssignees),
  repositoryRoute("POST /pulls/:number/requested_reviewers", "pull_requests:write", requestReviewers),
  repositoryRoute("GET /collaborators/:username", "metadata:read", getCollaborator),
];
