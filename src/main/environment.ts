/** The variables that settings are read from. The only reader of `process.env`; loads nothing, for the quickest start. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";

export type Environment = Readonly<Record<string, string | undefined>>;

export const DEFAULT_HOST = "localhost";
export const DEFAULT_PORT = 3000;
export const MAX_PORT = 65_535;

/** The real environment over `.env` in this folder; an empty variable counts as not set, as with Probot. */
export function environment(cwd: string = process.cwd(), variables: Environment = process.env): Environment {
  let file: Environment = {};
  try {
    file = parseEnv(readFileSync(join(cwd, ".env"), "utf8"));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  const merged = { ...file, ...variables };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined && value.trim() !== ""));
}

/** Where the server is to listen, as soon as it can be known. Null: the settings have a mistake. */
export function addressIn(variables: Environment): { readonly host: string; readonly port: number } | null {
  const { HOST = DEFAULT_HOST, PORT = String(DEFAULT_PORT) } = variables;
  const port = /^\d{1,5}$/.test(PORT.trim()) ? Number(PORT) : Number.NaN;
  return port <= MAX_PORT ? { host: HOST.trim(), port } : null;
}

/** Whether this is a script of package.json that npm runs. */
export const isRunByNpm = (): boolean => process.env.npm_lifecycle_event !== undefined;
