/**
 * Starts jobs for pull requests of dependency bots whose checks fail: the work goes to the bot's branch, and merging is left
 * to a person. Says no in silence, as all triggers do.
 */
import { type FitsText, matchesBot, rootsOf, textMatcher } from "../contracts/trigger-events.ts";
import { standingOf } from "../domain/job/follow-up.ts";
import type { EventRepository, FailedPull } from "../domain/job/github-event.ts";
import { fullName, type JobId, sameRepository } from "../domain/job/job.ts";
import { theirs } from "../domain/job/target.ts";
import type { RepositoryState } from "../domain/repository/repository.ts";
import { startsJobs } from "../domain/repository/triggers.ts";
import { objection } from "./fix-pull-request.ts";
import type { GitHubClient, PullRequestToFix } from "./ports/github.ts";
import type { Store } from "./ports/store.ts";
import type { FireTrigger } from "./ports/triggers.ts";
import { heard } from "./trigger-news.ts";

interface Needs {
  readonly store: Pick<Store, "jobs" | "repositories">;
  readonly githubClient: Pick<GitHubClient, "pullRequestToFix">;
  readonly fireTrigger: FireTrigger;
}

interface FailedPulls {
  readonly repository: EventRepository;
  readonly numbers: readonly number[];
  readonly failed: FailedPull;
}

/** Numbers that never change hands, of logins that everybody knows. */
const KNOWN_BOTS: Readonly<Record<string, number>> = { "dependabot[bot]": 49_699_333, "renovate[bot]": 29_139_614 };

function isMeant(fits: FitsText, globs: readonly string[], bot: PullRequestToFix["bot"], actor: FailedPull["actor"]) {
  if (bot === null || !matchesBot(fits, globs, bot.login)) return false;
  const known = KNOWN_BOTS[bot.login.toLowerCase()];
  // what somebody else has pushed to its branch is not the bot's
  return (known === undefined || known === bot.id) && (actor === null || actor.id === bot.id);
}

/** A job is at work on it, or this commit is what a job has made of it. */
async function isTaken({ store }: Needs, { repository, failed }: FailedPulls, number: number): Promise<boolean> {
  const id = await store.jobs.ofPullRequest(fullName(repository), number);
  const job = id === null ? null : ((await store.jobs.load(id))?.job ?? null);
  if (job === null || !sameRepository(job.repository, repository)) return false;
  return standingOf(job) !== null || theirs(job)?.pushed_sha === failed.sha;
}

type Meant = ReturnType<typeof heard<"dependency_pull_request_failed">>[number];

async function start(
  { fireTrigger }: Needs,
  { id, owner, name, installation_id }: RepositoryState,
  { trigger, number, pull }: { readonly trigger: Meant; readonly number: number; readonly pull: PullRequestToFix },
): Promise<JobId | null> {
  const { title, url, head_branch: branch, head_sha: commit, bot, failing } = pull;
  const checks = failing.join(", ");
  const fired = await fireTrigger({
    repository: { id, owner, name, installation_id },
    trigger,
    news: `dependency_pull_request_failed ${number} ${commit}`,
    values: { pull_request: { number, title, author: bot?.login ?? "", branch, commit, url, checks } },
    roots: rootsOf(trigger.on),
    more: [{ name: "pull_request", text: `#${number}: ${title}\n\nThese checks fail: ${checks}.` }],
    issue: number,
    target: { number, url, branch, only_checks: true },
  });
  return fired.kind === "started" && !fired.again ? (fired.jobs[0] ?? null) : null;
}

/** Answers the job that was started. One job at most is at work on a pull request. */
export async function onDependencyFailure(needs: Needs, failure: FailedPulls): Promise<JobId | null> {
  const { repository, numbers, failed } = failure;
  if (failed.actor?.is_bot === false) return null;
  const state = await needs.store.repositories.byId(repository.id);
  const triggers = state === null ? [] : heard(state, "dependency_pull_request_failed");
  if (state === null || triggers.length === 0) return null;
  const fits = textMatcher();
  for (const number of numbers) {
    const left = (await isTaken(needs, failure, number)) ? triggers.filter((one) => !startsJobs(one)) : triggers;
    if (left.length === 0) continue;
    const pull = await needs.githubClient.pullRequestToFix(repository, number);
    if (pull.head_sha !== failed.sha || pull.failing.length === 0 || objection(pull) !== null) continue;
    const meant = left.filter((one) =>
      isMeant(fits, one.on.dependency_pull_request_failed.authors, pull.bot, failed.actor),
    );
    const working = meant.find(startsJobs);
    let first: JobId | null = null;
    for (const trigger of meant) {
      if (trigger !== working && startsJobs(trigger)) continue;
      const job = await start(needs, state, { trigger, number, pull });
      first ??= job;
    }
    if (first !== null) return first;
  }
  return null;
}
