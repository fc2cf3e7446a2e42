/** One runner on one fake backend: starts it, pushes to it, and reads its logs. */
import { join } from "node:path";
import { builtProgram } from "../build.ts";
import { type Runner, type RunnerOptions, startRunner } from "../sandbox/actions/runner.ts";
import { FakeActionsBackend } from "./fake-actions-backend.ts";

export const CHECKOUT = "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8";
export const WORKFLOW = ".github/workflows/test.yml";

/** A workflow of one job whose steps are given; `on: push` unless said otherwise. */
export const workflow = (steps: string, { on = "push", top = "", job = "" } = {}): Record<string, string> => ({
  [WORKFLOW]: `name: Test\non: ${on}\n${top}\njobs:\n  one:\n    runs-on: ubuntu-latest\n${job.replaceAll(/^/gm, "    ")}\n    steps:\n${steps
    .trim()
    .replaceAll(/^/gm, "      ")}\n`,
});

/** A log without its time stamps. */
export const textOf = (log: string | undefined): string => (log ?? "").replaceAll(/^\S+ /gm, "");

type Push = NonNullable<Parameters<FakeActionsBackend["push"]>[1]>;

export class RunnerBench {
  readonly backend: FakeActionsBackend;
  readonly reports: string[] = [];
  runner: Runner;

  private constructor(backend: FakeActionsBackend, options: Partial<RunnerOptions>) {
    this.backend = backend;
    this.runner = this.#start(options);
  }

  static async open(options: Partial<RunnerOptions> = {}): Promise<RunnerBench> {
    return new RunnerBench(await new FakeActionsBackend().start(), options);
  }

  #start(options: Partial<RunnerOptions>): Runner {
    return startRunner({
      backend: this.backend.port,
      containers: {
        kind: "process",
        shim: {
          agentCommand: [process.execPath, join(this.backend.folder, "agent.mjs")],
          entrypoints: {
            other: [process.execPath, join(this.backend.folder, "other.mjs")],
            second: [process.execPath, join(this.backend.folder, "agent.mjs"), "--second"],
          },
          command: builtProgram("test/sandbox/actions/docker-shim.ts"),
        },
      },
      grace: { interruptMs: 2_000, terminateMs: 2_000 },
      report: (sentence) => this.reports.push(sentence),
      ...options,
    });
  }

  /** Another runner in the place of one that is closed. */
  restart(options: Partial<RunnerOptions>): void {
    this.runner = this.#start(options);
  }

  /** Commits the files, pushes, and waits until everything that follows has ended. */
  async play(files: Record<string, string>, change: Push = {}) {
    const message = change.message ?? "A change";
    this.backend.push(this.backend.commit(files, { branch: change.branch ?? "main", message }), change);
    await this.runner.idle();
    return { run: this.backend.runs.at(-1), job: this.backend.jobs.at(-1) };
  }

  async close(): Promise<void> {
    await this.runner.close();
    await this.backend.close();
  }
}
