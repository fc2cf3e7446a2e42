/**
 * Evaluates `${{ }}` expressions, and checks before a run which contexts are allowed where. The caller passes the
 * values.
 */
import { data, Evaluator, type Expr, Lexer, Parser } from "@actions/expressions";
import * as z from "zod";

const STEP = ["github", "needs", "job", "runner", "env", "vars", "secrets", "steps", "inputs"] as const;
const JOB = ["github", "needs", "vars", "inputs"] as const;

/** GitHub's table of context availability: a context that is not listed for a place makes the workflow file invalid. */
const CONTEXTS = {
  "run-name": ["github", "inputs", "vars"],
  concurrency: ["github", "inputs", "vars"],
  env: ["github", "secrets", "inputs", "vars"],
  job: JOB,
  "job.if": JOB,
  "job.env": [...JOB, "secrets"],
  "job.defaults": [...JOB, "env"],
  "job.outputs": STEP,
  step: STEP,
  "action.input": ["github", "job", "runner"],
  "step.if": STEP.filter((name) => name !== "secrets"),
} as const satisfies Record<string, readonly string[]>;

export type Place = keyof typeof CONTEXTS;

export interface StatusFunctions {
  success(): boolean;
  failure(): boolean;
  cancelled(): boolean;
}

const STATUS_NAMES = ["success", "failure", "always", "cancelled"] as const;
const STATUS_INFO = STATUS_NAMES.map((name) => ({ name, minArgs: 0, maxArgs: 0 }));

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A workflow text that cannot be parsed or evaluated: a mistake of the author, who sees it, and not a bug. */
export class ExpressionMistake extends Error {}

type Piece = { readonly text: string } | { readonly expression: string };

/** Splits `a ${{ b }} c`; quotes inside an expression may contain `}}`. */
function pieces(source: string): Piece[] {
  const found: Piece[] = [];
  let at = 0;
  for (;;) {
    const open = source.indexOf("${{", at);
    if (open < 0) break;
    if (open > at) found.push({ text: source.slice(at, open) });
    let end = open + 3;
    let quoted = false;
    while (end < source.length && (quoted || !source.startsWith("}}", end))) {
      if (source[end] === "'") quoted = !quoted;
      end += 1;
    }
    if (end >= source.length) throw new ExpressionMistake(`"\${{" is not closed in: ${source.trim().slice(0, 120)}`);
    found.push({ expression: source.slice(open + 3, end).trim() });
    at = end + 2;
  }
  if (at < source.length) found.push({ text: source.slice(at) });
  return found;
}

function parse(expression: string, place: Place): Expr {
  const conditional = place === "step.if" || place === "job.if";
  try {
    if (/\bhashFiles\s*\(/i.test(expression)) throw new Error("the sandbox does not play hashFiles()");
    const { tokens } = new Lexer(expression).lex();
    return new Parser(tokens, [...CONTEXTS[place]], conditional ? STATUS_INFO : []).parse();
  } catch (error) {
    throw new ExpressionMistake(`${textOf(error)} in "${expression}" (${place})`);
  }
}

/** A condition without a status function means `success() && (…)`. */
function condition(source: string): string {
  const all = pieces(source.trim());
  const only = all.length === 1 ? all[0] : undefined;
  if (only && "expression" in only) return withSuccess(only.expression);
  if (only && "text" in only) return withSuccess(only.text);
  if (all.length === 0) return "success()";
  // Text around `${{ }}` turns the whole condition into a non-empty text, which is true: a well-known trap.
  const inner = all.map((piece, index) => ("text" in piece ? piece.text : `{${index}}`)).join("");
  const args = all.map((piece) => ("text" in piece ? "''" : piece.expression));
  return withSuccess(`format('${inner.replaceAll("'", "''")}', ${args.join(", ")})`);
}

function withSuccess(expression: string): string {
  const bare = expression.replaceAll(/'(?:[^']|'')*'/g, "''");
  const named = STATUS_NAMES.some((name) => new RegExp(`\\b${name}\\s*\\(`, "i").test(bare));
  return named ? expression : `success() && (${expression})`;
}

/** Throws `ExpressionMistake` if the text could never be evaluated in that place. */
export function checkText(source: string, place: Place): void {
  if (place === "step.if" || place === "job.if") parse(condition(source), place);
  else for (const piece of pieces(source)) if ("expression" in piece) parse(piece.expression, place);
}

export type ContextValues = Readonly<Record<string, unknown>>;

const isDictionary = (value: unknown): value is data.Dictionary => value instanceof data.Dictionary;

/** Converts values to what expressions read. Built once per step, since an event payload is large. */
export function contextOf(values: ContextValues): data.Dictionary {
  const converted: unknown = JSON.parse(JSON.stringify(values), data.reviver);
  if (!isDictionary(converted)) throw new Error("contexts must be an object");
  return converted;
}

function evaluate(expression: string, place: Place, context: data.Dictionary, status?: StatusFunctions) {
  const call = (value: boolean | undefined) => () => new data.BooleanData(value ?? false);
  const functions = new Map([
    ["success", { name: "success", minArgs: 0, maxArgs: 0, call: call(status?.success()) }],
    ["failure", { name: "failure", minArgs: 0, maxArgs: 0, call: call(status?.failure()) }],
    ["cancelled", { name: "cancelled", minArgs: 0, maxArgs: 0, call: call(status?.cancelled()) }],
    ["always", { name: "always", minArgs: 0, maxArgs: 0, call: call(true) }],
  ]);
  const parsed = parse(expression, place);
  try {
    return new Evaluator(parsed, context, functions).evaluate();
  } catch (error) {
    throw new ExpressionMistake(`${textOf(error)} in "${expression}" (${place})`);
  }
}

/** Replaces every `${{ }}` in the text. */
export function fill(source: string, place: Place, context: data.Dictionary): string {
  return pieces(source)
    .map((piece) => ("text" in piece ? piece.text : evaluate(piece.expression, place, context).coerceString()))
    .join("");
}

export function holds(source: string, place: "step.if" | "job.if", context: data.Dictionary, status: StatusFunctions) {
  const result = evaluate(condition(source), place, context, status);
  if (result.kind === data.Kind.Null) return false;
  if (result.kind === data.Kind.Boolean) return result.value;
  if (result.kind === data.Kind.Number) return result.value !== 0 && !Number.isNaN(result.value);
  return result.kind === data.Kind.String ? result.value.length > 0 : true;
}

const booleanText = z.enum(["true", "false"]);

/** For a key that takes a boolean or an expression with a boolean value (`continue-on-error`, `cancel-in-progress`). */
export function fillBoolean(source: string | boolean, place: Place, context: data.Dictionary): boolean {
  if (typeof source === "boolean") return source;
  const text = booleanText.safeParse(fill(source, place, context));
  if (!text.success) throw new ExpressionMistake(`"${source}" is not a boolean`);
  return text.data === "true";
}

/** For a key that takes a number or an expression with a number as value (`timeout-minutes`). */
export function fillNumber(source: string | number, place: Place, context: data.Dictionary): number {
  if (typeof source === "number") return source;
  const value = Number(fill(source, place, context).trim() || Number.NaN);
  if (!Number.isFinite(value)) throw new ExpressionMistake(`"${source}" is not a number`);
  return value;
}
