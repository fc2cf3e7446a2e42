/**
 * Loads a job, decides a command and commits the result. Every change of a job goes through here, including the
 * outcomes of effects. A commit is one atomic write; after a conflict the command is decided again.
 */

import type { LogLine } from "../contracts/log-line.ts";
import type { Command } from "../domain/job/command.ts";
import { decide } from "../domain/job/decide.ts";
import { atOnce, type Context, type Decided, type Decision } from "../domain/job/decision.ts";
import { fullName, type Job, type JobId } from "../domain/job/job.ts";
import { emittedEventOf, eventsOf } from "../domain/job/job-events.ts";
import { refusal } from "../domain/job/refusal.ts";
import { needsLine } from "../domain/job/rules/line.ts";
import { logNumberAfter } from "../domain/job/stored-log.ts";
import { userAccount } from "../domain/market/ledger.ts";
import { recordCommand } from "./audit-record.ts";
import { logTransitions } from "./event-log.ts";
import type { Line } from "./line.ts";
import type { AccountStore } from "./ports/accounts.ts";
import type { Recorder } from "./ports/audit.ts";
import type { Clock } from "./ports/clock.ts";
import type { JobLog } from "./ports/job-log.ts";
import type { Commit, Guard, JobStore, StoredJob } from "./ports/jobs.ts";
import type { Log } from "./ports/log.ts";
import type { Handled } from "./ports/service.ts";
import type { SubscriptionMatcher } from "./ports/webhooks.ts";
import type { Quotas } from "./quotas.ts";
import { retryConflicts } from "./retry-conflicts.ts";

/** Data that accompanies a command. */
export interface Extras {
  /** The effect whose outcome this is; removed in the same commit. */
  readonly done?: { readonly key: string; readonly serial: number };
  /** All that the attempt has told; takes the place of what is kept of it. */
  readonly log?: readonly LogLine[];
}

export type Handle = (id: JobId, command: Command, extras?: Extras) => Promise<Handled>;

interface Needs {
  readonly jobs: JobStore;
  readonly accounts: Pick<AccountStore, "of">;
  readonly clock: Clock;
  readonly subscriptionMatcher: SubscriptionMatcher;
  readonly jobLog: Pick<JobLog, "keep">;
  readonly quotas: Pick<Quotas, "inTurn" | "guards" | "refusal" | "uses">;
  readonly line: Pick<Line, "inTurn" | "guards" | "facts">;
  /** Called after every commit. */
  readonly committed: (stored: StoredJob, before: Job | null) => void;
  /** Called with the outcome of every command that somebody gave. */
  readonly record: Recorder;
  readonly log: Pick<Log, "info">;
}

function mergeIn(command: Command): { readonly login: string | null; readonly id: number | null } | null {
  switch (command.type) {
    case "merged":
      return { login: command.by, id: command.by_id ?? null };
    case "observe":
      return { login: command.facts.merged_by, id: command.facts.merged_by_id };
    default:
      return null;
  }
}

export const NOT_FOUND = refusal("not_found", "There is no such job.");

/** For a command on a job that does not exist. */
const NOBODY = { account: "", price_cents: 0 };

interface Deciding {
  readonly id: JobId;
  readonly stored: StoredJob | null;
  readonly command: Command;
  readonly extras: Extras;
  readonly context: Context;
  /** What the decision and the quotas have seen or will see beside the job. */
  readonly guards: readonly Guard[];
}

interface Committing {
  /** The job that the decision was based on; null when there was none. */
  readonly stored: StoredJob | null;
  readonly command: Command;
  readonly decision: Decided;
  readonly extras: Extras;
  readonly guards: readonly Guard[];
  readonly at: number;
}

export class CommandHandler {
  readonly #needs: Needs;
  readonly #recorded: ReturnType<typeof recordCommand>;

  constructor(needs: Needs) {
    this.#needs = needs;
    this.#recorded = recordCommand(needs.record);
  }

  handle(id: JobId, command: Command, extras: Extras = {}): Promise<Handled> {
    const { jobs, quotas } = this.#needs;
    const job = async () => (await jobs.load(id))?.job ?? null;
    return quotas.inTurn(command, job, () => retryConflicts(`Job ${id}`, () => this.#attempt(id, command, extras)));
  }

  async #attempt(id: JobId, command: Command, extras: Extras): Promise<Handled | "again"> {
    const { jobs, line, quotas } = this.#needs;
    const stored = await jobs.load(id);
    const job = stored?.job ?? null;
    const context = await this.#contextOf(job, command);
    const counted = quotas.guards(command, job);
    const deciding = { id, stored, command, extras, context, guards: await this.#guards(counted) };
    const decision = decide(job, command, context);
    if (decision.kind !== "decided" || !needsLine(job, command, decision)) return this.#conclude(deciding, decision);
    const { repository, account } = decision.job;
    return line.inTurn(repository, account, async () => {
      const guards = await this.#guards([...counted, ...line.guards(repository, account)]);
      const facts = await line.facts(repository, account);
      return this.#conclude({ ...deciding, guards }, decide(job, command, { ...context, line: facts }));
    });
  }

  async #guards(keys: readonly string[]): Promise<readonly Guard[]> {
    return keys.length === 0 ? [] : this.#needs.jobs.guards([...new Set(keys)]);
  }

  async #conclude(
    { id, stored, command, extras, context, guards }: Deciding,
    decision: Decision,
  ): Promise<Handled | "again"> {
    const { jobs, quotas } = this.#needs;
    const job = stored?.job ?? null;
    const conclude = async (outcome: string): Promise<void> => {
      if (extras.done) await jobs.acknowledge(id, extras.done);
      const draft = command.type === "create" ? command.draft : null;
      this.#recorded(id, command, (job ?? draft)?.repository ?? null, outcome);
    };
    if (decision.kind === "refused") {
      await conclude(decision.refusal.code);
      return { ok: false, refusal: decision.refusal };
    }
    if (decision.kind === "unchanged") {
      await conclude("unchanged");
      return stored === null
        ? { ok: false, refusal: NOT_FOUND }
        : { ok: true, job: stored.job, stored, changed: false };
    }
    const over = await quotas.refusal(command, job, decision.job);
    if (over !== null) {
      await conclude(over.code);
      return { ok: false, refusal: over };
    }
    return this.#commit({ stored, command, decision, extras, guards, at: context.now });
  }

  async #commit({ stored, command, decision, extras, guards, at }: Committing): Promise<Handled | "again"> {
    const { jobs, quotas, committed, log } = this.#needs;
    const expected_version = stored?.version ?? 0;
    await this.#keepLog(stored, decision.job, extras);
    const answer = await jobs.commit({
      job: decision.job,
      expected_version,
      at,
      history: decision.history,
      postings: decision.postings,
      ...(decision.spending === undefined ? {} : { spending: decision.spending }),
      effects: await this.#effectsOf(decision, expected_version + 1),
      done: extras.done ?? null,
      guards,
      uses: quotas.uses(command, decision.job),
    });
    if (!answer.ok) return "again";
    const { job } = answer.stored;
    committed(answer.stored, stored?.job ?? null);
    this.#recorded(job.id, command, job.repository, "done");
    logTransitions(log, job, decision.history, command);
    return { ok: true, job, stored: answer.stored, changed: true };
  }

  /** What a decision needs besides the job. */
  async #contextOf(job: Job | null, command: Command): Promise<Context> {
    const { clock } = this.#needs;
    const { account, price_cents } = job ?? (command.type === "create" ? command.draft : NOBODY);
    const now = clock.now();
    const available_cents = await this.#availableTo(account, price_cents);
    const pull_request_taken = await this.#isTaken(job, command);
    return { now, available_cents, merger: await this.#mergerIn(command), pull_request_taken };
  }

  async #availableTo(account: string, price: number): Promise<number> {
    return price === 0 ? 0 : this.#needs.jobs.balance(userAccount(account));
  }

  /** Identifies the person who merged by GitHub's number; a login alone identifies nobody. */
  async #mergerIn(command: Command): Promise<string | null> {
    const { login, id } = mergeIn(command) ?? { login: null, id: null };
    return login === null || id === null ? null : this.#needs.accounts.of({ login, id });
  }

  /** Whether the command's pull request belongs to another job. */
  async #isTaken(job: Job | null, command: Command): Promise<boolean> {
    if (job === null || command.type !== "pull-request-opened") return false;
    const owner = await this.#needs.jobs.ofPullRequest(fullName(job.repository), command.number);
    return owner !== null && owner !== job.id;
  }

  /**
   * The effects of the decision, and the event for subscribers if there are any. Stored with the commit, so that a
   * crash loses neither.
   */
  async #effectsOf({ job, history, effects }: Decided, version: number): Promise<Commit["effects"]> {
    const events = eventsOf(history);
    if (events.length === 0 || !(await this.#needs.subscriptionMatcher.listens(job, events))) return effects;
    return [...effects, atOnce({ type: "announce", announcement: emittedEventOf(job, history, version) })];
  }

  /** Before the commit, which says that it is there; kept for nothing where the commit fails, and again with the next one. */
  async #keepLog(stored: StoredJob | null, next: Job, { log = [] }: Extras): Promise<void> {
    if (log.length > 0) await this.#needs.jobLog.keep(next.id, Math.max(1, logNumberAfter(stored, next)), log);
  }
}
