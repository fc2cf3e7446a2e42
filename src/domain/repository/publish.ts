/** The effect by which a decision about a repository tells subscribers of webhooks. */
import { cut } from "../../text/text.ts";
import type { Wanted } from "../pending-effect.ts";
import type { RepositoryEffect } from "./effect.ts";
import { MAX_SUBJECT, MAX_TEXT, type RepositoryEvent, type RepositoryEventName } from "./events.ts";
import type { IdentifiedRepository } from "./repository.ts";

/** The same event of the same subject and moment is told once. */
export const published = (
  { owner, name }: IdentifiedRepository,
  type: RepositoryEventName,
  { subject, text }: Pick<RepositoryEvent["data"], "subject" | "text">,
  now: number,
): Wanted<RepositoryEffect> => ({
  effect: {
    type: "publish",
    event: {
      type,
      timestamp: new Date(now).toISOString(),
      data: { repository: `${owner}/${name}`, subject: cut(subject, MAX_SUBJECT), text: cut(text, MAX_TEXT) },
    },
  },
  urgency: "now",
  not_before: 0,
});
