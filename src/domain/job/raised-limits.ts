/**
 * The limits of a round that was asked for with `/job retry --limit`. Those of the settings file are its owner's word, so
 * only people who administer the repository may go beyond them.
 */
import { DEFAULT_REPOSITORY_SETTINGS, type RepositorySettings } from "../../contracts/settings.ts";
import { counted } from "../../text/plural.ts";
import type { Command } from "./command.ts";
import { type Decision, refuse } from "./decision.ts";
import { isOnActions, type Job, type RaisedLimits } from "./job.ts";

type Limits = RepositorySettings["limits"];

const NAMES = ["cost_cents", "minutes", "turns"] as const;

const FLAGS: Readonly<Record<(typeof NAMES)[number], string>> = {
  cost_cents: "--limit",
  minutes: "--minutes",
  turns: "--turns",
};

/** What an attempt of this job may use. */
export const limitsOf = ({ raised }: Pick<Job, "raised">, { limits }: Pick<RepositorySettings, "limits">): Limits =>
  raised === null ? limits : { ...limits, ...raised };

/** What a brief allows an attempt: of a budget no more than was reserved for it. */
export function capInBrief(
  job: Pick<Job, "raised" | "reserved">,
  settings: Pick<RepositorySettings, "limits">,
): number {
  const { cost_cents } = limitsOf(job, settings);
  return job.reserved?.budgeted === true ? Math.min(cost_cents, job.reserved.cents) : cost_cents;
}

const shown = (name: (typeof NAMES)[number], value: number): string =>
  name === "cost_cents" ? `$${(value / 100).toFixed(2)}` : String(value);

/** Null: they may be had. */
export function deniedLimits(job: Job, command: Extract<Command, { type: "retry" }>): Decision | null {
  const { raised, by_admin, allowed } = command;
  if (raised === undefined) return null;
  if (!isOnActions(job))
    return refuse("invalid", "A job of the market has a price; its worker's own limits are not ours.");
  if (by_admin === true) return null;
  const limits = allowed ?? (job.settings ?? DEFAULT_REPOSITORY_SETTINGS).limits;
  const over = NAMES.find((name) => (raised[name] ?? 0) > limits[name]);
  if (over === undefined) return null;
  return refuse(
    "forbidden",
    `The settings of this repository allow ${shown(over, limits[over])} for one attempt (\`limits.${over}\`), and only ` +
      `somebody who administers it may go beyond that with \`${FLAGS[over]}\`. Ask one of them, or raise it in ` +
      "`.github/journeyman.yml`; `/job retry` alone tries again within it.",
  );
}

/** For people: `$10.00, 60 minutes`. */
export function namedLimits({ cost_cents, minutes, turns }: RaisedLimits): string {
  const parts = [
    ...(cost_cents === undefined ? [] : [shown("cost_cents", cost_cents)]),
    ...(minutes === undefined ? [] : [counted(minutes, "minute")]),
    ...(turns === undefined ? [] : [counted(turns, "turn")]),
  ];
  return parts.join(", ");
}
