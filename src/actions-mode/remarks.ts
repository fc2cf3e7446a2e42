/** Texts that only Actions mode adds to a job's comment and check. Makes no calls. */
import type { Job } from "../domain/job/job.ts";
import { isOnTheirs } from "../domain/job/target.ts";

const CLICK =
  "GitHub holds back the checks of this pull request, because it was opened with GITHUB_TOKEN: somebody with write " +
  "access must press “Approve workflows to run” on it. To spare that, give the action the token of a GitHub App (its " +
  "input `token`).";

const NOT_STARTED =
  "GitHub starts no checks for this push, because it was made with GITHUB_TOKEN: somebody must push to the branch or run " +
  "them by hand. To spare that, give the action the token of a GitHub App (its input `token`).";

const MAY_NOT_OPEN =
  "If no pull request appears, tick “Allow GitHub Actions to create and approve pull requests” in the repository's " +
  "settings under Actions → General, and run this workflow run again.";

/** A verdict that names single checks has seen some. */
const isChecked = (job: Job): boolean => job.reasons.some(({ because }) => because.length > 0);

/** With GITHUB_TOKEN alone some things wait for a person, who must know it. */
export function plainTokenRemark(job: Job): string | null {
  if (job.status !== "submitted") return null;
  if (isOnTheirs(job)) return isChecked(job) ? null : NOT_STARTED;
  if (job.pull_request === null) return MAY_NOT_OPEN;
  return isChecked(job) ? null : CLICK;
}

export const stuck = (reason: string): string =>
  `It does not go on: ${reason} It is tried again with the next event of this job, or when the workflow run of Journeyman is run again.`;

/** The job as comment and check are to show it. */
export function withRemarks(job: Job, remarks: readonly (string | null | undefined)[]): Job {
  const notice = [job.notice, ...remarks].filter((text) => typeof text === "string" && text !== "").join(" ");
  return notice === "" ? job : { ...job, notice };
}
