/**
 * Submits the result to the App and pushes the work to the branch, with the App's token so that CI runs on it, or else
 * with the workflow's own. A failed push is reported to the App too, so that the job's comment can show it.
 */

import { MOVED_MEANWHILE } from "../../src/contracts/result.ts";
import type { Secret } from "../../src/contracts/secret.ts";
import { FAILED, readable } from "./agent-files.ts";
import type { Collected } from "./collect-changes.ts";
import { commitMessage } from "./commit-title.ts";
import { type Git, GitFailure } from "./git.ts";
import type { Level, Output } from "./output.ts";
import { pause } from "./progress.ts";
import { type PushResult, pushTree } from "./push.ts";
import { AppClient } from "./report/app-client.ts";
import { appSettingsOf } from "./report/app-settings.ts";
import { handIn } from "./report/hand-in.ts";
import type { ActionSettings } from "./settings.ts";

export interface SubmitPorts {
  readonly git: Git;
  readonly settings: ActionSettings;
  readonly head: string;
  readonly output: Output;
}

export interface Outcome {
  readonly pushed: boolean;
  /** Shown as an annotation, so it holds no foreign text. */
  readonly annotation: { readonly level: Level; readonly sentence: string } | null;
  /** Shown in log and summary; may hold foreign text. */
  readonly detail: string | null;
  /** GitHub's own message. */
  readonly refusal: string | null;
}

const NO_WORKFLOW = "GitHub starts no workflow for such a push";

export async function submitWork(ports: SubmitPorts, work: Collected): Promise<Outcome> {
  const { settings, output } = ports;
  const { brief, result, log, changed } = work;
  const app = appSettingsOf(brief.app_url, settings.jobId, settings.identity);
  const line = typeof app === "string" ? null : new AppClient(app, Date.now);
  const tell = (said: unknown, files: readonly string[]) =>
    line === null
      ? Promise.resolve({ ok: false as const, reason: String(app) })
      : handIn({ result: said, log, changed: files }, { app: line, pause });
  const taken =
    changed === null && line !== null
      ? ({ ok: false, reason: "the base commit could not be fetched for comparison" } as const)
      : await tell(result, changed ?? []);
  let reason = taken.ok ? "" : taken.reason;
  let delivered: PushResult | null = null;
  if (taken.ok) {
    output.mask(taken.token.reveal());
    delivered = await send(ports, work, work.clean, taken.token);
    if (delivered.ok) return { pushed: true, annotation: null, detail: null, refusal: null };
    reason = `the push with the App's token failed: ${pushFailureMessage(delivered, settings.branch)}`;
  }
  const final = delivered !== null && isRule(delivered);
  if (!final) delivered = await send(ports, work, work.whole, settings.githubToken);
  if (delivered?.ok) return ownToken(reason, brief.app_url === null);
  const why = pushFailureMessage(delivered, settings.branch);
  await tell({ ...result, ...FAILED, reason: `The work could not be pushed: ${why}` }, []);
  return notPushed(delivered, settings.branch, why);
}

function send({ git, settings, head }: SubmitPorts, work: Collected, tree: string, token: Secret): Promise<PushResult> {
  const { branch, serverUrl, apiUrl, repository, jobId } = settings;
  const url = `${serverUrl}/${repository}.git`;
  const message = commitMessage(jobId, readable(work.result));
  const api = { url: apiUrl, repository };
  const signed = work.brief.signed_commits === true;
  const delivery = { branch, url, message, head, merged: work.merged, signed, api };
  return pushTree(git, tree, delivery, token).catch((error: unknown) => {
    if (error instanceof GitFailure) return { ok: false, why: "failed", words: error.message };
    throw error;
  });
}

const isRule = (delivered: PushResult): boolean => !delivered.ok && delivered.why === "refused" && delivered.rule;

function pushFailureMessage(delivered: PushResult | null, branch: string): string {
  if (delivered === null || delivered.ok) return "";
  switch (delivered.why) {
    case "refused":
      return `GitHub rejected the push. ${delivered.words}`;
    case "failed":
      return `${delivered.words}.`;
    case "gone":
      return `${branch} was deleted or cannot be reached.`;
    case "conflict":
      return `${branch} ${MOVED_MEANWHILE}.`;
    default:
      return delivered satisfies never;
  }
}

function ownToken(reason: string, isMeant: boolean): Outcome {
  const follows = isMeant ? NO_WORKFLOW : `${NO_WORKFLOW}: CI runs on the App's commit that follows`;
  return {
    pushed: true,
    annotation: {
      level: isMeant ? "notice" : "warning",
      sentence: `The work was pushed with the workflow's own token; see the run's summary for the reason. ${follows}.`,
    },
    detail: `The work was pushed with the workflow's own token because ${reason.replace(/\.$/, "")}. ${follows}.`,
    refusal: null,
  };
}

function notPushed(delivered: PushResult | null, branch: string, why: string): Outcome {
  const refused = delivered !== null && !delivered.ok && delivered.why === "refused";
  const sentence = refused
    ? `GitHub rejected the push to ${branch}; the run's summary shows its message`
    : delivered !== null && !delivered.ok && delivered.why === "failed"
      ? "The work was not pushed; see the run's summary"
      : `${why.replace(/\.$/, "")}: the work was not pushed`;
  return {
    pushed: false,
    annotation: { level: "error", sentence: `${sentence}.` },
    detail: why,
    refusal: refused ? delivered.words : null,
  };
}
