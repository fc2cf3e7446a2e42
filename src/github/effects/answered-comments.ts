/**
 * Tells which comment of its thread a review comment answers: “fix this” says nothing without it. Anybody may comment on
 * a line, so those words reach the agent only if their author may write to the repository.
 */
import * as z from "zod";
import type { ReviewComment } from "../../contracts/review.ts";
import { canCommandWith } from "../../domain/access.ts";
import { attempted } from "../client/errors.ts";
import { fullId } from "../client/graphql.ts";
import type { Task } from "./task.ts";

/** Whose permission is asked for: one call each, unless it was asked lately. */
const MAX_PEOPLE = 10;

/** Of a `PullRequestReviewComment`. */
export const REPLY_TO = "replyTo { fullDatabaseId body author { login ... on User { databaseId } } }";

export const replyToSchema = z
  .object({
    fullDatabaseId: fullId,
    body: z.string().default(""),
    /** Null: the account was deleted. */
    author: z.object({ login: z.string(), databaseId: z.number().nullish() }).nullish(),
  })
  .nullable();

type ReplyTo = z.output<typeof replyToSchema>;
export type Answered = (replyTo: ReplyTo) => Pick<ReviewComment, "answers">;

async function mayWrite({ octokit, at, now, permissionOf }: Task, login: string, id: number): Promise<boolean> {
  const asked = await attempted(now, () => permissionOf(octokit, at, login));
  if (!asked.ok && asked.githubError.kind !== "gone") throw asked.thrown;
  // the login may belong to somebody else by now
  return asked.ok && asked.value.person?.id === id && canCommandWith(asked.value.permission, "write");
}

/** `clean`: makes foreign text fit for a brief. Throws what Octokit throws. */
export async function answeredIn(
  task: Task,
  all: readonly ReplyTo[],
  clean: (text: string) => string,
): Promise<Answered> {
  const authors = all.flatMap((one) => one?.author ?? []);
  const people = [...new Map(authors.map(({ login, databaseId }) => [login, databaseId ?? null]))].slice(0, MAX_PEOPLE);
  const known = await Promise.all(
    people.map(async ([login, id]) => (id !== null && (await mayWrite(task, login, id)) ? [login] : [])),
  );
  const writers = new Set(known.flat());
  return (replyTo) => {
    if (replyTo === null) return {};
    const by = replyTo.author?.login ?? null;
    return { answers: { by, body: by !== null && writers.has(by) ? clean(replyTo.body) : null } };
  };
}
