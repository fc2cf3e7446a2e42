/** Effects of a repository: what a commit asks of GitHub and of the engine. Performed at least once, like those of jobs. */
import * as z from "zod";
import { marksOf, repositoryEventSchema } from "./events.ts";
import type { RepositoryState } from "./repository.ts";

export const repositoryEffectSchema = z.discriminatedUnion("type", [
  /**
   * Read the settings after a push that may have changed them, and say on its commit whether they are broken or mended.
   * `first`: nobody has pushed; it is read for the first time, which can wait.
   */
  z.object({ type: z.literal("read-settings"), first: z.boolean().optional() }),
  /** Say on a commit of another branch that its settings or workflow file is broken, before it is merged. */
  z.object({ type: z.literal("check-files"), sha: z.string(), pull_request: z.number().optional() }),
  /** Start a run on the default branch that fills the cache. */
  z.object({ type: z.literal("fill-cache") }),
  /** Read how far the set-up is. */
  z.object({ type: z.literal("read-set-up") }),
  /** Open the set-up pull request, or find the one that an earlier attempt has opened. */
  z.object({ type: z.literal("open-set-up-pull-request") }),
  /** Make the text of the set-up pull request say how far the set-up is, and close the pull request once all is done. */
  z.object({ type: z.literal("update-set-up-pull-request") }),
  /** Open the issue that says what jobs of a month (`2026-11`) have cost; `body` null: still to be put in. */
  z.object({ type: z.literal("report-month"), month: z.string(), body: z.string().nullable() }),
  /** Tell subscribers of webhooks. */
  z.object({ type: z.literal("publish"), event: repositoryEventSchema }),
  /** Start what a schedule is for. */
  z.object({ type: z.literal("start-schedule"), name: z.string(), due_at: z.number() }),
  /** See whether the run before is over, of which nothing was heard. */
  z.object({ type: z.literal("look-at-schedule"), name: z.string(), due_at: z.number() }),
  /** Make the issue say which schedules are paused: opened for the first, closed after the last. */
  z.object({ type: z.literal("show-schedule-notice") }),
]);

export type RepositoryEffect = Readonly<z.output<typeof repositoryEffectSchema>>;
/** What asks nothing of GitHub: of schedules. */
export type ScheduleEffect = Extract<RepositoryEffect, { type: "start-schedule" | "look-at-schedule" }>;
/** What is done on GitHub. */
export type GitHubRepositoryEffect = Exclude<RepositoryEffect, ScheduleEffect | { type: "publish" }>;

export const isOfSchedule = (effect: RepositoryEffect): effect is ScheduleEffect =>
  effect.type === "start-schedule" || effect.type === "look-at-schedule";

/** Two effects of one key are one: the later replaces the earlier. Strangers push to a fork as often as they like. */
export function repositoryEffectKey(effect: RepositoryEffect): string {
  switch (effect.type) {
    case "check-files":
      return `${effect.type}:${effect.pull_request === undefined ? effect.sha : `#${effect.pull_request}`}`;
    case "report-month":
      return `${effect.type}:${effect.month}`;
    case "publish":
      return [effect.type, effect.event.type, ...marksOf(effect.event)].join(":");
    case "start-schedule":
    case "look-at-schedule":
      return `${effect.type}:${effect.name.toLowerCase()}`;
    default:
      return effect.type;
  }
}

/** Whether an effect still makes sense: the repository may have moved on since it was asked for. */
export function isEffectWanted(
  { type }: RepositoryEffect,
  { set_up, settings }: Pick<RepositoryState, "set_up" | "settings">,
): boolean {
  switch (type) {
    case "read-settings":
    case "check-files":
    case "report-month":
    case "publish":
    case "start-schedule":
    case "look-at-schedule":
    case "show-schedule-notice":
      return true;
    case "fill-cache":
      return settings?.cache !== undefined;
    case "read-set-up":
      return set_up.phase !== "needless" && set_up.phase !== "complete";
    case "open-set-up-pull-request":
      return set_up.phase === "offering";
    case "update-set-up-pull-request":
      return set_up.pull_request !== null && set_up.phase !== "declined";
    default:
      return type satisfies never;
  }
}
