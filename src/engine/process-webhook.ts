/**
 * Turns webhook events into commands. Checks the author's permission and fails closed. Safe to repeat for the same
 * delivery after a crash: each action is a command that the core recognises, or is looked up first.
 */
import type { Actor, Command, Draft } from "../domain/job/command.ts";
import type { CommentId } from "../domain/job/comment-id.ts";
import { standingOf } from "../domain/job/follow-up.ts";
import type { EventIssue, EventRepository, GitHubEvent, SlashCommand } from "../domain/job/github-event.ts";
import { fullName, issueOf, type Job, type JobId, type Repository, sameRepository } from "../domain/job/job.ts";
import type { RefusalCode } from "../domain/job/refusal.ts";
import { SET_UP_BRANCH } from "../domain/repository/set-up.ts";
import { ofMoved } from "./base-branches.ts";
import type { Admit } from "./command-permission.ts";
import { aboutJob, authorOf, pressed, type Requester } from "./commands-of-people.ts";
import type { AnswerQuestion } from "./comment-answers.ts";
import { FROM_FORK, NO_JOB, NO_MARKET, noSuchJob, SET_UP_FIRST } from "./comment-replies.ts";
import { createDeniedPeople, type DeniedPeople } from "./denied-people.ts";
import { onDependencyFailure } from "./dependency-news.ts";
import { draftOf, marketDraftOf, taskSaid } from "./drafts.ts";
import { type Acted, Trace } from "./event-log.ts";
import { firstDraft, firstJobAsked, type SetUpChanged } from "./first-job.ts";
import { fixAsked, readDraft, underWay } from "./fix-pull-request.ts";
import { followedJob, jobToCancel, messageTaken, notAMessage, standing } from "./follow-up.ts";
import type { Handle } from "./handle-command.ts";
import type { HandleRepository } from "./handle-repository.ts";
import type { MarketGate } from "./market-gate.ts";
import { offerSetUp, seen } from "./offer-set-up.ts";
import type { Clock } from "./ports/clock.ts";
import type { GitHubClient } from "./ports/github.ts";
import type { Log } from "./ports/log.ts";
import type { Handled } from "./ports/service.ts";
import type { Store } from "./ports/store.ts";
import type { FireTrigger } from "./ports/triggers.ts";
import type { Quotas } from "./quotas.ts";
import { observeRepository } from "./repositories.ts";
import { ReviewRequests } from "./review-requests.ts";
import { onTriggerNews } from "./trigger-news.ts";

type Slash = Extract<GitHubEvent, { type: "slash" }>;
type Review = Extract<GitHubEvent, { type: "review" }>;
type CommandEvent = Extract<GitHubEvent, { type: "slash" | "label" | "button" | "review" }>;

interface Needs {
  readonly marketGate: MarketGate;
  readonly admit: Admit;
  readonly store: Store;
  readonly githubClient: GitHubClient;
  /** Null: no market. */
  readonly estimate: Quotas["estimate"] | null;
  readonly handle: Handle;
  readonly handleRepository: HandleRepository;
  readonly answers: AnswerQuestion;
  /** Whether pull requests that set a repository up are opened. */
  readonly offers_set_up: boolean;
  readonly fireTrigger: FireTrigger;
  readonly create: (draft: Omit<Draft, "id">, by: Actor) => Promise<Handled>;
  readonly clock: Pick<Clock, "now">;
  readonly log: Pick<Log, "debug">;
}

type Button = Extract<GitHubEvent, { type: "button" }>;

const LOOK: Command = { type: "look", forced: false };

/** The sender sets only the price. */
const UNNAMED = { time_limit_seconds: null } as const;

/**
 * Refusals to report after a click on a button. Others appear in the job's comment, and a re-run of a check may have no
 * effect.
 */
const BUTTON_REFUSALS: ReadonlySet<RefusalCode> = new Set([
  ...(["over_quota", "rate_limited", "in_debt", "insufficient_balance"] as const),
]);

/** Returns the outcome; null when there was nothing to do. */
export type WebhookProcessor = (delivery: string, event: GitHubEvent, again: boolean) => Promise<Acted | null>;

export function createWebhookProcessor(needs: Needs): WebhookProcessor {
  const deniedPeople = createDeniedPeople(needs.store.usage, needs.clock.now);
  return async (delivery, event, again) => {
    const trace = new Trace(delivery);
    await new DeliveryProcessor({ ...needs, deniedPeople, trace, again }).process(event);
    return trace.acted;
  };
}

interface DeliveryNeeds extends Needs {
  readonly deniedPeople: DeniedPeople;
  readonly trace: Trace;
  /** An earlier process may have processed it already. */
  readonly again: boolean;
}

/** Processes one delivery. */
class DeliveryProcessor {
  readonly #needs: DeliveryNeeds;
  readonly #trace: Trace;
  readonly #reviews: ReviewRequests;

  constructor(needs: DeliveryNeeds) {
    this.#needs = needs;
    this.#trace = needs.trace;
    this.#reviews = new ReviewRequests({
      ...needs,
      tell: async (...told) => (await this.#news(...told))?.handled ?? null,
    });
  }

  async process(event: GitHubEvent): Promise<void> {
    await this.#act(event);
    if ("repository" in event) await seen(this.#needs, event.repository);
  }

  async #act(event: GitHubEvent): Promise<void> {
    const { githubClient } = this.#needs;
    switch (event.type) {
      case "slash":
        return this.#slash(event);
      case "review":
        return this.#review(event);
      case "label":
        return this.#label(event);
      case "button":
        return this.#button(event);
      case "news":
        await this.#news(event.repository, event.job, event.command);
        return;
      case "pull-news":
        return this.#pullNews(event);
      case "default-branch-moved":
        this.#trace.note({});
        await observeRepository(this.#needs, event);
        return this.#baseMoved(event);
      case "branch-moved":
        return this.#baseMoved(event);
      case "files-pushed": {
        const { repository, branch } = event;
        this.#trace.note({});
        await observeRepository(this.#needs, event);
        return branch === undefined ? undefined : this.#baseMoved({ repository, branch });
      }
      case "set-up-changed":
        this.#trace.note({});
        await observeRepository(this.#needs, event);
        return this.#beginFirst(event);
      case "trigger-news":
        return onTriggerNews(this.#needs, event, this.#trace);
      case "repositories-changed":
      case "uninstalled":
        this.#trace.note({});
        githubClient.forgetAccess(event.installation_id);
        await observeRepository(this.#needs, event);
        return "installs" in event ? offerSetUp(this.#needs, event) : undefined;
      default:
        return event satisfies never;
    }
  }

  async #slash(event: Slash): Promise<void> {
    const { deniedPeople } = this.#needs;
    const { repository, issue, comment_id } = event;
    if (event.reviewed) await this.#news(repository, await this.#jobOfPull(repository, issue.number), LOOK);
    const by = await this.#requesterOf(event);
    if (by !== null) return this.#command(event, by);
    if (!(await deniedPeople.deny(repository, authorOf(event)))) return;
    this.#trace.note({ error_code: "forbidden" });
    return this.#react(repository, comment_id, "confused");
  }

  async #command(event: Slash, by: Requester): Promise<void> {
    const { repository, issue, comment_id, command } = event;
    switch (command.verb) {
      case "run":
        return this.#run(event, command, by);
      case "help":
      case "doctor":
      case "usage":
      case "schedules":
      case "resume": {
        const answer = async () => this.#answer(event, await this.#needs.answers(repository, command));
        return answer().finally(() => this.#react(repository, comment_id, "eyes"));
      }
      case "mistaken": {
        const { answer, sentence } = command;
        const job = answer === undefined ? null : await followedJob(this.#needs, event);
        if (answer === undefined || job === null || standingOf(job) !== "asks")
          return this.#refuse(event, "invalid", sentence);
        return this.#tell(event, job.id, { type: "message", text: answer, by, comment_id });
      }
      default: {
        const { job } = command;
        const meant = command.verb === "cancel" && job === undefined ? await jobToCancel(this.#needs, event) : null;
        if (meant !== null && typeof meant === "object") return this.#refuse(event, "invalid", meant.sentence);
        const id =
          meant ?? (await (job === undefined ? this.#jobHere(repository, issue) : this.#jobNamed(repository, job)));
        if (id === null) return this.#refuse(event, "not_found", job === undefined ? NO_JOB : noSuchJob(job));
        const { asked, seen } = await aboutJob(this.#needs, event, command, by);
        return this.#tell(event, id, asked).finally(() =>
          seen ? undefined : this.#react(repository, comment_id, "eyes"),
        );
      }
    }
  }

  async #run(event: Slash, command: Extract<SlashCommand, { verb: "run" }>, by: Requester): Promise<void> {
    const { store, githubClient, create } = this.#needs;
    const { repository, issue, comment_id } = event;
    if ((await store.jobs.ofComment(fullName(repository), comment_id)) !== null) return;
    const market = command.market ?? null;
    const fix = fixAsked(event);
    const followed = await followedJob(this.#needs, event, command.again || fix !== null);
    const busy = fix === "" ? underWay(followed) : null;
    if (busy !== null) return this.#refuse(event, "invalid", busy);
    if (followed !== null) return this.#message(event, command, followed, by);
    if (fix !== null) return this.#fix(event, fix, by);
    const from = issue.is_pull_request ? await githubClient.pullRequest(repository, issue.number) : null;
    if (from?.from_fork) return this.#refuse(event, "forbidden", FROM_FORK);
    if (from?.head_branch === SET_UP_BRANCH && !from.merged) return this.#refuse(event, "invalid", SET_UP_FIRST);
    // The branch of a merged pull request is over; a job that is asked for there starts from the default branch.
    const draft = draftOf(event, by.account, from === null || from.merged ? null : from.head_branch);
    if (market === null) return this.#made(event, await create(draft, by));
    return this.#offer(event, draft, market.price_cents, by);
  }

  async #message(event: Slash, command: Extract<SlashCommand, { verb: "run" }>, job: Job, by: Requester) {
    const { handle, githubClient, log, again } = this.#needs;
    const { repository, issue, comment_id } = event;
    const isHere = job.pull_request?.number === issue.number || job.former_pull_requests.includes(issue.number);
    const wrong = notAMessage(command, job, isHere ? "pull request" : "issue");
    if (wrong !== null) return this.#refuse(event, "invalid", wrong);
    const around = isHere ? await this.#reviews.around(event, job.id, by) : {};
    const handled = await handle(job.id, { type: "message", text: taskSaid(event), by, comment_id, ...around });
    await this.#made(event, handled);
    const told = isHere || !handled.ok || !(handled.changed || again) ? null : messageTaken(job, handled.job, by.login);
    if (told === null) return;
    await githubClient
      .reply(repository, issue.number, `reply:${comment_id}`, told, again)
      .catch((error: unknown) => log.debug({ comment_id, error }, "a reply was left out"));
  }

  async #review(event: Review): Promise<void> {
    const { repository, job, pull_request, author } = event;
    const by = await this.#requesterOf(event);
    if (by === null) this.#trace.note({ error_code: "forbidden" });
    else await this.#reviews.ask(repository, { job, pull_request, review: { ...event.review, by: author }, by });
    await this.#news(repository, job, LOOK);
  }

  /** A job that works on this person's pull request. */
  async #fix(event: Slash, words: string, by: Requester): Promise<void> {
    const asked = await readDraft(this.#needs, event, words, by.account);
    if ("sentence" in asked) return this.#refuse(event, asked.code, asked.sentence);
    return this.#made(event, await this.#needs.create(asked.draft, by));
  }

  async #offer(event: Slash, draft: Omit<Draft, "id">, price_cents: number, by: Requester): Promise<void> {
    const { estimate, marketGate, create } = this.#needs;
    const { repository, comment_id } = event;
    if (estimate === null) return this.#refuse(event, "invalid", NO_MARKET);
    const closed = await marketGate(repository);
    if (closed !== null) return this.#refuse(event, closed.code, closed.sentence);
    // The offer may take a while, and the job's own first reaction comes after it.
    const eyes = this.#react(repository, comment_id, "eyes");
    const offered = await estimate(by.account, { ...UNNAMED, prompt: draft.task, price_cents });
    if (!offered.ok) await this.#refuse(event, offered.refusal.code, offered.refusal.sentence);
    else await this.#made(event, await create(marketDraftOf(draft, price_cents, offered.estimate), by));
    return eyes;
  }

  async #label(event: Extract<GitHubEvent, { type: "label" }>): Promise<void> {
    const { create, again, log } = this.#needs;
    const { repository, issue } = event;
    const by = await this.#requesterOf(event);
    if (by === null) return;
    const followed = await followedJob(this.#needs, { ...event, comment_id: null });
    if (followed !== null) {
      // an earlier process may have begun this very job
      if (again) return;
      const told = this.#sayAt(repository, issue.number, standing(followed));
      return told.catch((error: unknown) => log.debug({ job: followed.id, error }, "a reply was left out"));
    }
    const created = await create(draftOf(event, by.account, null), by);
    this.#trace.handled(created);
    if (!created.ok) await this.#sayAt(repository, issue.number, created.refusal.sentence);
  }

  async #beginFirst(event: SetUpChanged): Promise<void> {
    const asked = await firstJobAsked(this.#needs.store, event);
    const by = asked === null ? null : await this.#requesterOf({ ...asked, repository: event.repository });
    if (asked === null || by === null) return;
    const created = await this.#needs.create(firstDraft(event, asked, by.account), by);
    this.#trace.handled(created);
    if (!created.ok) await this.#sayAt(event.repository, asked.pull_request, created.refusal.sentence);
  }

  /** Once for each delivery. */
  #sayAt(repository: EventRepository, number: number, sentence: string): Promise<void> {
    const { githubClient, again } = this.#needs;
    return githubClient.reply(repository, number, `reply:${this.#trace.delivery}`, sentence, again);
  }

  async #button(event: Button): Promise<void> {
    const { repository, job: id, action, commit } = event;
    const by = await this.#requesterOf(event);
    if (by === null) return;
    const { job, handled } = (await this.#news(repository, id, pressed(action, by, commit))) ?? {};
    if (job === undefined || handled === undefined || handled.ok || !BUTTON_REFUSALS.has(handled.refusal.code)) return;
    const place = job.pull_request?.number ?? issueOf(job.origin);
    if (place !== null) await this.#sayAt(repository, place, handled.refusal.sentence);
  }

  async #pullNews({ repository, numbers, command, fork_head, failed }: Extract<GitHubEvent, { type: "pull-news" }>) {
    for (const number of numbers) await this.#news(repository, await this.#jobOfPull(repository, number), command);
    const job = failed === undefined ? null : await onDependencyFailure(this.#needs, { repository, numbers, failed });
    if (job !== null) this.#trace.note({ job });
    const [pull_request] = numbers;
    if (fork_head === undefined || pull_request === undefined) return;
    await observeRepository(this.#needs, { type: "files-pushed", repository, head_sha: fork_head, pull_request });
  }

  async #baseMoved(moved: Parameters<typeof ofMoved>[1]): Promise<void> {
    const told = await ofMoved(this.#needs.store.jobs, moved);
    for (const { id, command } of told) await this.#news(moved.repository, id, command);
  }

  async #news(repository: EventRepository, id: JobId | null, command: Command) {
    const { store, handle } = this.#needs;
    const stored = id === null ? null : await store.jobs.load(id);
    if (stored === null || !sameRepository(stored.job.repository, repository)) return null;
    const { job } = stored;
    const handled = await handle(job.id, command);
    this.#trace.handled(handled);
    return { job, handled };
  }

  /** Null when the person has no permission. */
  async #requesterOf(event: Pick<CommandEvent, "repository" | "author" | "author_id">): Promise<Requester | null> {
    const { admit, deniedPeople } = this.#needs;
    const { repository } = event;
    const who = authorOf(event);
    if (deniedPeople.isDenied(repository, who)) return null;
    const account = await admit(repository, who);
    if (account === null) return null;
    this.#trace.note({ account });
    return { account, login: who.login, via: { key_id: null, address: null, request_id: this.#trace.delivery } };
  }

  /** Excludes a repository that had the same name before. */
  async #jobOfPull(repository: EventRepository, number: number): Promise<JobId | null> {
    const id = await this.#needs.store.jobs.ofPullRequest(fullName(repository), number);
    return id === null ? null : this.#jobNamed(repository, id);
  }

  async #jobHere(repository: EventRepository, issue: EventIssue): Promise<JobId | null> {
    const pull = await this.#jobOfPull(repository, issue.number);
    const id = pull ?? (await this.#needs.store.jobs.ofIssue(fullName(repository), issue.number));
    return id === null ? null : this.#jobNamed(repository, id);
  }

  async #jobNamed(at: Repository, id: JobId): Promise<JobId | null> {
    const stored = await this.#needs.store.jobs.load(id);
    return stored !== null && sameRepository(stored.job.repository, at) ? id : null;
  }

  async #tell(event: Slash, id: JobId, command: Command): Promise<void> {
    return this.#made(event, await this.#needs.handle(id, command));
  }

  async #made(event: Slash, handled: Handled): Promise<void> {
    this.#trace.handled(handled);
    if (!handled.ok) await this.#answer(event, handled.refusal.sentence);
  }

  #refuse(event: Slash, code: RefusalCode, sentence: string): Promise<void> {
    this.#trace.note({ error_code: code });
    return this.#answer(event, sentence);
  }

  #answer({ repository, issue, comment_id }: Slash, body: string): Promise<void> {
    const { githubClient, again } = this.#needs;
    return githubClient.reply(repository, issue.number, `reply:${comment_id}`, body, again);
  }

  /** Best effort: comes after the action and never fails it. */
  #react(at: Repository, comment_id: CommentId, content: "eyes" | "confused"): Promise<void> {
    const { githubClient, log } = this.#needs;
    return githubClient
      .react(at, comment_id, content)
      .catch((error: unknown) => log.debug({ comment_id, error }, "a reaction was left out"));
  }
}
