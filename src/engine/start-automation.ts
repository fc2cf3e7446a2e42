/** Starts the jobs of schedules and triggers: whatever happens in between, one piece of news makes one job. */
import { createHash } from "node:crypto";
import { DEFAULT_REPOSITORY_SETTINGS } from "../contracts/settings.ts";
import type { TriggerValue } from "../contracts/trigger-template.ts";
import { accountOfRepository } from "../domain/job/account.ts";
import type { Draft } from "../domain/job/command.ts";
import { asJobId, type JobId, type Origin } from "../domain/job/job.ts";
import { titleOf } from "../domain/job/title.ts";
import type { IdentifiedRepository } from "../domain/repository/repository.ts";
import { head } from "../text/text.ts";
import type { Handled } from "./ports/service.ts";

type AutomationOrigin = Extract<Origin, { kind: "schedule" | "trigger" }>;

export interface AutomationTask {
  readonly repository: IdentifiedRepository;
  readonly origin: AutomationOrigin;
  readonly task: string;
  readonly provider?: string | undefined;
  readonly model?: string | undefined;
  /** What the placeholders of the task stand for. */
  readonly values?: readonly TriggerValue[];
  /** The person's pull request whose branch the work goes to. */
  readonly target?: NonNullable<Draft["target"]>;
}

const ID_LENGTH = 8;

/** Always the same for the same news, so that a repetition finds the job that is there. */
export function automationJobId({ id }: IdentifiedRepository, origin: AutomationOrigin): JobId {
  // a schedule stays the same where the letters of its name change their case
  const [name, news] =
    origin.kind === "schedule" ? [origin.name.toLowerCase(), origin.due_at] : [origin.name, origin.event];
  const hash = createHash("sha256").update(JSON.stringify([id, origin.kind, name, news]));
  const digits = BigInt(`0x${hash.digest("hex")}`)
    .toString(36)
    .padStart(ID_LENGTH, "0");
  const drawn = asJobId(head(digits, ID_LENGTH));
  if (drawn === null) throw new Error("The id of a job is eight letters and digits");
  return drawn;
}

export const automationDraft = ({
  repository,
  origin,
  task,
  provider,
  model,
  values = [],
  target,
}: AutomationTask): Omit<Draft, "id"> => {
  const { id, owner, name, installation_id } = repository;
  return {
    account: accountOfRepository(id),
    repository: { id, owner, name, installation_id },
    runner: "actions",
    origin,
    requester: null,
    title: titleOf(task),
    task,
    ...(values.length === 0 ? {} : { trigger_values: values }),
    choices: { provider: provider ?? null, model: model ?? null, no_merge: false, draft: false },
    callback_url: null,
    base_branch: target?.branch ?? null,
    ...(target === undefined ? {} : { target }),
    price_cents: 0,
    time_limit_seconds: DEFAULT_REPOSITORY_SETTINGS.limits.minutes * 60,
  };
};

export type StartAutomation = (task: AutomationTask) => Promise<Handled>;

export const createStartAutomation =
  (create: (draft: Omit<Draft, "id">, id: JobId) => Promise<Handled>): StartAutomation =>
  (task) =>
    create(automationDraft(task), automationJobId(task.repository, task.origin));
