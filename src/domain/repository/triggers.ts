/**
 * What is kept of a repository's triggers beside what its files say: the secrets of their addresses, when one was
 * called more often than it may be, and for which news it has sent events.
 */
import * as z from "zod";
import type { Automation, Trigger } from "../../contracts/automation.ts";
import type { CheckNews } from "./trigger-news.ts";

const time = z.number();

const triggerStateSchema = z.object({
  /** In lower case. */
  name: z.string(),
  /** Sealed. Null: none was issued. */
  secret: z.object({ sealed: z.string(), issued_at: time }).nullable(),
  /** The one before, which counts as well for a while. */
  old_secret: z.object({ sealed: z.string(), until: time }).nullable(),
  /** When a call was refused since it had started as many jobs as it may; null: none was. */
  refused_at: time.nullable(),
  /** The check of the default branch that it has last started a job for, and how often since that passed; null: it passes. */
  broken: z
    .object({ check: z.string(), sha: z.string(), run: z.number(), in_a_row: z.number() })
    .nullable()
    .default(null),
  /** The news that it has sent events for, the newest last. */
  told: z.array(z.string()).default([]),
});

export const triggerStatesSchema = z.array(triggerStateSchema);

export type TriggerState = Readonly<z.output<typeof triggerStateSchema>>;

interface OfTriggers {
  readonly triggers: readonly TriggerState[];
  readonly automation: Automation;
}

/** Names are told apart without regard to case. */
export const triggerKey = (name: string): string => name.toLowerCase();

export const triggerState = ({ triggers }: Pick<OfTriggers, "triggers">, name: string): TriggerState =>
  triggers.find((one) => one.name === triggerKey(name)) ?? {
    ...{ name: triggerKey(name), secret: null, old_secret: null, refused_at: null, broken: null, told: [] },
  };

/** Whether an action of it is a job; the others are events. */
export const startsJobs = ({ actions }: Pick<Trigger, "actions">): boolean =>
  actions.some(({ type }) => type === "agent");

export const withTrigger = (state: OfTriggers, next: TriggerState): readonly TriggerState[] => [
  ...state.triggers.filter((one) => one.name !== next.name),
  next,
];

export type TriggerCommand =
  /** A secret for its address, sealed. `overlap_ms`: so long the one before counts as well. */
  | {
      readonly type: "trigger-secret-issued";
      readonly name: string;
      readonly sealed: string;
      readonly overlap_ms: number;
    }
  /** A call was refused since it had started as many jobs as it may. */
  | { readonly type: "trigger-refused"; readonly name: string }
  /** It has started a job for a check of the default branch that fails. */
  | { readonly type: "trigger-broken"; readonly name: string; readonly check: CheckNews }
  /** That check passes. */
  | { readonly type: "trigger-mended"; readonly name: string };

/** So many commits may break one after another before it starts nothing more until the check passes. */
export const MOST_IN_A_ROW = 3;

/** A refusal is noted once in an hour. */
const REFUSED_GAP_MS = 3_600_000;

/** What a trigger has become; null: nothing of it has changed. */
export function triggersAfter(state: OfTriggers, command: TriggerCommand, now: number): readonly TriggerState[] | null {
  const before = triggerState(state, command.name);
  switch (command.type) {
    case "trigger-secret-issued": {
      // a trigger that comes back with a reverted commit still has its secret; one that is long gone does not
      const there = new Set(state.automation.triggers.map(({ name }) => triggerKey(name)));
      const triggers = state.triggers.filter(({ name }) => there.has(name));
      const { secret } = before;
      const old_secret =
        secret === null || command.overlap_ms === 0 ? null : { sealed: secret.sealed, until: now + command.overlap_ms };
      return withTrigger(
        { ...state, triggers },
        { ...before, secret: { sealed: command.sealed, issued_at: now }, old_secret },
      );
    }
    case "trigger-refused":
      return before.refused_at !== null && now - before.refused_at < REFUSED_GAP_MS
        ? null
        : withTrigger(state, { ...before, refused_at: now });
    case "trigger-broken": {
      const { name: check, sha, run } = command.check;
      const in_a_row = (before.broken?.in_a_row ?? 0) + 1;
      return before.broken?.sha === sha
        ? null
        : withTrigger(state, { ...before, broken: { check, sha, run, in_a_row } });
    }
    case "trigger-mended":
      return before.broken === null ? null : withTrigger(state, { ...before, broken: null });
    default:
      return command satisfies never;
  }
}
