import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Makes an empty folder for an App's data, whose name begins like this. */
export const dataFolder = (prefix: string): string => mkdtempSync(join(tmpdir(), prefix));
