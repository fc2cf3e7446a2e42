/** Which App we are, asked of GitHub once: its comments and checks are recognised by that. */
import { z } from "zod";
import type { Self } from "./effects/task.ts";
import { UnreadableAnswer } from "./errors.ts";
import type { OctokitSource } from "./octokit.ts";

const appSchema = z.object({ id: z.number(), slug: z.string().min(1) });

export async function askSelf(source: Pick<OctokitSource, "app">): Promise<Self> {
  const octokit = await source.app();
  const { data } = await octokit.request("GET /app");
  const parsed = appSchema.safeParse(data);
  if (!parsed.success) throw new UnreadableAnswer("of GET /app");
  return { slug: parsed.data.slug, appId: parsed.data.id };
}

/** Asks at the first call and keeps the answer; a failed question is asked again by the next call. */
export function createSelf(source: Pick<OctokitSource, "app">): () => Promise<Self> {
  let known: Promise<Self> | null = null;
  return () => {
    known ??= askSelf(source).catch((error: unknown) => {
      known = null;
      throw error;
    });
    return known;
  };
}
