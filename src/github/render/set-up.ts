/** The pull request that sets a repository up: its title, and a text that follows how far the set-up is. */
import type { RepositoryState } from "../../domain/repository/repository.ts";
import { SET_UP_BRANCH, type SetUpSteps, setUpSteps } from "../../domain/repository/set-up.ts";
import { RUN_JOB_WORKFLOW } from "./run-job-workflow.ts";

export const SET_UP_TITLE = "Set up Journeyman";
export const SET_UP_COMMIT = "Add the settings of Journeyman";

const WORKFLOW = ".github/workflows/run-job.yml";

const box = (done: boolean, text: string): string => `- [${done ? "x" : " "}] ${text}`;

/** GitHub's editor for a new file, filled in. */
export const newFileLink = (url: string, branch: string): string =>
  `${url}/new/${branch}?filename=${encodeURIComponent(WORKFLOW)}&value=${encodeURIComponent(RUN_JOB_WORKFLOW)}`;

function workflowStep(url: string, { workflow, merged }: SetUpSteps): string {
  const done = workflow === "done" || workflow === "offered";
  if (done) return box(true, `\`${WORKFLOW}\` is there.`);
  const branch = merged ? "" : SET_UP_BRANCH;
  const link = `[Add \`${WORKFLOW}\` to this branch](${newFileLink(url, branch)})`;
  const text = `${link}: the page is filled in; press **Commit changes**. A person has to do this, since the App may not write workflow files.`;
  return box(false, text);
}

const secretStep = (url: string, { key }: SetUpSteps): string =>
  box(
    key === "done",
    `[Add the secret](${url}/settings/secrets/actions/new) \`ANTHROPIC_API_KEY\` with a key of the model's provider.${key === "done" ? "" : " The App cannot see secrets: this is ticked once a run has used it."}`,
  );

const mergeStep = ({ merged }: SetUpSteps): string => box(merged, "Merge this pull request.");

const jobStep = ({ first_job }: SetUpSteps): string =>
  box(
    first_job === "done",
    `Comment \`/job Say hello in the README\` on an issue.${first_job === "running" ? " The first run has begun." : ""}`,
  );

export function setUpBody(state: RepositoryState): string {
  const steps = setUpSteps(state);
  const url = state.set_up.facts?.url ?? "";
  const lines = [workflowStep(url, steps), secretStep(url, steps), mergeStep(steps), jobStep(steps)];
  return [
    "Journeyman turns a comment `/job <what you want>` into a merged pull request. Four steps set this repository up:",
    lines.join("\n"),
    "Close this pull request without a merge if you do not want it; it is not opened again.",
  ].join("\n\n");
}
