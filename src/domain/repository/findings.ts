/**
 * What keeps jobs of a repository from running or merging, with what to do about it. The set-up pull request, `/job
 * doctor`, the API and the command line tell the same findings. Pure.
 */
import { isDispensable } from "../../contracts/app-permissions.ts";
import { DEFAULT_REPOSITORY_SETTINGS, type RepositorySettings } from "../../contracts/settings.ts";
import { counted } from "../../text/plural.ts";
import type { RepositoryState, RunProblem, SetUpFacts, WorkflowFacts, WorkflowMistake } from "./repository.ts";
import { FAILURES_TO_PAUSE, isPaused } from "./schedules.ts";
import { SET_UP_BRANCH } from "./set-up.ts";
import { MOST_IN_A_ROW, triggerState } from "./triggers.ts";

export interface Finding {
  /** Stable; for programs. */
  readonly code: string;
  /** `problem`: jobs do not run or do not merge. `advice`: they do, but something should be known. */
  readonly level: "problem" | "advice";
  /** `probable`: concluded from runs, since the App may not read it. */
  readonly certainty: "certain" | "probable";
  /** One sentence. */
  readonly problem: string;
  /** One sentence. */
  readonly fix: string;
  /** Where it is mended; null: nowhere in particular. */
  readonly url: string | null;
}

/** Permissions that the App asks for and this installation has not granted, and events that it does not send. */
export interface MissingConsent {
  readonly permissions: readonly string[];
  readonly events: readonly string[];
  /** The page on which the owner accepts them. */
  readonly url: string;
}

export interface Examined {
  readonly state: Pick<RepositoryState, "settings" | "settings_problem" | "runs"> &
    Partial<Pick<RepositoryState, "automation" | "schedules" | "triggers">>;
  readonly facts: SetUpFacts;
  /** Null: not asked for. */
  readonly missing: MissingConsent | null;
  /** Milliseconds since the epoch; missing: what was noted long ago is told, too. */
  readonly now?: number;
  /** The page of the last run that fills the cache, where it failed; missing: nobody has looked. */
  readonly cache_failed?: string | null;
  /** GitHub's page for the workflow file, filled in; missing: with its name alone. */
  readonly new_file_url?: string;
}

const DAY_MS = 24 * 3_600_000;
const SETTINGS = ".github/journeyman.yml";
const WORKFLOW = ".github/workflows/run-job.yml";

const certain = (code: string, problem: string, fix: string, url: string | null): Finding => ({
  ...{ code, level: "problem", certainty: "certain", problem, fix, url },
});
const probable = (code: string, problem: string, fix: string, url: string | null): Finding => ({
  ...certain(code, problem, fix, url),
  certainty: "probable",
});
const advice = (code: string, problem: string, fix: string, url: string | null): Finding => ({
  ...certain(code, problem, fix, url),
  level: "advice",
});

const MISTAKES: Readonly<Record<WorkflowMistake, readonly [problem: string, fix: string]>> = {
  unreadable: [`\`${WORKFLOW}\` is not valid YAML, or it is too long.`, "Replace it with the lines of the set-up."],
  no_push_trigger: [
    `\`${WORKFLOW}\` does not start on pushes to \`job/**\`.`,
    'Add `push: { branches: ["job/**"] }` below `on:`.',
  ],
  no_dispatch_trigger: [
    `\`${WORKFLOW}\` cannot be started by hand, which a retry and Actions mode need.`,
    "Add `workflow_dispatch:` below `on:`.",
  ],
  no_identity: [`\`${WORKFLOW}\` does not let its run prove who it is.`, "Add `id-token: write` to its permissions."],
  no_write_access: [`\`${WORKFLOW}\` may not push.`, "Add `contents: write` to its permissions."],
  no_run_action: [
    `\`${WORKFLOW}\` does not use the run action.`,
    "Add a step that uses `…/.github/actions/run-job`, as in the lines of the set-up.",
  ],
};

/** Branches may be named in any way; the file's page is found by HEAD. */
const fileUrl = ({ url }: SetUpFacts, path: string, branch = "HEAD"): string => `${url}/blob/${branch}/${path}`;

function repositoryFindings(facts: SetUpFacts): Finding[] {
  const { archived, default_branch, url } = facts;
  const found: Finding[] = [];
  if (archived) found.push(certain("archived", "The repository is archived.", "Unarchive it.", `${url}/settings`));
  if (default_branch === null)
    found.push(certain("empty", "The repository has no commit yet.", "Push a first commit.", url));
  return found;
}

/** What is wrong with a workflow file, which is on the default branch unless one is named; nothing where there is none. */
export const workflowMistakes = (
  facts: SetUpFacts,
  workflow: WorkflowFacts | null | undefined,
  branch?: string,
): Finding[] =>
  (workflow?.mistakes ?? []).map((mistake) =>
    certain(`workflow_${mistake}`, ...MISTAKES[mistake], fileUrl(facts, WORKFLOW, branch)),
  );

/** The same as sentences, each with what to do. */
export const workflowSentences = (workflow: WorkflowFacts | null): readonly string[] =>
  (workflow?.mistakes ?? []).map((mistake) => MISTAKES[mistake].join(" "));

/** While the set-up pull request is open, what is missing is found in it. */
function unmergedFindings(facts: SetUpFacts, number: number): Finding[] {
  const offered = facts.offered?.workflow ?? null;
  const mistakes = workflowMistakes(facts, offered, SET_UP_BRANCH);
  if (mistakes.length > 0) return mistakes;
  const fix = offered === null ? "Follow the first link in the set-up pull request." : "Merge the set-up pull request.";
  const missing = `\`${WORKFLOW}\` is not on the default branch yet.`;
  return [certain("workflow_missing", missing, fix, `${facts.url}/pull/${number}`)];
}

function workflowFindings(facts: SetUpFacts, new_file_url: string | null): Finding[] {
  const { workflow } = facts.files;
  if (facts.default_branch === null) return [];
  if (workflow === null && facts.pull_request?.state === "open")
    return unmergedFindings(facts, facts.pull_request.number);
  if (workflow === null)
    return [
      certain(
        "workflow_missing",
        `\`${WORKFLOW}\` is not on the default branch.`,
        "Add it; GitHub's page for a new file shows it filled in.",
        new_file_url ?? `${facts.url}/new/HEAD?filename=${encodeURIComponent(WORKFLOW)}`,
      ),
    ];
  const found = workflowMistakes(facts, workflow);
  const old = `\`${WORKFLOW}\` is of an earlier version; it still works.`;
  if (workflow.outdated) found.push(advice("workflow_outdated", old, "Replace it.", fileUrl(facts, WORKFLOW)));
  return found;
}

const RUNS: Readonly<Record<RunProblem, (url: string) => Finding>> = {
  no_run: (url) =>
    probable(
      "no_run",
      "No run began within five minutes of a job's brief; GitHub Actions are probably off for this repository.",
      "Allow GitHub Actions, or see in the Actions tab whether a run waits for approval.",
      `${url}/settings/actions`,
    ),
  run_did_not_start: (url) =>
    probable(
      "run_did_not_start",
      "GitHub could not start the last run; the workflow file is probably broken, or the rules of Actions forbid what it uses.",
      "Look at the run's page, and allow the run action in the rules of Actions.",
      `${url}/settings/actions`,
    ),
  no_key: (url) =>
    probable(
      "no_key",
      "The last run had no key for the model's provider; the secret `ANTHROPIC_API_KEY` is probably missing.",
      "Add the secret.",
      `${url}/settings/secrets/actions/new?name=ANTHROPIC_API_KEY`,
    ),
  key_refused: (url) =>
    probable(
      "key_refused",
      "The model's provider refused the key of the last run.",
      "Renew the secret `ANTHROPIC_API_KEY`, or correct the federation rule that the workflow file names.",
      `${url}/settings/secrets/actions`,
    ),
  no_image: (url) =>
    probable(
      "no_image",
      "The last run could not get the agent's image; it is probably private, or its name is wrong.",
      "Give the runner access to the image, or name another one.",
      `${url}/actions`,
    ),
  set_up_failed: (url) =>
    probable(
      "set_up_failed",
      `The last run could not set up the image that \`container\` in \`${SETTINGS}\` names.`,
      "Correct its image or its set-up commands; the job's comment shows the one that failed, with its last lines.",
      `${url}/blob/HEAD/${SETTINGS}`,
    ),
  action_not_allowed: (url) =>
    probable(
      "action_not_allowed",
      "The rules of Actions probably forbid the run action.",
      "Allow it, or pin it by a full commit SHA where the rules ask for one.",
      `${url}/settings/actions`,
    ),
};

/** GitHub does not say why a run did not start; with a file that is right, the rules of Actions are what is left. */
function runFindings({ runs }: Examined["state"], { url, files }: SetUpFacts): Finding[] {
  if (runs.problem === null) return [];
  const { code } = runs.problem;
  const isFileRight = files.workflow?.mistakes.length === 0;
  return [RUNS[code === "run_did_not_start" && isFileRight ? "action_not_allowed" : code](url)];
}

function cacheFindings({ settings }: Examined["state"], cache_failed: string | null): Finding[] {
  if (cache_failed === null || settings?.cache === undefined) return [];
  const problem =
    "The last run that fills the cache failed; jobs probably start without it, or with one of other lock files.";
  const fix = `The summary of that run says why; correct \`cache\` in \`${SETTINGS}\`, or start the workflow again there.`;
  return [{ ...probable("cache_not_filled", problem, fix, cache_failed), level: "advice" }];
}

/** What was called too often within a day. */
function triggerFindings({ state: { triggers = [], automation }, facts, now = 0 }: Examined): Finding[] {
  return (automation?.triggers ?? []).flatMap(({ name, jobs_per_hour, from }) => {
    const { refused_at, broken } = triggerState({ triggers }, name);
    if (broken !== null && broken.in_a_row >= MOST_IN_A_ROW) {
      const problem = `The trigger \`${name}\` has started ${counted(broken.in_a_row, "job")} in a row, and the default branch still fails, so it starts no more.`;
      return [
        advice(
          "trigger_in_vain",
          problem,
          "Mend the branch yourself; once the check passes, the trigger goes on.",
          fileUrl(facts, from),
        ),
      ];
    }
    if (refused_at === null || refused_at < now - DAY_MS) return [];
    const problem = `The trigger \`${name}\` was called more often than \`jobs_per_hour: ${jobs_per_hour}\` allows, last on ${new Date(refused_at).toISOString().slice(0, 16)}Z.`;
    const fix = `Look at what calls it, or raise \`jobs_per_hour\` in \`${from}\`.`;
    return [advice("trigger_limited", problem, fix, fileUrl(facts, from))];
  });
}

/** Of what starts by itself. */
function automationFindings({ automation, schedules = [] }: Examined["state"], facts: SetUpFacts): Finding[] {
  const until = "Correct the file; until then what its last valid version said goes on.";
  const broken = (automation?.problems ?? []).map(({ from, problem }) =>
    certain("automation_broken", problem, until, fileUrl(facts, from)),
  );
  const paused = schedules.filter(isPaused).map(({ name }) => {
    const problem = `The schedule \`${name}\` is paused, since it has failed ${FAILURES_TO_PAUSE} times in a row.`;
    return certain("schedule_paused", problem, `Mend what fails, and comment \`/job resume ${name}\`.`, null);
  });
  return [...broken, ...paused];
}

function mergeFindings(facts: SetUpFacts, settings: RepositorySettings): Finding[] {
  const { enabled, method, require_checks } = settings.auto_merge;
  const at = fileUrl(facts, SETTINGS);
  if (facts.default_branch === null) return [];
  if (!enabled)
    return [
      advice(
        "auto_merge_off",
        "Pull requests of jobs wait for a person to merge them.",
        `Set \`auto_merge: { enabled: true }\` in \`${SETTINGS}\` to have them merged when their checks pass.`,
        at,
      ),
    ];
  const found: Finding[] = [];
  const [instead] = facts.merge_methods;
  if (!facts.merge_methods.includes(method))
    found.push(
      (instead === undefined ? certain : advice)(
        "merge_method_forbidden",
        `The settings merge by \`${method}\`, which the repository does not allow${instead === undefined ? "" : `; \`${instead}\` is used instead`}.`,
        `Allow \`${method}\`${instead === undefined ? "" : `, or set \`auto_merge.method\` to \`${instead}\``}.`,
        `${facts.url}/settings`,
      ),
    );
  if (require_checks && facts.ci_on_pull_request === false)
    found.push(
      certain(
        "ci_not_on_pull_request",
        "No workflow runs on `pull_request`, so pull requests of jobs get no checks and are not merged.",
        "Let a workflow run on `pull_request:`, or set `auto_merge.require_checks: false`.",
        `${facts.url}/tree/HEAD/.github/workflows`,
      ),
    );
  if (facts.required_checks.length === 0 && settings.auto_merge.required_checks.length === 0)
    found.push(
      advice(
        "no_required_check",
        "No check is required, so a pull request is merged as soon as the checks that have begun are green.",
        "Require the CI's check by a rule of the default branch.",
        `${facts.url}/settings/rules`,
      ),
    );
  return found;
}

function consentFindings(missing: MissingConsent | null): Finding[] {
  if (missing === null) return [];
  const named = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(", ");
  const found: Finding[] = [];
  const fix = "An owner accepts the App's new permissions.";
  const needed = missing.permissions.some((permission) => !isDispensable(permission));
  if (missing.permissions.length > 0)
    found.push(
      (needed ? certain : advice)(
        "permissions_missing",
        `The App lacks permissions: ${named(missing.permissions)}.${needed ? "" : " Jobs run and merge without them; places in a merge queue are not shown."}`,
        fix,
        missing.url,
      ),
    );
  if (missing.events.length > 0)
    found.push(
      advice("events_missing", `The App does not get these events: ${named(missing.events)}.`, fix, missing.url),
    );
  return found;
}

/** The most pressing first. Empty: nothing is wrong. */
export function findingsOf(examined: Examined): readonly Finding[] {
  const { state, facts, missing, cache_failed = null, new_file_url } = examined;
  const settings = state.settings ?? DEFAULT_REPOSITORY_SETTINGS;
  const broken = facts.files.settings?.problem ?? null;
  const found = [
    ...repositoryFindings(facts),
    ...consentFindings(missing),
    ...workflowFindings(facts, new_file_url ?? null),
    ...(broken === null
      ? []
      : [
          certain(
            "settings_broken",
            broken,
            "Correct the file; until then the last valid one counts.",
            fileUrl(facts, SETTINGS),
          ),
        ]),
    ...runFindings(state, facts),
    ...cacheFindings(state, cache_failed),
    ...automationFindings(state, facts),
    ...triggerFindings(examined),
    ...mergeFindings(facts, settings),
  ];
  return [...found.filter(({ level }) => level === "problem"), ...found.filter(({ level }) => level === "advice")];
}
