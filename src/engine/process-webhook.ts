/**
 * From a signal to commands: who may ask is checked here, at the door, and fails closed. May be called again for the
 * same delivery after a crash, so everything it does is either a command that the core recognises or found before done.
 */
import type { Actor, Command, Draft } from "../domain/job/command.ts";
import type { CommentId } from "../domain/job/comment-id.ts";
import type { EventIssue, EventRepository, GitHubEvent, SlashCommand } from "../domain/job/github-event.ts";
import { fullName, isFinal, issueOf, type JobId, type Repository, sameRepository } from "../domain/job/job.ts";
import type { RefusalCode } from "../domain/job/refusal.ts";
import { EMPTY_MESSAGE, FROM_FORK, HELP, NO_JOB, NO_MARKET, noSuchJob, ONE_JOB } from "./comment-replies.ts";
import { createDeniedPeople } from "./denied-people.ts";
import { draftOf, marketDraftOf, taskSaid } from "./drafts.ts";
import { type Acted, Trace } from "./event-log.ts";
import type { Handle } from "./handle-command.ts";
import type { MarketGate } from "./market-gate.ts";
import type { Admit, PermissionRequest } from "./permission.ts";
import type { Clock } from "./ports/clock.ts";
import type { GitHubClient } from "./ports/github.ts";
import type { Log } from "./ports/log.ts";
import type { Handled } from "./ports/service.ts";
import type { Store } from "./ports/store.ts";
import type { Quotas } from "./quotas.ts";
import { observeRepository, observeSettings } from "./repositories.ts";

type Slash = Extract<GitHubEvent, { type: "slash" }>;
type Asked = Extract<GitHubEvent, { type: "slash" | "label" | "button" }>;

interface Needs {
  readonly marketGate: MarketGate;
  readonly admit: Admit;
  readonly store: Store;
  readonly githubClient: GitHubClient;
  /** Null: there is no market here. */
  readonly estimate: Quotas["estimate"] | null;
  readonly handle: Handle;
  readonly create: (draft: Omit<Draft, "id">, by: Actor) => Promise<Handled>;
  readonly clock: Pick<Clock, "now">;
  readonly log: Pick<Log, "debug">;
}

/** Who asks on GitHub, and may. */
interface Known extends Actor {
  readonly account: string;
}

const authorOf = ({ author: login, author_id: id }: Asked): PermissionRequest => ({
  login,
  ...(id === undefined ? {} : { id }),
});

/** What a comment that wants work is answered with. */
interface CommentAsking {
  readonly by: Known;
  readonly answer: (body: string) => Promise<void>;
  readonly told: (id: JobId, asked: Command) => Promise<void>;
  readonly trace: Trace;
}

type Button = Extract<GitHubEvent, { type: "button" }>;
type AboutJob = Exclude<SlashCommand, { verb: "run" | "help" | "mistaken" }>;

/** `seen`: the core lets the comment know that it was heard. */
function aboutJob(
  said: AboutJob,
  by: Known,
  comment_id: CommentId,
): { readonly asked: Command; readonly seen: boolean } {
  const { account } = by;
  switch (said.verb) {
    case "status":
      return { asked: { type: "show", comment_id }, seen: true };
    case "retry":
      return { asked: { type: "retry", by, comment_id }, seen: true };
    case "approve":
      return { asked: { type: "approve", account, by, comment_id, commit: said.commit }, seen: true };
    case "run-checks":
      return { asked: { type: "run-checks", by, comment_id, commit: said.commit }, seen: true };
    case "reject":
      return { asked: { type: "reject-work", account, by, reason: said.reason, comment_id }, seen: true };
    case "pay":
      return { asked: { type: "pay", account, by, payment_id: `comment:${comment_id}` }, seen: false };
    case "cancel":
      return { asked: { type: "cancel", by }, seen: false };
    default:
      return said satisfies never;
  }
}

function pressed(action: Button["action"], by: Known, commit: string | undefined): Command {
  if (action === "discard") return { type: action, by };
  return { type: action, by, comment_id: null, ...(action === "run-checks" ? { commit } : {}) };
}

/** Jobs of each status that are looked at again when their base has moved. */
const MOST_LOOKED_AT = 20;

const LOOK: Command = { type: "look", forced: false };

/** The price alone is the sender's word. */
const UNNAMED = { time_limit_seconds: null } as const;

/** What somebody who pressed a button must mend; all else is in the job's comment, and a check may be run again for nothing. */
const SAID_OF_BUTTONS: ReadonlySet<RefusalCode> = new Set([
  ...(["over_quota", "rate_limited", "in_debt", "insufficient_balance"] as const),
]);

/** Answers what came of it; null: nothing had to be done. */
export type WebhookProcessor = (delivery: string, signal: GitHubEvent, again: boolean) => Promise<Acted | null>;

export function createWebhookProcessor(needs: Needs): WebhookProcessor {
  const { admit, marketGate, store, githubClient, estimate, handle, create, clock, log } = needs;
  const deniedPeople = createDeniedPeople(store.usage, clock.now);

  /** Null: they may not command there. */
  const knownBy = async (signal: Asked, trace: Trace): Promise<Known | null> => {
    const { repository } = signal;
    const who = authorOf(signal);
    if (deniedPeople.knows(repository, who)) return null;
    const account = await admit(repository, who);
    if (account === null) return null;
    trace.note({ account });
    return { account, login: who.login, via: { key_id: null, address: null, request_id: trace.delivery } };
  };

  /** A courtesy: it comes after what was asked for, and stops nothing. */
  const react = (at: Repository, comment_id: CommentId, content: "eyes" | "confused"): Promise<void> =>
    githubClient
      .react(at, comment_id, content)
      .catch((error: unknown) => log.debug({ comment_id, error }, "a reaction was left out"));

  /** Not one that another repository of this name had before. */
  const jobOfPull = async (repository: EventRepository, number: number): Promise<JobId | null> => {
    const id = await store.jobs.ofPullRequest(fullName(repository), number);
    return id === null ? null : jobNamed(repository, id);
  };

  const jobHere = async (repository: EventRepository, issue: EventIssue): Promise<JobId | null> => {
    const name = fullName(repository);
    const pull = await jobOfPull(repository, issue.number);
    const id = pull ?? (await store.jobs.ofIssue(name, issue.number));
    return id === null ? null : jobNamed(repository, id);
  };

  const jobNamed = async (at: Repository, id: JobId): Promise<JobId | null> => {
    const stored = await store.jobs.load(id);
    return stored !== null && sameRepository(stored.job.repository, at) ? id : null;
  };

  const slash = async (signal: Slash, trace: Trace, again: boolean): Promise<void> => {
    const { repository, issue, comment_id, command } = signal;
    const at: Repository = repository;
    if (signal.reviewed) await news(repository, await jobOfPull(repository, issue.number), LOOK, trace);
    const answer = (body: string): Promise<void> =>
      githubClient.reply(at, issue.number, `reply:${comment_id}`, body, again);
    const by = await knownBy(signal, trace);
    if (by === null) {
      if (!deniedPeople.turnAway(repository, authorOf(signal))) return;
      trace.note({ error_code: "forbidden" });
      return react(at, comment_id, "confused");
    }
    const told = async (id: JobId, asked: Command): Promise<void> => {
      const handled = await handle(id, asked);
      trace.handled(handled);
      if (!handled.ok) await answer(handled.refusal.sentence);
    };
    switch (command.verb) {
      case "run":
        return run(signal, command, { by, answer, told, trace });
      case "help":
        return answer(HELP).finally(() => react(at, comment_id, "eyes"));
      case "mistaken":
        trace.note({ error_code: "invalid" });
        return answer(command.sentence);
      default: {
        const { job } = command;
        const id = job === undefined ? await jobHere(repository, issue) : await jobNamed(at, job);
        if (id === null) {
          trace.note({ error_code: "not_found" });
          return answer(job === undefined ? NO_JOB : noSuchJob(job));
        }
        const { asked, seen } = aboutJob(command, by, comment_id);
        return told(id, asked).finally(() => (seen ? undefined : react(at, comment_id, "eyes")));
      }
    }
  };

  const run = async (
    signal: Slash,
    command: Extract<SlashCommand, { verb: "run" }>,
    { by, answer, told, trace }: CommentAsking,
  ): Promise<void> => {
    const refused = (code: RefusalCode, sentence: string): Promise<void> => {
      trace.note({ error_code: code });
      return answer(sentence);
    };
    const { repository, issue, comment_id } = signal;
    if ((await store.jobs.ofComment(fullName(repository), comment_id)) !== null) return;
    const mine = issue.is_pull_request ? await jobOfPull(repository, issue.number) : null;
    const market = command.market ?? null;
    if (mine !== null) {
      if (market !== null) return refused("invalid", ONE_JOB);
      if (command.task === "") return refused("invalid", EMPTY_MESSAGE);
      return told(mine, { type: "message", text: taskSaid(signal), by, comment_id });
    }
    const from = issue.is_pull_request ? await githubClient.pullRequest(repository, issue.number) : null;
    if (from?.from_fork) return refused("forbidden", FROM_FORK);
    const draft = draftOf(signal, by.account, from?.head_branch ?? null);
    if (market === null) return made(await create(draft, by), trace, answer);
    if (estimate === null) return refused("invalid", NO_MARKET);
    const closed = await marketGate(repository);
    if (closed !== null) return refused(closed.code, closed.sentence);
    // a model may take its time over the offer, and the job's own first reaction comes after that
    const eyes = react(repository, comment_id, "eyes");
    const offered = await estimate(by.account, { ...UNNAMED, prompt: draft.task, price_cents: market.price_cents });
    if (!offered.ok) await refused(offered.refusal.code, offered.refusal.sentence);
    else await made(await create(marketDraftOf(draft, market.price_cents, offered.estimate), by), trace, answer);
    return eyes;
  };

  const made = async (created: Handled, trace: Trace, answer: (body: string) => Promise<void>): Promise<void> => {
    trace.handled(created);
    if (!created.ok) await answer(created.refusal.sentence);
  };

  const label = async (
    signal: Extract<GitHubEvent, { type: "label" }>,
    trace: Trace,
    again: boolean,
  ): Promise<void> => {
    const by = await knownBy(signal, trace);
    if (by === null) return;
    const id = await jobHere(signal.repository, signal.issue);
    const stored = id === null ? null : await store.jobs.load(id);
    if (stored !== null && !isFinal(stored.job.status)) return;
    const { repository, issue } = signal;
    await made(await create(draftOf(signal, by.account, null), by), trace, (body) =>
      githubClient.reply(repository, issue.number, `reply:${trace.delivery}`, body, again),
    );
  };

  const news = async (repository: EventRepository, id: JobId | null, command: Command, trace: Trace) => {
    const stored = id === null ? null : await store.jobs.load(id);
    if (stored === null || !sameRepository(stored.job.repository, repository)) return null;
    const { job } = stored;
    const handled = await handle(job.id, command);
    trace.handled(handled);
    return { job, handled };
  };

  /** What waits for this branch may conflict with it now, and no event says so; the newest jobs, the others within the hour. */
  const lookAgain = async (
    { repository, branch }: Extract<GitHubEvent, { type: "default-branch-moved" }>,
    trace: Trace,
  ): Promise<void> => {
    for (const status of ["submitted", "verified"] as const) {
      const { jobs } = await store.jobs.list({ repository: fullName(repository), status, limit: MOST_LOOKED_AT });
      const waiting = jobs.filter(
        ({ base, merged_at, merge }) =>
          base.branch === branch && merged_at === null && (merge.state === "waiting" || merge.state === "auto"),
      );
      for (const { id } of waiting) await news(repository, id, LOOK, trace);
    }
  };

  const pullNews = async (signal: Extract<GitHubEvent, { type: "pull-news" }>, trace: Trace): Promise<void> => {
    const { repository, numbers, command } = signal;
    for (const number of numbers) await news(repository, await jobOfPull(repository, number), command, trace);
  };

  const button = async (signal: Button, trace: Trace, again: boolean): Promise<void> => {
    const { repository, job: id, action, commit } = signal;
    const by = await knownBy(signal, trace);
    if (by === null) return;
    const command = pressed(action, by, commit);
    const { job, handled } = (await news(repository, id, command, trace)) ?? {};
    if (job === undefined || handled === undefined || handled.ok || !SAID_OF_BUTTONS.has(handled.refusal.code)) return;
    const place = job.pull_request?.number ?? issueOf(job.origin);
    if (place !== null)
      await githubClient.reply(repository, place, `reply:${trace.delivery}`, handled.refusal.sentence, again);
  };

  const work = async (signal: GitHubEvent, trace: Trace, again: boolean): Promise<void> => {
    switch (signal.type) {
      case "slash":
        return slash(signal, trace, again);
      case "label":
        return label(signal, trace, again);
      case "button":
        return button(signal, trace, again);
      case "news":
        await news(signal.repository, signal.job, signal.command, trace);
        return;
      case "pull-news":
        return pullNews(signal, trace);
      case "default-branch-moved":
        trace.note({});
        await observeRepository(store, handle, signal);
        await lookAgain(signal, trace);
        return signal.settings_changed ? observeSettings(store, githubClient, signal.repository) : undefined;
      case "repositories-changed":
      case "uninstalled":
        trace.note({});
        githubClient.forgetAccess(signal.installation_id);
        return observeRepository(store, handle, signal);
      default:
        return signal satisfies never;
    }
  };

  return async (delivery, signal, again) => {
    const trace = new Trace(delivery);
    await work(signal, trace, again);
    return trace.acted;
  };
}
