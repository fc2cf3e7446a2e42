/**
 * What every listener is made of: a small schema that picks the fields needed from a payload, and a function that says
 * what they mean. Pure; a payload that does not fit is ignored with the reason, never thrown at.
 */
import { z } from "zod";
import type { Command } from "../../domain/job/command.ts";
import type { EventRepository, GitHubEvent, TranslatedEvent } from "../../domain/job/github-event.ts";
import { type JobId, jobOfBranch } from "../../domain/job/job.ts";

/** Who we are at GitHub, so that our own doings are told from those of others. */
export interface AppIdentity {
  readonly appId: number;
  readonly slug: string;
}

export type Listener = (payload: unknown, self: AppIdentity) => TranslatedEvent;

export const ignored = (reason: string): TranslatedEvent => ({ kind: "ignored", reason });

export const translated = (signal: GitHubEvent): TranslatedEvent => ({ kind: "signal", signal });

/** Every listener's schema goes through here, so that none can throw at a foreign payload. */
export const listener =
  <Schema extends z.ZodType>(
    schema: Schema,
    hear: (payload: z.output<Schema>, self: AppIdentity) => TranslatedEvent,
  ): Listener =>
  (payload, self) => {
    const read = schema.safeParse(payload);
    if (read.success) return hear(read.data, self);
    const issue = read.error.issues[0];
    return ignored(`the payload does not fit: ${issue?.path.join(".") || "payload"}: ${issue?.message ?? "unknown"}`);
  };

/** Spread into a payload's schema: where it comes from. A repository's own webhook names no installation. */
export const source = {
  repository: z.object({ id: z.number(), name: z.string(), owner: z.object({ login: z.string() }) }),
  installation: z.object({ id: z.number() }),
};

export const person = z.object({ login: z.string(), type: z.string().optional(), id: z.number().optional() });
/** Somebody who asks for something: what they may hangs on the number. */
export const asker = person.extend({ id: z.number() });

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

export const news = (payload: Source, job: JobId, command: Command): TranslatedEvent =>
  translated({ type: "news", repository: repositoryOf(payload), job, command });

/** News of the job that owns this branch; branches of people are none of our business. */
export function newsOfBranch(payload: Source, branch: string | null | undefined, command: Command): TranslatedEvent {
  const job = branch ? jobOfBranch(branch) : null;
  return job === null ? ignored("it does not concern a job branch") : news(payload, job, command);
}

/** Pull requests of one event that are told of; GitHub names few. */
const MOST_PULLS = 10;

/** News of a job that may have taken one of these pull requests for its own: the engine knows. */
export const newsOfPulls = (payload: Source, numbers: readonly number[], command: Command): TranslatedEvent =>
  numbers.length === 0
    ? ignored("it concerns neither a job branch nor a pull request")
    : translated({
        type: "pull-news",
        repository: repositoryOf(payload),
        numbers: numbers.slice(0, MOST_PULLS),
        command,
      });

/** Spread into the schema of what may belong to pull requests. Those of forks are not named. */
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
