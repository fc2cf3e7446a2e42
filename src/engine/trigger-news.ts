/**
 * Starts jobs and sends events for news from GitHub that a repository's triggers ask for. Says no in silence: nobody has
 * asked for a job by name. Of a stranger's issue nothing comes unless the trigger says that anybody's counts.
 */
import type { Trigger } from "../contracts/automation.ts";
import { type On, rootsOf, textMatcher } from "../contracts/trigger-events.ts";
import type { TriggerValues } from "../contracts/trigger-template.ts";
import { accountOfRepository } from "../domain/job/account.ts";
import type { GitHubEvent } from "../domain/job/github-event.ts";
import { fullName, isFinal, type Job, type JobId } from "../domain/job/job.ts";
import type { RepositoryState } from "../domain/repository/repository.ts";
import type { CheckNews, TriggerNews } from "../domain/repository/trigger-news.ts";
import { MOST_IN_A_ROW, startsJobs, triggerKey, triggerState } from "../domain/repository/triggers.ts";
import type { Admit } from "./command-permission.ts";
import type { Trace } from "./event-log.ts";
import { followedJob } from "./follow-up.ts";
import type { Handle } from "./handle-command.ts";
import type { HandleRepository } from "./handle-repository.ts";
import type { Clock } from "./ports/clock.ts";
import type { GitHubClient } from "./ports/github.ts";
import type { Store } from "./ports/store.ts";
import type { FireTrigger } from "./ports/triggers.ts";
import { sayWhyNot } from "./trigger-replies.ts";

type Event = Extract<GitHubEvent, { type: "trigger-news" }>;

export interface TriggerNewsNeeds {
  readonly store: Pick<Store, "jobs" | "repositories" | "usage">;
  readonly githubClient: Pick<GitHubClient, "pullRequest" | "repository" | "reply">;
  readonly clock: Pick<Clock, "now">;
  readonly admit: Admit;
  readonly handle: Handle;
  readonly handleRepository: HandleRepository;
  readonly fireTrigger: FireTrigger;
}

type OnEvent<Kind extends string> = Extract<On, Readonly<Record<Kind, unknown>>>;
type Heard<Kind extends string> = Trigger & { readonly on: OnEvent<Kind> };

/** Those that are on and ask for this. */
export const heard = <
  Kind extends
    | "issue_opened"
    | "issue_labelled"
    | "check_failed"
    | "dependency_pull_request_failed"
    | "release_published",
>(
  { automation }: RepositoryState,
  kind: Kind,
): readonly Heard<Kind>[] =>
  automation.triggers.filter(
    (one): one is RepositoryState["automation"]["triggers"][number] & Heard<Kind> =>
      one.enabled && one.on !== undefined && kind in one.on,
  );

/** What to start for one trigger. */
interface Firing {
  readonly trigger: Trigger & { readonly on: On };
  readonly news: string;
  readonly values: TriggerValues;
  /** Under which the whole of it is told, whatever the task names. */
  readonly whole: readonly [name: string, text: string];
  readonly issue?: number;
}

/** What came of a trigger just now, and not of an earlier repetition; `job` null: events alone. */
async function start(
  needs: TriggerNewsNeeds,
  { id, owner, name, installation_id }: RepositoryState,
  { trigger, news, values, whole: [root, text], issue }: Firing,
): Promise<{ readonly job: JobId | null } | null> {
  const repository = { id, owner, name, installation_id };
  const fired = await needs.fireTrigger({
    repository,
    ...{ trigger, news, values, roots: rootsOf(trigger.on) },
    more: [{ name: root, text }],
    ...(issue === undefined ? {} : { issue }),
  });
  if (issue !== undefined) await sayWhyNot(needs, repository, { trigger, issue, fired });
  if (fired.kind === "refused") return fired.jobs[0] === undefined ? null : { job: fired.jobs[0] };
  return fired.kind === "started" && !fired.again ? { job: fired.jobs[0] ?? null } : null;
}

type IssueNews = Extract<TriggerNews, { kind: "issue_opened" | "issue_labelled" }>;

function issueTriggers(
  state: RepositoryState,
  news: IssueNews,
): readonly { trigger: Trigger & { on: On }; author: string }[] {
  const fits = textMatcher();
  if (news.kind === "issue_labelled")
    return heard(state, "issue_labelled")
      .filter(
        ({ on: { issue_labelled } }) => issue_labelled.label === undefined || fits([issue_labelled.label], news.label),
      )
      .map((trigger) => ({ trigger, author: trigger.on.issue_labelled.author }));
  return heard(state, "issue_opened")
    .filter(
      ({
        on: {
          issue_opened: { title, labels },
        },
      }) =>
        (labels === undefined || fits(labels, ...news.labels)) &&
        (title === undefined || fits([title], news.issue.title)),
    )
    .map((trigger) => ({ trigger, author: trigger.on.issue_opened.author }));
}

async function onIssue(
  needs: TriggerNewsNeeds,
  state: RepositoryState,
  { repository, news }: { readonly repository: Event["repository"]; readonly news: IssueNews },
  delivery: string,
): Promise<JobId | null> {
  const triggers = issueTriggers(state, news);
  if (triggers.length === 0) return null;
  const { issue, labels, author, author_id, opened_by, kind } = news;
  const isWriter =
    triggers.every((one) => one.author === "anyone") ||
    (await needs.admit(repository, { login: author, id: author_id })) !== null;
  const { number, title, body } = issue;
  const told = { issue: { number, title, body, author: opened_by, labels: labels.join(", ") } };
  let first: JobId | null = null;
  for (const { trigger, author: allowed } of triggers) {
    if (allowed !== "anyone" && !isWriter) continue;
    // an open job of the issue takes no second one
    const isTaken = startsJobs(trigger) && (await followedJob(needs, { repository, issue, comment_id: null })) !== null;
    if (isTaken) continue;
    const begun = await start(needs, state, {
      trigger,
      news: kind === "issue_opened" ? `${kind} ${number}` : `${kind} ${number} ${delivery}`,
      values: kind === "issue_opened" ? told : { ...told, label: news.label },
      whole: ["issue", `#${number}: ${title}\n\n${body}`.trim()],
      issue: number,
    });
    first ??= begun?.job ?? null;
  }
  return first;
}

/** Open jobs that this trigger has started. */
async function openOf({ store }: TriggerNewsNeeds, state: RepositoryState, trigger: Trigger): Promise<readonly Job[]> {
  const open = await store.jobs.openIn(fullName(state));
  return open.filter(
    ({ origin, status, repository }) =>
      origin.kind === "trigger" &&
      triggerKey(origin.name) === triggerKey(trigger.name) &&
      repository.id === state.id &&
      !isFinal(status),
  );
}

/** A commit that is not the newest any more is judged by a later one's checks. What is kept may be older than the news. */
async function isNewest(needs: TriggerNewsNeeds, state: RepositoryState, { sha, branch }: CheckNews): Promise<boolean> {
  const is = ({ base }: Pick<RepositoryState, "base">): boolean => base?.branch === branch && base.head_sha === sha;
  if (is(state)) return true;
  const { id, owner, name, installation_id } = state;
  const repository = await needs.githubClient.repository({ id, owner, name, installation_id }, state);
  if (repository === null) return false;
  await needs.handleRepository(id, { type: "observed", repository });
  return is(repository);
}

/** One job for a broken commit, and none while one is at work on an earlier one. */
async function onFailure(needs: TriggerNewsNeeds, state: RepositoryState, check: CheckNews): Promise<JobId | null> {
  let first: JobId | null = null;
  let newest: boolean | null = null;
  const fits = textMatcher();
  for (const trigger of heard(state, "check_failed")) {
    const { checks } = trigger.on.check_failed;
    if (checks !== undefined && !fits(checks, check.name)) continue;
    const { broken } = triggerState(state, trigger.name);
    if (broken !== null && (broken.in_a_row >= MOST_IN_A_ROW || broken.sha === check.sha)) continue;
    if ((await openOf(needs, state, trigger)).length > 0) continue;
    newest ??= await isNewest(needs, state, check);
    if (!newest) return first;
    const { name, url, sha, branch } = check;
    const begun = await start(needs, state, {
      trigger,
      news: `check_failed ${sha}`,
      values: { check: { name, url: url ?? "", commit: sha, branch } },
      whole: ["check", `${name} has failed on commit ${sha} of ${branch}.${url === null ? "" : ` ${url}`}`],
    });
    if (begun === null) continue;
    first ??= begun.job;
    await needs.handleRepository(state.id, { type: "trigger-broken", name: trigger.name, check });
  }
  return first;
}

/** The check that has started a job passes by itself: whatever has no pull request yet is not needed any more. */
async function onPass(needs: TriggerNewsNeeds, state: RepositoryState, check: CheckNews): Promise<JobId | null> {
  let first: JobId | null = null;
  for (const trigger of heard(state, "check_failed")) {
    const { broken } = triggerState(state, trigger.name);
    // that of an earlier commit may end late
    if (broken?.check !== check.name || check.run < broken.run) continue;
    const by = { account: accountOfRepository(state.id), login: null };
    for (const { id, pull_request } of await openOf(needs, state, trigger)) {
      if (pull_request !== null) continue;
      await needs.handle(id, { type: "cancel", by });
      first ??= id;
    }
    await needs.handleRepository(state.id, { type: "trigger-mended", name: trigger.name });
  }
  return first;
}

async function onRelease(
  needs: TriggerNewsNeeds,
  state: RepositoryState,
  { release }: Extract<TriggerNews, { kind: "release_published" }>,
): Promise<JobId | null> {
  let first: JobId | null = null;
  const { id, tag, name, body, url } = release;
  const fits = textMatcher();
  for (const trigger of heard(state, "release_published")) {
    const { tag: wanted } = trigger.on.release_published;
    if (wanted !== undefined && !fits([wanted], tag)) continue;
    const begun = await start(needs, state, {
      trigger,
      news: `release_published ${id}`,
      values: { release: { tag, name, body, url: url ?? "" } },
      whole: ["release", `${tag}: ${name}\n\n${body}`.trim()],
    });
    first ??= begun?.job ?? null;
  }
  return first;
}

export async function onTriggerNews(needs: TriggerNewsNeeds, event: Event, trace: Trace): Promise<void> {
  const state = await needs.store.repositories.byId(event.repository.id);
  const job = state === null ? null : await jobFor(needs, state, event, trace.delivery);
  if (job !== null) trace.note({ job });
}

/** Answers the job that was started or cancelled first. */
async function jobFor(
  needs: TriggerNewsNeeds,
  state: RepositoryState,
  { repository, news }: Event,
  delivery: string,
): Promise<JobId | null> {
  switch (news.kind) {
    case "issue_opened":
    case "issue_labelled":
      return onIssue(needs, state, { repository, news }, delivery);
    case "check_failed":
      return onFailure(needs, state, news.check);
    case "check_passed":
      return onPass(needs, state, news.check);
    case "release_published":
      return onRelease(needs, state, news);
    default:
      return news satisfies never;
  }
}
