/** The sequence of a job's stages: its steps, and the pre and post stages of their actions. */
import { actionName, type FoundAction } from "./action-finder.ts";
import type { Row } from "./shown-steps.ts";
import type { WorkflowStep } from "./workflow-file.ts";

export interface Stage {
  readonly kind: "pre" | "main" | "post";
  readonly step: WorkflowStep;
  readonly row: Row;
  readonly condition: string;
  /** The value of `github.action`. */
  readonly name: string;
  /** Undefined for a script, a built-in action, or a workspace action before its step has begun. */
  readonly action: FoundAction | undefined;
}

export const plainName = (step: WorkflowStep): string =>
  step.name ?? `Run ${step.uses ?? (step.run ?? "").trim().split("\n")[0] ?? ""}`;

/** The action's repository and ref, for `github` and GITHUB_*; undefined when it has no repository. */
export function originOf(step: WorkflowStep): { action_repository?: string; action_ref?: string } {
  const name = step.uses === undefined ? undefined : actionName(step.uses);
  return name === undefined ? {} : { action_repository: name.repository, action_ref: name.ref };
}

/** A unique name per step: its id, or a name made from what it runs, numbered from the second on. */
export function namesOf(steps: readonly WorkflowStep[]): string[] {
  const seen = new Map<string, number>();
  return steps.map((step) => {
    if (step.id !== undefined) return step.id;
    const repository = originOf(step).action_repository?.replace("/", "_");
    const name = `__${step.run === undefined ? (repository ?? "self") : "run"}`;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name}_${count}`;
  });
}
