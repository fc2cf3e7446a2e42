/** The admin key of a server whose settings name none: made in the data folder at the first start, and the same from then on. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { Secret } from "../contracts/secret.ts";
import { makeSecretFile, readSecretFile } from "./secret-file.ts";

const FILE = "api.key";
const KEY = /^jm_[\w-]{43}$/;

/** Null: none was made yet. */
export function keptApiKey(data_dir: string): Secret | null {
  const path = join(data_dir, FILE);
  const text = readSecretFile(path)?.trim();
  if (text === undefined) return null;
  if (KEY.test(text)) return new Secret(text);
  throw new Error(`${path} holds no key. Remove it, and the next start makes another; or set API_KEY.`);
}

/** `made_at`: the file, where the key was made just now. */
export function apiKeyIn(data_dir: string): { readonly key: Secret; readonly made_at: string | null } {
  const kept = keptApiKey(data_dir);
  if (kept !== null) return { key: kept, made_at: null };
  const key = `jm_${randomBytes(32).toString("base64url")}`;
  makeSecretFile(data_dir, FILE, `${key}\n`);
  return { key: new Secret(key), made_at: join(data_dir, FILE) };
}
