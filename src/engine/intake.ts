/**
 * From a signal to commands: who may ask is checked here, at the door, and fails closed. May be called again for the
 * same delivery after a crash, so everything it does is either a command that the core recognises or found before done.
 */
import { accountOf } from "../job/account.ts";
import type { Actor, Command, Draft } from "../job/command.ts";
import { type JobId, type Repository, isFinal, sameRepository } from "../job/job.ts";
import { titleOf } from "../job/title.ts";
import type { Signal, SignalIssue, SignalRepository, SlashCommand } from "../job/signal.ts";
import { DEFAULT_REPOSITORY_SETTINGS } from "../wire/settings.ts";
import type { Handled } from "./door.ts";
import type { Handle } from "./handle.ts";
import type { Desk, Store } from "./ports.ts";
import { EMPTY_MESSAGE, FROM_FORK, HELP, NO_JOB } from "./replies.ts";
import { learn } from "./repositories.ts";

type Slash = Extract<Signal, { type: "slash" }>;

/** What a job gets until its brief has been pushed with the repository's own limits. */
const DEFAULT_TIME_LIMIT_SECONDS = DEFAULT_REPOSITORY_SETTINGS.limits.minutes * 60;

interface Needs {
  readonly store: Store;
  readonly desk: Desk;
  readonly handle: Handle;
  readonly create: (draft: Omit<Draft, "id">) => Promise<Handled>;
}

const withoutId = ({ owner, name, installation_id }: SignalRepository): Repository => ({
  owner,
  name,
  installation_id,
});

const onGitHub = (login: string): Actor => ({ account: accountOf(login), login });

const taskOf = (task: string, issue: SignalIssue): string => {
  const asked = `${issue.title}\n\n${issue.body}`.trim();
  return task === "" ? asked : `${task}\n\n---\nAsked for in #${issue.number}: ${asked}`;
};

export type Intake = (delivery: string, signal: Signal, again: boolean) => Promise<void>;

export function createIntake({ store, desk, handle, create }: Needs): Intake {
  /** Which permission the repository asks for: read when it is not known or a push may have changed it. */
  const needed = async (repository: SignalRepository): Promise<"write" | "admin"> => {
    const kept = await store.repositories.get(repository.owner, repository.name);
    const read = kept?.base ? null : await desk.repository(withoutId(repository), kept);
    if (read !== null) await store.repositories.put(read);
    return (read ?? kept)?.settings?.commands.allow ?? "write";
  };

  const may = async (repository: SignalRepository, login: string): Promise<boolean> => {
    const permission = await desk.permission(withoutId(repository), login);
    return permission === "admin" || (permission === "write" && (await needed(repository)) === "write");
  };

  const jobHere = async (repository: SignalRepository, issue: SignalIssue): Promise<JobId | null> => {
    const name = `${repository.owner}/${repository.name}`;
    return (await store.jobs.ofPullRequest(name, issue.number)) ?? (await store.jobs.ofIssue(name, issue.number));
  };

  const draftOf = (
    signal: Slash | Extract<Signal, { type: "label" }>,
    base_branch: string | null,
  ): Omit<Draft, "id"> => {
    const asked = signal.type === "slash" && signal.command.verb === "run" ? signal.command : null;
    const { issue } = signal;
    return {
      account: accountOf(signal.author),
      repository: withoutId(signal.repository),
      runner: "actions",
      origin:
        signal.type === "slash"
          ? { kind: "comment", issue: issue.number, comment_id: signal.comment_id }
          : { kind: "label", issue: issue.number },
      requester: signal.author,
      title: titleOf(asked?.task || issue.title),
      task: taskOf(asked?.task ?? "", issue),
      choices: {
        provider: null,
        model: asked?.model ?? null,
        no_merge: asked?.no_merge ?? false,
        draft: asked?.draft ?? false,
      },
      base_branch,
      price_cents: 0,
      time_limit_seconds: DEFAULT_TIME_LIMIT_SECONDS,
    };
  };

  const slash = async (signal: Slash, again: boolean): Promise<void> => {
    const { repository, issue, comment_id, author, command } = signal;
    const at = withoutId(repository);
    const answer = (body: string): Promise<void> => desk.reply(at, issue.number, `reply:${comment_id}`, body, again);
    if (!(await may(repository, author))) return desk.react(at, comment_id, "confused");
    const by = onGitHub(author);
    const told = async (id: JobId, asked: Command): Promise<void> => {
      const handled = await handle(id, asked);
      if (!handled.ok) await answer(handled.refusal.sentence);
    };
    switch (command.verb) {
      case "run":
        return run(signal, command, by, answer, told);
      case "help":
        await desk.react(at, comment_id, "eyes");
        return answer(HELP);
      case "mistaken":
        return answer(command.sentence);
      default: {
        const id = await jobHere(repository, issue);
        if (id === null) return answer(NO_JOB);
        if (command.verb === "status") return told(id, { type: "show", comment_id });
        if (command.verb === "retry") return told(id, { type: "retry", by, comment_id });
        await desk.react(at, comment_id, "eyes");
        return told(id, { type: "cancel", by });
      }
    }
  };

  const run = async (
    signal: Slash,
    command: Extract<SlashCommand, { verb: "run" }>,
    by: Actor,
    answer: (body: string) => Promise<void>,
    told: (id: JobId, asked: Command) => Promise<void>,
  ): Promise<void> => {
    const { repository, issue, comment_id } = signal;
    const name = `${repository.owner}/${repository.name}`;
    if ((await store.jobs.ofComment(name, comment_id)) !== null) return;
    const mine = issue.is_pull_request ? await store.jobs.ofPullRequest(name, issue.number) : null;
    if (mine !== null) {
      if (command.task === "") return answer(EMPTY_MESSAGE);
      return told(mine, { type: "message", text: command.task, by, comment_id });
    }
    const from = issue.is_pull_request ? await desk.pullRequest(withoutId(repository), issue.number) : null;
    if (from?.from_fork) return answer(FROM_FORK);
    const created = await create(draftOf(signal, from?.head_branch ?? null));
    if (!created.ok) await answer(created.refusal.sentence);
  };

  const label = async (signal: Extract<Signal, { type: "label" }>): Promise<void> => {
    if (!(await may(signal.repository, signal.author))) return;
    const id = await jobHere(signal.repository, signal.issue);
    const stored = id === null ? null : await store.jobs.load(id);
    if (stored !== null && !isFinal(stored.job.status)) return;
    await create(draftOf(signal, null));
  };

  const news = async (repository: SignalRepository, id: JobId | null, command: Command): Promise<void> => {
    const stored = id === null ? null : await store.jobs.load(id);
    if (stored === null || !sameRepository(stored.job.repository, repository)) return;
    await handle(stored.job.id, command);
  };

  const button = async ({ repository, job, action, author }: Extract<Signal, { type: "button" }>): Promise<void> => {
    if (!(await may(repository, author))) return;
    const by = onGitHub(author);
    await news(repository, job, action === "retry" ? { type: "retry", by, comment_id: null } : { type: "discard", by });
  };

  return async (_delivery, signal, again) => {
    switch (signal.type) {
      case "slash":
        return slash(signal, again);
      case "label":
        return label(signal);
      case "button":
        return button(signal);
      case "news":
        return news(signal.repository, signal.job, signal.command);
      case "default-branch-moved":
      case "repositories-changed":
      case "uninstalled":
        return learn(store, handle, signal);
      default:
        return signal satisfies never;
    }
  };
}
