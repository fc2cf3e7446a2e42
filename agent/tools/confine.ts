/**
 * Keeps a path inside the checkout: the real place behind every symbolic link counts, not the spelling.
 * Fails closed. It guards the file tools; the shell is confined by the container alone.
 */
import { lstat, realpath } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";

export type Confined =
  | { readonly ok: true; readonly path: string; readonly shown: string }
  | { readonly ok: false; readonly reason: string };

const isInside = (root: string, path: string): boolean => path === root || path.startsWith(root + sep);

/** The real path that `path` names, whether it exists or not; null for a link that leads nowhere. */
async function realPlace(path: string): Promise<string | null> {
  try {
    return await realpath(path);
  } catch {
    const present = await lstat(path).catch(() => null);
    // A write would create the file that a dangling link points to, wherever that is.
    if (present !== null || dirname(path) === path) return null;
    const parent = await realPlace(dirname(path));
    return parent === null ? null : join(parent, basename(path));
  }
}

/** `path` as the model spelt it, relative to the checkout or absolute. */
export async function confine(workspace: string, path: string): Promise<Confined> {
  if (path === "" || path.includes("\0")) return { ok: false, reason: "The path is empty or not a path." };
  const root = await realpath(workspace);
  const place = await realPlace(resolve(workspace, path));
  if (place === null) return { ok: false, reason: `${path} is a link that leads nowhere.` };
  if (!isInside(root, place)) return { ok: false, reason: `${path} is outside the checkout.` };
  const shown = relative(root, place) || ".";
  if (shown.split(sep).includes(".git")) return { ok: false, reason: `${path} belongs to git.` };
  return { ok: true, path: place, shown };
}
