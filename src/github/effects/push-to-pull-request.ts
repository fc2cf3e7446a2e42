/**
 * push-to-pull-request: makes the job's work one commit on the head of the person's branch that it was made for, and moves
 * the branch there without force. Signed by GitHub, since it is made by REST. Files that never merge by themselves do not
 * go there, since a review or an auto-merge from before would take them along. An earlier performance is found by its tree
 * and parent.
 */
import * as z from "zod";
import { jobFolder } from "../../contracts/brief.ts";
import { DEFAULT_REPOSITORY_SETTINGS } from "../../contracts/settings.ts";
import type { Effect } from "../../domain/job/effect.ts";
import { actionsWork, type Job } from "../../domain/job/job.ts";
import { keptBack } from "../../domain/job/merge-verdict.ts";
import { type Theirs, theirs } from "../../domain/job/target.ts";
import type { Attempt } from "../../engine/ports/performer.ts";
import { attempted, type CallOutcome } from "../client/errors.ts";
import { ask } from "../client/graphql.ts";
import { finishMessage } from "../render/pull-request.ts";
import * as stops from "../render/their-pull-request.ts";
import { laterOf } from "./one-call.ts";
import { removeFolder } from "./remove-folder.ts";
import { done, reported, type Task } from "./task.ts";

type PushToPullRequest = Extract<Effect, { type: "push-to-pull-request" }>;

const QUERY = `
query TheirBranch($owner: String!, $repo: String!, $number: Int!, $branch: String!, $work: String!, $folder: String!) {
  repository(owner: $owner, name: $repo) {
    work: object(expression: $work) { ... on Commit { tree { oid } } }
    folder: object(expression: $folder) { __typename }
    ref(qualifiedName: $branch) { target { ... on Commit { oid tree { oid } parents(first: 1) { nodes { oid } } } } }
    pullRequest(number: $number) { state headRefName isCrossRepository }
  }
}`;

const tree = z.object({ oid: z.string() });
const schema = z.object({
  repository: z.object({
    work: z.object({ tree }).nullable(),
    folder: z.object({}).nullable(),
    ref: z
      .object({
        target: z.object({
          oid: z.string(),
          tree,
          parents: z.object({ nodes: z.array(z.object({ oid: z.string() })) }),
        }),
      })
      .nullable(),
    pullRequest: z.object({
      state: z.enum(["OPEN", "CLOSED", "MERGED"]),
      headRefName: z.string(),
      isCrossRepository: z.boolean(),
    }),
  }),
});

type Seen = z.output<typeof schema>["repository"];

/** The most files of a comparison that GitHub lists. */
const MAX_FILES = 300;

interface Push {
  readonly task: Task;
  readonly effect: PushToPullRequest;
  readonly target: Theirs;
  /** Their head that the work is based on. */
  readonly expected: string;
  /** Head of the job's branch, without the job's folder. */
  readonly work: string;
}

const look = ({ task, target, work }: Push): Promise<Seen> =>
  ask(
    task.octokit,
    QUERY,
    {
      ...task.at,
      number: target.number,
      branch: `refs/heads/${target.branch}`,
      work,
      folder: `${work}:${jobFolder(task.job.id)}`,
    },
    schema,
  ).then(({ repository }) => repository);

const stopped = ({ effect: { round, attempt } }: Push, sentence: string): Attempt =>
  reported({ type: "work-stopped", round, attempt, sentence });

const pushed = ({ effect: { round, attempt } }: Push, head_sha: string): Attempt =>
  reported({ type: "work-pushed", round, attempt, head_sha });

/** What ends the push before it begins; null: nothing does. */
function settled(push: Push, { pullRequest: pull, ref, work, folder }: Seen): Attempt | null {
  const { number, branch } = push.target;
  const tip = ref?.target;
  if (work === null) return { ended: "later", reason: "GitHub does not show the job's work yet." };
  if (folder !== null) return { ended: "later", reason: "The job's own folder is still on its branch." };
  if (tip?.tree.oid === work.tree.oid && tip.parents.nodes[0]?.oid === push.expected) return pushed(push, tip.oid);
  if (pull.state !== "OPEN" || pull.isCrossRepository || pull.headRefName !== branch)
    return stopped(push, stops.closed(number));
  if (tip === undefined) return stopped(push, stops.gone(branch));
  if (tip.oid !== push.expected) return stopped(push, stops.moved(branch));
  return tip.tree.oid === work.tree.oid ? reported({ type: "nothing-to-open", round: push.effect.round }) : null;
}

/** Why the work may not go there; null: it may. Asked of GitHub, since a run's own word is not enough for this. */
async function objection({ task, expected, work }: Push): Promise<string | null> {
  const { data } = await task.octokit.request("GET /repos/{owner}/{repo}/compare/{basehead}", {
    ...task.at,
    basehead: `${expected}...${work}`,
    per_page: 1,
  });
  const files = data.files ?? [];
  if (files.length >= MAX_FILES) return stops.tooManyFiles();
  const paths = files.flatMap(({ filename, previous_filename }) => [filename, previous_filename ?? filename]);
  const why = keptBack(paths, task.job.settings ?? DEFAULT_REPOSITORY_SETTINGS);
  return why === null ? null : stops.keptBack(why);
}

/** The head of the job's branch without the job's folder; null: the branch is gone. */
async function cleanHead(task: Task): Promise<CallOutcome<string | null>> {
  const { job } = task;
  if (isClean(job)) return { ok: true, value: job.head_sha };
  const cleaned = await removeFolder(task);
  if (cleaned === null) return { ok: true, value: null };
  return "githubError" in cleaned ? { ok: false, thrown: null, ...cleaned } : { ok: true, value: cleaned.head };
}

const isClean = (job: Job): boolean => job.head_sha !== null && actionsWork(job)?.handed_in?.clean_sha === job.head_sha;

async function write(push: Push, tree: string): Promise<Attempt> {
  const { task, target, expected } = push;
  const { octokit, at, job, now } = task;
  const { headline, body } = finishMessage(job);
  const commit = await attempted(now, () =>
    octokit.request("POST /repos/{owner}/{repo}/git/commits", {
      ...at,
      message: `${headline}\n\n${body}`,
      tree,
      parents: [expected],
    }),
  );
  if (!commit.ok) return { ended: "later", ...laterOf(commit.githubError) };
  const { sha } = commit.value.data;
  const ref = await attempted(now, () =>
    octokit.request("PATCH /repos/{owner}/{repo}/git/refs/{ref}", {
      ...at,
      ref: `heads/${target.branch}`,
      sha,
      force: false,
    }),
  );
  if (ref.ok) return pushed(push, sha);
  if (ref.githubError.kind === "later" || ref.githubError.kind === "gone")
    return { ended: "later", ...laterOf(ref.githubError) };
  // a person's push may have come in between: what is there now says whether one did
  const seen = await attempted(now, () => look(push));
  if (!seen.ok) return { ended: "later", ...laterOf(seen.githubError) };
  return settled(push, seen.value) ?? stopped(push, stops.refused(target.branch, ref.githubError.words));
}

export async function pushToPullRequest(task: Task, effect: PushToPullRequest): Promise<Attempt> {
  const target = theirs(task.job);
  const expected = target?.head_sha ?? null;
  if (target === null || expected === null) return done;
  const head = await cleanHead(task);
  if (!head.ok) return { ended: "later", ...laterOf(head.githubError) };
  if (head.value === null) return { ended: "later", reason: "The job's branch was deleted, so nothing can be pushed." };
  const push: Push = { task, effect, target, expected, work: head.value };
  const read = await attempted(task.now, async () => {
    const seen = await look(push);
    const end = settled(push, seen);
    return { seen, end: end ?? (await ended(push)) };
  });
  if (!read.ok) return { ended: "later", ...laterOf(read.githubError) };
  const { seen, end } = read.value;
  return end ?? write(push, seen.work?.tree.oid ?? "");
}

async function ended(push: Push): Promise<Attempt | null> {
  const sentence = await objection(push);
  return sentence === null ? null : stopped(push, sentence);
}
