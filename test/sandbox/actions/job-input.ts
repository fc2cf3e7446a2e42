/** Input and result types of a workflow job. */
import type { RunConclusion, RunHandle } from "../ports.ts";
import type { RunSubject } from "./contexts.ts";
import type { Containers } from "./docker-folder.ts";
import type { ContextValues } from "./expressions.ts";
import type { Grace } from "./processes.ts";
import type { WorkflowJob } from "./workflow-file.ts";

export interface Machine {
  /** Folder for the runner's temporary files. */
  readonly folder: string;
  /** PATH of the steps; the folder with the sandbox's docker is put in front of it. */
  readonly path: string;
  readonly containers: Containers;
  /** Folders that replace repositories of actions, by `owner/name`. */
  readonly actions: Readonly<Record<string, string>>;
  readonly grace: Grace;
  /** Time for the steps after a cancel before everything is killed. */
  readonly afterCancelMs: number;
  readonly now: () => number;
  /** Aborted when the runner closes: even `always()` steps end. */
  readonly closing: AbortSignal;
}

export interface JobInput {
  readonly subject: RunSubject;
  readonly handle: RunHandle;
  readonly machine: Machine;
  readonly key: string;
  readonly definition: WorkflowJob;
  readonly jobId: number;
  readonly timeoutMinutes: number;
  /** Contexts that exist before the machine: github, needs, vars, inputs. */
  readonly contexts: ContextValues;
  readonly cancel: AbortSignal;
}

export interface JobOutcome {
  readonly conclusion: RunConclusion;
  readonly outputs: Readonly<Record<string, string>>;
}

export type PlayJob = (input: JobInput) => Promise<JobOutcome>;

export interface JobPlaces {
  readonly workspace: string;
  readonly temp: string;
  readonly home: string;
  readonly eventPath: string;
}
