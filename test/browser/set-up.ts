/**
 * Finds the browser for the tests that need a real one. Where there is none they are left out, which is said;
 * REQUIRE_BROWSER=1 makes that a failure.
 */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { TestProject } from "vitest/node";

/** The one without a window first, since it takes half the time. */
const NAMES = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"];

declare module "vitest" {
  interface ProvidedContext {
    /** The program; null where there is none. */
    readonly chromium: string | null;
  }
}

/** The first Chromium on the PATH; null where there is none. */
export function findChromium(): string | null {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const places = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  const runs = (place: string): boolean => {
    try {
      accessSync(place, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  };
  return places.find(runs) ?? null;
}

export function setup({ provide }: TestProject): void {
  const chromium = findChromium();
  if (chromium === null && process.env.REQUIRE_BROWSER === "1")
    throw new Error("REQUIRE_BROWSER=1, but there is no Chromium.");
  if (chromium === null) console.log("The tests that need a browser are left out: there is no Chromium.");
  provide("chromium", chromium);
}
