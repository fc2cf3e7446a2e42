/** Adds a reaction. Adding it twice has no effect. Uses GraphQL, since REST has no reactions on reviews. */
import type { CommentId } from "../../domain/job/comment-id.ts";
import type { Caller } from "../client/octokit.ts";

const ADD = `
mutation AddReaction($id: ID!, $content: ReactionContent!) {
  addReaction(input: { subjectId: $id, content: $content }) { clientMutationId }
}`;

export function addReaction(
  octokit: Caller,
  at: { readonly owner: string; readonly repo: string },
  comment: CommentId,
  content: "eyes" | "rocket" | "confused",
): Promise<unknown> {
  if (typeof comment === "number")
    return octokit.request("POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions", {
      ...{ ...at, comment_id: comment, content },
    });
  const [kind, id] = [comment.slice(0, comment.indexOf(":")), comment.slice(comment.indexOf(":") + 1)];
  if (kind === "review") return octokit.graphql(ADD, { id, content: content.toUpperCase() });
  return octokit.request("POST /repos/{owner}/{repo}/pulls/comments/{comment_id}/reactions", {
    ...{ ...at, comment_id: Number(id), content },
  });
}
