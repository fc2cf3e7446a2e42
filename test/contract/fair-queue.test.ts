/**
 * Fairness between tenants: the real engine over a real store, with a manual clock and slow answers. One installation
 * must not delay another.
 */
import fs from "node:fs";
import { rm } from "node:fs/promises";
import { expect, it, onTestFinished } from "vitest";
import { DEFAULT_REPOSITORY_SETTINGS } from "../../src/contracts/settings.ts";
import type { EventRepository, GitHubEvent } from "../../src/domain/job/github-event.ts";
import type { ObservedRepository } from "../../src/domain/repository/repository.ts";
import { createEngine } from "../../src/engine/engine.ts";
import { createIds } from "../../src/engine/ids.ts";
import type { GitHubClient } from "../../src/engine/ports/github.ts";
import { deterministicEstimator } from "../../src/llm/estimate.ts";
import { openLowdbStore } from "../../src/store/lowdb/open.ts";
import { dataFolder } from "../data-folder.ts";
import { stillClock } from "../flows/clock.ts";
import { idleRepositoryPerformer } from "./absent-github.ts";
import { observe } from "./observed-repositories.ts";

const GITHUB_MS = 100;
/** What a model may take over an offer. */
const OFFER_MS = 7_000;
const TICK_MS = 50;
const ORDERS = 60;

const repositoryOf = (installation_id: number): EventRepository => ({
  owner: `tenant${installation_id}`,
  name: "demo",
  id: installation_id,
  installation_id,
});

const asked = (tenant: number, number: number, market: boolean): GitHubEvent => ({
  type: "slash",
  repository: repositoryOf(tenant),
  issue: { number, title: "Hello", body: "", is_pull_request: false },
  comment_id: tenant * 1_000 + number,
  author: "ada",
  author_id: 5,
  command: {
    verb: "run",
    task: "say hello",
    model: null,
    no_merge: false,
    draft: false,
    market: market ? { price_cents: 500 } : null,
  },
});

/** `effect_ms`: how long GitHub takes over each effect of the first tenant's. */
async function sandbox(effect_ms = GITHUB_MS) {
  const dir = dataFolder("journeyman-turns-");
  const clock = stillClock();
  // the disk answers at once, so that time is the clock's alone
  const fileSystem = Object.assign(Object.create(fs), {
    fdatasync: (_fd: number, done: (error: null) => void) => done(null),
  });
  const store = await openLowdbStore({ dir, ...clock, fileSystem });
  const wait = (ms: number): Promise<void> => new Promise((resolve) => void clock.at(clock.now() + ms, resolve));
  const slow =
    <T>(answer: T) =>
    async (): Promise<T> => {
      await wait(GITHUB_MS);
      return answer;
    };
  const githubClient: GitHubClient = {
    permission: slow({ permission: "write", person: { id: 5, login: "ada" } } as const),
    repository: slow(null),
    installedRepositories: slow([]),
    repositoryById: slow(null),
    examine: slow({ facts: null, missing: null }),
    failedCacheFill: slow(null),
    review: slow(null),
    pullRequest: slow({ head_branch: "x", head_sha: "c", from_fork: false, merged: false, open: true }),
    pullRequestToFix: slow({
      ...({ state: "open", url: "https://github.test/octo/demo/pull/7", head_branch: "x", from_fork: false } as const),
      ...{ is_default_branch: false, failing: ["ci"], cancelled: [], pending: 0 },
      ...{ title: "Bump", head_sha: "c".repeat(40), bot: null },
    }),
    react: slow(undefined),
    reply: slow(undefined),
    installation: slow(null),
    pushWait: () => 0,
    isShortOfWrites: () => false,
    loginOf: async () => null,
    forgetAccess: () => {},
    failedDeliveries: async () => [],
    redeliver: async () => {},
  };
  /** When the first brief of each tenant was pushed. */
  const pushed = new Map<number, number>();
  const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const engine = createEngine({
    ...{ store, clock, ids: createIds(clock), githubClient, log: quiet, record: () => {} },
    repositoryPerformer: idleRepositoryPerformer,
    performer: {
      perform: async (effect, { repository: { installation_id } }) => {
        await wait(installation_id === 1 ? effect_ms : GITHUB_MS);
        if (effect.type === "push-brief" && !pushed.has(installation_id)) pushed.set(installation_id, clock.now());
        return { ended: "done" };
      },
    },
    estimator: {
      estimate: async (request) => {
        await wait(OFFER_MS);
        return deterministicEstimator.estimate(request);
      },
    },
  });
  for (const tenant of [1, 2]) {
    const known: ObservedRepository = {
      ...repositoryOf(tenant),
      base: { branch: "main", head_sha: "h", tree_sha: "t", has_workflow: true },
      settings: { ...DEFAULT_REPOSITORY_SETTINGS, market: { enabled: true, run_checks: "ask" } },
      settings_problem: null,
    };
    await observe(store.repositories, known);
  }
  await engine.start();
  onTestFinished(async () => {
    let stopped = false;
    const stopping = engine.stop().then(() => {
      stopped = true;
    });
    while (!stopped) await tick();
    await stopping;
    await store.close();
    await rm(dir, { recursive: true, force: true });
  });

  const tick = async (): Promise<void> => {
    clock.pass(TICK_MS);
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  };

  /** How long the second tenant's `/job` takes to be on its branch, in the clock's time. */
  const delayOfOther = async (): Promise<number> => {
    const at = clock.now();
    void engine.receive("other", asked(2, 1, false));
    while (!pushed.has(2)) await tick();
    return (pushed.get(2) ?? Number.POSITIVE_INFINITY) - at;
  };
  const flood = async (market: boolean): Promise<void> => {
    for (let number = 1; number <= ORDERS; number++) void engine.receive(`d${number}`, asked(1, number, market));
    await tick();
  };
  return { delayOfOther, flood, tick, pushed };
}

/** What it takes where nobody else asks for anything. */
const alone = async (): Promise<number> => (await sandbox()).delayOfOther();

it("lets sixty market orders of one installation delay another's /job by at most a second", async () => {
  const usual = await alone();
  const busy = await sandbox();
  await busy.flood(true);
  expect(await busy.delayOfOther()).toBeLessThanOrEqual(usual + 1_000);
});

it("lets sixty jobs of one installation, each of whose calls is slow, delay another's /job by at most a second", async () => {
  const usual = await alone();
  const busy = await sandbox(10_000);
  await busy.flood(false);
  // two seconds: the deliveries are worked on, and their first calls are under way
  for (let ticks = 0; ticks < 40; ticks++) await busy.tick();
  expect(busy.pushed.has(1)).toBe(false);
  expect(await busy.delayOfOther()).toBeLessThanOrEqual(usual + 1_000);
});
