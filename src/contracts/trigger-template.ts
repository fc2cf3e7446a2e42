/**
 * Placeholders in the task of a trigger: `{{body.a.b}}`, `{{query.x}}`, `{{headers.y}}`, and each root as a whole. They
 * stay in the task as they stand; what they stand for goes beside it, as data. Any other braces are text.
 */
import { head } from "../text/text.ts";
import { sanitize } from "./sanitize.ts";

/** A value under its placeholder, as the agent is shown it. */
export interface TriggerValue {
  /** Without the braces: `body.issue.title`. */
  readonly name: string;
  /** Sanitised, and bounded. */
  readonly text: string;
}

/** What came in, by the name of its root. */
export type TriggerValues = Readonly<Record<string, unknown>>;

/** In one task. */
export const MAX_PLACEHOLDERS = 30;
/** In characters: of one value, and of all together. */
export interface ValueBounds {
  readonly one: number;
  readonly together: number;
}

/** Of a job. */
export const MAX_VALUE = 20_000;
export const MAX_VALUES_TOGETHER = 60_000;
const OF_JOB: ValueBounds = { one: MAX_VALUE, together: MAX_VALUES_TOGETHER };
const MAX_PARTS = 10;

/** Roots that a caller sends. */
export const CALL_ROOTS = ["body", "query", "headers"] as const;

/** No name has braces or spaces, so that each opening is looked through once. */
const PLACEHOLDER = /\{\{[ \t]{0,8}([A-Za-z_]{1,20}(?:\.[\w-]{1,100}){0,20})[ \t]{0,8}\}\}/g;

/** What every object has, whoever sent it. */
const INHERITED = new Set(["__proto__", "constructor", "prototype"]);

/** Headers that hold what proves who calls, or that may. */
const SECRET_HEADER = /auth|cookie|key|password|secret|signature|token/i;

export const isSecretHeader = (name: string): boolean => SECRET_HEADER.test(name);

const shown = (name: string): string => `\`{{${name}}}\``;

/** The placeholders of a task, each once, without their braces. */
export const placeholdersIn = (task: string, roots: readonly string[]): readonly string[] => [
  ...new Set(
    Array.from(task.matchAll(PLACEHOLDER), ([, name = ""]) => name).filter((name) =>
      roots.includes(name.split(".", 1)[0] ?? ""),
    ),
  ),
];

/**
 * What is wrong with a task's placeholders, as the end of a sentence about it; null: nothing. `known`: the only ones that
 * there are; missing: whatever a caller sends.
 */
export function templateMistake(task: string, roots: readonly string[], known?: readonly string[]): string | null {
  const names = placeholdersIn(task, roots);
  if (names.length > MAX_PLACEHOLDERS) return `has more than ${MAX_PLACEHOLDERS} placeholders`;
  for (const name of names) {
    const parts = name.split(".");
    if (known !== undefined && !known.includes(name))
      return `has the placeholder ${shown(name)}; there is ${known.map(shown).join(", ")}`;
    if (parts.length > MAX_PARTS) return `has the placeholder ${shown(name)}, which has more than ${MAX_PARTS} parts`;
    if (parts.some((part) => INHERITED.has(part)))
      return `has the placeholder ${shown(name)}, which names no field of what is sent`;
    if (parts[0] === "headers" && parts.length > 1 && isSecretHeader(parts.slice(1).join(".")))
      return `has the placeholder ${shown(name)}, whose header may hold a secret`;
  }
  return null;
}

/** Own fields alone; of a list by its number. */
function valueAt(values: TriggerValues, name: string): unknown {
  let at: unknown = values;
  for (const part of name.split(".")) {
    if (typeof at !== "object" || at === null || INHERITED.has(part) || !Object.hasOwn(at, part)) return undefined;
    at = Reflect.get(at, part);
  }
  return at;
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value, null, 1));

function bounded(text: string, most: number): string {
  const clean = sanitize(text);
  if (clean.length <= most) return clean;
  const kept = head(clean, Math.max(0, most));
  return `${kept}\n[${clean.length - kept.length} more characters were left out]`;
}

/** One that is told whatever the task names. */
export const boundedValue = (text: string, { one }: Pick<ValueBounds, "one"> = OF_JOB): string => bounded(text, one);

export type FilledTemplate =
  | { readonly ok: true; readonly values: readonly TriggerValue[] }
  /** The first placeholder for which nothing came. */
  | { readonly ok: false; readonly missing: string };

/** What the placeholders of a task stand for. */
export function fillTemplate(
  task: string,
  values: TriggerValues,
  roots: readonly string[],
  { one, together }: ValueBounds = OF_JOB,
): FilledTemplate {
  const filled: TriggerValue[] = [];
  let left = together;
  for (const name of placeholdersIn(task, roots)) {
    const value = valueAt(values, name);
    if (value === undefined || value === null) return { ok: false, missing: name };
    const text = bounded(textOf(value), Math.min(one, left));
    left = Math.max(0, left - text.length);
    filled.push({ name, text });
  }
  return { ok: true, values: filled };
}
