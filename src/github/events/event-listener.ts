/**
 * Parts of event listeners: a schema that picks the needed fields from a payload, and a function that translates them.
 * Pure; an unexpected payload is ignored with a reason instead of an exception.
 */
import * as z from "zod";
import type { Command } from "../../domain/job/command.ts";
import type { EventRepository, FailedPull, GitHubEvent, TranslatedEvent } from "../../domain/job/github-event.ts";
import { type JobId, jobOfBranch } from "../../domain/job/job.ts";

/** Our identity on GitHub, to recognise our own actions. */
export interface AppIdentity {
  readonly appId: number;
  readonly slug: string;
}

export type Listener = (payload: unknown, self: AppIdentity) => TranslatedEvent;

export const ignored = (reason: string): TranslatedEvent => ({ kind: "ignored", reason });

export const translated = (event: GitHubEvent): TranslatedEvent => ({ kind: "event", event });

/** Wraps every listener's schema, so that no foreign payload causes an exception. */
export const listener =
  <Schema extends z.ZodType>(
    schema: Schema,
    translate: (payload: z.output<Schema>, self: AppIdentity) => TranslatedEvent,
  ): Listener =>
  (payload, self) => {
    const read = schema.safeParse(payload);
    if (read.success) return translate(read.data, self);
    const issue = read.error.issues[0];
    return ignored(`the payload does not fit: ${issue?.path.join(".") || "payload"}: ${issue?.message ?? "unknown"}`);
  };

/** Spread into a payload's schema: where it comes from. Webhooks of a single repository name no installation. */
export const source = {
  repository: z.object({ id: z.number(), name: z.string(), owner: z.object({ login: z.string() }) }),
  installation: z.object({ id: z.number() }),
};

export const person = z.object({ login: z.string(), type: z.string().optional(), id: z.number().optional() });
/** The author of a command; permissions depend on the number. */
export const commandAuthor = person.extend({ id: z.number() });

interface Source {
  readonly repository: { readonly id: number; readonly name: string; readonly owner: { readonly login: string } };
  readonly installation: { readonly id: number };
}

export const repositoryOf = ({ repository, installation }: Source): EventRepository => ({
  owner: repository.owner.login,
  name: repository.name,
  id: repository.id,
  installation_id: installation.id,
});

export const jobEvent = (payload: Source, job: JobId, command: Command): TranslatedEvent =>
  translated({ type: "news", repository: repositoryOf(payload), job, command });

type SetUpNews = Omit<Extract<GitHubEvent, { type: "set-up-changed" }>, "type" | "repository">;

export const setUpEvent = (payload: Source, news: SetUpNews = {}): TranslatedEvent =>
  translated({ type: "set-up-changed", repository: repositoryOf(payload), ...news });

/** Translates an event on a job's branch; other branches are ignored. */
export function branchEvent(payload: Source, branch: string | null | undefined, command: Command): TranslatedEvent {
  const job = branch ? jobOfBranch(branch) : null;
  return job === null ? ignored("it does not concern a job branch") : jobEvent(payload, job, command);
}

/** Pull requests per event to look at; GitHub names few. */
const MAX_PULLS = 10;

/** An event on pull requests that a job may have adopted; the engine knows which. */
export const pullsEvent = (
  payload: Source,
  numbers: readonly number[],
  command: Command,
  more: { readonly failed?: FailedPull } = {},
): TranslatedEvent =>
  numbers.length === 0
    ? ignored("it concerns neither a job branch nor a pull request")
    : translated({
        type: "pull-news",
        repository: repositoryOf(payload),
        numbers: numbers.slice(0, MAX_PULLS),
        command,
        ...more,
      });

/** Spread into the schema of events on pull requests. Those of forks are not named. */
export const ofPulls = {
  pull_requests: z
    .array(z.object({ number: z.number() }).transform(({ number }) => number))
    .nullish()
    .transform((numbers) => numbers ?? [])
    .catch([]),
};

export const isBot = (who: { readonly login: string; readonly type?: string | undefined }): boolean =>
  who.type === "Bot" || who.login.endsWith("[bot]");

export const isSelf = (who: { readonly login: string }, self: AppIdentity): boolean =>
  who.login === `${self.slug}[bot]`;
