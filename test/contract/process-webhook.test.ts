/** Webhook processing with a real store: who may ask, and jobs whose repository moves away under them. */
import { rm } from "node:fs/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { DEFAULT_REPOSITORY_SETTINGS } from "../../src/contracts/settings.ts";
import type { Command } from "../../src/domain/job/command.ts";
import type { EventRepository, GitHubEvent, SlashCommand } from "../../src/domain/job/github-event.ts";
import type { JobId } from "../../src/domain/job/job.ts";
import type { ObservedRepository } from "../../src/domain/repository/repository.ts";
import { createPermission } from "../../src/engine/command-permission.ts";
import { createAnswers } from "../../src/engine/comment-answers.ts";
import { createDoctor } from "../../src/engine/doctor.ts";
import { CommandHandler, type Handle } from "../../src/engine/handle-command.ts";
import { createRepositoryHandler, observing } from "../../src/engine/handle-repository.ts";
import { createIds } from "../../src/engine/ids.ts";
import { createLine } from "../../src/engine/line.ts";
import { createMarketGate } from "../../src/engine/market-gate.ts";
import type { Recorder } from "../../src/engine/ports/audit.ts";
import type { GitHubClient, Permission, PullRequestToFix } from "../../src/engine/ports/github.ts";
import type { Store } from "../../src/engine/ports/store.ts";
import { createWebhookProcessor } from "../../src/engine/process-webhook.ts";
import { createQuotas } from "../../src/engine/quotas.ts";
import { readSlashCommand } from "../../src/github/events/slash-command.ts";
import { deterministicEstimator } from "../../src/llm/estimate.ts";
import { openLowdbStore } from "../../src/store/lowdb/open.ts";
import { dataFolder } from "../data-folder.ts";
import {
  ADA,
  briefPushed,
  draft,
  facts,
  ID,
  resultRead,
  runChanged,
  settings,
  T0,
  TO_PULL_REQUEST,
} from "../unit/job-fixtures.ts";
import { observe } from "./observed-repositories.ts";

const AT: EventRepository = { owner: "octo", name: "demo", id: 42, installation_id: 1 };
const ADMINS_ONLY = { ...DEFAULT_REPOSITORY_SETTINGS, commands: { allow: "admin" } } as const;
const BASE = { branch: "main", head_sha: "h", tree_sha: "t", has_workflow: true };

const known = (change: Partial<ObservedRepository> = {}): ObservedRepository => ({
  ...AT,
  base: BASE,
  settings: null,
  settings_problem: null,
  ...change,
});

async function service(
  at_github: ObservedRepository | null,
  permission: Permission = "write",
  mute = false,
  offers_set_up = false,
) {
  const dir = dataFolder("journeyman-intake-");
  let store = await openLowdbStore({ dir, now: () => T0 });
  onTestFinished(async () => {
    await store.close();
    await rm(dir, { recursive: true, force: true });
  });
  let now = T0;
  const clock = { now: () => now, at: () => () => {} };
  const subscriptionMatcher = { listens: async () => false };
  const recorded: string[] = [];
  const record: Recorder = (by, { action, target }) => void recorded.push(`${by.login} ${action} ${target?.id}`);
  const { jobs, blobs, usage } = store;
  const quotas = createQuotas({ jobs, blobs, usage, clock, estimator: deterministicEstimator });
  const told = { jobLog: store.jobLog, quotas, committed: () => {}, record: () => {}, log: { info: () => {} } };
  /** Who has which name on GitHub. */
  const people = new Map([["ada", { id: 5, login: "ada" }]]);
  const needs = { jobs, accounts: store.accounts, clock, subscriptionMatcher, ...told };
  const line = createLine({
    ...{ store, clock, knows_all_jobs: true },
    handle: (id, command) => handle(id, command),
  });
  const commandHandler = new CommandHandler({ ...needs, line });
  const handle: Handle = (id, command, extras) => commandHandler.handle(id, command, extras);
  const said: string[] = [];
  const pull = { head_branch: "x", head_sha: "c", from_fork: false, merged: false, open: true };
  const toFix: { -readonly [Name in keyof PullRequestToFix]: PullRequestToFix[Name] } = {
    ...{ state: "open", url: "https://github.test/octo/demo/pull/9", head_branch: "x", from_fork: false },
    ...{ is_default_branch: false, failing: ["ci"], cancelled: [], pending: 0 },
    ...{ title: "Bump", head_sha: "c".repeat(40), bot: null },
  };
  /** Where GitHub has a repository by now. */
  const places = new Map<number, EventRepository>();
  let asked = 0;
  let locked = false;
  const lock = (): void => {
    locked = true;
  };
  const forgotten: number[] = [];
  const githubClient: GitHubClient = {
    permission: async (_repository, login) => {
      asked += 1;
      return { permission, person: people.get(login) ?? null };
    },
    loginOf: async (_repository, id) => [...people.values()].find((one) => one.id === id)?.login ?? null,
    repository: async () => {
      said.push("read");
      return at_github;
    },
    installedRepositories: async () => [],
    repositoryById: async (id) => {
      said.push("located");
      return places.get(id) ?? null;
    },
    examine: async () => ({ facts: null, missing: null }),
    failedCacheFill: async () => null,
    pullRequest: async () => pull,
    review: async () => null,
    pullRequestToFix: async () => toFix,
    react: async (_repository, _comment, content) => {
      if (mute) throw new Error("The issue is locked.");
      said.push(content);
    },
    reply: async (_repository, _issue, _marker, body) => {
      if (locked) throw new Error("The issue is locked.");
      said.push(body);
    },
    installation: async () => null,
    pushWait: () => 0,
    isShortOfWrites: () => false,
    forgetAccess: (installation_id) => void forgotten.push(installation_id),
    failedDeliveries: async () => [],
    redeliver: async () => {},
  };
  const ids = createIds(clock);
  const create: Parameters<typeof createWebhookProcessor>[0]["create"] = (wanted) => {
    const id = ids.jobId();
    return handle(id, { type: "create", draft: { ...wanted, id } });
  };
  const repositoriesOf = (at: Store) =>
    createRepositoryHandler({ repositories: at.repositories, clock, offers_set_up });
  const begin = (at: Store) =>
    createWebhookProcessor({
      admit: createPermission(store, githubClient, observing(repositoriesOf(at)), record),
      marketGate: createMarketGate(store.repositories, githubClient),
      store: at,
      githubClient,
      estimate: quotas.estimate,
      handle,
      handleRepository: repositoriesOf(at),
      offers_set_up,
      answers: createAnswers({
        ...{ examine: createDoctor(at.repositories, githubClient, Date.now), store: at, clock, knows_all_jobs: true },
        handleRepository: repositoriesOf(at),
      }),
      create,
      fireTrigger: async () => ({ kind: "started", jobs: [], events: [], again: false }),
      clock,
      log: { debug: () => {} },
    });
  let webhookProcessor = begin(store);
  const process = (event: GitHubEvent) => webhookProcessor("d", event, false);
  /** As after a crash. */
  const processAgain = (event: GitHubEvent) => webhookProcessor("d", event, true);
  /** Another process on the same folder receives the events from now on. */
  const restart = async (): Promise<void> => {
    await store.close();
    store = await openLowdbStore({ dir, now: () => now });
    webhookProcessor = begin(store);
  };
  const pass = (ms: number): void => {
    now += ms;
  };
  const world = { store, handle, said, people, places, pull, toFix, recorded, forgotten, asked: () => asked };
  return { ...world, process, processAgain, lock, pass, restart };
}

const ask = {
  type: "slash",
  repository: AT,
  issue: { number: 7, title: "Hello", body: "", is_pull_request: false },
  comment_id: 70,
  author: "ada",
  author_id: 5,
  command: { verb: "run", task: "say hello", model: null, no_merge: false, draft: false, market: null },
} as const satisfies GitHubEvent;

/** The jobs' accounts, by name. */
const accountsIn = async ({ store }: Awaited<ReturnType<typeof service>>): Promise<string[]> =>
  (await store.jobs.list({ limit: 10 })).jobs.map(({ account }) => account).sort();

describe("a push to the default branch", () => {
  it("has what waits to be merged into it looked at, since it may conflict now, and nothing else", async () => {
    const here = await service(known());
    await here.handle(ID, { type: "create", draft: draft({ repository: AT }) });
    const moved = { type: "default-branch-moved", repository: AT, head_sha: "h2", tree_sha: "t2" } as const;
    const looks = async () =>
      ((await here.store.jobs.load(ID))?.effects ?? []).filter(({ effect }) => effect.type === "read-facts");
    for (const command of TO_PULL_REQUEST) await here.handle(ID, command);
    const [first] = await looks();
    if (first === undefined) throw new Error("nothing looks at the pull request");
    await here.store.jobs.acknowledge(ID, first);
    await here.process({ ...moved, branch: "next", settings_changed: false, lock_files_changed: false });
    expect(await looks()).toEqual([]);
    await here.process({ ...moved, branch: "main", settings_changed: false, lock_files_changed: false });
    expect(await looks()).toHaveLength(1);
  });
});

describe("a job that is asked for on the set-up pull request", () => {
  const onSetUp = async (change: { readonly merged?: boolean; readonly head_branch?: string }) => {
    const { store, said, pull, process } = await service(known());
    Object.assign(pull, { head_branch: "journeyman-set-up" }, change);
    const acted = await process({ ...ask, issue: { ...ask.issue, is_pull_request: true } });
    return { said, jobs: await store.jobs.count(), code: acted?.error_code };
  };

  it("waits for its merge, since the App may not write a branch with a new workflow", async () => {
    const { said, jobs, code } = await onSetUp({});
    expect([jobs, code]).toEqual([0, "invalid"]);
    expect(said.at(-1)).toMatch(/^Merge this pull request first/);
  });

  it("starts once it is merged", async () => expect((await onSetUp({ merged: true })).jobs).toBe(1));

  it("starts on any other pull request", async () => expect((await onSetUp({ head_branch: "x" })).jobs).toBe(1));
});

describe("/job fix on a person's pull request", () => {
  const RUN = { verb: "run", model: null, no_merge: false, draft: false, market: null } as const;
  let nth = 900;
  async function asking() {
    const here = await service(known());
    await observe(here.store.repositories, known());
    const say = async (task: string) => {
      here.said.length = 0;
      const issue = { number: 9, title: "Mine", body: "", is_pull_request: true };
      const event: GitHubEvent = { ...ask, issue, comment_id: nth++, command: { ...RUN, task } };
      const acted = await here.process(event);
      const { jobs } = await here.store.jobs.list({ limit: 10 });
      return { jobs, newest: jobs[0], said: here.said.join("\n"), acted, event };
    };
    return { ...here, say };
  }

  it("begins one job on its branch, once however often it is told", async () => {
    const here = await asking();
    const { newest, event } = await here.say("fix");
    expect(newest).toMatchObject({
      target: { number: 9, branch: "x" },
      pull_request: { number: 9 },
      base: { branch: "x" },
    });
    await here.processAgain(event);
    expect(await here.store.jobs.count()).toBe(1);
  });

  it("is said to be under way, or is a message with what is new, and another job once that is over", async () => {
    const here = await asking();
    const { newest } = await here.say("fix");
    if (newest === undefined) throw new Error("no job");
    expect(await here.say("fix it")).toMatchObject({
      jobs: { length: 1 },
      said: expect.stringMatching(/^A job works on/),
    });
    expect((await here.say("fix the typo, too")).newest?.waiting_messages).toMatchObject([
      { text: "fix the typo, too" },
    ]);
    await here.handle(newest.id, { type: "cancel", by: { account: "ada", login: "ada" } });
    expect(await here.say("fix")).toMatchObject({ jobs: { length: 2 }, said: "" });
  });

  it("is refused with a code, and starts nothing", async () => {
    const here = await asking();
    here.toFix.from_fork = true;
    expect(await here.say("fix")).toMatchObject({ jobs: { length: 0 }, acted: { error_code: "forbidden" } });
    Object.assign(here.toFix, { from_fork: false, failing: [] });
    expect(await here.say("fix")).toMatchObject({ jobs: { length: 0 }, acted: { error_code: "invalid" } });
  });

  it("begins in a locked conversation, too", async () => {
    const here = await asking();
    here.lock();
    expect(await here.say("fix")).toMatchObject({ jobs: { length: 1 } });
  });
});

describe("a further /job on an issue whose job is open", () => {
  const RUN = { verb: "run", task: "", model: null, no_merge: false, draft: false, market: null } as const;
  type Said = Partial<Extract<SlashCommand, { verb: "run" }>>;
  let nth = 100;
  const further = (said: Said, issue = 7): GitHubEvent => ({
    ...ask,
    ...{ issue: { ...ask.issue, number: issue }, comment_id: nth++, command: { ...RUN, ...said } },
  });
  const QUESTION = resultRead({ outcome: "question", body: "Red or blue?", changed_files: [] });
  /** A job of issue 7 after these commands. */
  async function begun(...commands: readonly Command[]) {
    const here = await service(known());
    await observe(here.store.repositories, known());
    await here.handle(ID, { type: "create", draft: draft({ repository: AT }) });
    for (const command of commands) expect(await here.handle(ID, command)).toMatchObject({ ok: true, changed: true });
    const say = async (said: Said, issue = 7) => {
      here.said.length = 0;
      const event = further(said, issue);
      const acted = await here.process(event);
      const stored = await here.store.jobs.load(ID);
      if (stored === null) throw new Error("the job is gone");
      return { job: stored.job, jobs: await here.store.jobs.count(), said: here.said.join("\n"), acted, event };
    };
    return { ...here, say };
  }

  it("is a message to it, and is said so", async () => {
    const here = await begun(briefPushed(), runChanged());
    const { job, jobs, said, event } = await here.say({ task: "and say bye" });
    expect([jobs, job.waiting_messages]).toEqual([1, [{ text: "and say bye", by: "ada" }]]);
    expect(said).toMatch(/^This is a message to job `abcd1234`.*its next round.*`\/job --again <text>`/s);
    here.said.length = 0;
    await here.process(event);
    expect([(await here.store.jobs.load(ID))?.job.waiting_messages.length, here.said]).toEqual([1, []]);
  });

  it("is said so to each person once", async () => {
    const here = await begun(briefPushed(), runChanged());
    here.people.set("eve", { id: 6, login: "eve" });
    expect((await here.say({ task: "and say bye" })).said).not.toBe("");
    expect(await here.say({ task: "and say it twice" })).toMatchObject({
      said: "",
      job: { waiting_messages: [{}, {}] },
    });
    await here.process({ ...(further({ task: "in red" }) as object), author: "eve", author_id: 6 } as GitHubEvent);
    expect(here.said).toEqual([expect.stringMatching(/^This is a message to job/)]);
  });

  it("goes on at once on a pull request that is being checked, and on one that waits for a person", async () => {
    const checked = await (await begun(...TO_PULL_REQUEST)).say({ task: "more" });
    expect([checked.jobs, checked.job.round, checked.said]).toEqual([1, 2, expect.stringMatching(/pull request #8/)]);
    const left: Command = { type: "observe", facts: facts({ settings: settings({ enabled: false }) }) };
    const here = await begun(...TO_PULL_REQUEST, left);
    expect(await here.say({ task: "more" })).toMatchObject({ jobs: 1, job: { round: 2, status: "queued" } });
  });

  it("is another job once the pull request is closed or merged, whatever was told of that", async () => {
    const left: Command = { type: "observe", facts: facts({ settings: settings({ enabled: false }) }) };
    const here = await begun(...TO_PULL_REQUEST, left);
    Object.assign(here.pull, { open: false });
    expect(await here.say({ task: "more" })).toMatchObject({ jobs: 2, job: { round: 1 }, said: "" });
  });

  it("is the answer where the agent asks, of which the job's own comment tells", async () => {
    const here = await begun(...TO_PULL_REQUEST.slice(0, 4), QUESTION);
    const { job, jobs, said } = await here.say({ task: "blue" });
    expect([jobs, job.status, job.round, said]).toEqual([1, "queued", 2, ""]);
    expect(job.rounds.map(({ asked, is_question }) => [asked, is_question])).toEqual([
      ["Say hello in HELLO.md", true],
      ["blue", undefined],
    ]);
  });

  it("is the answer also where it would be a mistake elsewhere, as a no is", async () => {
    const no = readSlashCommand("/job No, thanks!");
    if (no?.verb !== "mistaken") throw new Error("it is a task");
    const here = await begun(...TO_PULL_REQUEST.slice(0, 4), QUESTION);
    await here.process({ ...further({}), command: no } as GitHubEvent);
    expect((await here.store.jobs.load(ID))?.job.rounds.at(-1)?.asked).toBe("No, thanks!");
    const working = await begun(briefPushed(), runChanged());
    await working.process({ ...further({}), command: no } as GitHubEvent);
    expect(working.said).toEqual([expect.stringMatching(/^Nothing was changed and no job was started\./)]);
  });

  it("goes to the job that asks, where several are open, also when it is the older one", async () => {
    const here = await begun(...TO_PULL_REQUEST.slice(0, 4), QUESTION);
    here.pass(1_000);
    expect(await here.say({ task: "another", again: true })).toMatchObject({ jobs: 2, job: { round: 1 }, said: "" });
    expect(await here.say({ task: "blue" })).toMatchObject({ jobs: 2, job: { round: 2 }, said: "" });
    const { jobs, said } = await here.say({ task: "which of the two?" });
    expect([jobs, said]).toEqual([2, expect.not.stringContaining("abcd1234")]);
  });

  it.each<[string, Said, RegExp]>([
    ["no text", {}, /^Job `abcd1234` of this issue is still open: `\/job <text>` is a message to it\./],
    [
      "--model",
      { model: "m", task: "x" },
      /^`--model` is for a new job, so nothing was done\..*`\/job --again --model …`/,
    ],
    ["--no-merge", { no_merge: true, task: "x" }, /^`--no-merge` is for a new job/],
    ["--draft", { draft: true, task: "x" }, /^`--draft` is for a new job/],
    ["--market", { market: { price_cents: 500 }, task: "x" }, /^`--market` is for a new job/],
  ])("with %s does nothing, and says what to write", async (_what, command, sentence) => {
    const here = await begun(briefPushed(), runChanged());
    const { job, jobs, said, acted } = await here.say(command);
    expect([jobs, job.waiting_messages, acted?.error_code]).toEqual([1, [], "invalid"]);
    expect(said).toMatch(sentence);
  });

  it("asks for the answer, where the agent asks and nothing is said", async () => {
    const here = await begun(...TO_PULL_REQUEST.slice(0, 4), QUESTION);
    expect((await here.say({})).said).toMatch(/^Job `abcd1234` waits for an answer: `\/job <answer>` goes to it\./);
  });

  it("on the job's pull request names a flag that it does not take, and keeps --again for issues", async () => {
    const here = await begun(...TO_PULL_REQUEST);
    const onPull = (said: Said) =>
      here.process({ ...further(said, 8), issue: { ...ask.issue, number: 8, is_pull_request: true } } as GitHubEvent);
    await onPull({ task: "x", no_merge: true });
    await onPull({ task: "x", again: true });
    expect(here.said).toEqual([
      expect.stringMatching(/^`--no-merge` is for a new job, and this pull request's job goes on/),
      expect.stringMatching(/^This pull request is a job's already/),
    ]);
    expect(await here.store.jobs.count()).toBe(1);
  });

  it.each<[string, readonly Command[]]>([
    ["cancelled", [{ type: "cancel", by: ADA }]],
    ["being cancelled", [briefPushed(), runChanged(), { type: "cancel", by: ADA }]],
    [
      "over with nothing to do",
      [...TO_PULL_REQUEST.slice(0, 4), resultRead({ outcome: "nothing_to_do", changed_files: [] })],
    ],
  ])("is another job where the first is %s", async (_what, commands) => {
    expect(await (await begun(...commands)).say({ task: "once more" })).toMatchObject({ jobs: 2, said: "" });
  });

  it("leaves a market job alone, whose task is fixed", async () => {
    const here = await service(known());
    await here.handle(ID, { type: "create", draft: draft({ repository: AT, runner: "market", price_cents: 500 }) });
    await here.process(further({ task: "and this" }));
    expect(here.said.at(-1)).toMatch(/^Job `abcd1234` of this issue is on the market, where its task is fixed\./);
    expect(await here.store.jobs.count()).toBe(1);
  });

  it("is no other job by the label either, which is said, once", async () => {
    const here = await begun(briefPushed(), runChanged());
    const label: GitHubEvent = { type: "label", repository: AT, issue: ask.issue, author: "ada", author_id: 5 };
    await here.process(label);
    await here.processAgain(label);
    expect([await here.store.jobs.count(), here.said]).toEqual([
      1,
      [expect.stringMatching(/`\/job <text>` is a message/)],
    ]);
  });

  it("is taken where the issue is locked, though nobody can be told", async () => {
    const here = await begun(briefPushed(), runChanged());
    here.lock();
    const { job } = await here.say({ task: "and say bye" });
    expect(job.waiting_messages).toHaveLength(1);
  });
});

describe("whose an account is", () => {
  it("hangs on GitHub's number: who takes over a freed login opens nothing that was kept under it", async () => {
    const here = await service(known());
    await here.process(ask);
    here.people.set("ada", { id: 6, login: "ada" });
    await here.process({ ...ask, author_id: 6, comment_id: 71, issue: { ...ask.issue, number: 8 } });
    expect(await accountsIn(here)).toEqual(["ada", "ada@6"]);
    expect(here.recorded).toEqual(["ada account-tied ada", "ada account-tied ada@6"]);
  });

  it("stays with whoever is called otherwise now", async () => {
    const here = await service(known());
    await here.process(ask);
    here.people.delete("ada");
    here.people.set("countess", { id: 5, login: "countess" });
    await here.process({ ...ask, author: "countess", comment_id: 71, issue: { ...ask.issue, number: 8 } });
    expect(await accountsIn(here)).toEqual(["ada", "ada"]);
    expect(here.recorded).toEqual(["ada account-tied ada"]);
    expect(await here.store.accounts.holder("ada")).toEqual({ account: "ada", id: 5, login: "countess" });
  });

  it("is theirs under a name that they had before, as a key from signing in may know it", async () => {
    const here = await service(known());
    await here.process(ask);
    here.people.set("ada", { id: 6, login: "ada" });
    here.people.set("countess", { id: 5, login: "countess" });
    await here.process({ ...ask, comment_id: 71, issue: { ...ask.issue, number: 8 } });
    expect(await accountsIn(here)).toEqual(["ada", "ada"]);
    expect(await here.store.accounts.holder("ada")).toEqual({ account: "ada", id: 5, login: "countess" });
  });

  it("is not asked for where the name that asks is somebody else's by now, or nobody's", async () => {
    const here = await service(known());
    here.people.set("ada", { id: 6, login: "ada" });
    await here.process(ask);
    here.people.delete("ada");
    here.pass(3_600_000);
    await here.process({ ...ask, comment_id: 71 });
    expect(await accountsIn(here)).toEqual([]);
    expect([here.asked(), here.said]).toEqual([2, ["confused"]]);
    expect(await here.store.accounts.holder("ada")).toBeNull();
  });
});

describe("who may ask where the settings want an admin", () => {
  it("is asked of GitHub before the first job, when nothing is known of the repository", async () => {
    const { store, said, process } = await service(known({ settings: ADMINS_ONLY }));
    await process(ask);
    expect(said).toEqual(["read", "confused"]);
    expect(await store.jobs.count()).toBe(0);
  });

  it("is asked again after a push that may have changed the settings", async () => {
    const { store, said, process } = await service(known({ settings: ADMINS_ONLY }));
    await observe(store.repositories, known({ settings: DEFAULT_REPOSITORY_SETTINGS }));
    const moved = { type: "default-branch-moved", repository: AT, branch: "main" } as const;
    await process({ ...moved, head_sha: "h2", tree_sha: "t2", settings_changed: true, lock_files_changed: true });
    await process(ask);
    expect(said).toEqual(["read", "confused"]);
  });

  it("is asked with the last good settings in hand, for the file may be broken now", async () => {
    const { store, said, process } = await service(known({ settings: ADMINS_ONLY, settings_problem: "It is broken." }));
    await observe(store.repositories, known({ base: null, settings: ADMINS_ONLY }));
    await process(ask);
    expect(said).toEqual(["read", "confused"]);
  });

  it("costs no reading once it is known, and none for those who may not write", async () => {
    const writer = await service(null);
    await observe(writer.store.repositories, known());
    await writer.process(ask);
    expect(writer.said).toEqual([]);
    expect(await writer.store.jobs.count()).toBe(1);
    const reader = await service(null, "read");
    await reader.process(ask);
    expect(reader.said).toEqual(["confused"]);
  });
});

describe("those who may not command", () => {
  const comment = (nth: number, author: string, id = AT.id, author_id = numberOf(author)): GitHubEvent => ({
    ...ask,
    ...{ comment_id: nth, author, author_id, repository: { ...AT, id } },
  });
  /** As a delivery of an earlier version tells of it. */
  const unnumbered = (nth: number, author: string): GitHubEvent => {
    const { author_id: _, ...rest } = ask as Extract<GitHubEvent, { type: "slash" }>;
    return { ...rest, comment_id: nth, author };
  };
  const numberOf = (login: string): number => [...login].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7);

  it("cost three writes and three questions, when three of them write ninety comments", async () => {
    const { process, said, asked } = await service(known(), "read");
    for (let nth = 1; nth <= 90; nth++) await process(comment(nth, `stranger-${nth % 3}`));
    expect(said).toEqual(["confused", "confused", "confused"]);
    expect(asked()).toBe(3);
  });

  it("are shown it no more often for a restart", async () => {
    const { process, said, pass, restart } = await service(known(), "none");
    await process(comment(1, "stranger"));
    await restart();
    await process(comment(2, "stranger"));
    expect(said).toEqual(["confused"]);
    for (let nth = 1; nth <= 30; nth++) await process(comment(100 + nth, `stranger-${nth}`));
    expect(said).toHaveLength(10);
    await restart();
    await process(comment(200, "newcomer"));
    expect(said).toHaveLength(10);
    pass(3_600_000);
    await restart();
    await process(comment(201, "newcomer"));
    await process(comment(202, "stranger"));
    expect(said).toHaveLength(11);
    pass(23 * 3_600_000);
    await restart();
    await process(comment(203, "stranger"));
    expect(said).toHaveLength(12);
  });

  it("are shown it ten times an hour in a repository, whoever they are, and once a day each", async () => {
    const { process, said, pass } = await service(known(), "none");
    for (let nth = 1; nth <= 30; nth++) await process(comment(nth, `stranger-${nth}`));
    expect(said).toHaveLength(10);
    await process(comment(31, "stranger-31", 43));
    expect(said).toHaveLength(11);
    pass(3_600_000);
    await process(comment(32, "stranger-1"));
    expect(said).toHaveLength(11);
    await process(comment(33, "stranger-33"));
    expect(said).toHaveLength(12);
    pass(24 * 3_600_000);
    await process(comment(34, "stranger-1"));
    expect(said).toHaveLength(13);
  });

  it("are told apart by GitHub's numbers: a new name is nobody new, and a freed name is somebody else", async () => {
    const { process, said, asked, people } = await service(known());
    await process(comment(1, "bob", AT.id, 900));
    await process(comment(2, "robert", AT.id, 900));
    expect([said.length, asked()]).toEqual([1, 1]);
    people.set("bob", { id: 901, login: "bob" });
    await process(comment(3, "bob", AT.id, 901));
    expect(asked()).toBe(2);
  });

  it("are told apart by name where an old delivery has no number", async () => {
    const { process, said, asked } = await service(known(), "read");
    await process(unnumbered(1, "bob"));
    await process(unnumbered(2, "Bob"));
    expect([said.length, asked()]).toEqual([1, 1]);
  });

  it("are asked about again after minutes", async () => {
    const { process, asked, pass } = await service(known(), "read");
    await process(comment(1, "bob"));
    pass(299_999);
    await process(comment(2, "bob"));
    expect(asked()).toBe(1);
    pass(1);
    await process(comment(3, "bob"));
    expect(asked()).toBe(2);
  });
});

describe("news of an installation", () => {
  it("drops what was kept to sign in there: a token may be revoked, or lack what was granted", async () => {
    const { process, forgotten } = await service(known());
    await process({ type: "repositories-changed", installation_id: 1, added: [], removed: [] });
    await process({ type: "uninstalled", installation_id: 2 });
    expect(forgotten).toEqual([1, 2]);
  });
});

describe("a reaction", () => {
  it("comes after the command and stops nothing, where the issue is locked", async () => {
    const { process, store, handle } = await service(known(), "write", true);
    await handle(ID, {
      type: "create",
      draft: draft({ repository: { owner: "octo", name: "demo", installation_id: 1 } }),
    });
    await process({ ...ask, comment_id: 71, command: { verb: "cancel" } });
    expect((await store.jobs.load(ID))?.job.status).toBe("cancelled");
  });
});

describe("a command that names a job", () => {
  const cancel = (job: string): GitHubEvent => ({ ...ask, command: { verb: "cancel", job: job as JobId } });

  it("reaches that one, whatever else there is on the issue", async () => {
    const { store, handle, said, process } = await service(null);
    await observe(store.repositories, known());
    await handle(ID, { type: "create", draft: draft() });
    await process({ ...ask, comment_id: 71, command: { ...ask.command, again: true } });
    await process(cancel(ID));
    expect((await store.jobs.load(ID))?.job.status).toBe("cancelled");
    expect((await store.jobs.list({ repository: "octo/demo", status: "queued", limit: 9 })).jobs).toHaveLength(1);
    expect(said).toEqual(["eyes"]);
  });

  it("is answered where there is none of that name here", async () => {
    const { store, handle, said, process } = await service(null);
    await observe(store.repositories, known());
    await handle(ID, {
      type: "create",
      draft: draft({ repository: { owner: "octo", name: "other", installation_id: 1 } }),
    });
    for (const id of [ID, "zzzzzzzz"]) await process(cancel(id));
    expect(said).toEqual([ID, "zzzzzzzz"].map((id) => expect.stringContaining(`There is no job \`${id}\``)));
    expect((await store.jobs.load(ID))?.job.status).toBe("queued");
  });
});

describe("a repository that takes over the name of another", () => {
  const another: EventRepository = { ...AT, id: 43, installation_id: 2 };
  const added: GitHubEvent = { type: "repositories-changed", installation_id: 2, added: [another], removed: [] };

  it.each([AT, { owner: "octo", name: "demo", installation_id: 1 }])("gets no job of it: %j", async (repository) => {
    const { store, handle, said, process } = await service(null);
    await observe(store.repositories, known({ settings: DEFAULT_REPOSITORY_SETTINGS }));
    await handle(ID, { type: "create", draft: draft({ repository }) });
    for (const command of TO_PULL_REQUEST) await handle(ID, command);
    await process(added);
    const ended = (await store.jobs.load(ID))?.job;
    expect(ended).toMatchObject({ status: "cancelled", repository: { id: 42, installation_id: 1 } });
    expect(await store.repositories.get("octo", "demo")).toMatchObject({ id: 43, settings: null, base: null });
    const merged = { type: "merged", pull_request: 12, by: "eve", at: T0 } as const;
    await process({ type: "news", repository: another, job: ID, command: merged });
    await process({ type: "pull-news", repository: another, numbers: [12], command: merged });
    expect((await store.jobs.load(ID))?.job).toEqual(ended);
    await process({ ...ask, repository: another, command: { verb: "retry", job: ID } });
    await process({ ...ask, repository: another, command: { verb: "status" } });
    const answers = said.filter((text) => text !== "read");
    expect(answers).toEqual([expect.stringContaining("no job"), expect.stringContaining("no job")]);
  });

  it("is not forgotten by late news that the other is gone", async () => {
    const { store, process } = await service(null);
    await process(added);
    await process({ type: "repositories-changed", installation_id: 1, added: [], removed: [AT] });
    expect(await store.repositories.get("octo", "demo")).toMatchObject({ id: 43 });
  });
});

describe("a job whose repository", () => {
  const moved = (change: Partial<Extract<GitHubEvent, { type: "repositories-changed" }>>): GitHubEvent => ({
    type: "repositories-changed",
    installation_id: 1,
    added: [],
    removed: [],
    ...change,
  });
  const begun = async () => {
    const harness = await service(null);
    await observe(harness.store.repositories, known());
    await harness.handle(ID, { type: "create", draft: draft() });
    for (const command of TO_PULL_REQUEST) await harness.handle(ID, command);
    return harness;
  };

  it("is renamed or given away goes on under the new name", async () => {
    const { store, process } = await begun();
    const added = [{ owner: "crew", name: "showcase", id: 42 }];
    await process(moved({ installation_id: 2, added, removed: [{ owner: "octo", name: "demo", id: 42 }] }));
    expect(await store.jobs.ofPullRequest("crew/showcase", 8)).toBe(ID);
    const repository = { owner: "crew", name: "showcase", id: 42, installation_id: 2 };
    await process({
      type: "news",
      repository,
      job: ID,
      command: { type: "merged", pull_request: 8, by: "ada", at: T0 },
    });
    expect((await store.jobs.load(ID))?.job).toMatchObject({ status: "verified", merged_at: T0 });
  });

  it("is deleted or taken from the App ends", async () => {
    const { store, process } = await begun();
    await process(moved({ removed: [{ owner: "octo", name: "demo", id: 42 }] }));
    expect((await store.jobs.load(ID))?.job.status).toBe("cancelled");
    expect(await store.repositories.get("octo", "demo")).toBeNull();
  });
});

describe("a repository that went to another installation", () => {
  const THERE = { owner: "crew", name: "demo", id: 42, installation_id: 2 };
  const old = { owner: "octo", name: "demo", id: 42 };
  const gone = (installation_id: number, removed: readonly (typeof old)[]): GitHubEvent => ({
    ...{ type: "repositories-changed", installation_id, added: [], removed },
  });
  const pushed = (repository: EventRepository): GitHubEvent => ({
    ...{ type: "default-branch-moved", repository, branch: "main", head_sha: "h2", tree_sha: "t2" },
    ...{ settings_changed: false, lock_files_changed: false },
  });
  const moved = async () => {
    const harness = await service(null);
    await observe(harness.store.repositories, known());
    await harness.handle(ID, { type: "create", draft: draft() });
    harness.places.set(42, THERE);
    return harness;
  };
  const expectMoved = async ({ store }: Awaited<ReturnType<typeof moved>>) => {
    expect(await store.repositories.byId(42)).toMatchObject(THERE);
    expect(await store.repositories.get("octo", "demo")).toBeNull();
    expect((await store.jobs.load(ID))?.job).toMatchObject({ status: "queued", repository: THERE });
  };
  const transferred: GitHubEvent = {
    ...{ type: "repositories-changed", installation_id: 2, removed: [old] },
    added: [{ owner: "crew", name: "demo", id: 42 }],
  };

  it.each([
    ["it left the old one", gone(1, [old])],
    [
      "many have left the old one",
      gone(
        1,
        Array.from({ length: 30 }, (_, at) => ({ ...old, id: 42 + at })),
      ),
    ],
    ["the old one was uninstalled", { type: "uninstalled", installation_id: 1 } as const],
    ["somebody had pushed to it there", pushed(AT)],
    ["the old one had got it", { ...gone(1, []), added: [old] } as GitHubEvent],
  ])("is not forgotten, nor its job, by late news that %s", async (_what, late) => {
    const harness = await moved();
    await harness.process(transferred);
    await expectMoved(harness);
    await harness.process(late);
    await expectMoved(harness);
  });

  it.each([
    ["it left the old one", gone(1, [old])],
    ["it was pushed to", pushed(THERE)],
  ])("goes there with its job, whether it is told first that %s or that it was transferred", async (_what, first) => {
    const harness = await moved();
    for (const event of [first, transferred, first]) {
      await harness.process(event);
      await expectMoved(harness);
    }
  });

  it("ends with its job where the App is not installed there", async () => {
    const { store, places, process } = await moved();
    places.clear();
    await process(gone(1, [old]));
    expect((await store.jobs.load(ID))?.job.status).toBe("cancelled");
    expect(await store.repositories.byId(42)).toBeNull();
  });

  it("is not asked for as long as nothing contradicts what is known", async () => {
    const { said, process } = await moved();
    await process(pushed(AT));
    expect(said).not.toContain("located");
    await process(gone(1, [{ ...old, id: 99 }]));
    expect(said).not.toContain("located");
  });
});

describe("the market of a repository", () => {
  const market = { ...ask, command: { ...ask.command, market: { price_cents: 500 } } } as GitHubEvent;
  const opened = { ...DEFAULT_REPOSITORY_SETTINGS, market: { enabled: true, run_checks: "ask" } } as const;

  it.each([
    ["nothing", null],
    ["nothing of it", DEFAULT_REPOSITORY_SETTINGS],
  ])("is off where its settings say %s, and nothing is made", async (_name, settings) => {
    const { store, said, process } = await service(null);
    await observe(store.repositories, known({ settings }));
    await process(market);
    expect(said).toEqual([expect.stringContaining("The market is off for octo/demo.")]);
    expect(said[0]).toContain("`market: {enabled: true}`");
    expect(await store.jobs.count()).toBe(0);
  });

  it("is open where they say so, be it that they have to be read first", async () => {
    for (const base of [BASE, null]) {
      const { store, process } = await service(known({ settings: opened }));
      await observe(store.repositories, known({ base, settings: base === null ? null : opened }));
      await process(market);
      expect(await store.jobs.count()).toBe(1);
    }
  });

  it("is read anew when a push may have closed it", async () => {
    const { store, process } = await service(known());
    await observe(store.repositories, known({ settings: opened, base: null }));
    await process(market);
    expect(await store.jobs.count()).toBe(0);
  });
});

it.each([false, true])(
  "a repository that takes a name inherits nothing by its first event (set-ups offered: %s)",
  async (offers) => {
    const { store, handle, process } = await service(known(), "write", false, offers);
    await observe(store.repositories, known());
    const { id: _id, ...unnumbered } = AT;
    await handle(ID, { type: "create", draft: draft({ repository: unnumbered }) });
    const repository = { ...AT, id: 43 };
    await process({ type: "news", repository, job: "zzzzzzzz" as JobId, command: { type: "look", forced: false } });
    const moved = { type: "default-branch-moved", repository, branch: "main", head_sha: "h2", tree_sha: "t2" } as const;
    await process({ ...moved, settings_changed: true, lock_files_changed: false });
    expect((await store.jobs.load(ID))?.job).toMatchObject({ status: "cancelled", repository: { id: 42 } });
    expect(await store.repositories.get("octo", "demo")).toMatchObject({ id: 43 });
  },
);
