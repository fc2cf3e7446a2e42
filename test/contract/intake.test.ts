/** The door with a real store behind it: who may ask, and jobs whose repository moves away under them. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { createHandle } from "../../src/engine/handle.ts";
import { createIntake } from "../../src/engine/intake.ts";
import { createIds } from "../../src/engine/ids.ts";
import { createMarketGate } from "../../src/engine/market-gate.ts";
import { createPermission } from "../../src/engine/permission.ts";
import type { Desk, KnownRepository, Permission } from "../../src/engine/ports.ts";
import type { JobId } from "../../src/job/job.ts";
import type { Signal, SignalRepository } from "../../src/job/signal.ts";
import { createRunLines } from "../../src/logs/run-lines.ts";
import { openLowdbStore } from "../../src/store/lowdb/open.ts";
import { deterministicEstimator } from "../../src/llm/estimate.ts";
import { DEFAULT_REPOSITORY_SETTINGS } from "../../src/wire/settings.ts";
import { ID, T0, TO_PULL_REQUEST, draft } from "../unit/core.ts";

const AT: SignalRepository = { owner: "octo", name: "demo", id: 42, installation_id: 1 };
const ADMINS_ONLY = { ...DEFAULT_REPOSITORY_SETTINGS, commands: { allow: "admin" } } as const;
const BASE = { branch: "main", head_sha: "h", tree_sha: "t", has_workflow: true };

const known = (change: Partial<KnownRepository> = {}): KnownRepository => ({
  ...AT,
  base: BASE,
  settings: null,
  settings_problem: null,
  ...change,
});

async function door(at_github: KnownRepository | null, permission: Permission = "write", mute = false) {
  const dir = await mkdtemp(join(tmpdir(), "journeyman-intake-"));
  const store = await openLowdbStore({ dir, now: () => T0 });
  onTestFinished(async () => {
    await store.close();
    await rm(dir, { recursive: true, force: true });
  });
  let now = T0;
  const clock = { now: () => now, at: () => () => {} };
  const audience = { listens: async () => false };
  const told = { lines: createRunLines(), committed: () => {}, record: () => {} };
  const handle = createHandle({ jobs: store.jobs, clock, audience, patient: true, ...told });
  const said: string[] = [];
  let asked = 0;
  const forgotten: number[] = [];
  const desk: Desk = {
    permission: async () => {
      asked += 1;
      return permission;
    },
    repository: async () => {
      said.push("read");
      return at_github;
    },
    pullRequest: async () => ({ head_branch: "x", head_sha: "c", from_fork: false }),
    react: async (_repository, _comment, content) => {
      if (mute) throw new Error("The issue is locked.");
      said.push(content);
    },
    reply: async (_repository, _issue, _marker, body) => void said.push(body),
    installation: async () => null,
    pushWait: () => 0,
    forgetAccess: (installation_id) => void forgotten.push(installation_id),
    failedDeliveries: async () => [],
    redeliver: async () => {},
  };
  const ids = createIds(clock);
  const create: Parameters<typeof createIntake>[0]["create"] = (wanted) => {
    const id = ids.jobId();
    return handle(id, { type: "create", draft: { ...wanted, id } });
  };
  const intake = createIntake({
    may: createPermission(store, desk),
    marketGate: createMarketGate(store.repositories, desk),
    store,
    desk,
    estimator: deterministicEstimator,
    handle,
    create,
    clock,
    log: { debug: () => {} },
  });
  const hear = (signal: Signal) => intake("d", signal, false);
  return { store, handle, said, hear, forgotten, asked: () => asked, pass: (ms: number) => void (now += ms) };
}

const ask: Signal = {
  type: "slash",
  repository: AT,
  issue: { number: 7, title: "Hello", body: "", is_pull_request: false },
  comment_id: 70,
  author: "ada",
  command: { verb: "run", task: "say hello", model: null, no_merge: false, draft: false, market: null },
};

describe("who may ask where the settings want an admin", () => {
  it("is asked of GitHub before the first job, when nothing is known of the repository", async () => {
    const { store, said, hear } = await door(known({ settings: ADMINS_ONLY }));
    await hear(ask);
    expect(said).toEqual(["read", "confused"]);
    expect(await store.jobs.count()).toBe(0);
  });

  it("is asked again after a push that may have changed the settings", async () => {
    const { store, said, hear } = await door(known({ settings: ADMINS_ONLY }));
    await store.repositories.put(known({ settings: DEFAULT_REPOSITORY_SETTINGS }));
    const moved = { type: "default-branch-moved", repository: AT, branch: "main" } as const;
    await hear({ ...moved, head_sha: "h2", tree_sha: "t2", settings_changed: true });
    await hear(ask);
    expect(said).toEqual(["read", "confused"]);
  });

  it("is asked with the last good settings in hand, for the file may be broken now", async () => {
    const { store, said, hear } = await door(known({ settings: ADMINS_ONLY, settings_problem: "It is broken." }));
    await store.repositories.put(known({ base: null, settings: ADMINS_ONLY }));
    await hear(ask);
    expect(said).toEqual(["read", "confused"]);
  });

  it("costs no reading once it is known, and none for those who may not write", async () => {
    const writer = await door(null);
    await writer.store.repositories.put(known());
    await writer.hear(ask);
    expect(writer.said).toEqual([]);
    expect(await writer.store.jobs.count()).toBe(1);
    const reader = await door(null, "read");
    await reader.hear(ask);
    expect(reader.said).toEqual(["confused"]);
  });
});

describe("those who may not command", () => {
  const comment = (nth: number, author: string, id = AT.id): Signal => ({
    ...ask,
    ...{ comment_id: nth, author, repository: { ...AT, id } },
  });

  it("cost three writes and three questions, when three of them write ninety comments", async () => {
    const { hear, said, asked } = await door(known(), "read");
    for (let nth = 1; nth <= 90; nth++) await hear(comment(nth, `stranger-${nth % 3}`));
    expect(said).toEqual(["confused", "confused", "confused"]);
    expect(asked()).toBe(3);
  });

  it("are shown it ten times an hour in a repository, whoever they are, and once a day each", async () => {
    const { hear, said, pass } = await door(known(), "none");
    for (let nth = 1; nth <= 30; nth++) await hear(comment(nth, `stranger-${nth}`));
    expect(said).toHaveLength(10);
    await hear(comment(31, "stranger-31", 43));
    expect(said).toHaveLength(11);
    pass(3_600_000);
    await hear(comment(32, "stranger-1"));
    expect(said).toHaveLength(11);
    await hear(comment(33, "stranger-33"));
    expect(said).toHaveLength(12);
    pass(24 * 3_600_000);
    await hear(comment(34, "STRANGER-1"));
    expect(said).toHaveLength(13);
  });

  it("are asked about again after minutes", async () => {
    const { hear, asked, pass } = await door(known(), "read");
    await hear(comment(1, "bob"));
    pass(299_999);
    await hear(comment(2, "Bob"));
    expect(asked()).toBe(1);
    pass(1);
    await hear(comment(3, "bob"));
    expect(asked()).toBe(2);
  });
});

describe("news of an installation", () => {
  it("drops what was kept to sign in there: a token may be revoked, or lack what was granted", async () => {
    const { hear, forgotten } = await door(known());
    await hear({ type: "repositories-changed", installation_id: 1, added: [], removed: [] });
    await hear({ type: "uninstalled", installation_id: 2 });
    expect(forgotten).toEqual([1, 2]);
  });
});

describe("a reaction", () => {
  it("comes after the command and stops nothing, where the issue is locked", async () => {
    const { hear, store, handle } = await door(known(), "write", true);
    await handle(ID, {
      type: "create",
      draft: draft({ repository: { owner: "octo", name: "demo", installation_id: 1 } }),
    });
    await hear({ ...ask, comment_id: 71, command: { verb: "cancel" } });
    expect((await store.jobs.load(ID))?.job.status).toBe("cancelled");
  });
});

describe("a command that names a job", () => {
  const cancel = (job: string): Signal => ({ ...ask, command: { verb: "cancel", job: job as JobId } });

  it("reaches that one, whatever else there is on the issue", async () => {
    const { store, handle, said, hear } = await door(null);
    await store.repositories.put(known());
    await handle(ID, { type: "create", draft: draft() });
    await hear({ ...ask, comment_id: 71 });
    await hear(cancel(ID));
    expect((await store.jobs.load(ID))?.job.status).toBe("cancelled");
    expect((await store.jobs.list({ repository: "octo/demo", status: "queued", limit: 9 })).jobs).toHaveLength(1);
    expect(said).toEqual(["eyes"]);
  });

  it("is answered where there is none of that name here", async () => {
    const { store, handle, said, hear } = await door(null);
    await store.repositories.put(known());
    await handle(ID, {
      type: "create",
      draft: draft({ repository: { owner: "octo", name: "other", installation_id: 1 } }),
    });
    for (const id of [ID, "zzzzzzzz"]) await hear(cancel(id));
    expect(said).toEqual([ID, "zzzzzzzz"].map((id) => expect.stringContaining(`There is no job \`${id}\``)));
    expect((await store.jobs.load(ID))?.job.status).toBe("queued");
  });
});

describe("a job whose repository", () => {
  const moved = (change: Partial<Extract<Signal, { type: "repositories-changed" }>>): Signal => ({
    type: "repositories-changed",
    installation_id: 1,
    added: [],
    removed: [],
    ...change,
  });
  const begun = async () => {
    const house = await door(null);
    await house.store.repositories.put(known());
    await house.handle(ID, { type: "create", draft: draft() });
    for (const command of TO_PULL_REQUEST) await house.handle(ID, command);
    return house;
  };

  it("is renamed or given away goes on under the new name", async () => {
    const { store, hear } = await begun();
    const added = [{ owner: "crew", name: "showcase", id: 42 }];
    await hear(moved({ installation_id: 2, added, removed: [{ owner: "octo", name: "demo", id: 42 }] }));
    expect(await store.jobs.ofPullRequest("crew/showcase", 8)).toBe(ID);
    const repository = { owner: "crew", name: "showcase", id: 42, installation_id: 2 };
    await hear({ type: "news", repository, job: ID, command: { type: "merged", pull_request: 8, by: "ada", at: T0 } });
    expect((await store.jobs.load(ID))?.job).toMatchObject({ status: "verified", merged_at: T0 });
  });

  it("is deleted or taken from the App ends", async () => {
    const { store, hear } = await begun();
    await hear(moved({ removed: [{ owner: "octo", name: "demo", id: 42 }] }));
    expect((await store.jobs.load(ID))?.job.status).toBe("cancelled");
    expect(await store.repositories.get("octo", "demo")).toBeNull();
  });
});

describe("the market of a repository", () => {
  const market = { ...ask, command: { ...ask.command, market: { price_cents: 500 } } } as Signal;
  const opened = { ...DEFAULT_REPOSITORY_SETTINGS, market: { enabled: true, run_checks: "ask" } } as const;

  it.each([
    ["nothing", null],
    ["nothing of it", DEFAULT_REPOSITORY_SETTINGS],
  ])("is off where its settings say %s, and nothing is made", async (_name, settings) => {
    const { store, said, hear } = await door(null);
    await store.repositories.put(known({ settings }));
    await hear(market);
    expect(said).toEqual([expect.stringContaining("The market is off for octo/demo.")]);
    expect(said[0]).toContain("`market: {enabled: true}`");
    expect(await store.jobs.count()).toBe(0);
  });

  it("is open where they say so, be it that they have to be read first", async () => {
    for (const base of [BASE, null]) {
      const { store, hear } = await door(known({ settings: opened }));
      await store.repositories.put(known({ base, settings: base === null ? null : opened }));
      await hear(market);
      expect(await store.jobs.count()).toBe(1);
    }
  });

  it("is read anew when a push may have closed it", async () => {
    const { store, hear } = await door(known());
    await store.repositories.put(known({ settings: opened, base: null }));
    await hear(market);
    expect(await store.jobs.count()).toBe(0);
  });
});
