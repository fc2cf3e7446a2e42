/** Explains why a job cannot start on a repository and what its owner can do. Shown in comments and over REST. */
import type { Repository } from "../../domain/job/job.ts";
import { cut } from "../../text/text.ts";
import { code, escapeMarkdown, oneLine } from "./plain.ts";

const nameOf = ({ owner, name }: Pick<Repository, "owner" | "name">): string => code(`${owner}/${name}`);

export const notInstalled = (repository: Pick<Repository, "owner" | "name">): string =>
  `The App cannot see ${nameOf(repository)}. Install it on that repository and try again.`;

export const lacksPermission = (repository: Pick<Repository, "owner" | "name">): string =>
  `The App may not write to ${nameOf(repository)}. Accept its requested permissions in the installation's settings, ` +
  "check that no rule forbids it to create `job/**` branches, and try again. A pull request that changes workflow files " +
  "must be merged first: the App may not write those.";

export const emptyRepository = (): string =>
  "This repository has no commit yet, so there is nothing to branch from. Push a first commit and try again.";

export const missingWorkflow = (branch: string): string =>
  `${code(branch)} has no \`.github/workflows/run-job.yml\`, so nothing would run the job. ` +
  "Add that file to the branch, as Journeyman's docs/install.md shows it, and try again.";

export const noSuchBranch = (branch: string): string =>
  `The branch ${code(branch)} does not exist. Name an existing branch and try again.`;

export const foreignBranch = (branch: string): string =>
  `A branch ${code(branch)} exists already and does not belong to this job. Delete or rename it and try again.`;

export const branchInTheWay = (name: string): string =>
  `There is a branch ${code(name)}, and git cannot have ${code(`${name}/…`)} as well. Rename or delete it and try again.`;

export const notTaken = (branch: string): string =>
  `GitHub rejects the branch ${code(branch)} with the job's brief. Check whether a ` +
  "rule of the repository or organization blocks the App, then try again.";

const MAX_WORDS = 500;

/** GitHub's own words name the rule, the file and where to look. */
export const pushForbidden = (branch: string, words: string): string =>
  `GitHub does not take the branch ${code(branch)} with the job's brief: “${cut(escapeMarkdown(oneLine(words)), MAX_WORDS)}”. ` +
  "Change the rule or what it objects to, then try again.";

export const noPrice = (model: string): string =>
  `${code(model)} has no known price, so it cannot be held to the budget that counts here. Name a model of the table in ` +
  "Journeyman's documentation by `llm.model` in `.github/journeyman.yml` or `/job --model NAME`, or have the budget removed: " +
  "it is `budget` in that file, or the server's operator has set it.";

export const noGateway = (branch: string): string =>
  `\`.github/workflows/run-job.yml\` of ${code(branch)} does not use the run action, which keeps a run inside its cost limit, so ` +
  "the job cannot be held to the budget that counts here. Replace that file there by the one that Journeyman's docs/install.md " +
  "shows, and try again.";
