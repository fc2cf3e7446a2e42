/**
 * Decides whether an event starts a workflow. Facts that need git (changed files, the head's message) are requested
 * through `TriggerFacts`, only when needed.
 */
import * as z from "zod";
import type { WorkflowTrigger } from "../ports.ts";
import { branchPasses, filtersPaths, pathsPass, refPasses } from "./filters.ts";
import type { Filter, WorkflowEvents } from "./workflow-file.ts";

export interface TriggerFacts {
  /** Files for path filters; undefined when git cannot tell, and then GitHub runs the workflow. */
  changedFiles(): Promise<readonly string[] | undefined>;
  headMessage(): Promise<string>;
}

const SKIP_WORDS = /\[(?:skip ci|ci skip|no ci|skip actions|actions skip)\]/i;
const SKIP_TRAILER = /\n\n(?:.*\n)*skip-checks:\s*true\s*$/i;

export const asksToSkip = (message: string): boolean =>
  SKIP_WORDS.test(message) || SKIP_TRAILER.test(message.trimEnd());

const PULL_REQUEST_TYPES = ["opened", "synchronize", "reopened"];

const pushed = z.object({
  ref: z.string().optional(),
  deleted: z.boolean().optional(),
  head_commit: z.object({ message: z.string() }).nullish(),
});
const pulled = z.object({ pull_request: z.object({ base: z.object({ ref: z.string() }) }) });

export async function starts(
  on: WorkflowEvents,
  path: string,
  trigger: WorkflowTrigger,
  facts: TriggerFacts,
): Promise<boolean> {
  if (trigger.byWorkflowToken && trigger.event !== "workflow_dispatch") return false;
  switch (trigger.event) {
    case "workflow_dispatch":
      return on.workflow_dispatch !== undefined && trigger.workflowPath === path;
    case "push":
      return on.push !== undefined && pushStarts(on.push, trigger, facts);
    case "pull_request":
      return on.pull_request !== undefined && pullRequestStarts(on.pull_request, trigger, facts);
    case "issue_comment":
    case "check_run":
    case "merge_group":
      return typePasses(on[trigger.event], trigger.action, undefined);
    default: {
      const never: never = trigger.event;
      throw new Error(`unknown event ${String(never)}`);
    }
  }
}

function typePasses(
  filter: Filter | undefined,
  action: string | undefined,
  usual: readonly string[] | undefined,
): boolean {
  if (filter === undefined) return false;
  const types = filter.types ?? usual;
  return types === undefined || (action !== undefined && types.includes(action));
}

async function pushStarts(filter: Filter, trigger: WorkflowTrigger, facts: TriggerFacts): Promise<boolean> {
  const push = pushed.safeParse(trigger.payload);
  // A deletion runs workflows of the default branch, filtered by the deleted branch's name.
  if (!refPasses(filter, (push.success && push.data.ref) || trigger.ref)) return false;
  const message = push.success ? push.data.head_commit?.message : undefined;
  if (asksToSkip(message ?? (await facts.headMessage()))) return false;
  // A deleted branch has no changed files.
  if (push.success && push.data.deleted === true) return !filtersPaths(filter);
  return changesPass(filter, facts);
}

async function pullRequestStarts(filter: Filter, trigger: WorkflowTrigger, facts: TriggerFacts): Promise<boolean> {
  if (!typePasses(filter, trigger.action, PULL_REQUEST_TYPES)) return false;
  const pull = pulled.safeParse(trigger.payload);
  if (!pull.success || !branchPasses(filter, pull.data.pull_request.base.ref)) return false;
  if (asksToSkip(await facts.headMessage())) return false;
  return changesPass(filter, facts);
}

async function changesPass(filter: Filter, facts: TriggerFacts): Promise<boolean> {
  if (!filtersPaths(filter)) return true;
  const changed = await facts.changedFiles();
  return changed === undefined || pathsPass(filter, changed);
}
