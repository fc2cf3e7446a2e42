/** Explains why a job cannot start on a repository and what its owner can do. Shown in comments and over REST. */
import type { Repository } from "../../domain/job/job.ts";
import { code } from "./plain.ts";

const nameOf = ({ owner, name }: Pick<Repository, "owner" | "name">): string => code(`${owner}/${name}`);

export const notInstalled = (repository: Pick<Repository, "owner" | "name">): string =>
  `The App cannot see ${nameOf(repository)}. Install it on that repository and ask again.`;

export const lacksPermission = (repository: Pick<Repository, "owner" | "name">): string =>
  `The App may not write to ${nameOf(repository)}. Accept its requested permissions in the installation's settings, ` +
  "check that no rule forbids it to create `job/**` branches, and ask again.";

export const emptyRepository = (): string =>
  "This repository has no commit yet, so there is nothing to branch from. Push a first commit and ask again.";

export const missingWorkflow = (branch: string): string =>
  `${code(branch)} has no \`.github/workflows/run-job.yml\`, so nothing would run the job. ` +
  "Add that file from the App's README to the branch and ask again.";

export const noSuchBranch = (branch: string): string =>
  `The branch ${code(branch)} does not exist. Name a branch that does and ask again.`;

export const foreignBranch = (branch: string): string =>
  `A branch ${code(branch)} exists already and is not this job's. Delete or rename it and ask again.`;

export const branchInTheWay = (name: string): string =>
  `There is a branch ${code(name)}, and git has no room for ${code(`${name}/…`)} beside it. Rename or delete it and ask again.`;

export const notTaken = (branch: string): string =>
  `GitHub does not take the branch ${code(branch)} with the job's brief, and asking again would not help. Look whether a ` +
  "rule of the repository or the organization keeps the App from it, and ask again.";
