/**
 * Reads a person's pull request that a job works on or is asked to: whether it can be worked on, what fails there, and,
 * for the brief, what it changes and what is talked about. One query, and one call more for the changed files.
 */
import * as z from "zod";
import { redact } from "../../contracts/redact.ts";
import {
  MAX_COMMENT,
  MAX_FILES,
  MAX_HUNK,
  MAX_PATCH,
  MAX_PATCHES,
  MAX_THREAD_COMMENTS,
  MAX_THREADS,
  type TheirPullRequest,
  type Thread,
} from "../../contracts/their-pull-request.ts";
import type { Check } from "../../domain/job/facts.ts";
import type { PullRequestToFix } from "../../engine/ports/github.ts";
import { normalise } from "../../text/normalise.ts";
import { cut, head, tail } from "../../text/text.ts";
import { ask } from "../client/graphql.ts";
import { checkOfContext, contexts, rollup } from "./facts-query.ts";
import { FAILED_CHECKS, type FailedCheck, failedChecksSchema } from "./failed-logs.ts";
import { newestChecks } from "./newest-checks.ts";
import type { Task } from "./task.ts";

const THREADS = `
reviewThreads(first: 100) {
  nodes {
    isResolved
    path
    line
    comments(first: ${MAX_THREAD_COMMENTS}) { nodes { body diffHunk author { login } } }
  }
}`;

const QUERY = `
query TheirPullRequest($owner: String!, $repo: String!, $number: Int!, $talk: Boolean!) {
  repository(owner: $owner, name: $repo) {
    defaultBranchRef { name }
    pullRequest(number: $number) {
      state
      url
      title
      author { __typename login ... on Bot { databaseId } }
      changedFiles
      isCrossRepository
      headRefName
      headRefOid
      headRepository { name }
      checks: ${contexts("")}
      failed: ${FAILED_CHECKS}
      ... @include(if: $talk) { ${THREADS} }
    }
  }
}`;

const threadSchema = z.object({
  isResolved: z.boolean(),
  path: z.string(),
  line: z.number().int().positive().nullable(),
  comments: z.object({
    nodes: z.array(
      z.object({ body: z.string(), diffHunk: z.string(), author: z.object({ login: z.string() }).nullable() }),
    ),
  }),
});

const schema = z.object({
  repository: z.object({
    defaultBranchRef: z.object({ name: z.string() }).nullish(),
    pullRequest: z.object({
      state: z.enum(["OPEN", "CLOSED", "MERGED"]),
      url: z.string(),
      title: z.string(),
      author: z
        .object({ __typename: z.string(), login: z.string(), databaseId: z.number().nullish() })
        .nullish()
        .catch(null),
      changedFiles: z.number(),
      isCrossRepository: z.boolean(),
      headRefName: z.string(),
      headRefOid: z.string(),
      // of a fork that was deleted
      headRepository: z.object({}).nullable(),
      checks: rollup,
      failed: failedChecksSchema,
      reviewThreads: z.object({ nodes: z.array(threadSchema) }).optional(),
    }),
  }),
});

export interface TheirsRead {
  readonly title: string;
  readonly head_sha: string;
  readonly is_open: boolean;
  readonly failing: readonly Check[];
  /** Those that have a log. */
  readonly logged: readonly FailedCheck[];
  readonly threads: readonly Thread[];
  readonly changed_files: number;
  readonly seen: PullRequestToFix;
}

type Asker = Pick<Task, "octokit" | "at" | "self">;

/** Bounded before it is looked at, since no more of it is ever shown. */
const clean = (text: string, most: number): string => cut(redact(normalise(head(text, most * 2))), most);

function threadOf({ path, line, comments: { nodes } }: z.output<typeof threadSchema>): Thread {
  const hunk = redact(normalise(tail(nodes[0]?.diffHunk ?? "", MAX_HUNK)));
  const comments = nodes.map(({ author, body }) => ({ by: author?.login ?? null, body: clean(body, MAX_COMMENT) }));
  return { path: clean(path, 500), line, hunk, comments };
}

/** `talk`: the review threads are read as well. Throws what Octokit throws. */
export async function readTheirs({ octokit, at, self }: Asker, number: number, talk: boolean): Promise<TheirsRead> {
  const { repository } = await ask(octokit, QUERY, { ...at, number, talk }, schema);
  const { pullRequest: pull, defaultBranchRef } = repository;
  const nodes = pull.checks?.contexts.nodes ?? [];
  const checks = newestChecks(nodes.map((context) => checkOfContext(context, self, null))).filter(({ ours }) => !ours);
  const named = (state: Check["state"]) => checks.filter((check) => check.state === state);
  const failing = named("failure");
  const names = new Set(failing.map(({ name }) => name));
  return {
    title: clean(pull.title, 500),
    head_sha: pull.headRefOid,
    is_open: pull.state === "OPEN",
    failing,
    logged: pull.failed.filter(({ name }) => names.has(name)),
    threads: (pull.reviewThreads?.nodes ?? [])
      .filter(({ isResolved }) => !isResolved)
      .slice(0, MAX_THREADS)
      .map(threadOf),
    changed_files: pull.changedFiles,
    seen: {
      title: clean(pull.title, 500),
      head_sha: pull.headRefOid,
      bot: botOf(pull.author),
      state: STATES[pull.state],
      url: pull.url,
      head_branch: pull.headRefName,
      from_fork: pull.isCrossRepository || pull.headRepository === null,
      is_default_branch: pull.headRefName === defaultBranchRef?.name,
      failing: [...names],
      cancelled: named("cancelled").map(({ name }) => name),
      pending: named("pending").length,
    },
  };
}

/** A person may have taken a bot's login, but is none. */
const botOf = (author: z.output<typeof schema>["repository"]["pullRequest"]["author"]): PullRequestToFix["bot"] =>
  author?.__typename === "Bot" && author.databaseId != null
    ? { id: author.databaseId, login: `${author.login}[bot]` }
    : null;

const STATES = { OPEN: "open", CLOSED: "closed", MERGED: "merged" } as const;

/** The changed files with as much of their changes as fits. */
export async function changesOf({ octokit, at }: Pick<Task, "octokit" | "at">, pull_number: number) {
  const { data } = await octokit.request("GET /repos/{owner}/{repo}/pulls/{pull_number}/files", {
    ...at,
    pull_number,
    per_page: MAX_FILES,
  });
  let left = MAX_PATCHES;
  return data.slice(0, MAX_FILES).map(({ filename, status, patch }): TheirPullRequest["files"][number] => {
    const shown = patch === undefined || left <= 0 ? null : clean(patch, Math.min(MAX_PATCH, left));
    left -= shown?.length ?? 0;
    return { path: clean(filename, 500), status, patch: shown };
  });
}
