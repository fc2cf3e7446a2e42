/**
 * Where jobs rest between two processes: one git ref each, `refs/journeyman/jobs/{id}`, on a commit that holds the
 * job's state. Only who may write to the repository can change one, unlike a marker in a comment, which other
 * automation under the same name can be made to repeat. Such refs are no branches: they start no workflow, and nobody
 * clones them. A save names what it was read from; whoever comes second is told so.
 */
import * as z from "zod";
import type { JobId, Repository } from "../domain/job/job.ts";
import { asJobId } from "../domain/job/job.ts";
import { attempted, UnreadableAnswer } from "../github/client/errors.ts";
import { ask } from "../github/client/graphql.ts";
import type { Octokit } from "../github/client/octokit.ts";

const PLACE = "journeyman/jobs";
const FILE = "state.json";
/** Jobs that one query reads. */
const AT_ONCE = 10;
/** Pages of refs that are listed. */
const MAX_PAGES = 10;
const PAGE = 100;

/** A job's state as it was found: the commit names it for the next save. */
export interface Found {
  readonly id: JobId;
  readonly commit: string;
  readonly text: string;
}

export type Saved =
  | { readonly ok: true; readonly commit: string }
  /** Another process has saved this job since. */
  | { readonly ok: false };

export interface StateBranchStore {
  /** The states of these jobs, without those that have none. */
  read(ids: readonly JobId[]): Promise<readonly Found[]>;
  /** `before`: the commit that the state was read from; null: there was none. */
  save(id: JobId, text: string, before: string | null): Promise<Saved>;
  /** Every job that has a state, in no order. */
  list(): Promise<readonly JobId[]>;
  remove(id: JobId): Promise<void>;
}

const entries = z.array(
  z.object({ name: z.string(), object: z.object({ text: z.string().nullish(), isTruncated: z.boolean().nullish() }) }),
);
const answer = z.object({
  repository: z.record(
    z.string(),
    z.object({ oid: z.string(), tree: z.object({ entries: entries.nullable() }) }).nullable(),
  ),
});

const queryOf = (ids: readonly JobId[]): string => `
query States($owner: String!, $repo: String!) {
  repository(owner: $owner, name: $repo) {
    ${ids.map((id) => `j${id}: object(expression: "refs/${PLACE}/${id}") { ...State }`).join("\n    ")}
  }
}
fragment State on Commit { oid tree { entries { name object { ... on Blob { text isTruncated } } } } }`;

export function createStateBranchStore(
  octokit: Octokit,
  { owner, name }: Repository,
  now: () => number,
): StateBranchStore {
  const at = { owner, repo: name };

  const readSome = async (ids: readonly JobId[]): Promise<Found[]> => {
    const { repository } = await ask(octokit, queryOf(ids), at, answer);
    return ids.flatMap((id) => {
      const commit = repository[`j${id}`];
      if (!commit) return [];
      const text = commit.tree.entries?.find((entry) => entry.name === FILE)?.object;
      if (typeof text?.text !== "string" || text.isTruncated === true)
        throw new UnreadableAnswer(`at refs/${PLACE}/${id}`);
      return [{ id, commit: commit.oid, text: text.text }];
    });
  };

  const point = async (id: JobId, commit: string, before: string | null): Promise<Saved> => {
    const ref = `${PLACE}/${id}`;
    const moved = await attempted<unknown>(now, () =>
      before === null
        ? octokit.request("POST /repos/{owner}/{repo}/git/refs", { ...at, ref: `refs/${ref}`, sha: commit })
        : octokit.request("PATCH /repos/{owner}/{repo}/git/refs/{ref}", { ...at, ref, sha: commit, force: false }),
    );
    if (moved.ok) return { ok: true, commit };
    if (moved.githubError.kind === "invalid" || moved.githubError.kind === "conflict") return { ok: false };
    const why =
      "reason" in moved.githubError
        ? moved.githubError.reason
        : `GitHub would not have it (${moved.githubError.kind}).`;
    throw new Error(`The state of job ${id} could not be saved: ${why}`);
  };

  return {
    async read(ids) {
      const found: Found[] = [];
      for (let from = 0; from < ids.length; from += AT_ONCE)
        found.push(...(await readSome(ids.slice(from, from + AT_ONCE))));
      return found;
    },

    async save(id, text, before) {
      const tree = await octokit.request("POST /repos/{owner}/{repo}/git/trees", {
        ...at,
        tree: [{ path: FILE, mode: "100644", type: "blob", content: text }],
      });
      // parents make the next save a fast forward, and one from an older state none
      const commit = await octokit.request("POST /repos/{owner}/{repo}/git/commits", {
        ...at,
        message: `State of job ${id}`,
        tree: tree.data.sha,
        parents: before === null ? [] : [before],
      });
      return point(id, commit.data.sha, before);
    },

    async list() {
      const ids = new Set<JobId>();
      for (let page = 1; page <= MAX_PAGES; page++) {
        const { data } = await octokit.request("GET /repos/{owner}/{repo}/git/matching-refs/{ref}", {
          ...at,
          ref: `${PLACE}/`,
          per_page: PAGE,
          page,
        });
        const before = ids.size;
        for (const { ref } of data) {
          const id = asJobId(ref.slice(`refs/${PLACE}/`.length));
          if (id !== null) ids.add(id);
        }
        // where GitHub does not page this list, the second page says the same again
        if (data.length < PAGE || ids.size === before) break;
      }
      return [...ids];
    },

    async remove(id) {
      await attempted(now, () =>
        octokit.request("DELETE /repos/{owner}/{repo}/git/refs/{ref}", { ...at, ref: `${PLACE}/${id}` }),
      );
    },
  };
}
