/** What GitHub tells of a pull request in a merge queue, for the queries that ask for it. Makes no call. */
import * as z from "zod";
import type { Check, QueueFacts } from "../../domain/job/facts.ts";
import type { Job } from "../../domain/job/job.ts";

/** An installation that has not accepted `merge_queues: read` may not read it; whether it is in the queue it may. */
export const QUEUE_ENTRY = "mergeQueueEntry";

/** On a pull request: whether it is in the queue, and when and why it has last left. */
export const QUEUE = `
isMergeQueueEnabled isInMergeQueue ${QUEUE_ENTRY} { position }
timelineItems(last: 1, itemTypes: [REMOVED_FROM_MERGE_QUEUE_EVENT]) {
  nodes { ... on RemovedFromMergeQueueEvent { createdAt reason } }
}`;

export const queueSchema = {
  isMergeQueueEnabled: z.boolean(),
  isInMergeQueue: z.boolean(),
  [QUEUE_ENTRY]: z.object({ position: z.number() }).nullish(),
  timelineItems: z
    .object({
      nodes: z.array(
        z.object({ createdAt: z.iso.datetime({ offset: true }), reason: z.string().nullish() }).nullable(),
      ),
    })
    .nullish(),
} as const;

type QueueAnswer = z.infer<z.ZodObject<typeof queueSchema>>;

/** Where it is in the queue, or when and why it has last left. */
export function queuePlace(answer: QueueAnswer): Pick<QueueFacts, "entry" | "left"> {
  const { isInMergeQueue, mergeQueueEntry, timelineItems } = answer;
  const left = timelineItems?.nodes[0];
  return {
    entry: isInMergeQueue || mergeQueueEntry ? { position: mergeQueueEntry?.position || null } : null,
    left: left ? { reason: left.reason ?? "", at: Date.parse(left.createdAt) } : null,
  };
}

/** The checks of the commit that the queue has tested are read along, since they say why it was thrown out. */
export const queueVariables = ({
  merge,
  merge_queue,
}: Job): { readonly group: string; readonly asksGroup: boolean } => ({
  group: merge_queue.group_sha ?? "",
  asksGroup: merge.state === "queued" && merge_queue.group_sha !== null,
});

export const queueFacts = (answer: QueueAnswer, tested: readonly Check[]): QueueFacts => ({
  required: answer.isMergeQueueEnabled,
  ...queuePlace(answer),
  failed: tested.filter(({ ours, state }) => !ours && state === "failure"),
});
