/**
 * The Actions service: takes triggers in order, decides which workflows start, keeps the runs, cancels and re-runs
 * them. Talks to the sandbox's GitHub only through `ActionsBackend`.
 */
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pLimit from "p-limit";
import * as z from "zod";
import type { ActionsBackend, NewRun, RunConclusion, RunHandle, WorkflowTrigger } from "../ports.ts";
import { searchPath } from "../search-path.ts";
import { ConcurrencyGroups } from "./concurrency.ts";
import { githubContext, type RunSubject, readInputs, workflowName } from "./contexts.ts";
import type { Containers } from "./docker-folder.ts";
import { contextOf, ExpressionMistake, fill } from "./expressions.ts";
import { fullName, gitFacts } from "./git.ts";
import { playJob } from "./job.ts";
import type { Machine, PlayJob } from "./job-input.ts";
import type { Grace } from "./processes.ts";
import { baseContexts, playRunOf } from "./run.ts";
import { starts, type TriggerFacts } from "./triggers.ts";
import { readWorkflow } from "./workflow-file.ts";

/** How many jobs run in parallel. */
const DEFAULT_CONCURRENCY = 4;
/**
 * As GitHub's runner ends a process: SIGINT, SIGTERM, SIGKILL; then the job, whatever its steps do after the cancel.
 */
const GRACE: Grace = { interruptMs: 7_500, terminateMs: 2_500 };
const AFTER_CANCEL_MS = 5 * 60_000;
/** Ended runs that can be run again; older ones are forgotten. */
const KEPT_RUNS = 500;

export interface RunnerOptions {
  readonly backend: ActionsBackend;
  readonly containers: Containers;
  readonly concurrency?: number;
  readonly now?: () => number;
  /** Time for a process after SIGINT and after SIGTERM, when a run is cancelled or a step reaches its time limit. */
  readonly grace?: Grace;
  /** Time for steps and clean-up after a cancel. */
  readonly afterCancelMs?: number;
  /** Folders that replace repositories of actions at every ref, by `owner/name`. */
  readonly actions?: Readonly<Record<string, string>>;
  readonly path?: string;
  /** Runs one job of a workflow; by default its steps in order, as programs of this machine. */
  readonly playJob?: PlayJob;
  /** Receives what GitHub shows only on its pages: why a workflow did not start, or what the runner could not do. */
  readonly report?: (sentence: string) => void;
}

export interface Runner {
  /** Resolves when nothing is running, waiting or being decided. */
  idle(): Promise<void>;
  /** Cancels everything, ends every process it started, removes its temporary folder. */
  close(): Promise<void>;
}

export function startRunner(options: RunnerOptions): Runner {
  const fleet = new Fleet(options);
  options.backend.onTrigger((trigger) => fleet.trigger(trigger));
  options.backend.onCancel((runId) => fleet.cancel(runId));
  options.backend.onRerun((runId, attempt) => fleet.rerun(runId, attempt));
  return { idle: () => fleet.idle(), close: () => fleet.close() };
}

interface KeptRun {
  readonly subject: RunSubject;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly htmlUrl: string;
  /** Set while an attempt runs or waits. */
  active: AbortController | undefined;
}

class Fleet {
  readonly #backend: ActionsBackend;
  readonly #report: (sentence: string) => void;
  readonly #machine: Machine;
  readonly #playJob: PlayJob;
  readonly #closing = new AbortController();
  readonly #groups = new ConcurrencyGroups();
  readonly #slots: ReturnType<typeof pLimit>;
  readonly #runs = new Map<number, KeptRun>();
  readonly #numbers = new Map<string, number>();
  readonly #pending = new Set<Promise<void>>();
  #deciding: Promise<void> = Promise.resolve();

  constructor(options: RunnerOptions) {
    this.#backend = options.backend;
    this.#report = options.report ?? (() => {});
    this.#slots = pLimit(options.concurrency ?? DEFAULT_CONCURRENCY);
    this.#playJob = options.playJob ?? playJob;
    this.#machine = {
      folder: mkdtempSync(join(tmpdir(), "sandbox-runner-")),
      path: options.path ?? searchPath(),
      containers: options.containers,
      actions: options.actions ?? {},
      grace: options.grace ?? GRACE,
      afterCancelMs: options.afterCancelMs ?? AFTER_CANCEL_MS,
      now: options.now ?? Date.now,
      closing: this.#closing.signal,
    };
  }

  /**
   * The local GitHub refused something, e.g. because the repository was deleted: report it and continue with the
   * others.
   */
  readonly #failed = (error: unknown): void => this.#report(sentence(error));

  trigger(trigger: WorkflowTrigger): void {
    if (this.#closing.signal.aborted) return;
    // One after the other, so that runs of a concurrency group queue in the order of their events.
    this.#deciding = this.#deciding.then(() => this.#decide(trigger)).catch(this.#failed);
    this.#track(this.#deciding);
  }

  cancel(runId: number): void {
    this.#runs.get(runId)?.active?.abort();
  }

  rerun(runId: number, attempt: number): void {
    const run = this.#runs.get(runId);
    if (this.#closing.signal.aborted || run?.active !== undefined) return;
    if (run === undefined) this.#report(`Run ${runId} is not known to the runner any more.`);
    else this.#track(this.#play(run, { id: runId, attempt, htmlUrl: run.htmlUrl }));
  }

  async idle(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const run of this.#runs.values()) run.active?.abort();
    await this.idle();
    await rm(this.#machine.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  #track(work: Promise<void>): void {
    const tracked = work.catch(this.#failed).finally(() => this.#pending.delete(tracked));
    this.#pending.add(tracked);
  }

  async #decide(trigger: WorkflowTrigger): Promise<void> {
    const files = await this.#backend.workflowFiles(trigger.repository, trigger.sha);
    const { folder, path } = this.#machine;
    const facts = gitFacts({ backend: this.#backend, folder, path, signal: this.#closing.signal }, trigger);
    for (const [file, text] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (!/\.ya?ml$/.test(file) || this.#closing.signal.aborted) continue;
      await this.#consider(file, text, trigger, facts);
    }
  }

  async #consider(path: string, text: string, trigger: WorkflowTrigger, facts: TriggerFacts): Promise<void> {
    const read = readWorkflow(text);
    if (!read.ok) {
      // A file whose `on:` is unreadable fails at every push, since GitHub cannot know its events.
      const hit = read.events
        ? await starts(read.events, path, trigger, facts)
        : trigger.event === "push" && !trigger.byWorkflowToken;
      if (hit) this.#refuse(path, trigger, read.problem);
      return;
    }
    const { workflow } = read;
    if (!(await starts(workflow.on, path, trigger, facts))) return;
    const inputs = readInputs(workflow, trigger);
    if (typeof inputs === "string") return this.#refuse(path, trigger, inputs);
    const subject = { backend: this.#backend, trigger, path, workflow, number: this.#nextNumber(path, trigger) };
    const title = titleOf(subject, inputs);
    if (title.problem !== undefined) return this.#refuse(path, trigger, title.problem);
    const handle = this.#backend.createRun(newRun(trigger, path, workflowName(subject), title.text));
    const run: KeptRun = { subject, inputs, htmlUrl: handle.htmlUrl, active: undefined };
    this.#keep(handle.id, run);
    this.#track(this.#play(run, handle));
  }

  #refuse(path: string, trigger: WorkflowTrigger, problem: string): void {
    const { id } = this.#backend.createRun(newRun(trigger, path, path, defaultTitle(trigger) ?? path));
    this.#report(`The workflow ${path} did not start: ${problem}`);
    this.#backend.completeRun(id, "startup_failure");
  }

  async #play(run: KeptRun, handle: RunHandle): Promise<void> {
    const active = new AbortController();
    run.active = active;
    const holder = { signal: active.signal, cancel: () => active.abort() };
    const { subject, inputs } = run;
    const common = { machine: this.#machine, playJob: this.#playJob, groups: this.#groups, slots: this.#slots };
    let conclusion: RunConclusion;
    try {
      conclusion = await playRunOf({ subject, handle, inputs, holder, ...common });
    } catch (error) {
      this.#report(`Run ${handle.id} of ${subject.path}: ${sentence(error)}`);
      conclusion = error instanceof ExpressionMistake ? "startup_failure" : "failure";
    }
    run.active = undefined;
    this.#backend.completeRun(handle.id, conclusion);
  }

  #keep(runId: number, run: KeptRun): void {
    this.#runs.set(runId, run);
    for (const [id, old] of this.#runs) {
      if (this.#runs.size <= KEPT_RUNS) return;
      if (old.active === undefined && id !== runId) this.#runs.delete(id);
    }
  }

  #nextNumber(path: string, trigger: WorkflowTrigger): number {
    const key = `${fullName(trigger.repository)} ${path}`;
    const number = (this.#numbers.get(key) ?? 0) + 1;
    this.#numbers.set(key, number);
    return number;
  }
}

const sentence = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));

const newRun = (trigger: WorkflowTrigger, path: string, name: string, displayTitle: string): NewRun => {
  const { repository, event, headBranch, headSha, actor } = trigger;
  return { repository, path, name, event, displayTitle, headBranch, headSha, actor };
};

const titled = z.object({
  head_commit: z.object({ message: z.string() }).nullish(),
  pull_request: z.object({ title: z.string() }).optional(),
  issue: z.object({ title: z.string() }).optional(),
});

function defaultTitle(trigger: WorkflowTrigger): string | undefined {
  const payload = titled.safeParse(trigger.payload);
  if (!payload.success) return undefined;
  const { head_commit, pull_request, issue } = payload.data;
  return (head_commit?.message ?? pull_request?.title ?? issue?.title)?.split("\n")[0];
}

function titleOf(subject: RunSubject, inputs: Record<string, unknown>): { text: string; problem?: string } {
  const fallback = defaultTitle(subject.trigger) ?? workflowName(subject);
  const source = subject.workflow["run-name"];
  if (source === undefined) return { text: fallback };
  try {
    const contexts = {
      ...baseContexts({ subject, inputs, handle: undefined }),
      github: githubContext(subject, undefined),
    };
    return { text: fill(source, "run-name", contextOf(contexts)).trim() || fallback };
  } catch (error) {
    if (error instanceof ExpressionMistake) return { text: fallback, problem: error.message };
    throw error;
  }
}
