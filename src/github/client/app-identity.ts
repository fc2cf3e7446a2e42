/** Fetches once which App this is; its own comments and checks are recognised by it. */
import * as z from "zod";
import { UnreadableAnswer } from "./errors.ts";
import type { OctokitSource } from "./octokit.ts";

/** Identifies the App's own comments and checks. */
export interface AppIdentity {
  /** From the App's URL; its comments are written by `{slug}[bot]`. */
  readonly slug: string;
  /** Null: the id is shared with other automation (GITHUB_TOKEN), so our checks are recognised by name and job. */
  readonly appId: number | null;
}

/** Login under which the App writes. */
export const botLogin = (self: AppIdentity): string => `${self.slug}[bot]`;

export const sameLogin = (a: string | null | undefined, b: string): boolean => a?.toLowerCase() === b.toLowerCase();

const appSchema = z.object({ id: z.number(), slug: z.string().min(1) });

export async function askAppIdentity(source: Pick<OctokitSource, "app">): Promise<AppIdentity> {
  const octokit = await source.app();
  const { data } = await octokit.request("GET /app");
  const parsed = appSchema.safeParse(data);
  if (!parsed.success) throw new UnreadableAnswer("of GET /app");
  return { slug: parsed.data.slug, appId: parsed.data.id };
}

/** Fetches on the first call and caches the answer; a failure is retried on the next call. */
export function createAppIdentity(source: Pick<OctokitSource, "app">): () => Promise<AppIdentity> {
  let known: Promise<AppIdentity> | null = null;
  return () => {
    known ??= askAppIdentity(source).catch((error: unknown) => {
      known = null;
      throw error;
    });
    return known;
  };
}
