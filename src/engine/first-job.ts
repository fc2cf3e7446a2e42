/** Drafts the job that the merge of a set-up pull request begins, where the box in its text is ticked. */
import { FIRST_TASK } from "../contracts/first-task.ts";
import type { Draft } from "../domain/job/command.ts";
import type { GitHubEvent } from "../domain/job/github-event.ts";
import { fullName, sameRepository } from "../domain/job/job.ts";
import { draftOf } from "./drafts.ts";
import type { Store } from "./ports/store.ts";

export type SetUpChanged = Extract<GitHubEvent, { type: "set-up-changed" }>;

/** Who has merged what, if that is to begin the first job; null: it is not, or there is one already. */
export async function firstJobAsked(
  { repositories, jobs }: Pick<Store, "repositories" | "jobs">,
  { repository, first_job, merged }: SetUpChanged,
): Promise<NonNullable<SetUpChanged["merged"]> | null> {
  if (merged === undefined || first_job !== true) return null;
  const known = await repositories.byId(repository.id);
  // an edit of ours may have ticked the box again that somebody had unticked
  if (known?.set_up.pull_request !== merged.pull_request || !known.set_up.first_job) return null;
  const id = await jobs.ofIssue(fullName(repository), merged.pull_request);
  const stored = id === null ? null : await jobs.load(id);
  return stored !== null && sameRepository(stored.job.repository, repository) ? null : merged;
}

/** As if the pull request had the label, with the task as its text. */
export function firstDraft(
  { repository }: SetUpChanged,
  { pull_request: number, ...by }: NonNullable<SetUpChanged["merged"]>,
  account: string,
): Omit<Draft, "id"> {
  const issue = { number, title: FIRST_TASK, body: "", is_pull_request: true, undiscussed: true } as const;
  return draftOf({ type: "label", repository, issue, ...by }, account, null);
}
