/** Reads the state of a pull request, which explains GitHub's refusals. */
import * as z from "zod";
import type { QueueFacts } from "../../domain/job/facts.ts";
import { askWithout } from "../client/graphql.ts";
import { QUEUE, QUEUE_ENTRY, queuePlace, queueSchema } from "./queue-facts.ts";
import type { Task } from "./task.ts";

const QUERY = `
query PullRequestState($owner: String!, $repo: String!, $number: Int!) {
  repository(owner: $owner, name: $repo) {
    mergeCommitAllowed
    squashMergeAllowed
    rebaseMergeAllowed
    pullRequest(number: $number) {
      id
      state
      isDraft
      headRefOid
      mergedAt
      mergedBy { login ... on User { databaseId } }
      autoMergeRequest { enabledAt }
      ${QUEUE}
    }
  }
}`;

const schema = z.object({
  repository: z.object({
    mergeCommitAllowed: z.boolean(),
    squashMergeAllowed: z.boolean(),
    rebaseMergeAllowed: z.boolean(),
    pullRequest: z.object({
      id: z.string(),
      state: z.enum(["OPEN", "CLOSED", "MERGED"]),
      isDraft: z.boolean(),
      headRefOid: z.string(),
      mergedAt: z.string().nullable(),
      mergedBy: z.object({ login: z.string(), databaseId: z.number().nullish() }).nullable(),
      autoMergeRequest: z.object({ enabledAt: z.string().nullish() }).nullable(),
      ...queueSchema,
    }),
  }),
});

export type MergeMethod = "merge" | "squash" | "rebase";

export interface PullRequestState {
  readonly id: string;
  readonly state: "OPEN" | "CLOSED" | "MERGED";
  readonly draft: boolean;
  readonly head: string;
  readonly merged_at: number | null;
  readonly merged_by: string | null;
  /** Null when it is not merged, or not by a person. */
  readonly merged_by_id: number | null;
  readonly auto_merges: boolean;
  /** Its place in the merge queue. */
  readonly queue: Pick<QueueFacts, "entry" | "left">;
  /** Merge methods that the repository allows, in order of preference. */
  readonly methods: readonly MergeMethod[];
}

export async function readPullRequest(task: Task, number: number): Promise<PullRequestState> {
  const { repository } = await askWithout(QUEUE_ENTRY, task.octokit, QUERY, { ...task.at, number }, schema);
  const { pullRequest: pull } = repository;
  const allowed: Readonly<Record<MergeMethod, boolean>> = {
    squash: repository.squashMergeAllowed,
    merge: repository.mergeCommitAllowed,
    rebase: repository.rebaseMergeAllowed,
  };
  const order: readonly MergeMethod[] = ["squash", "merge", "rebase"];
  return {
    id: pull.id,
    state: pull.state,
    draft: pull.isDraft,
    head: pull.headRefOid,
    merged_at: pull.mergedAt === null ? null : Date.parse(pull.mergedAt),
    merged_by: pull.mergedBy?.login ?? null,
    merged_by_id: pull.mergedBy?.databaseId ?? null,
    auto_merges: pull.autoMergeRequest !== null,
    queue: queuePlace(pull),
    methods: order.filter((method) => allowed[method]),
  };
}
