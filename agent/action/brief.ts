/**
 * Reads the pushed brief from the job's commit, never from the checkout, and within a size limit. An unusable brief
 * yields a sentence that says why.
 */
import * as z from "zod";
import { briefSchema, CONFIG_FILE, jobFolder, RUN_COMMIT_PREFIX } from "../../src/contracts/brief.ts";
import { namedBySchema } from "../../src/contracts/model-source.ts";
import type { Secret } from "../../src/contracts/secret.ts";
import { objectsIn } from "../git-objects.ts";
import type { Git } from "./git.ts";

const BRIEF_LIMIT = 2 * 1024 * 1024;
const COMMIT_LIMIT = 1024 * 1024;

/** The fields that this step uses; the agent reads the whole brief. */
const actionBriefSchema = briefSchema
  .pick({
    id: true,
    base: true,
    merge_base: true,
    signed_commits: true,
    limits: true,
    budgeted: true,
    forbidden_paths: true,
    checkout_paths: true,
    egress: true,
    container: true,
    cache: true,
    app_url: true,
  })
  .extend({
    /** Of the comments that the result may answer. */
    reviews: z.array(z.object({ comments: z.array(z.object({ id: z.number() })) })).catch([]),
    llm: z.object({ model: z.string().optional(), named_by: namedBySchema.optional().catch(undefined) }).catch({}),
  });

export type ActionBrief = z.infer<typeof actionBriefSchema>;

export interface PushedBrief {
  readonly brief: ActionBrief;
  readonly parents: readonly string[];
}

export type ReadBrief = ({ readonly ok: true } & PushedBrief) | { readonly ok: false; readonly reason: string };

/** `token`: a partial clone may have to fetch the file. */
export async function readPushedBrief(
  git: Git,
  { sha, jobId, token }: { readonly sha: string; readonly jobId: string; readonly token?: Secret },
): Promise<ReadBrief> {
  const path = `${jobFolder(jobId)}/${CONFIG_FILE}`;
  const answer = await git.run(["cat-file", "--batch"], {
    input: `${sha}\n${sha}:${path}\n`,
    outputLimit: BRIEF_LIMIT + COMMIT_LIMIT,
    ...(token === undefined ? {} : { token }),
  });
  const [commit, file] = objectsIn(answer).map((object) => object?.text);
  const subject = commit?.slice(commit.indexOf("\n\n") + 2).split("\n")[0] ?? "";
  if (commit === undefined || !subject.startsWith(`${RUN_COMMIT_PREFIX}${jobId}:`))
    return { ok: false, reason: `the head of job/${jobId} is not the brief of a job` };
  if (file === undefined) return { ok: false, reason: `${path} is missing on this branch` };
  const brief = actionBriefSchema.safeParse(parsed(file));
  if (!brief.success) return { ok: false, reason: `${path} is not a brief that this version understands` };
  if (brief.data.id !== jobId) return { ok: false, reason: `${path} is the brief of another job` };
  const header = commit.slice(0, commit.indexOf("\n\n"));
  return {
    ok: true,
    brief: brief.data,
    parents: [...header.matchAll(/^parent ([0-9a-f]+)$/gm)].map(([, id = ""]) => id),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
