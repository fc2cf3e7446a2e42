/** Plays runs of jobs that wait until a test lets them go on. */
import type { Job } from "../../src/domain/job/job.ts";
import type { HarnessOptions } from "./harness.ts";
import { scriptedRuns } from "./scripted-runs.ts";

/** Runs of jobs that wait until they are let go on, each by its branch. */
export function heldRuns(): {
  readonly options: Pick<HarnessOptions, "playJob">;
  /** The most that were under way at once. */
  most(): number;
  /** Branches in the order in which their runs began. */
  readonly begun: string[];
  letGo(job: Job): void;
  letAllGo(): void;
} {
  const gates = new Map<string, PromiseWithResolvers<void>>();
  const begun: string[] = [];
  let open = false;
  let most = 0;
  let running = 0;
  const gateOf = (branch: string) => {
    const gate = gates.get(branch) ?? Promise.withResolvers<void>();
    gates.set(branch, gate);
    if (open) gate.resolve();
    return gate;
  };
  return {
    begun,
    most: () => most,
    letGo: ({ branch }) => gateOf(branch).resolve(),
    letAllGo() {
      open = true;
      for (const gate of gates.values()) gate.resolve();
    },
    options: {
      playJob: (github) => {
        const others = scriptedRuns(github);
        return async (input) => {
          if (!input.subject.path.endsWith("/run-job.yml")) return others(input);
          const branch = input.subject.trigger.headBranch;
          begun.push(branch);
          running += 1;
          most = Math.max(most, running);
          await gateOf(branch).promise;
          return others(input).finally(() => {
            running -= 1;
          });
        };
      },
    },
  };
}
