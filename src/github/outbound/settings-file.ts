/**
 * Reads the text of `.github/journeyman.yml`. Strict: what is not understood is named in one sentence with its line,
 * and no half of a broken file ever counts.
 */
import { type Document, isMap, isNode, LineCounter, parseDocument } from "yaml";
import { type RepositorySettings, repositorySettingsSchema } from "../../wire/settings.ts";

export const SETTINGS_PATH = ".github/journeyman.yml";
/** A settings file is a page; anything longer is not one. */
export const MAX_SETTINGS_BYTES = 64 * 1024;
/** Aliases that one file may expand to, so that a few lines cannot become gigabytes. */
const MAX_ALIASES = 20;
/** Longest piece of the file that a sentence repeats. */
const MAX_NAME = 80;

export type SettingsAnswer =
  | { readonly ok: true; readonly settings: RepositorySettings }
  | { readonly ok: false; readonly problem: string };

const broken = (why: string): SettingsAnswer => ({ ok: false, problem: `\`${SETTINGS_PATH}\` ${why}` });

const named = (path: readonly PropertyKey[]): string => `\`${path.map(String).join(".").slice(0, MAX_NAME)}\``;

/** The line on which this path stands, as words to put behind a sentence; empty when it cannot be told. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): string {
  const parent = document.getIn(path.slice(0, -1), true);
  const key = path.at(-1);
  const pair = isMap(parent)
    ? parent.items.find((item) => isNode(item.key) && String(item.key.toJSON()) === String(key))
    : undefined;
  const node = pair?.key ?? document.getIn(path, true);
  const at = isNode(node) ? node.range?.[0] : undefined;
  return at === undefined ? "" : ` (line ${lines.linePos(at).line})`;
}

/** The settings in a file's text. An empty file is a file of defaults. */
export function parseSettings(text: string): SettingsAnswer {
  if (Buffer.byteLength(text) > MAX_SETTINGS_BYTES)
    return broken("is larger than 64 KB. Keep only the settings in it.");
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const mistake = document.errors[0];
  if (mistake) return broken(`is not valid YAML: mend line ${lines.linePos(mistake.pos[0]).line}.`);

  let raw: unknown;
  try {
    raw = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch {
    return broken("uses too many or unknown aliases. Write the values out.");
  }
  const parsed = repositorySettingsSchema.safeParse(raw ?? {});
  if (parsed.success) return { ok: true, settings: parsed.data };

  const issue = parsed.error.issues[0];
  if (!issue) return broken("could not be read.");
  if (issue.code === "unrecognized_keys") {
    const path = [...issue.path, issue.keys[0] ?? ""];
    return broken(
      `has a key that does not exist: ${named(path)}${lineOf(document, lines, path)}. Remove it or mend its name.`,
    );
  }
  if (issue.path.length === 0) return broken("must be a map of settings.");
  return broken(`has a wrong value at ${named(issue.path)}${lineOf(document, lines, issue.path)}: ${issue.message}.`);
}

/** As {@link parseSettings}, for a blob of the repository; null: there is no file, so nothing is said. */
export function parseSettingsBlob(
  blob: { readonly text: string | null; readonly isTruncated: boolean } | null,
): SettingsAnswer | null {
  if (blob === null) return null;
  if (blob.text === null || blob.isTruncated) return broken("is not a text of reasonable size.");
  return parseSettings(blob.text);
}
