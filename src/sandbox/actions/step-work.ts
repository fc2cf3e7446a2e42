/** What a played step gets from its job, and what it gives back. Types only. */
import type { ActionsBackend } from "../ports.ts";
import type { JobLog } from "./log.ts";

export interface StepOutcome {
  readonly outcome: "success" | "failure" | "cancelled";
  readonly outputs: Readonly<Record<string, string>>;
}

export interface StepWork {
  readonly log: JobLog;
  /** Aborted when the job is cancelled or the step's time is over. */
  readonly signal: AbortSignal;
  readonly graceMs: number;
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

export interface ActionWork extends StepWork {
  readonly uses: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly backend: ActionsBackend;
  readonly repository: string;
  readonly ref: string;
  readonly sha: string;
  readonly token: string;
}
