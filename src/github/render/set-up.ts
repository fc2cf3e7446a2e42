/** The pull request that sets a repository up: its title, and a text that follows how far the set-up is. */
import { FIRST_TASK, firstJobBox } from "../../contracts/first-task.ts";
import type { RunAction } from "../../contracts/run-action.ts";
import { DEFAULT_REPOSITORY_SETTINGS } from "../../contracts/settings.ts";
import { type Finding, findingsOf, workflowMistakes } from "../../domain/repository/findings.ts";
import type { RepositoryState, SetUpFacts } from "../../domain/repository/repository.ts";
import { SET_UP_BRANCH, type SetUpSteps, setUpSteps } from "../../domain/repository/set-up.ts";
import { runJobWorkflow } from "./run-job-workflow.ts";

export const SET_UP_TITLE = "Set up Journeyman";
export const SET_UP_COMMIT = "Add the settings of Journeyman";

const WORKFLOW = ".github/workflows/run-job.yml";

/** GitHub's editor for a new file, filled in. The length of an address is bounded (github-facts-2 14.1). */
export const newFileLink = (url: string, branch: string, run_action: RunAction): string =>
  `${url}/new/${branch}?filename=${encodeURIComponent(WORKFLOW)}&value=${encodeURIComponent(runJobWorkflow(run_action))}`;

const step = (done: boolean, text: string): string => `- [${done ? "x" : " "}] ${text}`;

function workflowStep({ url }: SetUpFacts, { workflow, merged }: SetUpSteps, run_action: RunAction): string {
  if (workflow === "done" || workflow === "offered") return step(true, `Add \`${WORKFLOW}\`.`);
  // a branch may be named so that it would end the address
  const place = merged ? "HEAD" : SET_UP_BRANCH;
  if (workflow === "wrong")
    return step(false, `[Correct \`${WORKFLOW}\`](${url}/blob/${place}/${WORKFLOW}); what is wrong stands below.`);
  return step(
    false,
    `[Add \`${WORKFLOW}\`](${newFileLink(url, place, run_action)}): GitHub shows the file filled in; press **Commit changes**${merged ? "" : " to this branch"}. A person does this, since the App may not write workflow files.`,
  );
}

/** That the form takes the name from the address is said, and not documented (github-facts-2 14.3). */
function keyStep({ url }: SetUpFacts, { key }: SetUpSteps, { federation }: RunAction): string {
  if (federation !== null)
    return step(key !== "wrong", "No key is needed: runs sign in at the model's provider themselves.");
  if (key === "done") return step(true, "Add the key of the model's provider.");
  const form = `${url}/settings/secrets/actions/new?name=ANTHROPIC_API_KEY`;
  return step(
    false,
    `[Add the secret](${form}) \`ANTHROPIC_API_KEY\`. The App cannot see secrets: this is ticked once a run has used it.`,
  );
}

const mergeStep = ({ merged }: SetUpSteps): string => step(merged, "Merge this pull request.");

function jobStep({ set_up, runs }: RepositoryState, { url }: SetUpFacts, { first_job, merged }: SetUpSteps): string {
  const begun =
    first_job === "running" ? ` [The first run](${runs.first_run?.url ?? `${url}/actions`}) has begun.` : "";
  const ask = `Comment \`/job ${FIRST_TASK}\` here or on an issue.`;
  return step(first_job === "done", !merged && set_up.first_job ? "See the first job done." : `${ask}${begun}`);
}

/** The box does not say that something is done, so it stands by itself. */
const choice = ({ set_up }: RepositoryState): string =>
  `With the merge the first job begins, for some cents. Untick it to begin with one of your own:\n\n${firstJobBox(set_up.first_job)}`;

const findingLine = ({ certainty, problem, fix, url }: Finding): string =>
  `- ${certainty === "probable" ? "Probably: " : ""}${problem} ${fix}${url === null ? "" : ` [Go there](${url})`}`;

const offeredSettings = ({ url }: SetUpFacts, problem: string): Finding => ({
  ...{ code: "settings_broken", level: "problem", certainty: "certain" },
  ...{ problem, fix: "Correct the file on this branch.", url: `${url}/blob/${SET_UP_BRANCH}/.github/journeyman.yml` },
});

const MERGING = {
  ...DEFAULT_REPOSITORY_SETTINGS,
  auto_merge: { ...DEFAULT_REPOSITORY_SETTINGS.auto_merge, enabled: true },
};

/** Before the merge, with the settings that the pull request brings: they merge what is green. */
const asOffered = (state: RepositoryState, { files }: SetUpFacts): RepositoryState =>
  files.settings === null ? { ...state, settings: MERGING } : state;

/** What stands in the way, and what should be known beside it, without the steps that are listed anyway. */
function foundOf(state: RepositoryState, facts: SetUpFacts, steps: SetUpSteps): Record<Finding["level"], Finding[]> {
  const offered =
    steps.workflow === "wrong" && !steps.merged ? workflowMistakes(facts, facts.offered?.workflow, SET_UP_BRANCH) : [];
  const broken = steps.merged ? null : (facts.offered?.settings?.problem ?? null);
  const here = findingsOf({ state: asOffered(state, facts), facts, missing: null });
  const problem = [
    ...offered,
    ...(broken === null ? [] : [offeredSettings(facts, broken)]),
    ...here.filter(({ code, level }) => level === "problem" && code !== "workflow_missing"),
  ];
  return { problem, advice: here.filter(({ level }) => level === "advice") };
}

const section = (title: string, found: readonly Finding[]): string[] =>
  found.length === 0 ? [] : [`### ${title}`, found.map(findingLine).join("\n")];

const rightWorkflow = (run_action: RunAction): string =>
  `<details>\n<summary>The lines of <code>${WORKFLOW}</code></summary>\n\n\`\`\`yaml\n${runJobWorkflow(run_action)}\`\`\`\n\n</details>`;

const CHOICES =
  "`.github/journeyman.yml` in this pull request explains the choices; each of them can be changed later.";

/** Of the facts as they were last read. `run_action`: what the workflow file uses. */
export function setUpBody(state: RepositoryState, run_action: RunAction): string {
  const { facts, phase } = state.set_up;
  if (facts === null) return "Journeyman reads how far this repository is set up.";
  const steps = setUpSteps(state);
  const { problem, advice } = foundOf(state, facts, steps);
  const lines = [
    workflowStep(facts, steps, run_action),
    keyStep(facts, steps, run_action),
    mergeStep(steps),
    jobStep(state, facts, steps),
  ];
  const end =
    phase === "complete"
      ? "This repository is set up."
      : `${steps.merged ? "" : "Close this pull request without a merge if you do not want it; it is not opened again. "}\`/job doctor\` in a comment says at any time what is missing.`;
  return [
    "Journeyman turns a comment `/job <what you want>` into a merged pull request. This list ticks itself:",
    lines.join("\n"),
    ...(steps.merged || phase === "declined" ? [] : [choice(state)]),
    ...(steps.workflow === "wrong" ? [rightWorkflow(run_action)] : []),
    ...section("Not right yet", problem),
    ...section("Worth knowing", advice),
    ...(facts.files.settings !== null && !steps.merged ? [] : [CHOICES]),
    end,
  ].join("\n\n");
}
