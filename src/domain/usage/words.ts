/** The report of a repository's month in words: `/job usage`, and the issue of a month. */
import { money } from "../../text/money.ts";
import { counted } from "../../text/plural.ts";
import { head } from "../../text/text.ts";
import { dayOf } from "./figures.ts";
import type { UsageReport, UsageRow } from "./report.ts";

/** A month of UTC, its days included. */
export interface Month {
  /** `November 2026`. */
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

const NAME = new Intl.DateTimeFormat("en", { month: "long", year: "numeric", timeZone: "UTC" });

/** `back`: 0 is the month of `now`, 1 the one before. */
export function monthOf(now: number, back = 0): Month {
  const date = new Date(now);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() - back];
  const first = Date.UTC(year, month, 1);
  return { name: NAME.format(first), from: dayOf(first), to: dayOf(Date.UTC(year, month + 1, 1)) - 1 };
}

export interface MonthUsage {
  readonly month: Month;
  readonly report: UsageReport;
}

const NOTHING = "–";

function span(seconds: number | null): string {
  if (seconds === null) return NOTHING;
  if (seconds < 90) return counted(seconds, "second");
  if (seconds < 90 * 60) return counted(Math.round(seconds / 60), "minute");
  if (seconds < 36 * 3_600) return counted(Math.round(seconds / 3_600), "hour");
  return counted(Math.round(seconds / 86_400), "day");
}

const percent = (share: number | null): string => (share === null ? "" : ` (${Math.round(share * 100)} %)`);

const cost = ({ cents, estimated_cents }: UsageRow): string =>
  estimated_cents === 0
    ? money(cents)
    : `${money(cents)}, and at most ${money(estimated_cents)} of attempts that did not tell it`;

const LINES: readonly (readonly [string, (row: UsageRow) => string])[] = [
  ["jobs", ({ jobs, open }) => (open === 0 ? String(jobs) : `${jobs}, ${open} of them open`)],
  ["merged pull requests", ({ merged, share_merged }) => `${merged}${percent(share_merged)}`],
  ["from request to merge, the median", ({ median_seconds_to_merge }) => span(median_seconds_to_merge)],
  ["more than one attempt", ({ share_second_attempts: share }) => percent(share).trim().slice(1, -1) || NOTHING],
  ["cost", cost],
  ["for each merged pull request", ({ cents_per_merged: cents }) => (cents === null ? NOTHING : money(cents))],
];

const tableOf = (names: readonly string[], rows: readonly (readonly string[])[]): string[] =>
  [names, names.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);

const MAX_NAME = 60;

/** Names may be anybody's text: as code they mention nobody and break no table. */
const asCode = (name: string): string => `\`${head(name.replace(/[^\w.:/[\]@-]/g, "?"), MAX_NAME)}\``;

const MOST = 5;

/** The requesters of the first month that has any, dearest first. */
function byRequester({ rows }: UsageReport, { name: month }: Month): string[] {
  const first = rows.slice(0, MOST);
  if (first.length < 2) return [];
  const cells = first.map(({ name, ...row }) => [
    name === null ? "schedules, triggers and keys" : asCode(name),
    ...[String(row.jobs), String(row.merged), money(row.cents + row.estimated_cents)],
  ]);
  return ["", `Who asked for the most in ${month}:`, "", ...tableOf(["by", "jobs", "merged", "cost"], cells)];
}

export interface UsageText {
  readonly text: string;
  /** Nothing happened in the first of the months. */
  readonly is_empty: boolean;
}

const isCounting = ({ report: { total } }: MonthUsage): boolean => total.jobs > 0 || total.attempts > 0;

/** Months in the order in which they are to stand, each by requester. */
export function usageText(repository: string, months: readonly MonthUsage[]): UsageText {
  const [first] = months.filter(isCounting);
  if (first === undefined) {
    const names = months.map(({ month }) => `in ${month.name}`).join(" or ");
    return { text: `No job was asked for in ${repository} ${names}.`, is_empty: true };
  }
  const rows = LINES.map(([name, of]) => [name, ...months.map(({ report }) => of(report.total))]);
  const text = [
    `What jobs of ${repository} have cost, and what came of them:`,
    "",
    ...tableOf(["", ...months.map(({ month }) => month.name)], rows),
    ...byRequester(first.report, first.month),
  ].join("\n");
  return { text, is_empty: first !== months[0] };
}
