/**
 * Work that starts by itself: schedules and triggers, as `.github/journeyman.yml`, `config/CRONS.json` and
 * `config/TRIGGERS.json` on the default branch say them. The two JSON files keep the names of create-job's documentation.
 */
import * as z from "zod";
import { cronMistake, isTimeZone } from "./cron.ts";
import { namesOf, type On, onSchema, rootsOf } from "./trigger-events.ts";
import { CALL_ROOTS, templateMistake } from "./trigger-template.ts";

/** Files with schedules or triggers, in the order in which they count: of two with one name the first does. */
export const AUTOMATION_FILES = [".github/journeyman.yml", "config/CRONS.json", "config/TRIGGERS.json"] as const;
export type AutomationFile = (typeof AUTOMATION_FILES)[number];

/** How many of each one file may have. */
export const MAX_AUTOMATIONS = 100;
export const MAX_AUTOMATION_TASK = 20_000;

const name = z
  .string()
  .regex(/^[A-Za-z0-9][\w.-]{0,62}$/, "is a name of letters, digits, dots, dashes and underscores");
const task = z.string().trim().max(MAX_AUTOMATION_TASK);
const choice = z.string().min(1).max(200).optional();

/** What is done: a job of the agent's, or a signed event to those who have subscribed. A command is refused in words. */
const action = {
  type: z.enum(["agent", "webhook", "command"]).default("agent"),
  /** The task of a job, or the words of an event, which may have none. */
  job: task.optional(),
  /** What `type: command` has in create-job's files. It is never run. */
  command: task.optional(),
  llm_provider: choice,
  llm_model: choice,
};

const actionSchema = z.strictObject(action);
type Action = z.output<typeof actionSchema>;

const enabled = z.boolean().default(true);

/** Nothing of a repository runs on the server, and a job needs something to do. */
function checkAction({ type, job, command }: Pick<Action, "type" | "job" | "command">, context: z.RefinementCtx) {
  const wrong = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
  if (type === "command")
    wrong(
      "type",
      "is `command`, but nothing of a repository runs on the server: use `agent`, or a workflow of your own",
    );
  else if (command !== undefined) wrong("command", "is for `type: command`, which is refused; a task stands in `job`");
  if (type === "agent" && (job ?? "") === "") wrong("job", "is missing: it is the task of the job");
}

const scheduleFields = {
  name,
  /** A cron expression. */
  schedule: z.string().trim().min(1).max(200),
  /** An IANA name. */
  timezone: z.string().min(1).max(64).default("UTC"),
  enabled,
  ...action,
};

export const scheduleSchema = z
  .strictObject({
    ...scheduleFields,
    schedule: scheduleFields.schedule.superRefine((expression, context) => {
      const message = cronMistake(expression);
      if (message !== null) context.addIssue({ code: "custom", message });
    }),
    timezone: scheduleFields.timezone.refine(isTimeZone, { error: "is no time zone; name one as `Europe/Berlin`" }),
  })
  .superRefine(checkAction);

/** How many jobs and events come of a trigger within an hour at most, unless it says another number. */
export const DEFAULT_JOBS_PER_HOUR = 10;

const triggerFields = {
  name,
  /** The path of create-job's documentation, which stands in the address as well as the name does. */
  watch_path: z
    .string()
    .max(200)
    .regex(/^\/?[\w.~/-]+$/, "is a path, such as /webhook")
    .optional(),
  /** An event of GitHub; missing: the trigger is called by its address. */
  on: onSchema.optional(),
  actions: z.array(actionSchema).min(1).max(10),
  jobs_per_hour: z.number().int().min(1).max(1_000).default(DEFAULT_JOBS_PER_HOUR),
  enabled,
};

const triggerShape = z.strictObject(triggerFields);

/** What is wrong with an action of a trigger, as the end of a sentence about it; null: nothing. */
function actionMistake({ type, job = "", command }: Action, on: On | undefined): string | null {
  if (type !== "command" && command !== undefined)
    return "has a `command`, which is for `type: command`, and that is refused; a task stands in `job`";
  switch (type) {
    case "command":
      return "is a command, and no command runs on the server: write `type: agent`, with what the command is for as its `job`";
    case "agent":
    case "webhook":
      if (type === "agent" && job === "") return "has no `job`, which is the task of the agent";
      return on === undefined ? templateMistake(job, CALL_ROOTS) : templateMistake(job, rootsOf(on), namesOf(on));
    default:
      return type satisfies never;
  }
}

/** What is off may be wrong: it may stand there as an example. */
export const triggerSchema = triggerShape.superRefine((trigger, { addIssue }) => {
  if (!trigger.enabled) return;
  for (const [at, one] of trigger.actions.entries()) {
    const message = actionMistake(one, trigger.on);
    if (message !== null) addIssue({ code: "custom", path: ["actions", at], message });
  }
  const { actions, jobs_per_hour } = trigger;
  if (actions.length > jobs_per_hour)
    addIssue({
      ...{ code: "custom", path: ["jobs_per_hour"] },
      message: `is less than its ${actions.length} actions start at once`,
    });
});

const unique = <T extends { readonly name: string }>(all: readonly T[]): boolean =>
  new Set(all.map((one) => one.name.toLowerCase())).size === all.length;

const listOf = <T extends z.ZodType<{ readonly name: string }>>(schema: T) =>
  z.array(schema).max(MAX_AUTOMATIONS).refine(unique, { error: "has two entries of one name" });

export const schedulesSchema = listOf(scheduleSchema);
export const triggersSchema = listOf(triggerSchema);

const from = z.enum(AUTOMATION_FILES);

/**
 * What all files together say, each with the file that it stands in, and what is wrong with them, in sentences. It is
 * stored, and was checked when it was read.
 */
export const automationSchema = z.object({
  schedules: z.array(z.object({ ...scheduleFields, from })),
  triggers: z.array(z.object({ ...triggerFields, from })),
  problems: z.array(z.object({ from, problem: z.string() })),
});

export type Schedule = z.output<typeof scheduleSchema>;
export type Trigger = z.output<typeof triggerShape>;
export type Automation = z.output<typeof automationSchema>;

export const NO_AUTOMATION: Automation = { schedules: [], triggers: [], problems: [] };
