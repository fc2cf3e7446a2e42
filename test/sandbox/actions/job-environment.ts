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
  /** The search path of a step before anyone extends it. */
  readonly path: readonly string[];
  /** The runner's variables about the run, and its defaults. */
  readonly runnerEnv: Readonly<Record<string, string>>;
  /** `env` of the workflow and the job. */
  readonly env: Readonly<Record<string, string>>;
  showSummary(markdown: string): void;
}

/** GitHub shows at most this much of one step's summaries; it also bounds the job's page here. */
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

  /** The values of `env` before any step adds to them. */
  get variables(): Readonly<Record<string, string>> {
    return this.#variables;
  }

  files(): Promise<CommandFiles> {
    return makeCommandFiles(join(this.#in.temp, "_runner_file_commands"));
  }

  /** The complete environment of a stage; `env` has the variables and, over them, the step's own. */
  of({ step, name }: Stage, files: CommandFiles, env: Readonly<Record<string, string>>): Record<string, string> {
    const { runnerEnv, path } = this.#in;
    // A workflow may set HOME, LANG or CI, but not the runner's facts about the run.
    const fixed = Object.entries(runnerEnv).filter(([key]) => /^(?:GITHUB|RUNNER|ACTIONS)_/.test(key));
    const about = Object.entries({ action: name, ...originOf(step) });
    const upper = about.map(([key, value]) => [`GITHUB_${key.toUpperCase()}`, value] as const);
    return {
      ...{ ...runnerEnv, ...env, ...Object.fromEntries([...fixed, ...upper]), ...commandFileEnv(files) },
      ...stateEnv(this.#states.get(step) ?? new Map()),
      PATH: env.PATH ?? [...this.#pathHead, ...path].join(delimiter),
    };
  }

  /** Applies what a stage wrote to its files. `ok` is false when a file could not be read. */
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
