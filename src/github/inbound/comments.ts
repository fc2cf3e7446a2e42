/**
 * Comments. Only a new one may ask for something: an edited one lets another writer change the words under the first
 * author's name. Whether the author may ask is for the engine to find out.
 */
import { z } from "zod";
import { issueOfPayload, issueSchema } from "./issue.ts";
import { asker, heard, ignored, isBot, listener, person, repositoryOf, source } from "./listener.ts";
import { readSlashCommand } from "./slash-command.ts";

const schema = z.object({
  ...source,
  issue: issueSchema,
  comment: z.object({
    id: z.number(),
    body: z.string(),
    user: asker,
    performed_via_github_app: z.object({ id: z.number() }).nullish(),
  }),
  sender: person,
});

export const commentCreated = listener(schema, (payload, self) => {
  const { comment, issue, sender } = payload;
  if (comment.performed_via_github_app?.id === self.appId) return ignored("our own comment");
  if (isBot(comment.user) || isBot(sender)) return ignored("the comment of a bot");
  const command = readSlashCommand(comment.body);
  if (command === null) return ignored("the comment holds no command");
  return heard({
    type: "slash",
    repository: repositoryOf(payload),
    issue: issueOfPayload(issue),
    comment_id: comment.id,
    author: comment.user.login,
    author_id: comment.user.id,
    command,
  });
});
