/** What is to be done, now or later, by any process that works on the store. */

export const TASK_KINDS = [
  ...(["delivery", "job-effects", "job-events", "repository-effects"] as const),
  ...(["job-timer", "repository-timer"] as const),
  ...(["line", "limits", "budget-news", "catch-up"] as const),
  ...(["debts", "attachment", "first-reading"] as const),
  ...(["reconcile", "prune", "attachments"] as const),
] as const;
export type TaskKind = (typeof TASK_KINDS)[number];

/** The key of a task that is about nothing in particular. */
export const ANY = "";

/** Of one kind and key there is one task: a later one replaces it while it waits, and runs once more after it while it runs. */
export interface Task {
  readonly kind: TaskKind;
  readonly key: string;
  /** Tasks of one lane run one after another, in the order in which they are due. Missing: a lane of its own. */
  readonly lane?: string;
  /** Whose turn it takes: the installation. Missing: all without one share a turn. */
  readonly tenant?: number;
  /** In milliseconds since the epoch; missing: now. */
  readonly at?: number;
}

export interface TaskRun {
  /** An earlier run never came to its end: it threw, or its process died. What it did may have had its effect. */
  readonly again: boolean;
  /** How often in a row it has thrown or asked for another run. */
  readonly failures: number;
  /** Aborted when the process is to stop: what takes long ends early. */
  readonly signal: AbortSignal;
}

/** Null: it is done. Where the task was scheduled meanwhile, that counts instead. */
export type TaskAnswer = { readonly again_at: number } | null;

export interface TaskHandler {
  /** At once, in this process; tenants share them in turn. */
  readonly slots: number;
  /** Where it throws, it is run again after a while, for ever. */
  perform(key: string, run: TaskRun): Promise<TaskAnswer>;
}

export type TaskHandlers = Readonly<Record<TaskKind, TaskHandler>>;

/** Every task runs at least once. Commits schedule what follows from them by themselves (`src/store/tasks.ts`). */
export interface WorkQueue {
  schedule(tasks: readonly Task[]): Promise<void>;
  /**
   * Once at a time for each process. Works until it is disposed of, which lets work under way finish. `failed` is told of
   * each run that threw.
   */
  work(handlers: TaskHandlers, failed: (task: Task, error: unknown) => void): Promise<AsyncDisposable>;
}
