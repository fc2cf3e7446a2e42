/**
 * Translates which commit a merge queue tests. Installations that have not accepted the permission for `merge_group` are
 * told by the workflows that run on it.
 */
import * as z from "zod";
import type { TranslatedEvent } from "../../domain/job/github-event.ts";
import { ignored, listener, pullsEvent, source } from "./event-listener.ts";

/** A branch of the queue is named by the base, the pull request and a commit. */
const QUEUE_BRANCH = /^(?:refs\/heads\/)?gh-readonly-queue\/.{1,255}\/pr-(\d{1,9})-[0-9a-f]{40,64}$/;

type Source = Parameters<typeof pullsEvent>[0];

/** The pull request that a branch of the queue is about; null: it is no such branch. */
export function queuedPull(branch: string): number | null {
  const number = QUEUE_BRANCH.exec(branch)?.[1];
  return number === undefined || Number(number) === 0 ? null : Number(number);
}

export function queueTests(payload: Source, branch: string, sha: string): TranslatedEvent {
  const pull_request = queuedPull(branch);
  return pull_request === null
    ? ignored("the branch is not one of the merge queue")
    : pullsEvent(payload, [pull_request], { type: "queue-tests", pull_request, sha });
}

const groupSchema = z.object({ ...source, merge_group: z.object({ head_ref: z.string(), head_sha: z.string() }) });

export const queueChecksRequested = listener(groupSchema, (payload) =>
  queueTests(payload, payload.merge_group.head_ref, payload.merge_group.head_sha),
);
