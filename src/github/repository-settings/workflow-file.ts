/** Judges `.github/workflows/run-job.yml`: whether it starts jobs, and what is wrong with it where it does not. */
import { parseDocument } from "yaml";
import * as z from "zod";
import type { WorkflowFacts, WorkflowMistake } from "../../domain/repository/repository.ts";
import { yamlOutOfBounds } from "../../text/yaml-bounds.ts";

/** A longer file is not read. */
export const WORKFLOW_MAX_BYTES = 64 * 1024;
const MAX_ALIASES = 20;

/** The folder of the run action, whoever has published it. */
const RUN_ACTION = /(?:^|\/)\.github\/actions\/run-job(?:@|$)/;
/** Stands in the workflow of before the run action, which ran the agent's image by itself. */
const OUTDATED = "JOURNEYMAN_AGENT_IMAGE";

const triggers = z.union([z.string(), z.array(z.string()), z.record(z.string(), z.unknown())]);
const permissions = z.union([z.string(), z.record(z.string(), z.string())]).nullish();
const step = z.object({ uses: z.string().optional().catch(undefined) }).catch({});
const job = z.object({ permissions: permissions.catch(null), steps: z.array(step).catch([]) });
const workflow = z.object({ on: triggers, permissions: permissions.catch(null), jobs: z.record(z.string(), job) });

type Workflow = z.output<typeof workflow>;
type Permissions = z.output<typeof permissions>;

export interface WorkflowBlob {
  readonly text: string | null;
  readonly isTruncated: boolean;
}

const UNREADABLE: WorkflowFacts = { mistakes: ["unreadable"], outdated: false };

function parsed(text: string): Workflow | null {
  if (Buffer.byteLength(text) > WORKFLOW_MAX_BYTES || yamlOutOfBounds(text) !== null) return null;
  // YAML 1.2 has no other word for true, so `on` stays the name of a key.
  const document = parseDocument(text, { prettyErrors: false });
  if (document.errors.length > 0) return null;
  try {
    return workflow.safeParse(document.toJS({ maxAliasCount: MAX_ALIASES })).data ?? null;
  } catch {
    return null;
  }
}

function triggersOf({ on }: Workflow): ReadonlyMap<string, unknown> {
  if (typeof on === "string") return new Map([[on, null]]);
  return Array.isArray(on) ? new Map(on.map((name) => [name, null])) : new Map(Object.entries(on));
}

const names = z
  .union([z.string().transform((name) => [name]), z.array(z.string())])
  .optional()
  .catch(undefined);
const pushFilter = z
  .object({ branches: names, "branches-ignore": names, tags: names, "tags-ignore": names })
  .nullable()
  .catch(null);

/** Patterns for the branches of all jobs. */
const ALL_JOBS = /^(?:\*\*|(?:\*\*?|job)\/\*\*?)$/;

/** Whether a push to `job/{id}` starts it. The last pattern that fits counts. */
function hearsJobs(on: ReadonlyMap<string, unknown>): boolean {
  if (!on.has("push")) return false;
  const filter = pushFilter.parse(on.get("push") ?? null);
  const ignored = filter?.["branches-ignore"];
  if (ignored !== undefined) return !ignored.some((name) => ALL_JOBS.test(name));
  const last = filter?.branches?.findLast((name) => ALL_JOBS.test(name.replace(/^!/, "")));
  if (filter?.branches !== undefined) return last !== undefined && !last.startsWith("!");
  return filter?.tags === undefined && filter?.["tags-ignore"] === undefined;
}

const grants = (given: Permissions, name: string): boolean =>
  typeof given === "string" ? given === "write-all" : given?.[name] === "write";

/** Null: there is no such file. */
export function workflowFactsOf(blob: WorkflowBlob | null): WorkflowFacts | null {
  if (blob === null) return null;
  const file = blob.text === null || blob.isTruncated ? null : parsed(blob.text);
  if (file === null) return UNREADABLE;
  const on = triggersOf(file);
  const jobs = Object.values(file.jobs);
  const runs = jobs.filter(({ steps }) => steps.some(({ uses }) => uses !== undefined && RUN_ACTION.test(uses)));
  const outdated = runs.length === 0 && blob.text?.includes(OUTDATED) === true;
  const may = (name: string): boolean =>
    (outdated ? jobs : runs).some((one) => grants(one.permissions ?? file.permissions, name));
  const found: Readonly<Record<WorkflowMistake, boolean>> = {
    unreadable: false,
    no_push_trigger: !hearsJobs(on),
    no_dispatch_trigger: !on.has("workflow_dispatch"),
    no_run_action: runs.length === 0 && !outdated,
    no_identity: (runs.length > 0 || outdated) && !may("id-token"),
    no_write_access: (runs.length > 0 || outdated) && !may("contents"),
  };
  const mistakes = (Object.keys(found) as WorkflowMistake[]).filter((name) => found[name]);
  return { mistakes, outdated };
}

/** Its jobs run beside a gateway, which keeps them inside their cap. One that cannot be read may do anything. */
export function usesRunAction(blob: WorkflowBlob | null): boolean {
  const facts = workflowFactsOf(blob);
  return (
    facts !== null && !facts.outdated && !facts.mistakes.some((one) => one === "unreadable" || one === "no_run_action")
  );
}

/** Whether a workflow of this text runs on pull requests; null: it cannot be read. */
export function runsOnPullRequests(blob: WorkflowBlob | null): boolean | null {
  const file = blob === null || blob.text === null || blob.isTruncated ? null : parsed(blob.text);
  if (file === null) return null;
  const on = triggersOf(file);
  return on.has("pull_request") || on.has("pull_request_target");
}
