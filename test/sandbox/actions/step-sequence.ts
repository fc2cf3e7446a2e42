/**
 * Runs a job's stages in order: conditions, environment, results, reports. Post stages run last in, first out, also
 * after a failure or a cancel.
 */
import { join } from "node:path";
import type { JobStep } from "../ports.ts";
import { type FoundAction, findAction, findInWorkspace, isLocal } from "./action-finder.ts";
import { actionInputs, inputEnv, warnOfInputs } from "./action-inputs.ts";
import { StageOutput } from "./commands.ts";
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
import { fullName } from "./git.ts";
import { JobEnvironment } from "./job-environment.ts";
import type { JobInput, JobOutcome, JobPlaces } from "./job-input.ts";
import type { JobLimits } from "./job-limits.ts";
import type { JobLog } from "./log.ts";
import { MatcherRegistry } from "./problem-matchers.ts";
import { ShownSteps } from "./shown-steps.ts";
import { namesOf, originOf, plainName, type Stage } from "./stages.ts";
import type { Outcome, StepOutcome, StepWork } from "./step-work.ts";
import { playByName, playNode, playRun, playsByName } from "./steps.ts";
import type { WorkflowStep } from "./workflow-file.ts";

export interface SequenceInput extends JobInput, JobPlaces {
  readonly log: JobLog;
  readonly limits: JobLimits;
  readonly token: string;
  readonly docker: DockerFolder;
  readonly jobContexts: ContextValues & { readonly github: ContextValues };
  readonly runnerEnv: Readonly<Record<string, string>>;
  /** Additional variables for programs of actions; scripts do not get them. */
  readonly actionEnv: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  report(steps: readonly JobStep[]): void;
}

type Context = ReturnType<typeof contextOf>;
interface StepRecord {
  readonly outcome: Outcome | "skipped";
  readonly conclusion: Outcome | "skipped";
  readonly outputs: Readonly<Record<string, string>>;
}

export class StepSequence {
  readonly #in: SequenceInput;
  readonly #shown: ShownSteps;
  readonly #records: Record<string, StepRecord> = {};
  readonly #matchers = new MatcherRegistry();
  readonly #posts: Stage[] = [];
  readonly #environment: JobEnvironment;
  #failed = false;

  constructor(input: SequenceInput) {
    this.#in = input;
    const { log, temp, docker, machine, runnerEnv, env, subject, jobId } = input;
    const showSummary = (markdown: string) => subject.backend.setSummary(jobId, markdown);
    const path = [docker.bin, machine.path];
    this.#environment = new JobEnvironment({ log, temp, path, runnerEnv, env, showSummary });
    this.#shown = new ShownSteps(input.definition.steps.map(plainName));
  }

  async play(): Promise<JobOutcome> {
    const { log, limits, key, subject, handle, timeoutMinutes } = this.#in;
    log.line(`Job ${key} of ${subject.path}, attempt ${handle.attempt}`);
    const stages = await this.#setUp();
    for (const stage of stages) await this.#play(stage);
    for (let post = this.#posts.pop(); post !== undefined; post = this.#posts.pop()) await this.#play(post);
    if (limits.why === "time")
      log.error(`The job has exceeded the maximum execution time of ${timeoutMinutes} minutes.`);
    if (limits.why === "cancel") log.error("The operation was canceled.");
    this.#shown.complete.end("success");
    this.#in.report(this.#shown.all());
    const conclusion = limits.why !== undefined ? "cancelled" : this.#failed ? "failure" : "success";
    return { conclusion, outputs: this.#outputs() };
  }

  /** All actions are fetched before the first step; if one is missing, the job does not run. */
  async #setUp(): Promise<Stage[]> {
    const { definition, machine, subject, limits, home, workspace } = this.#in;
    const names = namesOf(definition.steps);
    const [pre, main]: [Stage[], Stage[]] = [[], []];
    const { backend } = subject;
    const downloads = join(workspace, "..", "actions");
    const source = { backend, folders: machine.actions, downloads, home, path: machine.path, signal: limits.forStep() };
    for (const [index, step] of definition.steps.entries()) {
      const row = this.#shown.steps[index] ?? this.#shown.complete;
      const { uses } = step;
      const fetched = uses !== undefined && !playsByName(uses) && !isLocal(uses);
      const found = fetched ? await findAction(uses, source) : undefined;
      if (found?.ok === false) return this.#refuse(found.problem);
      const action = found?.action;
      const common = { step, name: names[index] ?? "", action };
      main.push({ ...common, kind: "main", row, condition: step.if ?? "" });
      const runs = action?.file.runs;
      if (runs?.pre === undefined) continue;
      const before = this.#shown.steps[0] ?? this.#shown.complete;
      const preRow = this.#shown.insert(`Pre ${plainName(step)}`, before);
      pre.push({ ...common, kind: "pre", row: preRow, condition: runs["pre-if"] });
    }
    this.#shown.setUp.end("success");
    return [...pre, ...main];
  }

  #refuse(problem: string): [] {
    this.#in.log.error(problem);
    this.#failed = true;
    this.#shown.setUp.end("failure");
    for (const row of this.#shown.steps) row.end("skipped");
    return [];
  }

  async #play(stage: Stage): Promise<void> {
    const record = await this.#one(stage);
    if (stage.kind === "main" && stage.step.id !== undefined) this.#records[stage.step.id] = record;
    if (record.conclusion === "failure") this.#failed = true;
    stage.row.end(record.conclusion);
  }

  async #one(stage: Stage): Promise<StepRecord> {
    const { step, row } = stage;
    const skipped: StepRecord = { outcome: "skipped", conclusion: "skipped", outputs: {} };
    const { log, limits } = this.#in;
    // Before the condition is evaluated, since a cancel in between must still reach the step.
    const toEnd = limits.forStep();
    try {
      if (!holds(stage.condition, "step.if", this.#context(this.#environment.variables, stage), this.#status()))
        return skipped;
      const context = this.#context(this.#environment.variables, stage);
      const own = Object.fromEntries(
        Object.entries(step.env).map(([name, text]) => [name, fill(text, "step", context)]),
      );
      const env = { ...this.#environment.variables, ...own };
      const full = this.#context(env, stage);
      if (stage.kind === "main" && step.name !== undefined) row.name = log.masks.apply(fill(step.name, "step", full));
      row.status = "in_progress";
      this.#in.report(this.#shown.all());
      const played = await this.#timed(stage, env, full, toEnd);
      const forgiven = played.outcome === "failure" && fillBoolean(step["continue-on-error"], "step", full);
      return { ...played, conclusion: forgiven ? "success" : played.outcome };
    } catch (error) {
      if (!(error instanceof ExpressionMistake)) throw error;
      log.error(`The template is not valid. ${error.message}`);
      return { outcome: "failure", conclusion: "failure", outputs: {} };
    }
  }

  /** Runs the stage under the step's own time limit and reads the files that it wrote for the runner. */
  async #timed(stage: Stage, env: Record<string, string>, context: Context, toEnd: AbortSignal): Promise<StepOutcome> {
    const { log, limits, machine, workspace, temp, home } = this.#in;
    const { step } = stage;
    const late = new AbortController();
    const limit = step["timeout-minutes"];
    const minutes = limit === undefined ? undefined : fillNumber(limit, "step", context);
    const timer = minutes === undefined ? undefined : setTimeout(() => late.abort(), minutes * 60_000);
    const files = await this.#environment.files();
    const output = new StageOutput({ log, matchers: this.#matchers, workspace });
    const ends = {
      signal: AbortSignal.any([toEnd, late.signal]),
      kill: limits.forced,
      grace: machine.grace,
    };
    const places = { workspace, temp, home, path: machine.path };
    const work: StepWork = { log, output, ...ends, ...places, env: this.#environment.of(stage, files, env) };
    const played = await this.#act(stage, work, context).finally(() => clearTimeout(timer));
    const wrote = await this.#environment.take(stage, files, output);
    const outputs = { ...played.outputs, ...wrote.outputs };
    if (late.signal.aborted && played.outcome === "cancelled") {
      log.error(`The action '${plainName(step)}' has timed out after ${minutes} minutes.`);
      return { outcome: "failure", outputs };
    }
    return { outcome: wrote.ok || played.outcome === "cancelled" ? played.outcome : "failure", outputs };
  }

  async #act(stage: Stage, work: StepWork, context: Context): Promise<StepOutcome> {
    const { step } = stage;
    if (step.uses === undefined) return this.#script(step, work, context);
    if (!playsByName(step.uses)) return this.#action(stage, step.uses, work, context);
    const { subject, token, log } = this.#in;
    const { trigger, backend } = subject;
    const entries = Object.entries(step.with).map(([name, text]) => [name, fill(text, "step", context)] as const);
    const inputs: Record<string, string> = Object.fromEntries(entries);
    printInputs(`Run ${step.uses}`, inputs, log);
    const about = { backend, repository: fullName(trigger.repository), ref: trigger.ref, sha: trigger.sha, token };
    return playByName({ ...work, ...about, uses: step.uses, inputs });
  }

  #script(step: WorkflowStep, work: StepWork, context: Context): Promise<StepOutcome> {
    const { definition, subject } = this.#in;
    const defaults = { ...subject.workflow.defaults.run, ...definition.defaults.run };
    const folder = step["working-directory"] ?? defaults["working-directory"];
    const workingDirectory = folder === undefined ? undefined : fill(folder, "step", context);
    const script = fill(step.run ?? "", "step", context);
    return playRun({ ...work, script, shell: step.shell ?? defaults.shell, workingDirectory });
  }

  async #action(stage: Stage, uses: string, work: StepWork, context: Context): Promise<StepOutcome> {
    const { log, workspace, actionEnv } = this.#in;
    const { step, kind } = stage;
    const found = stage.action ? { ok: true as const, action: stage.action } : await findInWorkspace(uses, workspace);
    if (!found.ok) {
      log.error(found.problem);
      return { outcome: "failure", outputs: {} };
    }
    const { file, folder } = found.action;
    const { runs } = file;
    if (found.action.name === undefined && runs.pre !== undefined && kind === "main")
      log.warning(`\`pre\` execution is not supported for local action from '${uses}'`);
    if (kind !== "post") this.#expectPost(stage, found.action);
    const inputs = actionInputs(step.with, file, context);
    warnOfInputs(step.with, file, log);
    if (kind === "post") log.line("Post job cleanup.");
    else printInputs(`Run ${uses}`, inputs, log);
    const env = { ...work.env, ...inputEnv(inputs), ...actionEnv };
    return playNode({ ...work, env, program: join(folder, runs[kind] ?? runs.main) });
  }

  /** Registered once, when the action begins: before that, a cancel leaves nothing to clean up. */
  #expectPost({ step, name }: Stage, action: FoundAction): void {
    const { post, "post-if": condition } = action.file.runs;
    if (post === undefined || this.#posts.some((other) => other.step === step)) return;
    const first = this.#posts.at(-1)?.row ?? this.#shown.complete;
    const row = this.#shown.insert(`Post ${plainName(step)}`, first);
    this.#posts.push({ kind: "post", step, name, action, row, condition });
  }

  #outputs(): Record<string, string> {
    const context = this.#context(this.#environment.variables, undefined);
    const given: Record<string, string> = {};
    for (const [name, text] of Object.entries(this.#in.definition.outputs)) {
      const value = fill(text, "job.outputs", context);
      if (this.#in.log.masks.touches(value)) this.#in.log.warning(`Skip output '${name}' since it may contain secret.`);
      else given[name] = value;
    }
    return given;
  }

  #context(env: ContextValues, stage: Stage | undefined): Context {
    const status = this.#in.limits.why !== undefined ? "cancelled" : this.#failed ? "failure" : "success";
    const { jobContexts } = this.#in;
    const about = stage === undefined ? {} : { action: stage.name, ...originOf(stage.step) };
    const github = { ...jobContexts.github, ...about };
    return contextOf({ ...jobContexts, github, env, steps: this.#records, job: { status } });
  }

  #status() {
    const cancelled = this.#in.limits.why !== undefined;
    return {
      success: () => !this.#failed && !cancelled,
      failure: () => this.#failed && !cancelled,
      cancelled: () => cancelled,
    };
  }
}

function printInputs(title: string, inputs: Readonly<Record<string, string>>, log: JobLog): void {
  log.line(`##[group]${title}`);
  for (const [name, value] of Object.entries(inputs)) if (value !== "") log.line(`with ${name}: ${value}`);
  log.line("##[endgroup]");
}
