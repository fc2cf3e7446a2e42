/**
 * Says on a commit that the settings, the workflow or a file of schedules or triggers in it is broken, so that it is seen on the pull request that
 * would bring it to the default branch. A commit whose files are right hears nothing.
 */
import * as z from "zod";
import { workflowSentences } from "../../domain/repository/findings.ts";
import { counted } from "../../text/plural.ts";
import { ask, BLOB, blobSchema } from "../client/graphql.ts";
import { cutBody } from "../render/plain.ts";
import { CRONS_PATH, parseCrons, parseTriggers, TRIGGERS_PATH } from "../repository-settings/automation-files.ts";
import { parseSettingsBlob, SETTINGS_PATH } from "../repository-settings/settings-file.ts";
import { workflowFactsOf } from "../repository-settings/workflow-file.ts";
import { WORKFLOW_PATH } from "./branch-state.ts";
import { annotationsOf, type CheckParts, sayOnce, sentence } from "./settings-check.ts";

const QUERY = `
query Files($owner: String!, $repo: String!, $settings: String!, $workflow: String!, $settingsHere: String!, $workflowHere: String!, $crons: String!, $cronsHere: String!, $triggers: String!, $triggersHere: String!) {
  repository(owner: $owner, name: $repo) {
    settings: object(expression: $settings) { ${BLOB} }
    workflow: object(expression: $workflow) { ${BLOB} }
    settingsHere: object(expression: $settingsHere) { ${BLOB} }
    workflowHere: object(expression: $workflowHere) { ${BLOB} }
    crons: object(expression: $crons) { ${BLOB} }
    cronsHere: object(expression: $cronsHere) { ${BLOB} }
    triggers: object(expression: $triggers) { ${BLOB} }
    triggersHere: object(expression: $triggersHere) { ${BLOB} }
  }
}`;

const schema = z.object({
  repository: z
    .object({
      ...{ settings: blobSchema, workflow: blobSchema, settingsHere: blobSchema, workflowHere: blobSchema },
      ...{ crons: blobSchema, cronsHere: blobSchema, triggers: blobSchema, triggersHere: blobSchema },
    })
    .nullable(),
});

type Blob = z.output<typeof blobSchema>;

/** Null where the default branch has the same: then it is not this commit that brings it. */
const brought = (there: Blob, here: Blob): Blob => (there?.text === here?.text ? null : there);

export async function checkFiles(parts: CheckParts, sha: string): Promise<void> {
  const { octokit, at } = parts;
  const paths = {
    ...{ settings: `${sha}:${SETTINGS_PATH}`, workflow: `${sha}:${WORKFLOW_PATH}` },
    ...{ settingsHere: `HEAD:${SETTINGS_PATH}`, workflowHere: `HEAD:${WORKFLOW_PATH}` },
    ...{ crons: `${sha}:${CRONS_PATH}`, cronsHere: `HEAD:${CRONS_PATH}` },
    ...{ triggers: `${sha}:${TRIGGERS_PATH}`, triggersHere: `HEAD:${TRIGGERS_PATH}` },
  };
  const { repository } = await ask(octokit, QUERY, { ...at, ...paths }, schema);
  if (repository === null) return;
  const read = parseSettingsBlob(brought(repository.settings, repository.settingsHere));
  const mistakes = read === null || read.ok ? [] : read.mistakes;
  const crons = parseCrons(brought(repository.crons, repository.cronsHere));
  const triggers = parseTriggers(brought(repository.triggers, repository.triggersHere));
  const sentences = [
    ...mistakes.map((one) => `\`${SETTINGS_PATH}\`: ${sentence(one)}`),
    ...workflowSentences(workflowFactsOf(brought(repository.workflow, repository.workflowHere))),
    ...[crons, triggers].flatMap((file) => (file.ok ? [] : [file.problem])),
  ];
  if (sentences.length === 0) return;
  const list = sentences.map((one) => `- ${one}`).join("\n");
  await sayOnce(parts, sha, {
    conclusion: "failure",
    output: {
      title: counted(sentences.length, "mistake"),
      summary: cutBody(`On the default branch this would not work:\n\n${list}`),
      annotations: annotationsOf(mistakes),
    },
  });
}
