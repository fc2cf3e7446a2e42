/**
 * Parses a workflow file: returns a validated workflow, or why GitHub would not start it. Keys that the sandbox does
 * not support are refused by name instead of ignored.
 */
import { LRUCache } from "lru-cache";
import { parse } from "yaml";
import * as z from "zod";
import { checkText, ExpressionMistake, type Place } from "./expressions.ts";

const scalar = z
  .union([z.string(), z.number(), z.boolean(), z.null()])
  .transform((value) => (value === null ? "" : String(value)));
const texts = z.record(z.string(), scalar);
const list = z.union([z.string().transform((one) => [one]), z.array(z.string())]);
const numeric = z.union([z.number(), z.string()]);
const flag = z.union([z.boolean(), z.string()]);

const permissions = z.union([
  z.enum(["read-all", "write-all"]),
  z.record(z.string(), z.enum(["read", "write", "none"])),
  z.null().transform((): Record<string, "read" | "write" | "none"> => ({})),
]);

const concurrency = z.union([
  z.string().transform((group) => ({ group, "cancel-in-progress": false })),
  z.strictObject({ group: z.string(), "cancel-in-progress": flag.default(false) }),
]);

const defaults = z.strictObject({
  run: z.strictObject({ shell: z.string().optional(), "working-directory": z.string().optional() }).default({}),
});

const step = z
  .strictObject({
    id: z.string().optional(),
    name: scalar.optional(),
    if: scalar.optional(),
    run: z.string().optional(),
    uses: z.string().optional(),
    with: texts.default({}),
    env: texts.default({}),
    shell: z.string().optional(),
    "working-directory": z.string().optional(),
    "continue-on-error": flag.default(false),
    "timeout-minutes": numeric.optional(),
  })
  .refine((value) => (value.run === undefined) !== (value.uses === undefined), "a step needs either run or uses");

const job = z.strictObject({
  name: scalar.optional(),
  if: scalar.optional(),
  needs: list.default([]),
  "runs-on": z.union([z.string(), z.array(z.string())]),
  permissions: permissions.optional(),
  env: texts.default({}),
  defaults: defaults.default({ run: {} }),
  concurrency: concurrency.optional(),
  outputs: texts.default({}),
  "continue-on-error": flag.default(false),
  "timeout-minutes": numeric.default(360),
  steps: z.array(step).min(1).max(1000),
});

const filter = z
  .strictObject({
    branches: list.optional(),
    "branches-ignore": list.optional(),
    tags: list.optional(),
    "tags-ignore": list.optional(),
    paths: list.optional(),
    "paths-ignore": list.optional(),
    types: list.optional(),
  })
  .refine(
    (value) => !["branches", "tags", "paths"].some((key) => key in value && `${key}-ignore` in value),
    "a filter and its -ignore form cannot stand together",
  );

const input = z.strictObject({
  description: z.string().optional(),
  required: z.boolean().default(false),
  default: scalar.optional(),
  type: z.enum(["string", "boolean", "number", "choice", "environment"]).default("string"),
  options: z.array(scalar).optional(),
});
const dispatch = z.strictObject({
  inputs: z
    .record(
      z.string(),
      input.nullable().transform((value) => value ?? input.parse({})),
    )
    .default({}),
});

const nothing = z.null().transform(() => filter.parse({}));
const events = z
  .object({
    push: z.union([filter, nothing]).optional(),
    pull_request: z.union([filter, nothing]).optional(),
    issue_comment: z.union([filter, nothing]).optional(),
    check_run: z.union([filter, nothing]).optional(),
    merge_group: z.union([filter, nothing]).optional(),
    workflow_dispatch: z.union([dispatch, z.null().transform(() => dispatch.parse({}))]).optional(),
  })
  // Events that the sandbox never sends (schedule, release, …) are valid.
  .loose();
const on = z.preprocess((value) => {
  const names = typeof value === "string" ? [value] : value;
  return Array.isArray(names) ? Object.fromEntries(names.map((name) => [String(name), null])) : names;
}, events);

const workflow = z.strictObject({
  name: scalar.optional(),
  "run-name": scalar.optional(),
  on,
  permissions: permissions.optional(),
  env: texts.default({}),
  defaults: defaults.default({ run: {} }),
  concurrency: concurrency.optional(),
  jobs: z.record(z.string().regex(/^[A-Za-z_][\w-]*$/), job).refine((jobs) => Object.keys(jobs).length > 0, "no jobs"),
});

export type Workflow = z.output<typeof workflow>;
export type WorkflowEvents = z.output<typeof events>;
export type WorkflowJob = z.output<typeof job>;
export type WorkflowStep = z.output<typeof step>;
export type Filter = z.output<typeof filter>;
export type Permissions = z.output<typeof permissions>;

export type ReadWorkflow =
  | { readonly ok: true; readonly workflow: Workflow }
  /** `events` is known when only the rest of the file is invalid: the run then fails on those events only. */
  | { readonly ok: false; readonly problem: string; readonly events: WorkflowEvents | undefined };

/** GitHub reads at most 500 KB of a workflow file. */
const FILE_LIMIT = 500_000;

/** Every event asks for the same few files. */
const READ_FILES = 32;
const readFiles = new LRUCache<string, ReadWorkflow>({ max: READ_FILES });

export function readWorkflow(text: string): ReadWorkflow {
  const known = readFiles.get(text) ?? parseWorkflow(text);
  readFiles.set(text, known);
  return known;
}

function parseWorkflow(text: string): ReadWorkflow {
  if (text.length > FILE_LIMIT) return { ok: false, problem: "the file is too large", events: undefined };
  let document: unknown;
  try {
    document = parse(text);
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : String(error), events: undefined };
  }
  const known = z.object({ on }).safeParse(document);
  const events = known.success ? known.data.on : undefined;
  const read = workflow.safeParse(document);
  if (!read.success) return { ok: false, problem: z.prettifyError(read.error), events };
  const problem = needsProblem(read.data) ?? expressionProblem(read.data);
  return problem === undefined ? { ok: true, workflow: read.data } : { ok: false, problem, events };
}

function needsProblem(file: Workflow): string | undefined {
  const settled = new Set<string>();
  const open = new Map(Object.entries(file.jobs));
  for (const [id, one] of open) {
    const missing = one.needs.find((name) => !(name in file.jobs));
    if (missing !== undefined) return `job ${id} needs ${missing}, which is not a job of this workflow`;
  }
  while (open.size > 0) {
    const ready = [...open].find(([, one]) => one.needs.every((name) => settled.has(name)));
    if (!ready) return `the jobs ${[...open.keys()].join(", ")} need each other in a circle`;
    settled.add(ready[0]);
    open.delete(ready[0]);
  }
  return undefined;
}

function expressionProblem(file: Workflow): string | undefined {
  try {
    const check = (place: Place, ...values: unknown[]) => {
      for (const value of values) if (typeof value === "string") checkText(value, place);
    };
    check("run-name", file["run-name"]);
    check("concurrency", file.concurrency?.group, file.concurrency?.["cancel-in-progress"]);
    check("env", ...Object.values(file.env));
    for (const one of Object.values(file.jobs)) {
      check("job.if", one.if);
      check("job", one.name, one["continue-on-error"], one["timeout-minutes"], ...[one["runs-on"]].flat());
      check("job", one.concurrency?.group, one.concurrency?.["cancel-in-progress"]);
      check("job.env", ...Object.values(one.env));
      check("job.defaults", ...Object.values(one.defaults.run));
      check("job.outputs", ...Object.values(one.outputs));
      for (const part of one.steps) checkStep(part, check);
    }
    return undefined;
  } catch (error) {
    if (error instanceof ExpressionMistake) return error.message;
    throw error;
  }
}

function checkStep(part: WorkflowStep, check: (place: Place, ...values: unknown[]) => void): void {
  check("step.if", part.if);
  check("step", part.name, part.run, part["working-directory"], part["continue-on-error"], part["timeout-minutes"]);
  check("step", ...Object.values(part.with), ...Object.values(part.env));
}
