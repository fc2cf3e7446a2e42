/**
 * One turn: a whole server for one event. The jobs that the event is about are brought back, the engine starts as it
 * would after a crash, hears the event, and everything that is due is done before the jobs are put back. When another
 * process was faster with one of them, the turn is taken again on what that process has left.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { GitHubEvent } from "../domain/job/github-event.ts";
import type { JobId, Repository } from "../domain/job/job.ts";
import { systemClock as clock } from "../engine/clock.ts";
import { createEngine } from "../engine/engine.ts";
import type { GitHubClient } from "../engine/ports/github.ts";
import type { Log } from "../engine/ports/log.ts";
import type { Store } from "../engine/ports/store.ts";
import { gitHubErrorOf } from "../github/client/errors.ts";
import { createPerformer } from "../github/effects/perform.ts";
import { createGitHubClient } from "../github/github-client.ts";
import { openLowdbStore } from "../store/lowdb/open.ts";
import { affectedJobs } from "./affected-jobs.ts";
import { createEventIds, idOfEvent } from "./ids.ts";
import type { ActionSettings } from "./settings.ts";
import { createStateBranchStore, type StateBranchStore } from "./state-branch-store.ts";
import { createStateSession, type StateSession } from "./state-session.ts";
import { createStatelessPerformer } from "./stateless-performer.ts";
import { clientOf, type Identity, identify, NO_INSTALLATION, type TokenClient } from "./token.ts";
import { type PendingWork, waitUntilIdle } from "./wait-until-idle.ts";
import { ChangeNotifier, watched } from "./watched-store.ts";

/** Turns on one event: each further one means that yet another process was faster. */
const MOST_TURNS = 4;
/** Between two tries of what must be read before anything can be heard. */
const AGAIN_MS = 2_000;
/** For saying in the comment that the job does not go on. */
const LAST_WORD_MS = 5_000;

/** A workflow has no audit log but its own runs: who started one, and on what, stands there. */
const nobody = (): void => {};

/** What a turn is about. Null: no event, every job that is open (a sweep). */
export interface InvocationEvent {
  readonly signal: GitHubEvent | null;
}

/** How it ended; a sentence where somebody must look. */
export type Ended = { readonly ok: true } | { readonly ok: false; readonly sentence: string };

interface World extends TokenClient {
  readonly settings: ActionSettings;
  readonly identity: Identity;
  readonly repository: Repository;
  readonly stateBranch: StateBranchStore;
  readonly githubClient: GitHubClient;
  readonly log: Log;
  /** When waiting ends. */
  readonly until: number;
}

/** Asked again while GitHub is away, until patience is over. */
async function patiently<T>(until: number, ask: () => Promise<T>): Promise<T> {
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

/** Permissions are asked for twice in a turn, and must not change between the two. No App's deliveries here. */
function deskOf(githubClient: GitHubClient): GitHubClient {
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

export async function runInvocation(settings: ActionSettings, log: Log, { signal }: InvocationEvent): Promise<Ended> {
  const until = clock.now() + settings.patience_ms;
  const client = clientOf(settings.token, settings.api_url, log);
  const repository: Repository = { ...settings.repository, installation_id: NO_INSTALLATION };
  const identity = await patiently(until, () => identify(client.octokit));
  const githubClient = createGitHubClient({ source: client.source, self: async () => identity.self });
  const stateBranch = createStateBranchStore(client.octokit, repository, clock.now);
  const world: World = {
    ...client,
    settings,
    identity,
    repository,
    stateBranch,
    githubClient: deskOf(githubClient),
    log,
    until,
  };
  for (let turn = 1; turn <= MOST_TURNS; turn++) {
    const dir = await mkdtemp(join(settings.temp_dir, "journeyman-"));
    const store = await openLowdbStore({ dir, now: clock.now });
    try {
      const ended = await takeTurn(world, store, signal, turn);
      if (ended !== "again") return ended;
      log.info({ turn }, "another run was faster; the event is heard again on what it has left");
    } finally {
      await store.close();
      await rm(dir, { recursive: true, force: true });
    }
  }
  return { ok: false, sentence: "Other runs kept changing the same job. Run this one again." };
}

async function takeTurn(
  world: World,
  inner: Store,
  signal: GitHubEvent | null,
  turn: number,
): Promise<Ended | "again"> {
  const { settings, repository, identity, log, until, octokit } = world;
  const bell = new ChangeNotifier();
  const store = watched(inner, bell);
  const book = createStateSession({ stateBranch: world.stateBranch, store, repository, log });
  await patiently(until, () => bringBack(world, book, signal));

  const performer = createStatelessPerformer({
    performer: createPerformer({
      source: world.source,
      repositories: store.repositories,
      self: async () => identity.self,
      llm: settings.llm,
      log: async (id) => (await store.jobs.load(id))?.log ?? [],
    }),
    ...{ book, octokit, plain: identity.plain, now: clock.now },
  });
  const ids = createEventIds(repository, settings.run_id);
  const engine = createEngine({
    ...{ store, clock, ids, performer, githubClient: world.githubClient, log, record: nobody, llm: settings.llm },
    patient: false,
  });

  const delivery = `${settings.run_id}-${settings.run_attempt}`;
  const again = turn > 1 || settings.run_attempt > 1;
  // recorded before the start it is taken for one that was begun and cut off: then the engine looks before it acts
  if (signal !== null && again) await store.inbox.record({ id: delivery, signal, at: clock.now() });
  await engine.start();
  for (const id of book.restored()) {
    await engine.handle(id, { type: "look", forced: !tellsOfRun(signal) });
    if (turn > 1) await engine.handle(id, { type: "show", comment_id: null });
  }
  if (signal !== null && !again) await engine.receive(delivery, signal);

  const left = await waitUntilIdle(store, bell, clock, until, book.conflicted);
  const stuck = [...new Set(left.failed.map(({ id }) => id))];
  if (!book.conflicted() && stuck.length > 0) {
    for (const id of stuck) {
      performer.tell(id);
      await engine.handle(id, { type: "show", comment_id: null });
    }
    await waitUntilIdle(store, bell, clock, clock.now() + LAST_WORD_MS, book.conflicted);
  }
  await engine.stop();
  await book.close();
  if (signal === null) await book.retire(clock.now());
  return book.conflicted() ? "again" : endOf(left, stuck, performer.reasonOf);
}

/** An event of the job's own run says how that stands; then there is no need to ask for it. */
const tellsOfRun = (signal: GitHubEvent | null): boolean =>
  signal?.type === "news" && signal.command.type === "run-changed";

function endOf(left: PendingWork, stuck: readonly JobId[], reasonOf: (id: JobId) => string | null): Ended {
  if (left.unheard) return { ok: false, sentence: "The event could not be worked on: GitHub did not answer in time." };
  const [first] = stuck;
  if (first === undefined) return { ok: true };
  return { ok: false, sentence: `Job ${first} does not go on: ${reasonOf(first) ?? "an effect failed."}` };
}

async function bringBack(world: World, book: StateSession, signal: GitHubEvent | null): Promise<void> {
  const { repository, settings, stateBranch, octokit, githubClient, identity } = world;
  if (book.restored().length > 0) return;
  if (signal === null) return book.restore(await stateBranch.list());
  // a run that was cut off before has left its own job on the shelf, though no comment tells of it yet
  const own = idOfEvent(repository, settings.run_id, 0);
  await book.restore(await affectedJobs({ octokit, githubClient, self: identity.self, own }, signal, repository));
}
