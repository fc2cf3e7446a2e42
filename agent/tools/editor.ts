/**
 * Implements the provider's text editor tool (`text_editor_20250728`) on the checkout: view, create, str_replace,
 * insert. Paths are confined to the checkout. A file keeps its line ends. Workflow files are read-only, since the push
 * would restore them.
 */
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import * as z from "zod";
import { counted } from "../../src/text/plural.ts";
import { confine } from "./confine-path.ts";
import { answered, cutMiddle, refused, type ToolResult } from "./tool-result.ts";

/** Largest file that the editor opens, in bytes. */
const MAX_FILE = 2 * 1024 * 1024;
const MAX_ENTRIES = 500;
const MAX_DEPTH = 2;
const SKIPPED_FOLDERS = new Set([".git", "node_modules"]);

const path = z.string();
const line = z.number().int();

export const editorInput = z.discriminatedUnion("command", [
  z.object({ command: z.literal("view"), path, view_range: z.tuple([line, line]).optional() }),
  z.object({ command: z.literal("create"), path, file_text: z.string() }),
  z.object({ command: z.literal("str_replace"), path, old_str: z.string().min(1), new_str: z.string().default("") }),
  z.object({ command: z.literal("insert"), path, insert_line: line, insert_text: z.string() }),
]);
export type EditorInput = z.infer<typeof editorInput>;

export async function edit(workspace: string, input: EditorInput): Promise<ToolResult> {
  const place = await confine(workspace, input.path);
  if (!place.ok) return refused(place.reason);
  if (input.command !== "view" && /^\.github\/workflows(\/|$)/.test(place.shown)) {
    return refused("Jobs cannot change files under .github/workflows. Say in `finish` what a person has to change.");
  }
  switch (input.command) {
    case "view":
      return view(place.path, place.shown, input.view_range);
    case "create":
      return create(place.path, place.shown, input.file_text);
    case "str_replace":
      return change(place.path, place.shown, (text, adapt) =>
        replaceOnce(text, adapt(input.old_str), adapt(input.new_str)),
      );
    case "insert":
      return change(place.path, place.shown, (text, adapt) =>
        insertAfter(text, input.insert_line, adapt(input.insert_text)),
      );
    default:
      return input satisfies never;
  }
}

async function view(file: string, shown: string, range: readonly [number, number] | undefined): Promise<ToolResult> {
  const about = await stat(file).catch(() => null);
  if (about?.isDirectory()) return answered(await listFolder(file, shown));
  const text = await readText(file, shown);
  if (typeof text !== "string") return text;
  const lines = (endsWithCrlf(text) ? withLf(text) : text).split("\n");
  const first = Math.max(1, range?.[0] ?? 1);
  const last = range === undefined || range[1] === -1 ? lines.length : Math.min(range[1], lines.length);
  if (first > lines.length || last < first) return refused(`${shown} has ${counted(lines.length, "line")}.`);
  const numbered = lines.slice(first - 1, last).map((one, at) => `${String(first + at).padStart(6)}\t${one}`);
  return answered(cutMiddle(numbered.join("\n"), "; view_range shows them"));
}

async function create(file: string, shown: string, text: string): Promise<ToolResult> {
  const about = await stat(file).catch(() => null);
  if (about?.isDirectory()) return refused(`${shown} is a folder.`);
  await mkdir(dirname(file), { recursive: true });
  const before = about === null ? "" : await readText(file, shown);
  const keepsCrlf = typeof before === "string" && endsWithCrlf(before);
  await writeFile(file, keepsCrlf ? withCrlf(withLf(text)) : text);
  return answered(`${about ? "Replaced" : "Created"} ${shown}.`);
}

type Change = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: string };

/** Whether all lines of a text end with CRLF. Such files are shown and changed with LF, and keep CRLF on the disk. */
const endsWithCrlf = (text: string): boolean => text.includes("\r\n") && !/(?<!\r)\n/.test(text);
const withLf = (text: string): string => text.replaceAll("\r\n", "\n");
const withCrlf = (text: string): string => text.replaceAll("\n", "\r\n");

/** `adapt` gives what the model has sent the line ends of the text. */
type Edit = (text: string, adapt: (given: string) => string) => Change;

async function change(file: string, shown: string, apply: Edit): Promise<ToolResult> {
  const text = await readText(file, shown);
  if (typeof text !== "string") return text;
  const isCrlf = endsWithCrlf(text);
  const changed = isCrlf ? apply(withLf(text), withLf) : apply(text, (given) => given);
  if (!changed.ok) return refused(`${shown}: ${changed.reason}`);
  await writeFile(file, isCrlf ? withCrlf(changed.text) : changed.text);
  return answered(`Changed ${shown}.`);
}

function replaceOnce(text: string, old: string, fresh: string): Change {
  const parts = text.split(old);
  if (parts.length === 1) {
    const hint = text.includes("\r\n") ? " (some of its lines end with CRLF, others with LF)" : "";
    return { ok: false, reason: `old_str does not occur${hint}. Look at the file again.` };
  }
  if (parts.length > 2) {
    return { ok: false, reason: `old_str occurs ${counted(parts.length - 1, "time")}. Take more lines around it.` };
  }
  return { ok: true, text: parts.join(fresh) };
}

function insertAfter(text: string, after: number, fresh: string): Change {
  const lines = text.split("\n");
  const count = text.endsWith("\n") ? lines.length - 1 : lines.length;
  if (after < 0 || after > count) return { ok: false, reason: `insert_line must be from 0 to ${count}.` };
  const block = fresh.endsWith("\n") ? fresh.slice(0, -1) : fresh;
  return { ok: true, text: [...lines.slice(0, after), block, ...lines.slice(after)].join("\n") };
}

/** A file's text, or the tool result that says why there is none. */
async function readText(file: string, shown: string): Promise<string | ToolResult> {
  const about = await stat(file).catch(() => null);
  if (about === null) return refused(`${shown} does not exist.`);
  if (!about.isFile()) return refused(`${shown} is not a file.`);
  if (about.size > MAX_FILE) return refused(`${shown} has ${about.size} bytes; use the shell to look at parts of it.`);
  const bytes = await readFile(file);
  const text = bytes.includes(0) ? null : decode(bytes);
  // Saving would destroy bytes that are not UTF-8.
  return text ?? refused(`${shown} is not UTF-8 text; use the shell.`);
}

function decode(bytes: Buffer): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

async function listFolder(folder: string, shown: string): Promise<string> {
  const rows: string[] = [];
  const walk = async (at: string, depth: number): Promise<void> => {
    const entries = await readdir(at, { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (rows.length >= MAX_ENTRIES) return;
      const inner = join(at, entry.name);
      rows.push(`${relative(folder, inner)}${entry.isDirectory() ? "/" : ""}`);
      const skip = SKIPPED_FOLDERS.has(entry.name) || depth >= MAX_DEPTH;
      if (entry.isDirectory() && !skip) await walk(inner, depth + 1);
    }
  };
  await walk(folder, 1);
  const more = rows.length >= MAX_ENTRIES ? [`[… only the first ${MAX_ENTRIES} entries …]`] : [];
  return [`${shown}:`, ...rows, ...more].join("\n");
}
