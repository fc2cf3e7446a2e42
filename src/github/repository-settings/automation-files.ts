/**
 * Reads `config/CRONS.json` and `config/TRIGGERS.json`: `{"jobs": […]}` and `{"triggers": […]}`, or the bare list. Lines
 * of comment may stand between, as in create-job's documentation. A broken file is not used in part: what its last valid
 * version said goes on.
 */
import * as z from "zod";
import {
  type Automation,
  type AutomationFile,
  NO_AUTOMATION,
  type Schedule,
  schedulesSchema,
  type Trigger,
  triggersSchema,
} from "../../contracts/automation.ts";
import { fieldPath } from "../../text/field-path.ts";
import { parseForeignJson } from "../../text/json-bounds.ts";
import { code } from "../render/plain.ts";
import type { SettingsAnswer } from "./settings-file.ts";

export const CRONS_PATH = "config/CRONS.json";
export const TRIGGERS_PATH = "config/TRIGGERS.json";
/** A longer file is not read. */
export const MAX_AUTOMATION_BYTES = 64 * 1024;
const MAX_NAME = 80;
/** No text of JSON goes over the end of a line, so that none has such a line in it. U+2028 ends none. */
const COMMENTS = /(?<=^|\n)[ \t]*\/\/[^\n]*/g;
const BYTE_ORDER_MARK = /^\uFEFF/;

interface Blob {
  readonly text: string | null;
  readonly isTruncated: boolean;
}

type Read<T> = { readonly ok: true; readonly list: readonly T[] } | { readonly ok: false; readonly problem: string };

const broken = (path: string, words: string) => ({ ok: false, problem: `\`${path}\` ${words}` }) as const;

const cronsFile = z.union([z.strictObject({ jobs: schedulesSchema }).transform(({ jobs }) => jobs), schedulesSchema]);
const triggersFile = z.union([
  z.strictObject({ triggers: triggersSchema }).transform(({ triggers }) => triggers),
  triggersSchema,
]);

/** The mistake that says most: of the two shapes the one that the file has. */
function firstIssue(
  error: z.ZodError,
  raw: unknown,
): { readonly path: readonly PropertyKey[]; readonly message: string } {
  const [issue] = error.issues;
  const shapes = issue?.code === "invalid_union" ? issue.errors : [];
  const inner = shapes[Array.isArray(raw) ? 1 : 0]?.[0];
  return inner ?? { path: issue?.path ?? [], message: issue?.message ?? "cannot be read" };
}

function parse<T>(path: string, schema: z.ZodType<readonly T[]>, blob: Blob | null): Read<T> {
  if (blob === null) return { ok: true, list: [] };
  if (blob.text === null || blob.isTruncated || Buffer.byteLength(blob.text) > MAX_AUTOMATION_BYTES)
    return broken(path, "is not a text of 64 KB at most.");
  const raw = parseForeignJson(blob.text.replace(BYTE_ORDER_MARK, "").replace(COMMENTS, ""));
  if (raw === undefined) return broken(path, "is not valid JSON: fix it, or delete the file.");
  const parsed = schema.safeParse(raw);
  if (parsed.success) return { ok: true, list: parsed.data };
  const wrong = firstIssue(parsed.error, raw);
  const place = wrong.path.length === 0 ? "" : ` at ${code(fieldPath(wrong.path), MAX_NAME)}`;
  return broken(path, `has a mistake${place}: ${wrong.message}.`);
}

export const parseCrons = (blob: Blob | null): Read<Schedule> => parse(CRONS_PATH, cronsFile, blob);
export const parseTriggers = (blob: Blob | null): Read<Trigger> => parse(TRIGGERS_PATH, triggersFile, blob);

export interface AutomationBlobs {
  readonly settings: SettingsAnswer | null;
  readonly crons: Blob | null;
  readonly triggers: Blob | null;
}

const sourced = <T extends object>(from: AutomationFile, list: readonly T[]) => list.map((one) => ({ ...one, from }));
const of = <T extends { readonly from: AutomationFile }>(from: AutomationFile, known: readonly T[]) =>
  known.filter((one) => one.from === from);

/** Of several with one name the first counts. */
const firstOfName = <T extends { readonly name: string }>(all: readonly T[]): T[] =>
  [...new Map(all.toReversed().map((one) => [one.name.toLowerCase(), one])).values()].toReversed();

/** Names that a later file has as well, which are not used there. */
function twice(what: string, all: readonly { readonly name: string; readonly from: AutomationFile }[]) {
  return all.flatMap(({ name, from }, at) => {
    const first = all.slice(0, at).find((one) => one.name.toLowerCase() === name.toLowerCase());
    if (first === undefined) return [];
    const problem = `\`${from}\` has the ${what} \`${name}\`, which \`${first.from}\` has as well and which counts there: give one of them another name.`;
    return [{ from, problem }];
  });
}

/** `known`: what was read before, which goes on where a file is broken now. */
export function automationOf({ settings, crons, triggers }: AutomationBlobs, known: Automation | null): Automation {
  const before = known ?? NO_AUTOMATION;
  const [yaml, cron_file, trigger_file] = [".github/journeyman.yml", CRONS_PATH, TRIGGERS_PATH] as const;
  const [read_crons, read_triggers] = [parseCrons(crons), parseTriggers(triggers)];
  const said = settings === null ? { schedules: [], triggers: [] } : settings.ok ? settings : null;
  const schedules = [
    ...(said === null ? of(yaml, before.schedules) : sourced(yaml, said.schedules)),
    ...(read_crons.ok ? sourced(cron_file, read_crons.list) : of(cron_file, before.schedules)),
  ];
  const all_triggers = [
    ...(said === null ? of(yaml, before.triggers) : sourced(yaml, said.triggers)),
    ...(read_triggers.ok ? sourced(trigger_file, read_triggers.list) : of(trigger_file, before.triggers)),
  ];
  const problems = [
    ...(read_crons.ok ? [] : [{ from: cron_file, problem: read_crons.problem }]),
    ...(read_triggers.ok ? [] : [{ from: trigger_file, problem: read_triggers.problem }]),
    ...twice("schedule", schedules),
    ...twice("trigger", all_triggers),
  ];
  return { schedules: firstOfName(schedules), triggers: firstOfName(all_triggers), problems };
}
