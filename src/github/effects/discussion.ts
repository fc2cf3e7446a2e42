/**
 * Reads what people have said on a job's issue, for the brief. Only words of people with write permission count: the
 * association that GitHub shows says who is asked about first, and never decides, since it names members without any
 * permission and hides private ones (github-facts 8.7, 15.4). Foreign text is sanitised here already.
 */
import * as z from "zod";
import type { Brief } from "../../contracts/brief.ts";
import { sanitize } from "../../contracts/sanitize.ts";
import { canCommandWith } from "../../domain/access.ts";
import { normalise } from "../../text/normalise.ts";
import { counted } from "../../text/plural.ts";
import { cut, head } from "../../text/text.ts";
import { attempted } from "../client/errors.ts";
import { ask } from "../client/graphql.ts";
import { findCommand } from "../events/find-command.ts";
import type { Task } from "./task.ts";

/** The newest ones; older ones are counted and not read. */
const MAX_COMMENTS = 50;
/** Whose permission is asked for: one call each, unless it was asked lately. */
const MAX_PEOPLE = 10;
/** Characters of a comment that are looked at, as for a command; strangers may write 50 long ones. */
const MAX_READ = 12_000;
/** Characters of one comment, and of all together. */
const MAX_COMMENT = 8_000;
const MAX_DISCUSSION = 32_000;

const COMMENTS = `comments(last: ${MAX_COMMENTS}) {
  totalCount
  nodes { databaseId body createdAt isMinimized authorAssociation author { __typename login ... on User { databaseId } } }
}`;

/** For a query that has the variables `$issue` and `$discussed`, within `repository`. */
export const DISCUSSION = `
issueOrPullRequest(number: $issue) @include(if: $discussed) {
  ... on Issue { ${COMMENTS} }
  ... on PullRequest { ${COMMENTS} }
}`;

const QUERY = `
query Discussion($owner: String!, $repo: String!, $issue: Int!, $discussed: Boolean!) {
  repository(owner: $owner, name: $repo) { ${DISCUSSION} }
}`;

const comment = z.object({
  databaseId: z.number(),
  body: z.string(),
  createdAt: z.string(),
  isMinimized: z.boolean(),
  authorAssociation: z.string(),
  /** Null: the account was deleted. */
  author: z.object({ __typename: z.string(), login: z.string(), databaseId: z.number().nullish() }).nullable(),
});

export const discussionSchema = z
  .object({ comments: z.object({ totalCount: z.number(), nodes: z.array(comment.nullable()) }) })
  .nullish()
  .transform((read) => read?.comments ?? null);

export type ReadComments = z.output<typeof discussionSchema>;

const querySchema = z.object({ repository: z.object({ issueOrPullRequest: discussionSchema }).nullable() });

/** Null when the issue was deleted or cannot be read. */
export async function readComments(task: Task, issue: number): Promise<ReadComments> {
  const read = await attempted(task.now, () =>
    ask(task.octokit, QUERY, { ...task.at, issue, discussed: true }, querySchema),
  );
  if (read.ok) return read.value.repository?.issueOrPullRequest ?? null;
  if (read.githubError.kind === "gone" || read.githubError.kind === "forbidden") return null;
  throw read.thrown;
}

interface Comment {
  readonly id: number;
  readonly by: string;
  readonly by_id: number;
  readonly at: string;
  readonly body: string;
  readonly close: boolean;
}

/** Told of people who belong to the repository in some way. */
const CLOSE = new Set(["OWNER", "MEMBER", "COLLABORATOR"]);

/** Bots, deleted accounts, hidden comments and commands to us are no part of it. */
function ofPerson(one: z.output<typeof comment> | null): Comment[] {
  if (one === null || one.isMinimized) return [];
  const { author, authorAssociation, createdAt: at, databaseId: id } = one;
  const body = head(one.body, MAX_READ);
  if (author?.__typename !== "User" || typeof author.databaseId !== "number") return [];
  if (findCommand(normalise(body)) !== null) return [];
  return [{ id, by: author.login, by_id: author.databaseId, at, body, close: CLOSE.has(authorAssociation) }];
}

type Judged = "writer" | "other" | "unknown";

/** What is known of each commenter, by login. */
async function judge(task: Task, comments: readonly Comment[]): Promise<(one: Comment) => Judged> {
  const { octokit, at, permissionOf } = task;
  const first = [...comments.filter(({ close }) => close), ...comments];
  const people = [...new Map(first.map((one) => [one.by, one])).values()].slice(0, MAX_PEOPLE);
  const judged = await Promise.all(
    people.map(async ({ by }) => {
      const asked = await attempted(task.now, () => permissionOf(octokit, at, by));
      if (!asked.ok && asked.githubError.kind !== "gone") throw asked.thrown;
      return [by, asked.ok ? asked.value : null] as const;
    }),
  );
  const known = new Map(judged);
  return ({ by, by_id }) => {
    const found = known.get(by);
    if (found === undefined) return "unknown";
    // The login may belong to somebody else by now.
    return found?.person?.id === by_id && canCommandWith(found.permission, "write") ? "writer" : "other";
  };
}

export interface Discussion extends Pick<Brief, "discussion" | "discussion_notes"> {
  /** When the newest comment was written; null: none was read. */
  readonly discussed_until: number | null;
  /** The comments that it holds, newest first. */
  readonly comments: readonly { readonly id: number; readonly body: string }[];
}

export const NO_DISCUSSION: Discussion = {
  ...{ discussion: [], discussion_notes: [], comments: [] },
  discussed_until: null,
};

const BY_OTHERS = "by people without write permission";
const TOO_MANY = "since too many people have commented to ask GitHub who of them may write.";

/** Of one and of many, where there are any. */
const note = (count: number, one: string, many: string): string[] => (count === 0 ? [] : [counted(count, one, many)]);

/** Whether something was said since the last brief; nothing is new to a first one. */
function newIn({ job }: Task): (at: string) => boolean {
  // GitHub tells whole seconds
  const since = job.round === 1 && job.attempt === 1 ? null : (job.discussed_until ?? job.created_at - 1_000);
  return (at) => since !== null && Date.parse(at) > since;
}

/** What of these comments belongs into a brief, and what of them does not, in sentences. */
export async function discussionOf(task: Task, read: ReadComments): Promise<Discussion> {
  if (read === null) return NO_DISCUSSION;
  const isNew = newIn(task);
  const newest = read.nodes.flatMap(ofPerson).reverse();
  const judgedOf = await judge(task, newest);
  const kept: (Comment & { readonly whole: boolean })[] = [];
  const left = { other: 0, unknown: 0, full: 0 };
  let room = MAX_DISCUSSION;
  for (const one of newest) {
    const judged = judgedOf(one);
    if (judged !== "writer") {
      left[judged] += 1;
      continue;
    }
    const words = room > 0 ? sanitize(one.body).trim() : "";
    if (room > 0 && words === "") continue;
    const body = cut(words, Math.min(MAX_COMMENT, room));
    if (body === "") left.full += 1;
    else kept.push({ ...one, body, whole: body === words });
    room -= words === "" ? 0 : body.length;
  }
  const cutShort = kept.filter(({ whole }) => !whole).length;
  const older = read.totalCount - read.nodes.length + left.full;
  return {
    discussed_until: Date.parse(read.nodes.at(-1)?.createdAt ?? "") || null,
    discussion: kept.toReversed().map(({ by, at, body }) => ({ by, at, body, ...(isNew(at) ? { is_new: true } : {}) })),
    discussion_notes: [
      ...note(older, "older comment is left out.", "older comments are left out."),
      ...note(cutShort, "comment is cut at its end.", "comments are cut at their end."),
      ...note(left.other, `comment ${BY_OTHERS} is left out.`, `comments ${BY_OTHERS} are left out.`),
      ...note(left.unknown, `comment is left out, ${TOO_MANY}`, `comments are left out, ${TOO_MANY}`),
    ],
    comments: kept.map(({ id, body }) => ({ id, body })),
  };
}
