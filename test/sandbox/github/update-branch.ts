/** “Update branch”: merges the base into a pull request's branch, later, with what GitHub refuses. */
import * as z from "zod";
import { allows, mayWrite } from "./access.ts";
import { notAccessible, parseBody, Refusal } from "./errors.ts";
import { isBehind } from "./mergeability.ts";
import { mergedTree } from "./merging.ts";
import type { Cause, Repository } from "./model.ts";
import { emailOf } from "./payloads-commits.ts";
import { refChanged } from "./ref-changes.ts";
import { pullParam } from "./rest-pulls.ts";
import { type Reply, type RepositoryRequest, type Route, repositoryRoute } from "./router.ts";
import type { PullIssue } from "./state.ts";
import type { Actor } from "./tokens.ts";
import type { World } from "./world.ts";

const body = z.object({ expected_head_sha: z.string().optional() }).default({});

/** The workflow file that the base has changed since the branch left it. */
async function newWorkflow({ git }: Repository, base: string, head: string): Promise<string | undefined> {
  const start = await git.mergeBase(base, head);
  const { added, modified } = git.changes(start, base);
  return [...added, ...modified].find((path) => path.startsWith(".github/workflows/"));
}

const isPerson = (actor: Actor): boolean => actor.kind === "user";
const mayPushWorkflows = (actor: Actor, repository: Repository): boolean =>
  isPerson(actor) ||
  repository.appsUpdateWorkflows === true ||
  (actor.kind === "token" && allows(actor.token.permissions, "workflows:write"));

async function updateBranch(world: World, request: RepositoryRequest): Promise<Reply> {
  const { repository, actor } = request;
  const issue = pullParam(world, request);
  const { pull } = issue;
  if (!mayWrite(actor, repository, "contents")) throw notAccessible();
  const { expected_head_sha: expected = pull.headSha } = parseBody(body, request.body ?? {});
  const no = (message: string) => new Refusal(422, message);
  const base = repository.git.branch(pull.baseRef);
  if (issue.state !== "open" || base === undefined) throw no("This pull request is not open.");
  if (expected !== pull.headSha) throw no("expected head sha didn’t match current head ref.");
  if (!isBehind(repository, issue)) throw no("There are no new commits on the base branch.");
  if ((await mergedTree(repository.git, base, pull.headSha)) === undefined)
    throw no("merge conflict between base and head");
  const file = await newWorkflow(repository, base, pull.headSha);
  if (file !== undefined && !mayPushWorkflows(actor, repository))
    throw no(
      `refusing to allow a GitHub App to create or update workflow \`${file}\` without \`workflows\` permission`,
    );
  const cause = request.cause();
  world.tasks.start(async () => void (await mergeBase(world, repository, issue, cause)));
  const url = `${world.apiUrl}/repos/${repository.owner.login}/${repository.name}/pulls/${issue.number}`;
  return { status: 202, body: { message: "Updating pull request branch.", url } };
}

/** Answers the new head; undefined where they conflict or the branch has moved meanwhile. */
export async function mergeBase(
  world: World,
  repository: Repository,
  { pull }: PullIssue,
  cause: Cause,
): Promise<string | undefined> {
  const { git } = repository;
  const [base, head] = [git.branch(pull.baseRef), pull.headSha];
  const tree = base === undefined ? undefined : await mergedTree(git, base, head);
  if (base === undefined || tree === undefined) return undefined;
  const who = { name: cause.user.login, email: emailOf(cause.user), at: world.now() };
  const message = `Merge branch '${pull.baseRef}' into ${pull.headRef}`;
  const after = git.writeCommit({ tree, parents: [head, base], author: who, committer: who, message });
  const ref = `refs/heads/${pull.headRef}`;
  if (git.refs.set(ref, after, head) !== "ok") return undefined;
  refChanged(world, repository, { ref, before: head, after }, cause);
  return after;
}

export const updateRoutes: readonly Route[] = [
  repositoryRoute("PUT /pulls/:number/update-branch", "pull_requests:write", updateBranch),
];
