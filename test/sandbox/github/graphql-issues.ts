/** GraphQL objects of people, issues and comments. */

import { connection } from "./graphql-connection.ts";
import type { GraphqlContext } from "./graphql-context.ts";
import type { Comment, Issue, Repository, User } from "./model.ts";
import { repoHtml } from "./payloads.ts";
import { association } from "./payloads-issues.ts";
import { iso } from "./world.ts";

export function userObject(context: GraphqlContext, user: User) {
  const url = `${context.world.url}/${user.login}`;
  return {
    __typename: user.type === "Bot" ? "Bot" : user.type,
    // GraphQL names a bot without the suffix that REST shows.
    login: user.type === "Bot" ? user.login.replace("[bot]", "") : user.login,
    id: `U_${user.id}`,
    databaseId: user.id,
    url,
    resourcePath: `/${user.login}`,
    avatarUrl: "",
  };
}

export function issueObject(context: GraphqlContext, repository: Repository, issue: Issue) {
  return {
    __typename: "Issue",
    id: `I_${issue.id}`,
    databaseId: issue.id,
    number: issue.number,
    title: issue.title,
    body: issue.body ?? "",
    state: issue.state.toUpperCase(),
    closed: issue.state === "closed",
    url: `${repoHtml(context.world, repository)}/issues/${issue.number}`,
    author: userObject(context, issue.user),
    createdAt: iso(issue.createdAt),
    updatedAt: iso(issue.updatedAt),
    labels: (args: unknown) =>
      connection(
        "labels",
        issue.labels.map((name) => ({ __typename: "Label", name, color: "ededed", id: `LA_${name}` })),
        args,
      ),
    comments: (args: unknown) =>
      connection(
        "comments",
        issue.comments.map((comment) => commentObject(context, repository, issue, comment)),
        args,
      ),
  };
}

export function commentObject(context: GraphqlContext, repository: Repository, issue: Issue, comment: Comment) {
  const kind = issue.pull ? "pull" : "issues";
  return {
    __typename: "IssueComment",
    id: `IC_${comment.id}`,
    databaseId: comment.id,
    body: comment.body,
    bodyHTML: () => context.world.attachments.render(comment.body),
    author: userObject(context, comment.user),
    authorAssociation: association(repository, comment.user),
    createdAt: iso(comment.createdAt),
    updatedAt: iso(comment.updatedAt),
    isMinimized: comment.minimized !== undefined,
    minimizedReason: comment.minimized?.toLowerCase() ?? null,
    url: `${repoHtml(context.world, repository)}/${kind}/${issue.number}#issuecomment-${comment.id}`,
  };
}
