/** The sequence of a job's stages: its steps, and the pre and post stages of their actions. */
import { actionName, type FoundAction } from "./action-finder.ts";
import type { Row } from "./shown-steps.ts";
import type { WorkflowStep } from "./workflow-file.ts";

export interface Stage {
  readonly kind: "pre" | "main" | "post";
  readonly step: WorkflowStep;
  readonly row: Row;
  readonly condition: string;
  /** What `github.action` says. */
  readonly name: string;
  /** Undefined: a script, an action that is played by name, or one of the workspace before its step has begun. */
  readonly action: FoundAction | undefined;
}

export const plainName = (step: WorkflowStep): string =>
  step.name ?? `Run ${step.uses ?? (step.run ?? "").trim().split("\n")[0] ?? ""}`;

/** Where an action is from, for `github` and GITHUB_*; all undefined for what has no repository. */
export function originOf(step: WorkflowStep): { action_repository?: string; action_ref?: string } {
  const name = step.uses === undefined ? undefined : actionName(step.uses);
  return name === undefined ? {} : { action_repository: name.repository, action_ref: name.ref };
}

/** One name for each step: its id, or one made of what it runs, numbered from the second on. */
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
