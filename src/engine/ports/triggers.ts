/** What triggers are fired with, and what comes of it. */
import type { Trigger } from "../../contracts/automation.ts";
import type { TriggerValue, TriggerValues } from "../../contracts/trigger-template.ts";
import type { Draft } from "../../domain/job/command.ts";
import type { JobId } from "../../domain/job/job.ts";
import type { Refusal } from "../../domain/job/refusal.ts";
import type { IdentifiedRepository } from "../../domain/repository/repository.ts";

export interface TriggerNews {
  readonly repository: IdentifiedRepository;
  readonly trigger: Trigger;
  /** What tells this piece of news from all others of the trigger. */
  readonly news: string;
  readonly values: TriggerValues;
  /** Roots of placeholders; the others are text. */
  readonly roots: readonly string[];
  /** Beside what the placeholders stand for. Not bounded yet. */
  readonly more?: readonly TriggerValue[];
  /** The issue that the jobs belong to. */
  readonly issue?: number;
  /** The person's pull request whose branch the work goes to. */
  readonly target?: Draft["target"];
}

export type Fired =
  /** `events`: their ids. `again`: all of it had come of an earlier repetition. */
  | {
      readonly kind: "started";
      readonly jobs: readonly JobId[];
      readonly events: readonly string[];
      readonly again: boolean;
    }
  /** Nothing came for this placeholder, so nothing was started. */
  | { readonly kind: "missing"; readonly placeholder: string }
  /** As much as may come of it within an hour has come. */
  | { readonly kind: "full"; readonly after_ms: number }
  /** `jobs`: those that were begun before. */
  | { readonly kind: "refused"; readonly refusal: Refusal; readonly jobs: readonly JobId[] };

export type FireTrigger = (news: TriggerNews) => Promise<Fired>;

/** Keeps a sealed secret for a trigger's address; the one before counts as well for so long. */
export type IssueTriggerSecret = (
  repository_id: number,
  name: string,
  sealed: string,
  overlap_ms: number,
) => Promise<void>;
