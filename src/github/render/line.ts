/** Says that a job waits in line, that its pull request is about to be closed, and which limits were raised for it. */
import { DEFAULT_REPOSITORY_SETTINGS } from "../../contracts/settings.ts";
import type { Job } from "../../domain/job/job.ts";
import { settingOf, whenBegins, whyWaiting } from "../../domain/job/line.ts";
import { namedLimits } from "../../domain/job/raised-limits.ts";
import { code, escapeMarkdown } from "./plain.ts";

/** Null: it does not wait. */
export function inLine({ line, account }: Job): string | null {
  if (line === null) return null;
  const setting = settingOf(line.limit);
  const why = `${escapeMarkdown(whyWaiting(line, account))}${setting === null ? "" : ` (${code(setting)})`}`;
  return (
    `It waits in line as number ${line.position}, since ${why}. It begins by itself ${whenBegins(line)}. ` +
    "`/job status` brings its number up to date."
  );
}

/** Of work that a limit has ended. */
export function goesOnWithMore({ result, settings, raised, work }: Job): string | null {
  if (result?.outcome !== "limit" || work.kind !== "actions") return null;
  const { limits } = settings ?? DEFAULT_REPOSITORY_SETTINGS;
  const more = ((2 * (raised?.cost_cents ?? limits.cost_cents)) / 100).toFixed(2);
  return (
    `It goes on from there with other limits by \`/job retry --limit ${more}\` (dollars), \`--minutes\` or \`--turns\`; ` +
    "more than the settings allow is for people who administer the repository."
  );
}

const day = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** Null: nothing is to be said yet. */
export function closesSoon({ expiry, status }: Job): string | null {
  if (expiry === null || expiry.warned_at === null) return null;
  return status === "waiting_for_user"
    ? `**The job is closed on ${day(expiry.at)}** unless somebody answers until then.`
    : `**It waits for a person, and is closed on ${day(expiry.at)}** unless somebody pushes, comments or reviews until then. Its branch is kept.`;
}

export const raisedLimits = ({ raised }: Job): string | null =>
  raised === null ? null : `Limits of this round: ${namedLimits(raised)}.`;
