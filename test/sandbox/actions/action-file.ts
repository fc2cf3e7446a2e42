/**
 * Parses `action.yml`: what a step needs, or why the action cannot be played. Only JavaScript actions are supported;
 * composite and docker actions are refused by name.
 */
import { parse } from "yaml";
import * as z from "zod";
import { checkText, ExpressionMistake } from "./expressions.ts";

const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const input = z.object({
  default: scalar.nullish(),
  deprecationMessage: z.string().optional(),
});

const runs = z.object({
  using: z.string(),
  main: z.string(),
  pre: z.string().optional(),
  "pre-if": z.string().default("always()"),
  post: z.string().optional(),
  "post-if": z.string().default("always()"),
});
const kind = z.object({ runs: z.object({ using: z.string() }) });
const action = z.object({
  name: z.string(),
  inputs: z
    .record(
      z.string(),
      input.nullable().transform((value) => value ?? {}),
    )
    .nullish(),
  runs,
});

export interface ActionFile {
  readonly inputs: Readonly<Record<string, z.output<typeof input>>>;
  readonly runs: z.output<typeof runs>;
}

/** Node.js versions that GitHub's runner knows; the sandbox uses this process's own for all of them. */
const PLAYED = ["node20", "node24"];

export type ReadActionFile =
  | { readonly ok: true; readonly action: ActionFile }
  | { readonly ok: false; readonly problem: string };

export function readActionFile(text: string): ReadActionFile {
  const refused = (problem: string): ReadActionFile => ({ ok: false, problem });
  let document: unknown;
  try {
    document = parse(text);
  } catch (error) {
    return refused(error instanceof Error ? error.message : String(error));
  }
  const using = kind.safeParse(document);
  if (using.success && !PLAYED.includes(using.data.runs.using))
    return refused(`the sandbox plays actions of ${PLAYED.join(" and ")}, not of '${using.data.runs.using}'`);
  const read = action.safeParse(document);
  if (!read.success) return refused(z.prettifyError(read.error));
  const inputs = read.data.inputs ?? {};
  try {
    for (const one of Object.values(inputs)) checkText(one.default ?? "", "action.input");
    for (const condition of [read.data.runs["pre-if"], read.data.runs["post-if"]]) checkText(condition, "step.if");
  } catch (error) {
    if (error instanceof ExpressionMistake) return refused(error.message);
    throw error;
  }
  return { ok: true, action: { inputs, runs: read.data.runs } };
}
