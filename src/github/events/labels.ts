/** Translates the label that acts like a bare `/job` comment. An issue opened with it sends a labeled event too. */
import * as z from "zod";
import { commandAuthor, ignored, isBot, listener, repositoryOf, source, translated } from "./event-listener.ts";
import { issueOfPayload, issueSchema } from "./issue.ts";

const LABEL = "job";

const schema = z.object({
  ...source,
  issue: issueSchema,
  label: z.object({ name: z.string() }),
  sender: commandAuthor,
});

export const issueLabeled = listener(schema, (payload) => {
  // Label names are case-insensitive on GitHub.
  if (payload.label.name.toLowerCase() !== LABEL) return ignored("the label is not ours");
  if (isBot(payload.sender)) return ignored("a bot added the label");
  return translated({
    type: "label",
    repository: repositoryOf(payload),
    issue: issueOfPayload(payload.issue),
    author: payload.sender.login,
    author_id: payload.sender.id,
  });
});
