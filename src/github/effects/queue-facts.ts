/** What GitHub tells of a pull request in a merge queue, for the queries that ask for it. Makes no call. */
import * as z from "zod";
import type { Check, QueueFacts } from "../../domain/job/facts.ts";
import type { Job } from "../../domain/job/job.ts";

/** An installation that has not accepted `merge_queues: read` may not read it; whether it is in the queue it may. */
export const QUEUE_ENTRY = "mergeQueueEntry";

/** On a pull request. */
export const QUEUE_STATE = `isMergeQueueEnabled isInMergeQueue ${QUEUE_ENTRY} { position }`;

export const queueStateSchema = {
  isMergeQueueEnabled: z.boolean(),
  isInMergeQueue: z.boolean(),
  [QUEUE_ENTRY]: z.object({ position: z.number() }).nullish(),
} as const;

/** The same, and why it has left. */
export const QUEUE = `
${QUEUE_STATE}
timelineItems(last: 1, itemTypes: [REMOVED_FROM_MERGE_QUEUE_EVENT]) {
  nodes { ... on RemovedFromMergeQueueEvent { createdAt reason } }
}`;

export const queueSchema = {
  ...queueStateSchema,
  timelineItems: z
    .object({
      nodes: z.array(
        z.object({ createdAt: z.iso.datetime({ offset: true }), reason: z.string().nullish() }).nullable(),
      ),
    })
    .nullish(),
} as const;

type QueueState = z.infer<z.ZodObject<typeof queueStateSchema>>;
type QueueAnswer = z.infer<z.ZodObject<typeof queueSchema>>;

export const queueEntry = ({ isInMergeQueue, mergeQueueEntry }: QueueState): QueueFacts["entry"] =>
  isInMergeQueue || mergeQueueEntry ? { position: mergeQueueEntry?.position || null } : null;

/** The checks of the commit that the queue has tested are read along, since they say why it was thrown out. */
export const queueVariables = ({
  merge,
  merge_queue,
}: Job): { readonly group: string; readonly asksGroup: boolean } => ({
  group: merge_queue.group_sha ?? "",
  asksGroup: merge.state === "queued" && merge_queue.group_sha !== null,
});

export function queueFacts(answer: QueueAnswer, tested: readonly Check[]): QueueFacts {
  const left = answer.timelineItems?.nodes[0];
  return {
    required: answer.isMergeQueueEnabled,
    entry: queueEntry(answer),
    left: left ? { reason: left.reason ?? "", at: Date.parse(left.createdAt) } : null,
    failed: tested.filter(({ ours, state }) => !ours && state === "failure"),
  };
}
