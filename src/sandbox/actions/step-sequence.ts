/**
 * Owns the order of a job's steps: conditions, environment that grows from step to step, results, reports.
 */
import { delimiter, join } from "node:path";
import type { JobStep, RunConclusion } from "../ports.ts";
import type { DockerFolder } from "./docker-folder.ts";
import {
  type ContextValues,
  contextOf,
  ExpressionMistake,
  fill,
  fillBoolean,
  fillNumber,
  holds,
} from "./expressions.ts";
import { commandFileEnv, makeCommandFiles, readCommandFiles } from "./file-commands.ts";
import { fullName } from "./git.ts";
import type { JobInput, JobOutcome, JobPlaces } from "./job.ts";
import type { JobLimits } from "./job-limits.ts";
import type { JobLog } from "./log.ts";
import type { StepOutcome } from "./step-work.ts";
import { playAction, playRun } from "./steps.ts";
import type { WorkflowStep } from "./workflow-file.ts";

export interface SequenceInput extends JobInput, JobPlaces {
  readonly log: JobLog;
  readonly limits: JobLimits;
  readonly token: string;
  readonly docker: DockerFolder;
  readonly jobContexts: ContextValues;
  readonly runnerEnv: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  report(steps: readonly JobStep[]): void;
}

type Context = ReturnType<typeof contextOf>;
interface StepRecord {
  readonly outcome: StepOutcome["outcome"] | "skipped";
  readonly conclusion: StepOutcome["outcome"] | "skipped";
  readonly outputs: Readonly<Record<string, string>>;
}

/** GitHub shows at most this much of the summaries of one step; a job's page is bounded by it here. */
const SUMMARY_LIMIT = 1024 * 1024;

export class StepSequence {
  readonly #in: SequenceInput;
  readonly #shown: JobStep[];
  readonly #records: Record<string, StepRecord> = {};
  #env: Record<string, string>;
  #pathHead: string[] = [];
  #failed = false;
  #summary = "";

  constructor(input: SequenceInput) {
    this.#in = input;
    this.#env = { ...input.env };
    const names = ["Set up job", ...input.definition.steps.map(plainName), "Complete job"];
    this.#shown = names.map((name, index) => ({ name, number: index + 1, status: "queued", conclusion: null }));
  }

  async play(): Promise<JobOutcome> {
    const { log, definition, limits } = this.#in;
    log.line(`Job ${this.#in.key} of ${this.#in.subject.path}, attempt ${this.#in.handle.attempt}`);
    this.#set(0, "completed", "success");
    for (const [index, step] of definition.steps.entries()) {
      const record = await this.#one(step, index + 1);
      if (step.id !== undefined) this.#records[step.id] = record;
      if (record.conclusion === "failure") this.#failed = true;
      this.#set(index + 1, "completed", record.conclusion);
    }
    if (limits.why === "time")
      log.error(`The job has exceeded the maximum execution time of ${this.#in.timeoutMinutes} minutes.`);
    if (limits.why === "cancel") log.error("The operation was canceled.");
    this.#set(this.#shown.length - 1, "completed", "success");
    this.#in.report(this.#shown);
    const conclusion = limits.why !== undefined ? "cancelled" : this.#failed ? "failure" : "success";
    return { conclusion, outputs: this.#outputs() };
  }

  async #one(step: WorkflowStep, position: number): Promise<StepRecord> {
    const skipped: StepRecord = { outcome: "skipped", conclusion: "skipped", outputs: {} };
    const { log } = this.#in;
    try {
      if (!holds(step.if ?? "", "step.if", this.#context(this.#env), this.#status())) return skipped;
      const context = this.#context(this.#env);
      const own = Object.fromEntries(
        Object.entries(step.env).map(([name, text]) => [name, fill(text, "step", context)]),
      );
      const env = { ...this.#env, ...own };
      const full = this.#context(env);
      if (step.name !== undefined) this.#rename(position, fill(step.name, "step", full));
      this.#set(position, "in_progress", null);
      this.#in.report(this.#shown);
      const played = await this.#timed(step, env, full);
      const forgiven = played.outcome === "failure" && fillBoolean(step["continue-on-error"], "step", full);
      return { ...played, conclusion: forgiven ? "success" : played.outcome };
    } catch (error) {
      if (!(error instanceof ExpressionMistake)) throw error;
      log.error(`The template is not valid. ${error.message}`);
      return { outcome: "failure", conclusion: "failure", outputs: {} };
    }
  }

  /** Runs the step under its own time limit and reads what it wrote for the runner. */
  async #timed(step: WorkflowStep, env: Record<string, string>, context: Context): Promise<StepOutcome> {
    const { log, limits } = this.#in;
    const late = new AbortController();
    const minutes =
      step["timeout-minutes"] === undefined ? undefined : fillNumber(step["timeout-minutes"], "step", context);
    const timer = minutes === undefined ? undefined : setTimeout(() => late.abort(), minutes * 60_000);
    const files = await makeCommandFiles(join(this.#in.temp, "_runner_file_commands"));
    const path = [...this.#pathHead, this.#in.docker.bin, this.#in.machine.path].join(delimiter);
    const full = { ...this.#runnerEnv(env), ...commandFileEnv(files), PATH: env.PATH ?? path };
    const signal = AbortSignal.any([limits.forStep(), late.signal]);
    const played = await this.#act(step, full, signal, context).finally(() => clearTimeout(timer));
    const wrote = await this.#take(files);
    const outputs = { ...played.outputs, ...wrote.outputs };
    if (late.signal.aborted && played.outcome === "cancelled") {
      log.error(`The action '${plainName(step)}' has timed out after ${minutes} minutes.`);
      return { outcome: "failure", outputs };
    }
    return { outcome: wrote.ok || played.outcome === "cancelled" ? played.outcome : "failure", outputs };
  }

  #act(step: WorkflowStep, env: Record<string, string>, signal: AbortSignal, context: Context): Promise<StepOutcome> {
    const { log, machine, workspace, temp, home, definition, subject } = this.#in;
    const { trigger, backend, workflow } = subject;
    const work = { log, signal, graceMs: machine.graceMs, workspace, temp, home, path: machine.path, env };
    if (step.run === undefined) {
      const inputs = Object.fromEntries(
        Object.entries(step.with).map(([name, text]) => [name, fill(text, "step", context)]),
      );
      const { token } = this.#in;
      const about = { backend, repository: fullName(trigger.repository), ref: trigger.ref, sha: trigger.sha, token };
      return playAction({ ...work, ...about, uses: step.uses ?? "", inputs });
    }
    const defaults = { ...workflow.defaults.run, ...definition.defaults.run };
    const folder = step["working-directory"] ?? defaults["working-directory"];
    const workingDirectory = folder === undefined ? undefined : fill(folder, "step", context);
    return playRun({
      ...work,
      script: fill(step.run, "step", context),
      shell: step.shell ?? defaults.shell,
      workingDirectory,
    });
  }

  async #take(
    files: Awaited<ReturnType<typeof makeCommandFiles>>,
  ): Promise<{ ok: boolean; outputs: Record<string, string> }> {
    const { log, subject, jobId } = this.#in;
    const read = await readCommandFiles(files);
    for (const problem of read.problems) log.error(problem);
    for (const warning of read.warnings) log.warning(warning);
    this.#env = { ...this.#env, ...Object.fromEntries(read.env) };
    this.#pathHead = [...read.path.toReversed(), ...this.#pathHead];
    if (read.summary !== "") {
      this.#summary = `${this.#summary}${log.masks.apply(read.summary)}\n`.slice(0, SUMMARY_LIMIT);
      subject.backend.setSummary(jobId, this.#summary);
    }
    return { ok: read.problems.length === 0, outputs: Object.fromEntries(read.outputs) };
  }

  #outputs(): Record<string, string> {
    const context = this.#context(this.#env);
    const given: Record<string, string> = {};
    for (const [name, text] of Object.entries(this.#in.definition.outputs)) {
      const value = fill(text, "job.outputs", context);
      if (this.#in.log.masks.touches(value)) this.#in.log.warning(`Skip output '${name}' since it may contain secret.`);
      else given[name] = value;
    }
    return given;
  }

  #context(env: Record<string, string>): Context {
    const status = this.#in.limits.why !== undefined ? "cancelled" : this.#failed ? "failure" : "success";
    return contextOf({ ...this.#in.jobContexts, env, steps: this.#records, job: { status } });
  }

  #status() {
    const cancelled = this.#in.limits.why !== undefined;
    return {
      success: () => !this.#failed && !cancelled,
      failure: () => this.#failed && !cancelled,
      cancelled: () => cancelled,
    };
  }

  /** A workflow may set HOME, LANG or CI for itself, but not what the runner says about the run. */
  #runnerEnv(env: Record<string, string>): Record<string, string> {
    const fixed = Object.entries(this.#in.runnerEnv).filter(([name]) => /^(?:GITHUB|RUNNER|ACTIONS)_/.test(name));
    return { ...this.#in.runnerEnv, ...env, ...Object.fromEntries(fixed) };
  }

  #rename(position: number, name: string): void {
    const shown = this.#shown[position];
    if (shown) this.#shown[position] = { ...shown, name: this.#in.log.masks.apply(name) };
  }

  #set(position: number, status: JobStep["status"], conclusion: RunConclusion | null): void {
    const shown = this.#shown[position];
    if (shown) this.#shown[position] = { ...shown, status, conclusion };
  }
}

const plainName = (step: WorkflowStep): string =>
  step.name ?? `Run ${step.uses ?? (step.run ?? "").trim().split("\n")[0] ?? ""}`;
