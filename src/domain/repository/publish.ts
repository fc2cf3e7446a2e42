/** The effect by which a decision about a repository tells subscribers of webhooks. */
import { cut } from "../../text/text.ts";
import type { Wanted } from "../pending-effect.ts";
import type { RepositoryEffect } from "./effect.ts";
import { MAX_SUBJECT, MAX_TEXT, type RepositoryEvent, type RepositoryEventName } from "./events.ts";
import type { IdentifiedRepository } from "./repository.ts";

export interface Told {
  readonly subject: string;
  readonly text: string;
  /** Where one moment may have several of one subject. */
  readonly id?: string;
  /** What programs want to know of it besides. */
  readonly more?: Readonly<Record<string, string | number | null | Readonly<Record<string, string>>>>;
}

/** `at`: the moment that it is of. The same event of the same subject, moment and id is told once. */
export const repositoryEvent = (
  { owner, name }: IdentifiedRepository,
  ...event: [type: RepositoryEventName, told: Told, at: number]
): RepositoryEvent => repositoryEventOf(`${owner}/${name}`, ...event);

/** `repository`: `owner/name`. */
export const repositoryEventOf = (
  repository: string,
  type: RepositoryEventName,
  { subject, text, id, more = {} }: Told,
  at: number,
): RepositoryEvent => ({
  type,
  timestamp: new Date(at).toISOString(),
  data: {
    ...more,
    ...{ repository, subject: cut(subject, MAX_SUBJECT), text: cut(text, MAX_TEXT) },
    ...(id === undefined ? {} : { id }),
  },
});

export const published = (
  ...event: Parameters<typeof repositoryEvent>
): Wanted<Extract<RepositoryEffect, { type: "publish" }>> => ({
  effect: { type: "publish", event: repositoryEvent(...event) },
  urgency: "now",
  not_before: 0,
});
