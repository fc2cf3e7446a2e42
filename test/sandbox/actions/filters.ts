/**
 * Matches GitHub's filter patterns for branches, tags and paths. They differ from globs: `?` means "zero or one of the
 * preceding character", `+` "one or more", and `!` excludes earlier matches.
 */
import type { Filter } from "./workflow-file.ts";

const PATTERN_LIMIT = 1_000;

function toRegExp(pattern: string): RegExp {
  let source = "";
  const text = pattern.slice(0, PATTERN_LIMIT);
  for (let at = 0; at < text.length; at += 1) {
    const one = text[at] ?? "";
    if (text.startsWith("**/", at)) {
      source += "(?:.*/)?";
      at += 2;
    } else if (text.startsWith("**", at)) {
      source += ".*";
      at += 1;
    } else if (one === "*") source += "[^/]*";
    else if (one === "?" || one === "+") source += one;
    else if (one === "[") {
      const close = text.indexOf("]", at);
      if (close < 0) source += "\\[";
      else {
        source += text.slice(at, close + 1);
        at = close;
      }
    } else if (one === "\\") {
      at += 1;
      source += escapeText(text[at] ?? "\\");
    } else source += escapeText(one);
  }
  try {
    return new RegExp(`^${source}$`);
  } catch {
    return /^(?!)/;
  }
}

const escapeText = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, "\\$&");

/** The last matching pattern decides; patterns after a `!` may include again. */
export function matches(patterns: readonly string[], name: string): boolean {
  let result = false;
  for (const pattern of patterns) {
    if (pattern.startsWith("!")) result = result && !toRegExp(pattern.slice(1)).test(name);
    else if (toRegExp(pattern).test(name)) result = true;
  }
  return result;
}

/** Whether a push to that ref passes the branch and tag filters. */
export function refPasses(filter: Filter, ref: string): boolean {
  const branch = ref.startsWith("refs/heads/") ? ref.slice("refs/heads/".length) : undefined;
  const tag = ref.startsWith("refs/tags/") ? ref.slice("refs/tags/".length) : undefined;
  const hasBranch = filter.branches !== undefined || filter["branches-ignore"] !== undefined;
  const hasTag = filter.tags !== undefined || filter["tags-ignore"] !== undefined;
  if (branch !== undefined) return hasBranch ? branchPasses(filter, branch) : !hasTag;
  if (tag === undefined) return false;
  if (!hasTag) return !hasBranch;
  return filter.tags ? matches(filter.tags, tag) : !matches(filter["tags-ignore"] ?? [], tag);
}

export function branchPasses(filter: Filter, branch: string): boolean {
  if (filter.branches) return matches(filter.branches, branch);
  return filter["branches-ignore"] === undefined || !matches(filter["branches-ignore"], branch);
}

export const filtersPaths = (filter: Filter): boolean =>
  filter.paths !== undefined || filter["paths-ignore"] !== undefined;

export function pathsPass(filter: Filter, changed: readonly string[]): boolean {
  const { paths, "paths-ignore": ignored } = filter;
  if (paths) return changed.some((path) => matches(paths, path));
  return ignored === undefined || changed.some((path) => !matches(ignored, path));
}
