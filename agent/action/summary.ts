/** Writes the run's summary on GitHub. The agent's text appears in code blocks, where Markdown has no effect. */
import type { Result } from "../../src/contracts/result.ts";
import { head } from "../../src/text/text.ts";

/** Characters. GitHub takes 1 MiB per step. */
const SUMMARY_LIMIT = 60_000;
const NAMES_LIMIT = 20;
const NAME_LENGTH = 300;

const longestRun = (text: string): number => Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));

/** A code block that its content cannot close. */
export function asCode(text: string): string {
  const fence = "`".repeat(Math.max(3, longestRun(text) + 1));
  return `${fence}text\n${text.replace(/[^\P{C}\n\t]/gu, " ")}\n${fence}`;
}

/** Inline code on one line, also inside a table. */
export function asWord(text: string): string {
  const plain = head(text.replace(/[\p{C}\s|]+/gu, " ").trim(), NAME_LENGTH);
  const ticks = "`".repeat(longestRun(plain) + 1);
  return `${ticks} ${plain} ${ticks}`;
}

export interface Summary {
  readonly result: Result | null;
  readonly putBack: readonly string[];
  /** Sentences of our own. */
  readonly notes: readonly string[];
  /** GitHub's message about a rejected push. */
  readonly refusal: string | null;
}

export function summaryOf({ result, putBack, notes, refusal }: Summary): string {
  const rows = result === null ? [] : tableOf(result);
  const names = putBack.slice(0, NAMES_LIMIT).map(asWord).join(", ");
  const parts = [
    "## Job",
    rows.length === 0 ? "" : ["| | |", "| - | - |", ...rows].join("\n"),
    ...[result?.reason ?? "", result?.body ?? ""].filter((text) => text.trim() !== "").map(asCode),
    names === "" ? "" : `Restored, because jobs may not change these files: ${names}`,
    refusal === null ? "" : `GitHub rejected the push:\n\n${asCode(refusal)}`,
    ...notes,
  ];
  return `${head(parts.filter((part) => part !== "").join("\n\n"), SUMMARY_LIMIT)}\n`;
}

function tableOf({ title, outcome, model, usage, cost_cents }: Result): string[] {
  const cost = cost_cents === null ? "unknown" : `${cost_cents.toFixed(1)} cents`;
  const rows: (readonly [string, string])[] = [
    ["Title", title],
    ["Outcome", outcome],
    ["Model", model],
    ["Turns", String(usage.turns)],
    ["Tokens in / out", `${usage.input_tokens} / ${usage.output_tokens}`],
    ["Cost", cost],
  ];
  return rows.filter(([, value]) => value.trim() !== "").map(([name, value]) => `| ${name} | ${asWord(value)} |`);
}
