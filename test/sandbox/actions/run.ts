/**
 * Plays a workflow run from "may start" to its conclusion: concurrency group, order of jobs, and outputs between them.
 */
import type { LimitFunction } from "p-limit";
import type { RunConclusion, RunHandle } from "../ports.ts";
import type { ConcurrencyGroups, Holder } from "./concurrency.ts";
import { githubContext, isFromFork, type RunSubject } from "./contexts.ts";
import { contextOf, ExpressionMistake, fill, fillBoolean, fillNumber, holds } from "./expressions.ts";
import { fullName } from "./git.ts";
import type { JobOutcome, Machine, PlayJob } from "./job-input.ts";
import { JobLog } from "./log.ts";
import type { Workflow, WorkflowJob } from "./workflow-file.ts";

export interface RunInput {
  readonly subject: RunSubject;
  readonly handle: RunHandle;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly machine: Machine;
  readonly playJob: PlayJob;
  readonly groups: ConcurrencyGroups;
  /** How many jobs run at the same time. */
  readonly slots: LimitFunction;
  readonly holder: Holder;
}

interface Settled extends JobOutcome {
  /** The value of `needs.<job>.result`; a failure under `continue-on-error` reads as success. */
  readonly result: "success" | "failure" | "cancelled" | "skipped";
}

type Concurrency = Workflow["concurrency"];

export async function playRunOf(input: RunInput): Promise<RunConclusion> {
  const { subject, holder } = input;
  const context = contextOf(baseContexts(input));
  return inGroup(input, subject.workflow.concurrency, "concurrency", context, holder, () =>
    new RunOfJobs(input).play(),
  );
}

export function baseContexts(input: Pick<RunInput, "subject" | "inputs"> & { readonly handle: RunHandle | undefined }) {
  const { subject, handle, inputs } = input;
  const vars = isFromFork(subject) ? {} : subject.backend.variables(subject.trigger.repository);
  return { github: githubContext(subject, handle), inputs, vars };
}

/** Does the work while holding the file's concurrency group; cancelled when a newer run replaces it. */
async function inGroup(
  { groups, subject }: RunInput,
  wanted: Concurrency,
  place: "concurrency" | "job",
  context: ReturnType<typeof contextOf>,
  holder: Holder,
  work: () => Promise<RunConclusion>,
): Promise<RunConclusion> {
  if (wanted === undefined) return holder.signal.aborted ? "cancelled" : work();
  const name = `${fullName(subject.trigger.repository)} ${fill(wanted.group, place, context)}`;
  const inProgress = fillBoolean(wanted["cancel-in-progress"], place, context);
  if (!(await groups.acquire(name, holder, inProgress))) return "cancelled";
  try {
    return await work();
  } finally {
    groups.release(name, holder);
  }
}

class RunOfJobs {
  readonly #in: RunInput;
  readonly #settled = new Map<string, Settled>();
  #started = false;

  constructor(input: RunInput) {
    this.#in = input;
  }

  async play(): Promise<RunConclusion> {
    const jobs = this.#in.subject.workflow.jobs;
    const running = new Map<string, Promise<void>>();
    const start = (key: string, definition: WorkflowJob): Promise<void> => {
      const known = running.get(key);
      if (known) return known;
      const needed = definition.needs.map((name) => jobs[name] && start(name, jobs[name]));
      const work = Promise.all(needed).then(async () => {
        this.#settled.set(key, await this.#job(key, definition));
      });
      running.set(key, work);
      return work;
    };
    await Promise.all(Object.entries(jobs).map(([key, definition]) => start(key, definition)));
    const ends = [...this.#settled.values()];
    const some = (conclusion: RunConclusion) => ends.some((end) => end.result === conclusion);
    if (this.#in.holder.signal.aborted) return "cancelled";
    if (some("failure")) return "failure";
    if (some("cancelled")) return "cancelled";
    return ends.every((end) => end.result === "skipped") ? "skipped" : "success";
  }

  async #job(key: string, definition: WorkflowJob): Promise<Settled> {
    const { subject, handle, holder, machine } = this.#in;
    const { backend } = subject;
    const contexts = { ...baseContexts(this.#in), needs: this.#needs(definition) };
    const context = contextOf(contexts);
    const name = this.#try(() => fill(definition.name ?? key, "job", context)) ?? key;
    const jobId = backend.createJob(handle.id, name);
    let outcome: JobOutcome = { conclusion: "failure", outputs: {} };
    let forgiven = false;
    try {
      if (holds(definition.if ?? "", "job.if", context, this.#status(definition)) === false) {
        const conclusion = holder.signal.aborted ? "cancelled" : "skipped";
        return this.#settle(jobId, { conclusion, outputs: {} }, false);
      }
      forgiven = fillBoolean(definition["continue-on-error"], "job", context);
      const timeoutMinutes = fillNumber(definition["timeout-minutes"], "job", context);
      const own = new AbortController();
      // A job that starts after the cancel does so because its `if` uses always() or cancelled().
      const cancel = holder.signal.aborted ? own.signal : AbortSignal.any([holder.signal, own.signal]);
      const jobHolder = { signal: cancel, cancel: () => own.abort() };
      const conclusion = await inGroup(this.#in, definition.concurrency, "job", context, jobHolder, () =>
        this.#onSlot(cancel, async () => {
          this.#start(jobId);
          outcome = await this.#in.playJob({
            subject,
            handle,
            machine,
            key,
            definition,
            jobId,
            timeoutMinutes,
            contexts,
            cancel,
          });
          return outcome.conclusion;
        }),
      );
      outcome = { ...outcome, conclusion };
    } catch (error) {
      // A mistake of the author ends as a failed job; any other error is rethrown after the job is closed.
      const log = new JobLog((text) => backend.appendLog(jobId, text), machine.now);
      log.error(
        error instanceof ExpressionMistake ? `The template is not valid. ${error.message}` : "The runner failed.",
      );
      if (!(error instanceof ExpressionMistake)) {
        this.#settle(jobId, outcome, false);
        throw error;
      }
    }
    return this.#settle(jobId, outcome, forgiven);
  }

  /** Waits for a free machine until cancelled. */
  #onSlot(cancel: AbortSignal, work: () => Promise<RunConclusion>): Promise<RunConclusion> {
    if (cancel.aborted) return Promise.resolve("cancelled");
    let begun = false;
    return new Promise((resolve, reject) => {
      cancel.addEventListener("abort", () => !begun && resolve("cancelled"), { once: true });
      this.#in
        .slots(async () => {
          if (cancel.aborted) return "cancelled" as const;
          begun = true;
          return work();
        })
        .then(resolve, reject);
    });
  }

  #start(jobId: number): void {
    const { subject, handle } = this.#in;
    if (!this.#started) subject.backend.startRun(handle.id);
    this.#started = true;
    subject.backend.updateJob(jobId, { status: "in_progress" });
  }

  #settle(jobId: number, outcome: JobOutcome, forgiven: boolean): Settled {
    const { conclusion } = outcome;
    this.#in.subject.backend.updateJob(jobId, { status: "completed", conclusion });
    const failed = conclusion === "failure" || conclusion === "timed_out";
    const result =
      conclusion === "success" || conclusion === "cancelled" || conclusion === "skipped" ? conclusion : "failure";
    return { ...outcome, result: failed && forgiven ? "success" : result };
  }

  #needs(definition: WorkflowJob): Record<string, unknown> {
    const settled = definition.needs.map((name) => [name, this.#settled.get(name)] as const);
    return Object.fromEntries(settled.map(([name, end]) => [name, { result: end?.result, outputs: end?.outputs }]));
  }

  /** In a job's condition, status functions look at all jobs it needs, directly or indirectly. */
  #status(definition: WorkflowJob) {
    const cancelled = this.#in.holder.signal.aborted;
    const near = definition.needs.map((name) => this.#settled.get(name)?.result);
    const far = [...this.#ancestors(definition)].map((name) => this.#settled.get(name)?.result);
    return {
      success: () => !cancelled && near.every((result) => result === "success"),
      failure: () => !cancelled && far.includes("failure"),
      cancelled: () => cancelled,
    };
  }

  #ancestors(definition: WorkflowJob, seen = new Set<string>()): Set<string> {
    for (const name of definition.needs) {
      const parent = this.#in.subject.workflow.jobs[name];
      if (seen.has(name) || parent === undefined) continue;
      seen.add(name);
      this.#ancestors(parent, seen);
    }
    return seen;
  }

  #try<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (error instanceof ExpressionMistake) return undefined;
      throw error;
    }
  }
}
