/** Which tasks follow from what is stored. Pure and shared by all stores, so that they schedule alike. */
import type { RepositorySettings } from "../contracts/settings.ts";
import { blobsOf } from "../domain/job/attachments.ts";
import { concernsBudget } from "../domain/job/budget-seen.ts";
import { isOnGitHub, isPublishEvents } from "../domain/job/effect.ts";
import type { GitHubEvent } from "../domain/job/github-event.ts";
import { fullName, type Job, type JobId } from "../domain/job/job.ts";
import { givesPlace, leavesLine } from "../domain/job/line.ts";
import { nextTimerAt } from "../domain/job/next-timer.ts";
import type { Pending } from "../domain/pending-effect.ts";
import { nextTimerAt as nextTimerOfRepository } from "../domain/repository/next-timer.ts";
import type { RepositoryState } from "../domain/repository/repository.ts";
import type { PendingDelivery } from "../engine/ports/inbox.ts";
import type { StoredJob } from "../engine/ports/jobs.ts";
import type { StoredRepository } from "../engine/ports/repositories.ts";
import { baseKey, lineTask, type Named, repositoryKey } from "../engine/ports/task-keys.ts";
import { ANY, type Task, type TaskKind } from "../engine/ports/work-queue.ts";

/** Where order matters: commands of one issue, events of one job, data of one installation. */
function laneOf(event: GitHubEvent): string {
  switch (event.type) {
    case "slash":
    case "label":
      return `issue ${fullName(event.repository)}#${event.issue.number}`;
    case "review":
      return `issue ${fullName(event.repository)}#${event.pull_request}`;
    case "button":
    case "news":
      return `job ${event.job}`;
    case "pull-news":
      return `pull ${fullName(event.repository)}#${event.numbers[0]}`;
    case "set-up-changed":
    case "branch-moved":
    case "files-pushed":
    case "default-branch-moved":
      return `installation ${event.repository.installation_id}`;
    case "trigger-news":
      return "issue" in event.news
        ? `issue ${fullName(event.repository)}#${event.news.issue.number}`
        : `triggers ${event.repository.id}`;
    case "repositories-changed":
    case "uninstalled":
      return `installation ${event.installation_id}`;
    default:
      return event satisfies never;
  }
}

const installationOf = (event: GitHubEvent): number =>
  "repository" in event ? event.repository.installation_id : event.installation_id;

export const taskOfDelivery = ({ id, event }: PendingDelivery): Task => ({
  ...{ kind: "delivery", key: id, lane: laneOf(event), tenant: installationOf(event) },
});

/** Of one kind of task, with the version of the record that they belong to. */
interface Effects {
  readonly kind: TaskKind;
  readonly key: string;
  readonly tenant: number;
  readonly effects: readonly Pending<unknown>[];
}

const effectsOfJob = ({ job, effects }: StoredJob): readonly Effects[] => {
  const of = { key: job.id, tenant: job.repository.installation_id };
  return [
    { ...of, kind: "job-effects", effects: effects.filter(({ effect }) => isOnGitHub(effect)) },
    { ...of, kind: "job-events", effects: effects.filter(({ effect }) => isPublishEvents(effect)) },
  ];
};

const effectsOfRepository = ({ state, effects }: StoredRepository): readonly Effects[] => [
  { kind: "repository-effects", key: String(state.id), tenant: state.installation_id, effects },
];

/** What this commit has added; whoever performs the others goes on by itself. */
const added = (of: readonly Effects[], version: number): readonly Task[] =>
  of
    .filter(({ effects }) => effects.some(({ serial }) => serial === version))
    .map(({ effects, ...task }) => ({ ...task, at: Math.min(...effects.map(({ not_before }) => not_before)) }));

/** At once: whoever performs them knows when they are due. */
const left = (of: readonly Effects[]): readonly Task[] =>
  of.filter(({ effects }) => effects.length > 0).map(({ effects: _, ...task }) => task);

const timerOf = ({ state }: StoredRepository): number | null => nextTimerOfRepository(state);

/** Nobody has read its files, and nobody is asked to. */
export const isUnread = ({ state, effects }: StoredRepository): boolean =>
  !state.files_read && !effects.some(({ effect }) => effect.type === "read-settings");

/** Where nothing is due any more, what was scheduled before finds that out. */
const timer = (kind: TaskKind, id: JobId | number, at: number | null, before: number | null): readonly Task[] =>
  at === null || at === before ? [] : [{ kind, key: String(id), at }];

export const timerOfJob = (id: JobId, at: number | null): readonly Task[] => timer("job-timer", id, at, null);
export const timerOfRepository = (id: number, at: number | null): readonly Task[] =>
  timer("repository-timer", id, at, null);

/** It stands or stood in line for its base branch. */
const catchUp = (before: Job | null, { catch_up, repository, base }: Job): readonly Task[] =>
  catch_up.turn === null && (before?.catch_up.turn ?? null) === null
    ? []
    : [{ kind: "catch-up", key: baseKey({ repository: fullName(repository), branch: base.branch }) }];

const line = (before: Job | null, after: Job): readonly Task[] =>
  before === null || !(givesPlace(before, after) || leavesLine(before, after))
    ? []
    : [lineTask(after.repository, after.account)];

const budgetNews = (repository: Named): Task => ({ kind: "budget-news", key: repositoryKey(repository) });

/** Others may begin now, or hear of limits that were changed. */
function settings(before: RepositoryState | null, after: RepositoryState): readonly Task[] {
  const differs = (of: (settings: RepositorySettings | null | undefined) => unknown): boolean =>
    JSON.stringify(of(after.settings)) !== JSON.stringify(of(before?.settings));
  const budget = differs((one) => one?.budget);
  return [
    ...(budget || differs((one) => one?.limits) ? [{ kind: "limits", key: String(after.id) } as const] : []),
    ...(budget ? [budgetNews(after)] : []),
  ];
}

const USER = "user:";

/** Of accounts that have received money. */
const debts = (before: StoredJob | null, { postings }: StoredJob): readonly Task[] =>
  postings
    .slice(before?.postings.length ?? 0)
    .filter(({ account, cents }) => cents > 0 && account.startsWith(USER))
    .map(({ account }) => ({ kind: "debts", key: account.slice(USER.length) }));

/** Of attachments that it needs no more. */
function released(before: Job | null, after: Job): readonly Task[] {
  const [had, has] = [before === null ? [] : blobsOf(before), blobsOf(after)];
  return had.filter((name) => !has.includes(name)).map((name) => ({ kind: "attachment", key: `${after.id} ${name}` }));
}

/** What follows from a commit. */
export const tasksOfJob = (before: StoredJob | null, after: StoredJob): readonly Task[] => [
  ...added(effectsOfJob(after), after.version),
  ...line(before?.job ?? null, after.job),
  ...(concernsBudget(after.job, before?.job ?? null) ? [budgetNews(after.job.repository)] : []),
  ...catchUp(before?.job ?? null, after.job),
  ...debts(before, after),
  ...released(before?.job ?? null, after.job),
  ...timer("job-timer", after.job.id, nextTimerAt(after.job), before === null ? null : nextTimerAt(before.job)),
];

export const tasksOfRepository = (before: StoredRepository | null, after: StoredRepository): readonly Task[] => [
  ...added(effectsOfRepository(after), after.version),
  ...settings(before?.state ?? null, after.state),
  ...(isUnread(after) ? [{ kind: "first-reading", key: ANY } as const] : []),
  ...timer("repository-timer", after.state.id, timerOf(after), before === null ? null : timerOf(before)),
];

/** What is left to be performed, whatever was scheduled before. */
export const effectsLeftOfJob = (stored: StoredJob): readonly Task[] => left(effectsOfJob(stored));
export const effectsLeftOfRepository = (stored: StoredRepository): readonly Task[] => left(effectsOfRepository(stored));
