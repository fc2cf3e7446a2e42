/**
 * One invocation of Actions mode: a whole engine for one event. Restores the jobs that the event is about, starts the
 * engine as after a crash, processes the event and everything that is due, and saves the jobs again. If another process
 * has saved one of them meanwhile, all of it is done again on what that process has left.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { GitHubEvent } from "../domain/job/github-event.ts";
import type { JobId, Repository } from "../domain/job/job.ts";
import { systemClock as clock } from "../engine/clock.ts";
import { HURRIED_PACING } from "../engine/comment-pacing.ts";
import type { GitHubClient } from "../engine/ports/github.ts";
import type { Log } from "../engine/ports/log.ts";
import type { Engine } from "../engine/ports/service.ts";
import type { Store } from "../engine/ports/store.ts";
import { gitHubErrorOf } from "../github/client/errors.ts";
import { createPerformer } from "../github/effects/perform.ts";
import { createRepositoryPerformer } from "../github/effects/perform-on-repository.ts";
import { createGitPushes, type GitPushes } from "../github/git/push.ts";
import { createGitHubClient } from "../github/github-client.ts";
import { composeEngine } from "../main/compose/engine.ts";
import { openLowdbStore } from "../store/lowdb/open.ts";
import { affectedJobs } from "./affected-jobs.ts";
import { createEventIds, idOfEvent } from "./ids.ts";
import type { ActionSettings } from "./settings.ts";
import { createStateBranchStore, type StateBranchStore } from "./state-branch-store.ts";
import { createStateSession, type StateSession } from "./state-session.ts";
import { createStatelessPerformer, type StatelessPerformer } from "./stateless-performer.ts";
import { clientOf, type Identity, identify, NO_INSTALLATION, type TokenClient } from "./token.ts";
import { type PendingWork, waitUntilIdle } from "./wait-until-idle.ts";
import { ChangeNotifier, watched } from "./watched-store.ts";

/** Attempts for one event: each further one means that yet another process was faster. */
const MAX_ATTEMPTS = 4;
/** Between two attempts to read what the event needs before it can be processed. */
const AGAIN_MS = 2_000;
/** For saying in the comment that the job does not go on. */
const LAST_WORD_MS = 5_000;

export interface InvocationEvent {
  /** Null: no event, so every open job is looked at. */
  readonly event: GitHubEvent | null;
}

/** How it ended; a sentence where somebody must look. */
export type Ended = { readonly ok: true } | { readonly ok: false; readonly sentence: string };

interface Context extends TokenClient {
  readonly settings: ActionSettings;
  readonly identity: Identity;
  readonly repository: Repository;
  readonly stateBranch: StateBranchStore;
  readonly githubClient: GitHubClient;
  readonly pushes: GitPushes;
  readonly log: Log;
  /** When waiting ends. */
  readonly until: number;
}

/** Asks again while GitHub is away. */
async function retryUntil<T>(until: number, ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const later = gitHubErrorOf(error, clock.now())?.kind === "later";
      if (!later || clock.now() + AGAIN_MS >= until) throw error;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}

/** Permissions are asked for twice in an attempt, and must not change between the two. There are no App deliveries here. */
function rememberingPermissions(githubClient: GitHubClient): GitHubClient {
  const asked = new Map<string, ReturnType<GitHubClient["permission"]>>();
  return {
    ...githubClient,
    async permission(repository, login) {
      const known = asked.get(login) ?? githubClient.permission(repository, login);
      asked.set(login, known);
      known.catch(() => asked.delete(login));
      return known;
    },
    failedDeliveries: async () => [],
  };
}

export async function runInvocation(settings: ActionSettings, log: Log, { event }: InvocationEvent): Promise<Ended> {
  const context = await contextOf(settings, log);
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const stack = new AsyncDisposableStack();
    try {
      const dir = await mkdtemp(join(settings.temp_dir, "journeyman-"));
      stack.defer(() => rm(dir, { recursive: true, force: true }));
      const store = await openLowdbStore({ dir, ...clock });
      stack.defer(() => store.close());
      const ended = await attemptOnce(context, store, event, attempt);
      if (ended !== "again") return ended;
      log.info({ attempt }, "another run was faster; the event is processed again on what it has left");
    } finally {
      await stack.disposeAsync();
    }
  }
  return { ok: false, sentence: "Other runs kept changing the same job. Run this one again." };
}

async function contextOf(settings: ActionSettings, log: Log): Promise<Context> {
  const until = clock.now() + settings.wait_budget_ms;
  const client = clientOf(settings.token, settings.api_url, log);
  const repository: Repository = { ...settings.repository, installation_id: NO_INSTALLATION };
  const identity = await retryUntil(until, () => identify(client.octokit));
  const pushes = createGitPushes(settings.web_url, clock.now);
  const githubClient = createGitHubClient({ source: client.source, self: async () => identity.self, pushes });
  const stateBranch = createStateBranchStore(client.octokit, repository, clock.now);
  return {
    ...client,
    ...{ settings, identity, repository, stateBranch, log, until, pushes },
    githubClient: rememberingPermissions(githubClient),
  };
}

async function attemptOnce(
  context: Context,
  inner: Store,
  event: GitHubEvent | null,
  attempt: number,
): Promise<Ended | "again"> {
  const { settings, repository, log, until } = context;
  const changes = new ChangeNotifier();
  const store = watched(inner, changes);
  const session = createStateSession({ stateBranch: context.stateBranch, store, repository, log });
  await retryUntil(until, () => bringBack(context, session, event));
  const { engine, performer } = engineOf(context, store, session);

  const delivery = `${settings.run_id}-${settings.run_attempt}`;
  const again = attempt > 1 || settings.run_attempt > 1;
  // recorded before the start, it counts as begun and interrupted: then the engine looks before it acts
  if (event !== null && again) await store.inbox.record({ id: delivery, event, at: clock.now() });
  await engine.start();
  // what time alone brings is decided before the end is waited for
  await engine.enforceDeadlines();
  for (const id of session.restored()) {
    await engine.handle(id, { type: "look", forced: !tellsOfRun(event) });
    if (attempt > 1) await engine.handle(id, { type: "show", comment_id: null });
  }
  if (event !== null && !again) await engine.receive(delivery, event);

  const left = await waitUntilIdle(store, changes, clock, until, session.conflicted);
  const stuck = [...new Set(left.failed.map(({ id }) => id))];
  if (!session.conflicted() && stuck.length > 0) {
    for (const id of stuck) {
      performer.showReason(id);
      await engine.handle(id, { type: "show", comment_id: null });
    }
    await waitUntilIdle(store, changes, clock, clock.now() + LAST_WORD_MS, session.conflicted);
  }
  await engine.stop();
  await session.close();
  if (event === null) await session.retire(clock.now());
  return session.conflicted() ? "again" : endOf(left, stuck, performer.reasonOf);
}

function engineOf(
  { settings, identity, repository, githubClient: client, octokit, source, pushes, log }: Context,
  store: Store,
  session: StateSession,
): { readonly engine: Engine; readonly performer: StatelessPerformer } {
  const performer = createStatelessPerformer({
    performer: createPerformer({
      ...{ source, pushes },
      repositories: store.repositories,
      self: async () => identity.self,
      llm: settings.llm,
      web_url: settings.web_url,
      log: async (id) => (await store.jobLog.read(id))?.lines ?? [],
    }),
    ...{ session, octokit, plain: identity.plain, now: clock.now },
  });
  const repositoryPerformer = createRepositoryPerformer({ source, self: async () => identity.self });
  const github = { client, performer: () => performer, repositoryPerformer };
  const ids = createEventIds(repository, settings.run_id);
  // what the audit log would hold stands in the workflow's own runs: who started one, and on what
  const record = (): void => {};
  const engine = composeEngine(
    { llm: settings.llm },
    { ...{ store, github, clock, ids, log, record }, pacing: HURRIED_PACING, knows_all_jobs: false },
  );
  return { engine, performer };
}

/** An event of the job's own run says how that stands; then there is no need to ask for it. */
const tellsOfRun = (event: GitHubEvent | null): boolean =>
  event?.type === "news" && event.command.type === "run-changed";

function endOf(left: PendingWork, stuck: readonly JobId[], reasonOf: (id: JobId) => string | null): Ended {
  if (left.unprocessed)
    return { ok: false, sentence: "The event could not be worked on: GitHub did not answer in time." };
  const [first] = stuck;
  if (first === undefined) return { ok: true };
  return { ok: false, sentence: `Job ${first} does not go on: ${reasonOf(first) ?? "an effect failed."}` };
}

async function bringBack(context: Context, session: StateSession, event: GitHubEvent | null): Promise<void> {
  const { repository, settings, stateBranch, octokit, githubClient, identity } = context;
  if (session.restored().length > 0) return;
  if (event === null) return session.restore(await stateBranch.list());
  // a run that was interrupted has left its own job on the state branch, though no comment tells of it yet
  const own = idOfEvent(repository, settings.run_id, 0);
  await session.restore(await affectedJobs({ octokit, githubClient, self: identity.self, own }, event, repository));
}
