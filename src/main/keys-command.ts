/**
 * Implements the `keys` command: on DATA_DIR itself while no server has locked it, otherwise through that server's API.
 * Says where it looked if neither works.
 */
import * as z from "zod";
import type { KeyStore } from "../engine/ports/keys.ts";
import {
  isOver,
  type KeyRequest,
  type KeyView,
  keyRequestSchema,
  keyView,
  keyViewSchema,
  NOT_IN_FUTURE,
  newKey,
} from "../http/admin/new-key.ts";
import { MAX_OVERLAP_SECONDS, rotateKey } from "../http/admin/rotate-key.ts";
import type { KeysSettings } from "./command-settings.ts";

/** An answer to expect at the command line, to be printed as it stands. */
export class KeysProblem extends Error {}

interface Rotated {
  readonly key: string;
  readonly view: KeyView;
  readonly until: string;
}

export interface KeyAdmin {
  create(request: KeyRequest): Promise<{ readonly key: string; readonly view: KeyView }>;
  list(): Promise<readonly KeyView[]>;
  /** Null: there is no such key. `until`: the old one works as long. */
  rotate(id: string, overlap_seconds: number): Promise<Rotated | null>;
  /** False when there is no such key. */
  revoke(id: string): Promise<boolean>;
  close(): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 10_000;

const onStore = (keys: KeyStore, close: () => Promise<void>): KeyAdmin => ({
  async create(request) {
    const { key, stored } = newKey(request, Date.now());
    await keys.add(stored);
    return { key, view: keyView(stored) };
  },
  list: async () => (await keys.list()).map(keyView),
  async rotate(id, overlap_seconds) {
    const rotation = await rotateKey(keys, id, overlap_seconds, Date.now());
    if (!rotation.ok) {
      if (rotation.code === "not_found") return null;
      throw new KeysProblem(rotation.sentence);
    }
    const until = new Date(rotation.overlap_ends_at).toISOString();
    return { key: rotation.key, view: keyView(rotation.stored), until };
  },
  revoke: async (id) => (await keys.remove(id)).length > 0,
  close,
});

const errorSchema = z.object({ error: z.string() });

function overHttp(url: string, api_key: string): KeyAdmin {
  const ask = async (method: string, path: string, body?: object): Promise<{ status: number; body: unknown }> => {
    const response = await fetch(`${url}/api/keys${path}`, {
      method,
      headers: { "x-api-key": api_key, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    const text = await response.text();
    const answer: unknown = text === "" ? null : JSON.parse(text);
    if (response.ok || response.status === 404) return { status: response.status, body: answer };
    const parsed = errorSchema.safeParse(answer);
    throw new KeysProblem(`${url} answered ${response.status}: ${parsed.success ? parsed.data.error : "no reason"}`);
  };
  return {
    async create(request) {
      const expires_at = request.expires_at === null ? null : new Date(request.expires_at).toISOString();
      const { body } = await ask("POST", "", { ...request, repository: request.repository ?? "*", expires_at });
      const created = keyViewSchema.extend({ key: z.string() }).parse(body);
      const { key, ...view } = created;
      return { key, view };
    },
    list: async () => z.array(keyViewSchema).parse((await ask("GET", "")).body),
    async rotate(id, overlap_seconds) {
      const { status, body } = await ask("POST", `/${encodeURIComponent(id)}/rotate`, { overlap_seconds });
      if (status === 404) return null;
      const answer = keyViewSchema.extend({ key: z.string(), overlap_ends_at: z.string() }).parse(body);
      const { key, overlap_ends_at: until, ...view } = answer;
      return { key, view, until };
    },
    revoke: async (id) => (await ask("DELETE", `/${encodeURIComponent(id)}`)).status !== 404,
    close: async () => {},
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Where keys are managed: the data folder when it is free, otherwise the server that has locked it. */
export async function openKeyAdmin(settings: KeysSettings): Promise<KeyAdmin> {
  const { openLowdbStore } = await import("../store/lowdb/open.ts");
  try {
    const store = await openLowdbStore({ dir: settings.data_dir, now: Date.now });
    return onStore(store.keys, () => store.close());
  } catch (error) {
    if (settings.api_key === null) {
      throw new KeysProblem(
        `${messageOf(error)}\nTo use the running server instead, set API_KEY to its admin key (and PUBLIC_URL to its address).`,
      );
    }
    return reachable(overHttp(settings.server_url, settings.api_key.reveal()), settings, messageOf(error));
  }
}

async function reachable(keyAdmin: KeyAdmin, settings: KeysSettings, why_not_offline: string): Promise<KeyAdmin> {
  try {
    await keyAdmin.list();
    return keyAdmin;
  } catch (error) {
    const reason = error instanceof KeysProblem ? error.message : `${settings.server_url} cannot be reached`;
    throw new KeysProblem(
      `${why_not_offline}\nThe server was asked instead, but ${reason}. Set PUBLIC_URL (or HOST and PORT) and API_KEY as the server has them, or stop it and run this again.`,
    );
  }
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** Seconds, from `0`, `90s`, `30m`, `24h` or `7d`. */
export function overlapOf(typed: string): number {
  const [, count = "", unit = "s"] = /^(\d{1,7})([smhd])?$/.exec(typed.trim()) ?? [];
  const seconds = count === "" ? Number.NaN : Number(count) * (UNITS[unit] ?? Number.NaN);
  if (seconds <= MAX_OVERLAP_SECONDS) return seconds;
  throw new KeysProblem("--overlap: must be a time such as 0, 30m, 24h or 7d, at most 30d.");
}

/** What was typed, as the API would take it. */
export function keyRequest(typed: {
  readonly account: string;
  readonly repository: string;
  readonly scopes?: string | undefined;
  readonly expires?: string | undefined;
}): KeyRequest {
  const parsed = keyRequestSchema.safeParse({
    account: typed.account,
    repository: typed.repository,
    scopes: typed.scopes?.split(",").map((scope) => scope.trim()),
    expires_at: typed.expires,
  });
  if (parsed.success && isOver(parsed.data, Date.now())) throw new KeysProblem(`--expires: ${NOT_IN_FUTURE}`);
  if (parsed.success) return parsed.data;
  const names: Readonly<Record<string, string>> = { expires_at: "--expires" };
  const sentences = parsed.error.issues.map((issue) => {
    const field = String(issue.path[0]);
    return `${names[field] ?? `--${field}`}: ${issue.message}`;
  });
  throw new KeysProblem(sentences.join("\n"));
}
