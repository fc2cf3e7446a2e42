/**
 * Renders a job's state for comment and check: a headline without Markdown, and paragraphs. Shows what the job contains
 * and decides nothing.
 */
import {
  heldFiles,
  isApart,
  isOnMarket,
  isSenderAsked,
  issueOf,
  type Job,
  questionOf,
  runOf,
} from "../../domain/job/job.ts";
import { answerUrl, runsUrl } from "../../domain/job/links.ts";
import { isOnTheirs } from "../../domain/job/target.ts";
import { counted } from "../../text/plural.ts";
import { cut } from "../../text/text.ts";
import { roundLine, turnLine } from "./catch-up.ts";
import { closesSoon, goesOnWithMore, inLine, raisedLimits } from "./line.ts";
import * as market from "./market.ts";
import { branchLink, modelLine, pullRequestLink } from "./numbers.ts";
import * as their from "./on-their-pull-request.ts";
import { escapeMarkdown, oneLine, quoted } from "./plain.ts";
import { reasonList } from "./reasons.ts";
import { aboutReviews } from "./reviews.ts";
import { type State, state } from "./state.ts";

/** Where it appears. */
type Face = "comment" | "check";

const link = (words: string, url: string | undefined): string => (url === undefined ? words : `[${words}](${url})`);

/** Ends a sentence with a link, where there is one. */
const where = (words: string, url: string | undefined): string => (url === undefined ? "." : `: [${words}](${url}).`);

/** Failed checks with links; null when the job did not fail because of checks. */
function failedChecks(job: Job): string | null {
  const failed = job.reasons.filter(({ verdict }) => verdict === "fail").flatMap(({ because }) => because);
  return failed.length === 0 ? null : reasonList(failed);
}

const parts = (...all: readonly (string | null)[]): string => all.filter((part) => part !== null).join("\n\n");

const lastFailure = (job: Job): string | null =>
  job.failure === null ? null : parts("Why the last attempt failed:", quoted(job.failure), failedChecks(job));

/** Where a run is due or waits for a runner, the words stay true while it works: its start alone rewrites no comment. */
function queued(job: Job, web_url: string | null): State {
  if (isOnMarket(job)) return state("On the market", market.offered(job), lastFailure(job));
  const attemptNote = job.attempt > 1 ? `Try ${job.attempt}: ` : "";
  const waits = inLine(job);
  if (waits !== null) return state("Waiting in line", `${attemptNote}${waits}`, lastFailure(job));
  if (job.pushed_at === null) return state("Queued", `${attemptNote}The branch is being prepared.`, lastFailure(job));
  const branch = branchLink(job, web_url);
  const runs = runsUrl(job, web_url);
  if (job.notice !== null)
    return state(
      "Queued",
      `${attemptNote}The task is on ${branch}${where("look at its runs", runs)}`,
      lastFailure(job),
    );
  return state(
    "Under way",
    `${attemptNote}The task is on ${branch}, and GitHub Actions runs it${where("follow the run", runs)}`,
    lastFailure(job),
  );
}

function accepted(job: Job): State {
  if (isOnMarket(job)) {
    const noted = job.cancellation_requested ? "It is cancelled as soon as this attempt fails." : null;
    return state("In progress", market.inWork(job), noted, lastFailure(job));
  }
  if (job.cancellation_requested)
    return state("Being cancelled", "The run was asked to stop; its work so far is kept.");
  const attemptNote = job.attempt > 1 ? `Try ${job.attempt}. ` : "";
  return state(
    "Running",
    `${attemptNote}The agent is working on ${branchLink(job)}: ${link("follow the run", runOf(job)?.url)}.`,
    lastFailure(job),
  );
}

const waitsFor = (job: Job): string | null => {
  const open = job.reasons.filter(({ verdict }) => verdict !== "pass");
  return open.length === 0 ? null : `Waits for:\n\n${reasonList(open)}`;
};

/**
 * A submission outside of any pull request: the text, and files that may not run yet, are what the sender decides on.
 */
const handedIn = (job: Job): State =>
  state(
    "Work submitted",
    job.result?.body ? quoted(job.result.body) : null,
    market.filesHeld(job),
    waitsFor(job),
    market.sendersTurn(job),
  );

function submitted(job: Job): State {
  if (isOnTheirs(job)) return their.submitted(job, waitsFor(job));
  if (heldFiles(job) !== null || (isSenderAsked(job) && job.pull_request === null)) return handedIn(job);
  if (job.pull_request === null) return state("Work done", "The work is done and the pull request is being opened.");
  return state(
    "Pull request open",
    `Pull request ${pullRequestLink(job.pull_request)} is open.`,
    waitsFor(job) ?? "Waits for the first checks.",
    market.sendersTurn(job),
  );
}

const withoutWork = (job: Job): string =>
  isOnTheirs(job) ? "nothing was pushed to this pull request" : "there is no pull request";

/** The end of a job without a pull request: the agent's text is the result. */
function words(job: Job): State {
  const said = job.result?.reason || job.result?.body || "";
  const quote = said === "" ? null : quoted(said);
  if (isOnMarket(job)) return state("Done", quote, market.filesHeld(job));
  switch (job.result?.outcome) {
    case "question":
      return state("The agent asks", "The agent needs an answer before it can do this:", quote, answerHint);
    case "refused":
      return state("The agent declined", "The agent declined to do this:", quote, answerHint);
    default:
      return state("Nothing to change", `No changes were needed, so ${withoutWork(job)}.`, quote);
  }
}

/** How a person answers. A job that was asked for through the API may have no place for comments. */
function howToAnswer(job: Job): string {
  const url = answerUrl(job);
  if (url === null && issueOf(job.origin) === null) return "Answer through the API, by a message to this job.";
  const reply = link("Reply", url ?? undefined);
  return `${reply} with \`/job <answer>\`, and the agent goes on with what it knows. \`/job cancel\` ends the job.`;
}

function waitingForUser(job: Job): State {
  const pull = job.pull_request;
  const open =
    pull === null || isOnTheirs(job)
      ? null
      : `Pull request ${pullRequestLink(pull)} stays open and is not merged before the answer.`;
  const said = questionOf(job) ?? "";
  return state(
    "Waiting for an answer",
    "The agent asks:",
    said === "" ? null : quoted(said),
    howToAnswer(job),
    open,
    pull === null ? null : checksSaid(job),
  );
}

/** What the checks say of what there is so far. */
function checksSaid(job: Job): string | null {
  const [work] = job.reasons;
  return work === undefined || work.verdict === "pass" ? null : `Its checks:\n\n${reasonList([work])}`;
}

/** The agent's reply when it did not change an open pull request. */
const answer = (job: Job): readonly (string | null)[] =>
  job.result?.outcome === "question" || job.result?.outcome === "refused" ? words(job).paragraphs : [];

const answerHint = "Reply with `/job <task>` and the missing detail.";

function verified(job: Job, face: Face): State {
  const pull = job.pull_request;
  if (pull === null || isApart(job)) return words(job);
  if (isOnTheirs(job) && job.merged_at === null) return their.verified(job);
  const named = pullRequestLink(pull);
  if (job.merged_at !== null) return state("Merged", `Pull request ${named} is merged.`);
  if (face === "check" && job.merge.state !== "off")
    return state(
      "Green",
      `The work in pull request ${named} is good${job.merge.state === "queued" ? ", and GitHub's merge queue was told to merge it" : ""}.`,
    );
  switch (job.merge.state) {
    case "off":
      return state(
        "Done, not merged",
        `Pull request ${named} is ready but not merged automatically: ${why(job.merge.why)}.`,
        ...answer(job),
      );
    case "merging":
      return state("Merging", `Pull request ${named} is green and is being merged.`);
    case "queued":
      return inQueue(job, named);
    case "auto":
      return state(
        "Waiting to merge",
        `Pull request ${named} is green. GitHub merges it as soon as the branch's rules allow it.`,
        waitsFor(job),
      );
    default:
      return state("Waiting to merge", `Pull request ${named} is green.`, waitsFor(job));
  }
}

/** What was thrown out of the queue and added again is told why. */
function inQueue({ merge, merge_queue }: Job, named: string): State {
  if (merge.state !== "queued" || merge.entered_at === null)
    return state("Waiting to merge", `Pull request ${named} is green and is being added to the merge queue.`);
  const place = merge.position === null ? "" : `, position ${merge.position}`;
  return state(
    "In the merge queue",
    `Pull request ${named} is green and in the merge queue${place}. GitHub merges it from there.`,
    merge_queue.why === null ? null : `It was thrown out before: ${merge_queue.why}.`,
  );
}

const why = (text: string): string => escapeMarkdown(oneLine(text)).replace(/\.$/, "");

function failed(job: Job): State {
  const pull = job.pull_request === null ? null : `Pull request ${pullRequestLink(job.pull_request)} is left as it is.`;
  const partial = job.head_sha === null ? null : `The work so far stays on ${branchLink(job)}.`;
  const run = runOf(job);
  if (isOnTheirs(job)) return their.failed(job, failedChecks(job));
  const log = run === null ? null : `The log is in ${link("the run", run.url)}.`;
  return state(
    "Failed",
    job.failure === null ? "The job failed." : `The job failed:\n\n${quoted(job.failure)}`,
    failedChecks(job),
    [pull, partial, log].filter((text) => text !== null).join(" "),
    goesOnWithMore(job),
    market.again(job),
  );
}

/** A notice says it itself. */
function whyCancelled({ merge, notice }: Job): string {
  const said = merge.state === "off" && notice === null ? why(merge.why) : "";
  return said === "" ? "The job was cancelled." : `${said.slice(0, 1).toUpperCase()}${said.slice(1)}.`;
}

function cancelled(job: Job): State {
  const kept = job.pull_request === null ? null : `Pull request ${pullRequestLink(job.pull_request)} is left as it is.`;
  return state("Cancelled", whyCancelled(job), kept);
}

function ofStatus(job: Job, face: Face, web_url: string | null): State {
  switch (job.status) {
    case "pending_payment":
      return state("Waiting for payment", market.waitsForPayment(job));
    case "queued":
      return queued(job, web_url);
    case "held":
      return state("Offered", "An agent is reviewing it.");
    case "accepted":
      return accepted(job);
    case "submitted":
      return submitted(job);
    case "waiting_for_user":
      return waitingForUser(job);
    case "verified":
      return verified(job, face);
    case "failed":
      return failed(job);
    case "cancelled":
      return cancelled(job);
    default:
      return job.status satisfies never;
  }
}

const underWay = ({ status }: Job): boolean => status === "queued" || status === "accepted";

const MAX_NOTICE = 1_000;

const note = (text: string | null): string | null =>
  text === null ? null : `**Note:** ${cut(escapeMarkdown(text), MAX_NOTICE)}`;

/**
 * The job's state with everything that the sender must know. The check of a merged job is not updated, so its text must
 * remain true. `web_url`: where GitHub's pages are.
 */
export function stateOf(job: Job, face: Face, web_url: string | null = null): State {
  const { headline, paragraphs } = ofStatus(job, face, web_url);
  const waiting = job.waiting_messages.length;
  return state(
    oneLine(headline),
    ...paragraphs,
    underWay(job) ? roundLine(job) : turnLine(job),
    market.settled(job),
    raisedLimits(job),
    modelLine(job),
    closesSoon(job),
    note(job.notice),
    note(job.settings_problem ?? null),
    ...aboutReviews(job),
    note(job.merged_at === null ? job.triage_problem : null),
    waiting === 0
      ? null
      : `${counted(waiting, "further message is", "further messages are")} handled in the next round.`,
  );
}
