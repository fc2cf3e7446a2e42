/** REST: reactions on any subject. */
import * as z from "zod";
import { notFound, parseBody } from "./errors.ts";
import * as issues from "./issues.ts";
import type { Json, Reaction } from "./model.ts";
import { userJson } from "./payloads.ts";
import { noContent, numberParam, paged, type Reply, type RepositoryRequest } from "./router.ts";
import { iso, type World } from "./world.ts";

const reactionBody = z.object({
  content: z.enum(["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"]),
});

const reactionJson = (world: World, reaction: Reaction): Json => ({
  id: reaction.id,
  node_id: `REA_${reaction.id}`,
  user: userJson(world, reaction.user),
  content: reaction.content,
  created_at: iso(reaction.createdAt),
});

export function react(world: World, request: RepositoryRequest, reactions: Reaction[]): Reply {
  const { content } = parseBody(reactionBody, request.body);
  const { reaction, isNew } = issues.react(world, reactions, content, request.cause().user);
  return { status: isNew ? 201 : 200, body: reactionJson(world, reaction) };
}

export function unreact(request: RepositoryRequest, reactions: Reaction[]): Reply {
  const at = reactions.findIndex((reaction) => reaction.id === numberParam(request, "reaction_id"));
  if (at < 0) throw notFound();
  reactions.splice(at, 1);
  return noContent;
}

export const listReactions = (world: World, request: RepositoryRequest, reactions: readonly Reaction[]): Reply =>
  paged(world, request, reactions, (page) => page.map((reaction) => reactionJson(world, reaction)));
