/** What jobs of a repository have cost and came to, month by month, for comments and issues. */
import { fullName, type Repository } from "../domain/job/job.ts";
import { usageReport } from "../domain/usage/report.ts";
import { type MonthUsage, monthOf, type UsageText, usageText } from "../domain/usage/words.ts";
import type { SpendingStore } from "./ports/spending.ts";

type Reported = Required<Pick<Repository, "owner" | "name" | "id">>;

/** `back`: which months, by how many they lie before this one. */
export async function usageOfMonths(
  spending: Pick<SpendingStore, "usage">,
  repository: Reported,
  now: number,
  back: readonly number[],
): Promise<UsageText> {
  const name = fullName(repository);
  const months: MonthUsage[] = [];
  for (const each of back) {
    const month = monthOf(now, each);
    const found = spending.usage({ from: month.from, to: month.to, repository: { id: repository.id, name } });
    months.push({ month, report: await usageReport(found, "requester") });
  }
  return usageText(name, months);
}
