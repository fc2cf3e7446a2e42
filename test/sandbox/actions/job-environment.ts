/**
 * State of a job that grows from stage to stage: variables, search path, action state, summary. Stages see it as
 * environment and change it through files.
 */
import { delimiter, join } from "node:path";
import { stateEnv } from "./action-inputs.ts";
import type { StageOutput } from "./commands.ts";
import { type CommandFiles, commandFileEnv, makeCommandFiles, readCommandFiles } from "./file-commands.ts";
import type { JobLog } from "./log.ts";
import { originOf, type Stage } from "./stages.ts";
import type { WorkflowStep } from "./workflow-file.ts";

export interface EnvironmentSource {
  readonly log: JobLog;
  readonly temp: string;
  /** The search path of a step to which nobody has added. */
  readonly path: readonly string[];
  /** What the runner says about the run, and its defaults. */
  readonly runnerEnv: Readonly<Record<string, string>>;
  /** Of the workflow and the job. */
  readonly env: Readonly<Record<string, string>>;
  showSummary(markdown: string): void;
}

/** GitHub shows at most this much of the summaries of one step; a job's page is bounded by it here. */
const SUMMARY_LIMIT = 1024 * 1024;

export class JobEnvironment {
  readonly #in: EnvironmentSource;
  readonly #states = new Map<WorkflowStep, ReadonlyMap<string, string>>();
  #variables: Readonly<Record<string, string>>;
  #pathHead: string[] = [];
  #summary = "";

  constructor(source: EnvironmentSource) {
    this.#in = source;
    this.#variables = source.env;
  }

  /** What `env` says, before a step adds its own. */
  get variables(): Readonly<Record<string, string>> {
    return this.#variables;
  }

  files(): Promise<CommandFiles> {
    return makeCommandFiles(join(this.#in.temp, "_runner_file_commands"));
  }

  /** The whole environment of a stage; `env`: the variables, and the step's own over them. */
  of({ step, name }: Stage, files: CommandFiles, env: Readonly<Record<string, string>>): Record<string, string> {
    const { runnerEnv, path } = this.#in;
    // A workflow may set HOME, LANG or CI for itself, but not what the runner says about the run.
    const fixed = Object.entries(runnerEnv).filter(([key]) => /^(?:GITHUB|RUNNER|ACTIONS)_/.test(key));
    const about = Object.entries({ action: name, ...originOf(step) });
    const upper = about.map(([key, value]) => [`GITHUB_${key.toUpperCase()}`, value] as const);
    return {
      ...{ ...runnerEnv, ...env, ...Object.fromEntries([...fixed, ...upper]), ...commandFileEnv(files) },
      ...stateEnv(this.#states.get(step) ?? new Map()),
      PATH: env.PATH ?? [...this.#pathHead, ...path].join(delimiter),
    };
  }

  /** Takes over what a stage has written and said. `ok`: false when the runner could not read it. */
  async take(
    { step }: Stage,
    files: CommandFiles,
    output: StageOutput,
  ): Promise<{ ok: boolean; outputs: Record<string, string> }> {
    const { log } = this.#in;
    const read = await readCommandFiles(files);
    for (const problem of read.problems) log.error(problem);
    for (const warning of read.warnings) log.warning(warning);
    this.#variables = { ...this.#variables, ...Object.fromEntries(read.env) };
    this.#pathHead = [...read.path.toReversed(), ...this.#pathHead];
    this.#states.set(step, new Map([...(this.#states.get(step) ?? []), ...output.state, ...read.state]));
    if (read.summary !== "") {
      this.#summary = `${this.#summary}${log.masks.apply(read.summary)}\n`.slice(0, SUMMARY_LIMIT);
      this.#in.showSummary(this.#summary);
    }
    const outputs = Object.fromEntries([...output.outputs, ...read.outputs]);
    return { ok: read.problems.length === 0 && !output.failed, outputs };
  }
}
