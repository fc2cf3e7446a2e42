/**
 * Reports on a commit of the default branch that it broke or fixed `.github/journeyman.yml` or a file that says what
 * starts by itself, so that its author learns of it right away. At most one check run per commit, and none if nothing changed.
 */

import type { Repository } from "../../domain/job/job.ts";
import type { ObservedRepository } from "../../domain/repository/repository.ts";
import { counted } from "../../text/plural.ts";
import type { AppIdentity } from "../client/app-identity.ts";
import type { Caller } from "../client/octokit.ts";
import { cutBody } from "../render/plain.ts";
import { automationOf } from "../repository-settings/automation-files.ts";
import { type Mistake, SETTINGS_PATH } from "../repository-settings/settings-file.ts";
import { type BranchState, observedOf, readBranchState } from "./branch-state.ts";
import type { Task } from "./task.ts";

export const SETTINGS_CHECK = "journeyman settings";

/** GitHub's limit per call. */
const MAX_ANNOTATIONS = 50;

export const sentence = ({ words }: Mistake): string => `It ${words}`;

/** The check blocks no merge unless a rule requires it, and the commit is already on its branch. */
function brokenFace(mistakes: readonly Mistake[], had_settings: boolean) {
  const until = had_settings
    ? "Until it is fixed, Journeyman uses the last valid version of the file."
    : "Until it is fixed, nothing merges and only admins can use commands.";
  const list = mistakes.map((one) => `- ${sentence(one)}`).join("\n");
  return {
    conclusion: "failure",
    output: {
      title: counted(mistakes.length, "mistake"),
      summary: cutBody(`\`${SETTINGS_PATH}\` cannot be used. ${until}\n\n${list}`),
      annotations: annotationsOf(mistakes),
    },
  } as const;
}

/** Beside the lines of the file. */
export function annotationsOf(mistakes: readonly Mistake[]) {
  const annotations = mistakes.flatMap(({ words, line }) =>
    line === null
      ? []
      : [
          {
            path: SETTINGS_PATH,
            start_line: line,
            end_line: line,
            annotation_level: "failure" as const,
            message: words,
          },
        ],
  );
  return annotations.slice(0, MAX_ANNOTATIONS);
}

function mendedFace(is_there: boolean) {
  const summary = is_there
    ? `\`${SETTINGS_PATH}\` is valid and applies from now on.`
    : "The file was deleted; the defaults apply.";
  return { conclusion: "success", output: { title: "Mended", summary } } as const;
}

const AUTOMATION_MENDED = {
  conclusion: "success",
  output: { title: "Mended", summary: "The files that say what starts by itself are valid and apply from now on." },
} as const;

/** Of the files that say what starts by itself. */
function automationFace(problems: readonly string[]) {
  const list = problems.map((one) => `- ${one}`).join("\n");
  const goes_on = "Until it is fixed, what the last valid version of a file said goes on.";
  return {
    conclusion: "failure",
    output: { title: counted(problems.length, "mistake"), summary: cutBody(`${goes_on}\n\n${list}`) },
  } as const;
}

/** The two checks of one commit are one. */
function together(settings: ReturnType<typeof brokenFace>, problems: readonly string[]) {
  if (problems.length === 0) return settings;
  const summary = cutBody(`${settings.output.summary}\n\n${automationFace(problems).output.summary}`);
  return { ...settings, output: { ...settings.output, title: "Mistakes", summary } };
}

/** Null when there is nothing to report. */
function faceOf({ settings, automation }: BranchState, known: ObservedRepository | null): Face | null {
  const problems = automationOf(automation, known?.automation ?? null).problems.map(({ problem }) => problem);
  if (settings !== null && !settings.ok)
    return together(brokenFace(settings.mistakes, known?.settings != null), problems);
  if (problems.length > 0) return automationFace(problems);
  if (known?.settings_problem != null) return mendedFace(settings !== null);
  return (known?.automation?.problems.length ?? 0) > 0 ? AUTOMATION_MENDED : null;
}

export interface CheckParts {
  readonly octokit: Caller;
  readonly at: Task["at"];
  readonly self: AppIdentity;
}

interface Face {
  readonly conclusion: "success" | "failure";
  readonly output: {
    readonly title: string;
    readonly summary: string;
    readonly annotations?: ReturnType<typeof annotationsOf>;
  };
}

/** One check run for each commit. */
export async function sayOnce({ octokit, at, self }: CheckParts, head_sha: string, face: Face): Promise<void> {
  const { data } = await octokit.request("GET /repos/{owner}/{repo}/commits/{ref}/check-runs", {
    ...{ ...at, ref: head_sha, check_name: SETTINGS_CHECK },
    ...(self.appId === null ? {} : { app_id: self.appId }),
  });
  if (data.check_runs.length > 0) return;
  await octokit.request("POST /repos/{owner}/{repo}/check-runs", {
    ...{ ...at, name: SETTINGS_CHECK, head_sha, status: "completed", ...face },
  });
}

/** Returns the repository metadata that was observed; null when the repository is not visible or empty. */
export async function reportSettings(
  parts: CheckParts,
  repository: Repository,
  known: ObservedRepository | null,
): Promise<ObservedRepository | null> {
  const state = await readBranchState(parts, null);
  const face = state === null ? null : faceOf(state, known);
  const sha = state?.base?.sha;
  if (face !== null && sha !== undefined) await sayOnce(parts, sha, face);
  return state === null ? null : observedOf(state, repository, known);
}
