/** Translates the label that acts like a bare `/job` comment. An issue opened with it sends a labeled event too. */
import * as z from "zod";
import { commandAuthor, ignored, isBot, listener, repositoryOf, source, translated } from "./event-listener.ts";
import { issueOfPayload, issueSchema } from "./issue.ts";
import { otherLabel } from "./trigger-news.ts";

const LABEL = "job";

const schema = z.object({
  ...source,
  // what a trigger asks for is read by the other listener
  issue: z.looseObject(issueSchema.shape),
  label: z.object({ name: z.string() }),
  sender: commandAuthor,
});

export const issueLabeled = listener(schema, (payload, self) => {
  // Label names are case-insensitive on GitHub.
  if (payload.label.name.toLowerCase() !== LABEL) return otherLabel(payload, self);
  if (isBot(payload.sender)) return ignored("a bot added the label");
  return translated({
    type: "label",
    repository: repositoryOf(payload),
    issue: issueOfPayload(payload.issue),
    author: payload.sender.login,
    author_id: payload.sender.id,
  });
});
