/** Types of what a step gets from its job and returns to it. */
import type { ActionsBackend } from "../ports.ts";
import type { StageOutput } from "./commands.ts";
import type { JobLog } from "./log.ts";
import type { Grace } from "./processes.ts";

export type Outcome = "success" | "failure" | "cancelled";

export interface StepOutcome {
  readonly outcome: Outcome;
  readonly outputs: Readonly<Record<string, string>>;
}

export interface StepWork {
  readonly log: JobLog;
  /** Output of this stage's processes for the runner. */
  readonly output: StageOutput;
  /** Aborted when the job is cancelled or the step reaches its time limit. */
  readonly signal: AbortSignal;
  /** Aborted when the runner stops waiting. */
  readonly kill: AbortSignal;
  readonly grace: Grace;
  readonly workspace: string;
  readonly temp: string;
  readonly home: string;
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface RunWork extends StepWork {
  readonly script: string;
  readonly shell: string | undefined;
  readonly workingDirectory: string | undefined;
}

/** An action that the sandbox implements itself. */
export interface ActionWork extends StepWork {
  readonly uses: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly backend: ActionsBackend;
  readonly repository: string;
  readonly ref: string;
  readonly sha: string;
  readonly token: string;
}

/** One stage of a JavaScript action; `env` has its inputs and its state. */
export interface NodeWork extends StepWork {
  readonly program: string;
}
