/**
 * Cron expressions of schedules. A `Cron` object holds tens of kilobytes, so none is kept: what is kept of a schedule is
 * its expression, its zone and its next time.
 */
import { Cron, CronPattern } from "croner";

/** Between two times of one schedule. */
export const MIN_MINUTES = 5;

const NICKNAMES = ["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"];
const FIELDS = 5;
/** Without `?`, which would stand for the moment in which it is read, and `+`, which nobody else knows. */
const FIELD = /^[0-9A-Za-z*,/#-]+$/;
const MODE = { mode: "5-part" } as const;
const LONGEST_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const HOURS = 24;
const MINUTES = 60;

const NOT_ONE =
  "is not a cron expression of five fields (minute, hour, day, month, weekday) such as `0 9 * * 1-5`, nor one of " +
  NICKNAMES.join(", ");

function patternOf(expression: string): CronPattern | null {
  const isNickname = NICKNAMES.includes(expression.toLowerCase());
  const fields = expression.split(/\s+/);
  if (!isNickname && (fields.length !== FIELDS || !fields.every((field) => FIELD.test(field)))) return null;
  try {
    return new CronPattern(expression, "UTC", MODE);
  } catch {
    return null;
  }
}

const set = (flags: readonly number[]): number[] => flags.flatMap((flag, at) => (flag === 0 ? [] : [at]));

/** The least number of minutes between two times. */
function leastGap({ minute, hour }: CronPattern): number {
  const minutes = set(minute);
  const gaps = minutes.slice(1).map((at, before) => at - (minutes[before] ?? 0));
  const hours = set(hour);
  const isAdjacent = hours.some((at) => hours.includes((at + 1) % HOURS));
  const around = (minutes[0] ?? 0) + MINUTES - (minutes.at(-1) ?? 0);
  return Math.min(...gaps, isAdjacent ? around : MINUTES);
}

/** Looked up rather than searched for: a search goes through all days of many years. */
function hasDay(pattern: CronPattern): boolean {
  if (!pattern.starDOW || pattern.lastDayOfMonth || pattern.lastWeekday) return true;
  const days = [...set(pattern.day), ...set(pattern.nearestWeekdays)];
  return set(pattern.month).some((month) => days.some((day) => day < (LONGEST_MONTHS[month] ?? 0)));
}

/** What is wrong with it, as the end of a sentence about it; null: nothing. */
export function cronMistake(expression: string): string | null {
  const pattern = patternOf(expression);
  if (pattern === null) return NOT_ONE;
  if (leastGap(pattern) < MIN_MINUTES)
    return `starts more often than every ${MIN_MINUTES} minutes, such as \`*/${MIN_MINUTES} * * * *\``;
  return hasDay(pattern) ? null : "names a day that never comes";
}

/** Whether this is the IANA name of a zone. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

/**
 * The first time after this one, in milliseconds since the epoch; null: none. A time that daylight saving leaves out comes
 * right after the gap, once; of an hour that comes twice, a time comes the first time alone, unless it is of every hour.
 */
export function nextTime(expression: string, timezone: string, after: number): number | null {
  try {
    const cron = new Cron(expression, { ...MODE, timezone, paused: true });
    return cron.nextRun(new Date(after))?.getTime() ?? null;
  } catch {
    return null;
  }
}
