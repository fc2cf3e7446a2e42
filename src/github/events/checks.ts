/**
 * Translates check runs, check suites and commit statuses: other apps' make us re-evaluate the job, ours carry buttons.
 * A click is input and not permission; the engine checks who clicked.
 */
import * as z from "zod";
import type { TranslatedEvent } from "../../domain/job/github-event.ts";
import { asJobId, type JobId, jobOfBranch } from "../../domain/job/job.ts";
import {
  branchEvent,
  commandAuthor,
  ignored,
  isBot,
  listener,
  ofPulls,
  pullsEvent,
  repositoryOf,
  source,
  translated,
} from "./event-listener.ts";
import { checkNews, failedOf } from "./trigger-news.ts";

const LOOK = { type: "look", forced: false } as const;
const app = z.object({ id: z.number(), slug: z.string().nullish() }).nullish();
/** Checks of workflows end with their run, which has its own events; re-evaluating for each would cost a query. */
const ACTIONS = "github-actions";
const FORK = "the commit is on a fork, not on a branch of this repository";

/** Re-evaluates the job of this branch, or else jobs that may have adopted one of these pull requests. */
function look(
  payload: Checked,
  branch: string | null | undefined,
  pulls: readonly number[],
  more: Parameters<typeof pullsEvent>[3] = {},
): TranslatedEvent {
  if (branch && jobOfBranch(branch) !== null) return branchEvent(payload, branch, LOOK);
  if (pulls.length > 0) return pullsEvent(payload, pulls, LOOK, more);
  return branch ? branchEvent(payload, branch, LOOK) : ignored(FORK);
}

const runSchema = z.object({
  ...source,
  repository: source.repository.extend({ default_branch: z.string().optional() }),
  check_run: z.object({
    app,
    id: z.number().nullish(),
    name: z.string().nullish(),
    head_sha: z.string().nullish(),
    html_url: z.string().nullish(),
    conclusion: z.string().nullish(),
    ...ofPulls,
    external_id: z.string().nullish(),
    check_suite: z.object({ head_branch: z.string().nullish() }).nullish(),
  }),
  requested_action: z.object({ identifier: z.string() }).nullish(),
  sender: commandAuthor,
});

const suiteSchema = z.object({
  ...source,
  check_suite: z.object({ ...ofPulls, app, head_branch: z.string().nullish() }),
  sender: commandAuthor,
});

type Checked = Parameters<typeof branchEvent>[0];
type Clicked = z.output<typeof runSchema> | z.output<typeof suiteSchema>;

interface Pressed {
  readonly action: "retry" | "discard" | "run-checks";
  readonly commit?: string;
}

function button(payload: Clicked, job: JobId | null, pressed: Pressed): TranslatedEvent {
  if (job === null) return ignored("the check names no job");
  if (isBot(payload.sender)) return ignored("a bot clicked");
  const { id: author_id, login: author } = payload.sender;
  return translated({ type: "button", repository: repositoryOf(payload), job, ...pressed, author, author_id });
}

function pressedOf(identifier = ""): Pressed | null {
  const commit = /^run-checks-([0-9a-f]{7})$/.exec(identifier)?.[1];
  if (commit !== undefined) return { action: "run-checks", commit };
  return identifier === "retry" || identifier === "discard" || identifier === "run-checks"
    ? { action: identifier }
    : null;
}

export const checkRunCompleted = listener(runSchema, (payload, self) => {
  const { app, check_suite, pull_requests, id, name, head_sha: sha, html_url, conclusion } = payload.check_run;
  if (app?.id === self.appId) return ignored("our own check run");
  if (app?.slug === ACTIONS) return ignored("its workflow run has an event of its own");
  const branch = check_suite?.head_branch;
  if (branch && sha && branch === payload.repository.default_branch && pull_requests.length === 0)
    return checkNews(payload, { name: name ?? "", sha, branch, url: html_url ?? null, run: id ?? 0 }, conclusion);
  return look(payload, check_suite?.head_branch, pull_requests, failedOf(conclusion, sha, null));
});

export const checkRunRerequested = listener(runSchema, (payload, self) => {
  const { app, external_id } = payload.check_run;
  if (app?.id !== self.appId) return ignored("the check run of another app");
  return button(payload, asJobId(external_id ?? ""), { action: "retry" });
});

export const checkRunRequestedAction = listener(runSchema, (payload, self) => {
  const { app, external_id } = payload.check_run;
  if (app?.id !== self.appId) return ignored("the check run of another app");
  const pressed = pressedOf(payload.requested_action?.identifier);
  return pressed === null
    ? ignored("the button is not one of ours")
    : button(payload, asJobId(external_id ?? ""), pressed);
});

export const checkSuiteCompleted = listener(suiteSchema, (payload, self) => {
  const { app, head_branch, pull_requests } = payload.check_suite;
  if (app?.id === self.appId) return ignored("our own check suite");
  if (app?.slug === ACTIONS) return ignored("its workflow run has an event of its own");
  return look(payload, head_branch, pull_requests);
});

export const checkSuiteRerequested = listener(suiteSchema, (payload, self) => {
  const { app, head_branch } = payload.check_suite;
  if (app?.id !== self.appId) return ignored("the check suite of another app");
  return button(payload, jobOfBranch(head_branch ?? ""), { action: "retry" });
});

const statusSchema = z.object({
  ...source,
  state: z.string(),
  branches: z.array(z.object({ name: z.string() })),
});

export const statusChanged = listener(statusSchema, (payload) => {
  if (payload.state === "pending") return ignored("the status is still pending");
  const branch = payload.branches.find(({ name }) => jobOfBranch(name) !== null);
  return branchEvent(payload, branch?.name, LOOK);
});
