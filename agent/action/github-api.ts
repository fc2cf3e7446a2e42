/** The two calls of GitHub's REST API with which a signed commit comes to a branch. */
import * as z from "zod";
import type { Secret } from "../../src/contracts/secret.ts";
import { exchange, type HttpResult } from "./report/http-request.ts";

export interface GitHubApi {
  /** Without a slash at the end. */
  readonly url: string;
  /** `owner/name`. */
  readonly repository: string;
}

const LIMIT_MS = 30_000;
const VERSION = { "x-github-api-version": "2022-11-28", "user-agent": "journeyman-run-action" };

function call(
  { url, repository }: GitHubApi,
  token: Secret,
  request: { readonly method: "POST" | "PATCH"; readonly path: string; readonly body: unknown },
): Promise<HttpResult> {
  const { method, path, body } = request;
  const signal = AbortSignal.timeout(LIMIT_MS);
  return exchange({
    url: `${url}/repos/${repository}/git/${path}`,
    method,
    bearer: token,
    headers: VERSION,
    body,
    signal,
  });
}

const commitSchema = z.object({ sha: z.string().regex(/^[0-9a-f]{40,64}$/) });

export type MadeCommit = { readonly ok: true; readonly sha: string } | { readonly ok: false; readonly reason: string };

/** Without author and committer, so that GitHub signs it for the App (github-facts 4.6). */
export async function makeCommit(
  api: GitHubApi,
  commit: { readonly tree: string; readonly parents: readonly string[]; readonly message: string },
  token: Secret,
): Promise<MadeCommit> {
  const answer = await call(api, token, { method: "POST", path: "commits", body: commit });
  if (answer.kind !== "done") return { ok: false, reason: answer.reason };
  const made = commitSchema.safeParse(answer.body);
  return made.success ? { ok: true, sha: made.data.sha } : { ok: false, reason: "GitHub's answer names no commit" };
}

export type MovedBranch =
  | { readonly ok: true }
  /** `moved`: the branch is not where it was, or gone. */
  | { readonly ok: false; readonly reason: string; readonly moved: boolean };

const HAS_MOVED = /fast.forward|does not exist/i;

export async function moveBranch(api: GitHubApi, branch: string, sha: string, token: Secret): Promise<MovedBranch> {
  const body = { sha, force: false };
  const answer = await call(api, token, { method: "PATCH", path: `refs/heads/${branch}`, body });
  if (answer.kind === "done") return { ok: true };
  return { ok: false, reason: answer.reason, moved: HAS_MOVED.test(answer.reason) };
}
