/**
 * Files of the data folder that are made once, hold secrets, and are readable by the server's user alone: written whole,
 * on the disk before anybody relies on them, and never put in the place of one that is there.
 */
import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";

const isMissing = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ENOENT";

/** Null: there is none. */
export function readSecretFile(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

export function makeSecretFile(dir: string, name: string, text: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const path = join(dir, name);
  const temporary = `${path}.${randomBytes(4).toString("hex")}.tmp`;
  const file = openSync(temporary, "wx", 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    // unlike a rename, this cannot take the place of a file that is there
    linkSync(temporary, path);
  } finally {
    unlinkSync(temporary);
  }
  const folder = openSync(dir, "r");
  fsyncSync(folder);
  closeSync(folder);
}
