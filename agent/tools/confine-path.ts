/**
 * Confines a path to the checkout, judged by its real location with symbolic links resolved. Fails closed. Only the
 * file tools need it; the shell is confined by the container.
 */
import { lstat, realpath } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";

export type ConfinedPath =
  | { readonly ok: true; readonly path: string; readonly shown: string }
  | { readonly ok: false; readonly reason: string };

const isInside = (root: string, path: string): boolean => path === root || path.startsWith(root + sep);

/** The real location that `path` names, existing or not; null for a dangling link. */
async function realPlace(path: string): Promise<string | null> {
  try {
    return await realpath(path);
  } catch {
    const present = await lstat(path).catch(() => null);
    // Writing to a dangling link would create its target anywhere.
    if (present !== null || dirname(path) === path) return null;
    const parent = await realPlace(dirname(path));
    return parent === null ? null : join(parent, basename(path));
  }
}

/** `path` as the model wrote it, relative to the checkout or absolute. */
export async function confine(workspace: string, path: string): Promise<ConfinedPath> {
  if (path === "" || path.includes("\0")) return { ok: false, reason: "The path is empty or not a path." };
  const root = await realpath(workspace);
  const place = await realPlace(resolve(workspace, path));
  if (place === null) return { ok: false, reason: `${path} is a link to a missing file.` };
  if (!isInside(root, place)) return { ok: false, reason: `${path} is outside the checkout.` };
  const shown = relative(root, place) || ".";
  if (shown.split(sep).includes(".git")) return { ok: false, reason: `${path} belongs to git.` };
  return { ok: true, path: place, shown };
}
