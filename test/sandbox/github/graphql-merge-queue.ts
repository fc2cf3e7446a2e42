/** GraphQL: merge queues on pull requests, and the two mutations. */
import { GraphQLError } from "graphql";
import * as z from "zod";
import { authorize, type Need } from "./access.ts";
import { Refusal } from "./errors.ts";
import { connection } from "./graphql-connection.ts";
import { type GraphqlContext, mustHave } from "./graphql-context.ts";
import { userObject } from "./graphql-issues.ts";
import { dequeuePull, enqueuePull, entryOf, hasQueue, positionOf } from "./merge-queue.ts";
import type { Cause, Repository } from "./model.ts";
import type { PullIssue } from "./state.ts";
import { iso } from "./world.ts";

/** Without `merge_queues: read` the entry is out of reach, though whether there is one is not. */
export function queueFields(context: GraphqlContext, repository: Repository, issue: PullIssue) {
  return {
    isMergeQueueEnabled: hasQueue(repository, issue.pull.baseRef),
    isInMergeQueue: () => entryOf(repository, issue) !== undefined,
    mergeQueueEntry: () => {
      mustHave(context, repository, "merge_queues:read");
      return entryObject(context, repository, issue);
    },
    timelineItems: (args: unknown) => timeline(issue, args),
  };
}

function entryObject(context: GraphqlContext, repository: Repository, issue: PullIssue) {
  const entry = entryOf(repository, issue);
  if (entry === undefined) return null;
  const { group } = entry;
  return {
    __typename: "MergeQueueEntry",
    id: `MQE_${entry.id}`,
    position: positionOf(repository, issue),
    state: group === undefined ? "QUEUED" : "AWAITING_CHECKS",
    enqueuedAt: iso(entry.enqueuedAt),
    enqueuer: userObject(context, entry.cause.user),
    headCommit: () => (group ? context.objects.commit(context, repository, group.headSha) : null),
    baseCommit: () => (group ? context.objects.commit(context, repository, group.baseSha) : null),
  };
}

const timelineArguments = z.looseObject({ itemTypes: z.array(z.string()).nullish() });

function timeline({ pull }: PullIssue, args: unknown) {
  const { itemTypes } = timelineArguments.parse(args);
  if (itemTypes?.length !== 1 || itemTypes[0] !== "REMOVED_FROM_MERGE_QUEUE_EVENT")
    throw new GraphQLError("The local GitHub knows removals from merge queues alone of a timeline.");
  const exits = pull.queueExits.map(({ reason, at }, index) => ({
    __typename: "RemovedFromMergeQueueEvent",
    ...{ id: `RFMQE_${pull.id}_${index}`, createdAt: iso(at), reason },
  }));
  return connection("timelineItems", exits, args);
}

type PullById = (id: string, need: Need) => { readonly repository: Repository; readonly issue: PullIssue };

const enqueueInput = z.object({
  input: z.looseObject({
    pullRequestId: z.string(),
    expectedHeadOid: z.string().nullish(),
    jump: z.boolean().nullish(),
  }),
});
const dequeueInput = z.object({ input: z.looseObject({ id: z.string() }) });

export function queueMutations(context: GraphqlContext, pullById: PullById, cause: Cause) {
  const { world, request } = context;
  const entry = (repository: Repository, issue: PullIssue) => ({
    clientMutationId: null,
    mergeQueueEntry: () => {
      mustHave(context, repository, "merge_queues:read");
      return entryObject(context, repository, issue);
    },
  });
  return {
    enqueuePullRequest: async (args: unknown) => {
      const { pullRequestId, expectedHeadOid } = enqueueInput.parse(args).input;
      const { repository, issue } = pullById(pullRequestId, "pull_requests:write");
      authorize(request.actor, repository, ["contents:write"]);
      const no = await enqueuePull(world, repository, issue, expectedHeadOid ?? undefined, cause);
      if (no !== undefined) throw new Refusal(422, no);
      return entry(repository, issue);
    },
    dequeuePullRequest: (args: unknown) => {
      const { repository, issue } = pullById(dequeueInput.parse(args).input.id, "pull_requests:write");
      if (!dequeuePull(world, repository, issue, "MANUAL", cause))
        throw new Refusal(422, "Pull request is not in the merge queue");
      return entry(repository, issue);
    },
  };
}
