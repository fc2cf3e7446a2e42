/**
 * answer-reviews: answers review comments in their threads. resolve-threads: when the work has passed, resolves the threads
 * that are done and asks the reviewers to look again. Each is one query and one request of mutations for a whole round, and
 * looks first: a hidden marker shows what an earlier attempt has said. Nothing here stops a job: a thread that is gone or
 * closed to us is left out.
 */
import * as z from "zod";
import type { Effect } from "../../domain/job/effect.ts";
import type { Attempt } from "../../engine/ports/performer.ts";
import { attempted } from "../client/errors.ts";
import { askForParts, fullId } from "../client/graphql.ts";
import { replyMarker } from "../render/marker.ts";
import { cutBody, escapeMarkdown } from "../render/plain.ts";
import { laterOf } from "./one-call.ts";
import { done, type Task } from "./task.ts";

type AnswerReviews = Extract<Effect, { type: "answer-reviews" }>;
type ResolveThreads = Extract<Effect, { type: "resolve-threads" }>;

/** The newest comments of a thread that are searched for ours. */
const LOOK_BACK = 20;

const QUERY = `
query ReviewThreads($owner: String!, $repo: String!, $number: Int!, $ids: [ID!]!) {
  repository(owner: $owner, name: $repo) {
    pullRequest(number: $number) {
      id
      state
      reviewRequests(first: 100) { nodes { requestedReviewer { ... on User { id } } } }
      reviewThreads(last: 100) {
        nodes {
          id
          isResolved
          viewerCanReply
          viewerCanResolve
          first: comments(first: 1) { nodes { fullDatabaseId } }
          latest: comments(last: ${LOOK_BACK}) { nodes { body viewerDidAuthor } }
        }
      }
    }
  }
  nodes(ids: $ids) {
    ... on PullRequestReview {
      state
      author { ... on User { id } }
      comments(first: 100) { nodes { fullDatabaseId replyTo { fullDatabaseId } } }
    }
  }
}`;

const numbered = z.object({ fullDatabaseId: fullId });

const threadSchema = z.object({
  id: z.string(),
  isResolved: z.boolean(),
  viewerCanReply: z.boolean(),
  viewerCanResolve: z.boolean(),
  first: z.object({ nodes: z.array(numbered) }),
  latest: z.object({
    nodes: z.array(z.object({ body: z.string(), viewerDidAuthor: z.boolean() })),
  }),
});

const schema = z.object({
  repository: z
    .object({
      pullRequest: z
        .object({
          id: z.string(),
          state: z.string(),
          reviewRequests: z
            .object({
              nodes: z.array(z.object({ requestedReviewer: z.object({ id: z.string().optional() }).nullable() })),
            })
            .nullable(),
          reviewThreads: z.object({ nodes: z.array(threadSchema) }),
        })
        .nullable(),
    })
    .nullable(),
  nodes: z.array(
    z
      .object({
        state: z.string(),
        author: z.object({ id: z.string().optional() }).nullable(),
        comments: z.object({ nodes: z.array(numbered.extend({ replyTo: numbered.nullable() })) }),
      })
      .nullable(),
  ),
});

type Thread = z.output<typeof threadSchema>;
type Found = z.output<typeof schema>;
type Pull = NonNullable<NonNullable<Found["repository"]>["pullRequest"]>;

/** One mutation, with the variables that it names. */
interface Mutation {
  readonly field: string;
  readonly variables: Readonly<Record<string, { readonly type: string; readonly value: unknown }>>;
}

const reply = (n: number, thread: Thread, body: string): Mutation => ({
  field: `reply${n}: addPullRequestReviewThreadReply(input: { pullRequestReviewThreadId: $thread${n}, body: $body${n} }) { clientMutationId }`,
  variables: { [`thread${n}`]: { type: "ID!", value: thread.id }, [`body${n}`]: { type: "String!", value: body } },
});

const resolve = (n: number, thread: Thread): Mutation => ({
  field: `resolve${n}: resolveReviewThread(input: { threadId: $thread${n} }) { clientMutationId }`,
  variables: { [`thread${n}`]: { type: "ID!", value: thread.id } },
});

const ask = ({ id }: Pull, users: readonly string[]): Mutation => ({
  field: "ask: requestReviews(input: { pullRequestId: $pull, userIds: $users, union: true }) { clientMutationId }",
  variables: { pull: { type: "ID!", value: id }, users: { type: "[ID!]!", value: users } },
});

/** Threads by the comments of these reviews: an answer to anything else was never asked for. */
function threadsOf(pull: Pull, nodes: Found["nodes"]): ReadonlyMap<number, Thread> {
  const byFirst = new Map(
    pull.reviewThreads.nodes.flatMap((thread) =>
      thread.first.nodes.map(({ fullDatabaseId }) => [fullDatabaseId, thread] as const),
    ),
  );
  const comments = nodes.flatMap((review) => review?.comments.nodes ?? []);
  return new Map(
    comments.flatMap((comment) => {
      const thread = byFirst.get((comment.replyTo ?? comment).fullDatabaseId);
      return thread === undefined ? [] : [[comment.fullDatabaseId, thread] as const];
    }),
  );
}

/** Reviewers who have not been asked and whose word still stands. A deleted account or a program is not asked. */
function toAsk(pull: Pull, nodes: Found["nodes"]): string[] {
  const asked = new Set((pull.reviewRequests?.nodes ?? []).map(({ requestedReviewer }) => requestedReviewer?.id));
  const people = nodes.flatMap((review) => (review?.state === "DISMISSED" ? [] : [review?.author?.id]));
  return [...new Set(people)].filter((id) => id !== undefined && !asked.has(id)).map(String);
}

function repliesTo({ job }: Task, { round, replies }: AnswerReviews, { repository, nodes }: Found): Mutation[] {
  const pull = repository?.pullRequest ?? null;
  const threads = pull === null ? new Map<number, Thread>() : threadsOf(pull, nodes);
  return replies.flatMap(({ id, body }, n) => {
    const thread = threads.get(id);
    if (thread?.viewerCanReply !== true) return [];
    const marker = replyMarker(job.id, round, id);
    const said = thread.latest.nodes.some(
      ({ viewerDidAuthor, body: text }) => viewerDidAuthor && text.includes(marker),
    );
    return said ? [] : [reply(n, thread, cutBody(escapeMarkdown(body), `\n\n${marker}`))];
  });
}

function resolutionsOf({ done: ids, asks }: ResolveThreads, { repository, nodes }: Found): Mutation[] {
  const pull = repository?.pullRequest ?? null;
  if (pull === null) return [];
  const threads = threadsOf(pull, nodes);
  const open = new Set(ids.flatMap((id) => threads.get(id) ?? []));
  const all = [...open]
    .filter(({ isResolved, viewerCanResolve }) => !isResolved && viewerCanResolve)
    .map((thread, n) => resolve(n, thread));
  const people = asks && pull.state === "OPEN" ? toAsk(pull, nodes) : [];
  return people.length === 0 ? all : [...all, ask(pull, people)];
}

/** A mutation that fails leaves the others done: GitHub performs them one after the other. */
async function perform({ octokit }: Task, mutations: readonly Mutation[]): Promise<void> {
  const entries = [...new Map(mutations.flatMap((one) => Object.entries(one.variables)))];
  const named = entries.map(([name, { type }]) => `$${name}: ${type}`).join(", ");
  const query = `mutation AnswerReviews(${named}) {\n  ${mutations.map(({ field }) => field).join("\n  ")}\n}`;
  await octokit.graphql(query, Object.fromEntries(entries.map(([name, { value }]) => [name, value])));
}

async function change(
  task: Task,
  reviews: readonly string[],
  mutationsOf: (found: Found) => readonly Mutation[],
): Promise<Attempt> {
  const pull = task.job.pull_request;
  if (pull === null) return done;
  const answer = await attempted(task.now, async () => {
    const variables = { ...task.at, number: pull.number, ids: reviews };
    const mutations = mutationsOf(await askForParts(task, QUERY, variables, schema));
    if (mutations.length > 0) await perform(task, mutations);
  });
  if (answer.ok || answer.githubError.kind !== "later") return done;
  return { ended: "later", ...laterOf(answer.githubError) };
}

export const answerReviews = (task: Task, effect: AnswerReviews): Promise<Attempt> =>
  change(task, effect.reviews, (found) => repliesTo(task, effect, found));

export const resolveThreads = (task: Task, effect: ResolveThreads): Promise<Attempt> =>
  change(task, effect.reviews, (found) => resolutionsOf(effect, found));
