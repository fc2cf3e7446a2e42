/**
 * Parses `.github/journeyman.yml`. Strict: every mistake is reported with its line, all at once, and a broken file is
 * not used in part.
 */
import { type Document, isMap, isNode, LineCounter, parseDocument } from "yaml";
import * as z from "zod";
import type { Schedule, Trigger } from "../../contracts/automation.ts";
import { type RepositorySettings, settingsFileSchema } from "../../contracts/settings.ts";
import { fieldPath } from "../../text/field-path.ts";
import { nearest } from "../../text/typo.ts";
import { yamlOutOfBounds } from "../../text/yaml-bounds.ts";
import { code } from "../render/plain.ts";

export const SETTINGS_PATH = ".github/journeyman.yml";
/** A longer file is not a settings file. */
export const MAX_SETTINGS_BYTES = 64 * 1024;
/** Limit on expanded aliases, so that a few lines cannot become gigabytes. */
const MAX_ALIASES = 20;
/** Longest part of the file to repeat in a message. */
const MAX_NAME = 80;
/** Mistakes to report at once. */
const MAX_NAMED = 10;

export type SettingsAnswer =
  | {
      readonly ok: true;
      readonly settings: RepositorySettings;
      readonly schedules: readonly Schedule[];
      readonly triggers: readonly Trigger[];
    }
  /** `problem`: the first mistakes as one text. */
  | { readonly ok: false; readonly problem: string; readonly mistakes: readonly Mistake[] };

/** `words`: a sentence without its subject, which is the file. `line`: null when the mistake has no line. */
export interface Mistake {
  readonly words: string;
  readonly line: number | null;
}

function broken(...mistakes: readonly Mistake[]): SettingsAnswer {
  const more = mistakes.length - MAX_NAMED;
  const named = mistakes.slice(0, MAX_NAMED).map(({ words }) => words);
  const problem = `\`${SETTINGS_PATH}\` ${named.join(" It ")}${more > 0 ? ` And ${more} more.` : ""}`;
  return { ok: false, problem, mistakes };
}

/** A mistake of the file as a whole. */
const brokenWhole = (words: string): SettingsAnswer => broken({ words, line: null });

const nameOf = (path: readonly PropertyKey[]): string => code(fieldPath(path), MAX_NAME);

/** The line of this path; null when unknown. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number | null {
  const parent = document.getIn(path.slice(0, -1), true);
  const key = path.at(-1);
  const pair = isMap(parent)
    ? parent.items.find((item) => isNode(item.key) && String(item.key.toJSON()) === String(key))
    : undefined;
  const node = pair?.key ?? document.getIn(path, true);
  const at = isNode(node) ? node.range?.[0] : undefined;
  return at === undefined ? null : lines.linePos(at).line;
}

function notYaml(document: Document, lines: LineCounter): SettingsAnswer {
  const wrong = [...new Set(document.errors.map(({ pos }) => lines.linePos(pos[0]).line))].slice(0, MAX_NAMED);
  const problem = `\`${SETTINGS_PATH}\` is not valid YAML: fix line${wrong.length === 1 ? "" : "s"} ${wrong.join(", ")}.`;
  return {
    ok: false,
    problem,
    mistakes: wrong.map((line) => ({ words: `is not valid YAML: fix line ${line}.`, line })),
  };
}

/** The valid keys of a map in the file, at either of two depths. */
function keysAt([map, ...deeper]: readonly PropertyKey[]): readonly string[] {
  if (map === undefined) return Object.keys(settingsFileSchema.shape);
  const fields = Object.entries(settingsFileSchema.shape).find(([name]) => name === map)?.[1];
  const inner = fields instanceof z.ZodPrefault || fields instanceof z.ZodOptional ? fields.unwrap() : null;
  return inner instanceof z.ZodObject && deeper.length === 0 ? Object.keys(inner.shape) : [];
}

type Issue = z.core.$ZodIssue;

/** Translates a schema error into mistakes with lines. */
function mistakesOf(issue: Issue, on: (path: readonly PropertyKey[]) => number | null): Mistake[] {
  const placed = (path: readonly PropertyKey[], words: (place: string) => string): Mistake => {
    const line = on(path);
    return { words: words(line === null ? "" : ` (line ${line})`), line };
  };
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => {
      const path = [...issue.path, key];
      const meant = nearest(key, keysAt(issue.path));
      const hint = meant === null ? "Remove it or correct its name." : `Did you mean ${code(meant)}?`;
      return placed(path, (place) => `has a key that does not exist: ${nameOf(path)}${place}. ${hint}`);
    });
  if (issue.path.length === 0) return [{ words: "must be a map of settings.", line: 1 }];
  return [placed(issue.path, (place) => `has a wrong value at ${nameOf(issue.path)}${place}: ${issue.message}.`)];
}

/** Parses the text of a settings file. An empty file means the defaults. */
export function parseSettings(text: string): SettingsAnswer {
  if (Buffer.byteLength(text) > MAX_SETTINGS_BYTES)
    return brokenWhole("is larger than 64 KB. Keep only the settings in it.");
  const bound = yamlOutOfBounds(text);
  if (bound !== null) return broken(bound);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) return notYaml(document, lines);

  let raw: unknown;
  try {
    raw = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch {
    return brokenWhole("uses too many or unknown aliases. Write the values out.");
  }
  const parsed = settingsFileSchema.safeParse(raw ?? {});
  if (parsed.success) {
    const { schedules, triggers, ...settings } = parsed.data;
    return { ok: true, settings, schedules, triggers };
  }
  return broken(...parsed.error.issues.flatMap((issue) => mistakesOf(issue, (path) => lineOf(document, lines, path))));
}

/** Like {@link parseSettings}, for a blob of the repository; null when there is no file. */
export function parseSettingsBlob(
  blob: { readonly text: string | null; readonly isTruncated: boolean } | null,
): SettingsAnswer | null {
  if (blob === null) return null;
  if (blob.text === null || blob.isTruncated) return brokenWhole("is not a text of reasonable size.");
  return parseSettings(blob.text);
}
