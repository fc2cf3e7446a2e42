/** The API's access rules: who reaches, reads and commands what. */
import { describe, expect, it } from "vitest";
import {
  canCommand,
  canCommandIn,
  canCommandWith,
  canReach,
  canReachName,
  canReachServer,
  canReachSubscription,
  canRead,
  canReadAddress,
  claimingAgent,
  hasScope,
  type Principal,
  readableJobs,
  type Scope,
} from "../../src/domain/access.ts";
import type { Job } from "../../src/domain/job/job.ts";
import { begin, led, onMarket, T0 } from "./job-fixtures.ts";

const key = (account: string, change: Partial<Principal> = {}): Principal => ({
  ...{ key_id: "k1", account, login: null, repository: null, repository_id: null },
  scopes: ["read", "write", "work"],
  ...change,
});
const admin = (change: Partial<Principal> = {}): Principal => key("root", { scopes: ["admin"], ...change });
const HERE = { repository: "octo/demo", repository_id: 7 } as const;
const ELSEWHERE = { repository: "octo/other", repository_id: 8 } as const;

const queued = begin(
  { runner: "market", origin: { kind: "rest", dialect: "market", key_id: "k" }, price_cents: 500 },
  10_000,
);
const numbered = (job: Job): Job => ({ ...job, repository: { ...job.repository, owner: "octo", name: "demo", id: 7 } });
const held = numbered(led(queued, { type: "pull", agent_id: "a1", account: "bob" }));
const worked = numbered(onMarket());
const LATER = T0 + 3_600_000;

describe("a job that a repository has started", () => {
  const started: Job = { ...numbered(begin()), account: "repository@7" };

  it.each<[string, Principal, boolean]>([
    ["a key to it", key("ada", HERE), true],
    ["a key to it, which was renamed", key("ada", { ...HERE, repository: "octo/old" }), true],
    ["a key to another that had its name", key("ada", { ...HERE, repository_id: 6 }), false],
    ["a key to its name alone", key("ada", { ...HERE, repository_id: null }), false],
    ["a key to another", key("ada", ELSEWHERE), false],
    ["a key to no repository", key("ada"), false],
    ["an admin's", admin(), true],
  ])("is read and commanded by %s: %s", (_, principal, may) => {
    expect(canCommand(principal, started)).toBe(may);
    expect(canRead(principal, started, LATER)).toBe(may);
  });

  it("stands in the lists of keys to it", () => {
    expect(readableJobs(key("ada", HERE)).accounts).toEqual(["ada", "repository@7"]);
    expect(readableJobs(key("ada", { ...HERE, repository_id: null })).accounts).toEqual(["ada"]);
  });
});

describe("a key", () => {
  it.each<[readonly Scope[], Scope | "any", boolean]>([
    [["read"], "read", true],
    [["read"], "write", false],
    [["admin"], "write", true],
    [["admin"], "work", true],
    [[], "any", true],
    [["read", "write", "work"], "admin", false],
  ])("with the scopes %j may do what asks for %s: %s", (scopes, scope, may) => {
    expect(hasScope({ scopes }, scope)).toBe(may);
  });

  const there = { owner: "Octo", name: "Demo", id: 7 };
  it.each<[string, Principal, { owner: string; name: string; id?: number }, boolean]>([
    ["is bound to none", key("ada"), there, true],
    ["is bound to it", key("ada", HERE), there, true],
    ["is bound to another", key("ada", ELSEWHERE), there, false],
    ["is bound to it under its old name", key("ada", { ...HERE, repository: "octo/old" }), there, true],
    ["is bound to another that had its name", key("ada", { ...HERE, repository_id: 6 }), there, false],
    ["is bound to its name alone", key("ada", { ...HERE, repository_id: null }), there, true],
    ["is an admin's and bound to another", admin(ELSEWHERE), there, false],
    ["is bound to it, which has no number yet", key("ada", HERE), { owner: "octo", name: "demo" }, true],
  ])("that %s reaches the repository or not", (_, principal, repository, reaches) => {
    expect(canReach(principal, repository)).toBe(reaches);
  });

  it("that is bound to a repository commands only in the one that is known for certain", () => {
    expect(canCommandIn(key("ada", HERE), { owner: "octo", name: "demo" })).toBe(false);
    expect(canCommandIn(key("ada", HERE), { owner: "octo", name: "demo", id: 7 })).toBe(true);
    expect(canCommandIn(key("ada", { ...HERE, repository_id: null }), { owner: "octo", name: "demo" })).toBe(true);
    expect(canCommandIn(key("ada"), { owner: "octo", name: "demo" })).toBe(true);
    expect(canCommandIn(key("ada", ELSEWHERE), { owner: "octo", name: "demo", id: 7 })).toBe(false);
  });

  it("that is bound to a repository reaches its name in any case, nothing unknown and nothing of the server", () => {
    expect(canReachName(key("ada", HERE), "OCTO/demo")).toBe(true);
    expect(canReachName(key("ada", HERE), "octo/other")).toBe(false);
    expect(canReachName(key("ada", HERE), null)).toBe(false);
    expect(canReachName(key("ada"), null)).toBe(true);
    expect([canReachServer(key("ada")), canReachServer(admin(HERE))]).toEqual([true, false]);
  });
});

describe("a job", () => {
  it.each<[string, Principal, Job, number, { reads: boolean; commands: boolean }]>([
    ["its sender", key("ada"), worked, T0, { reads: true, commands: true }],
    ["its sender's key to this repository", key("ada", HERE), worked, T0, { reads: true, commands: true }],
    ["its sender's key to another repository", key("ada", ELSEWHERE), worked, T0, { reads: false, commands: false }],
    ["an admin", admin(), worked, T0, { reads: true, commands: true }],
    ["an admin's key to another repository", admin(ELSEWHERE), worked, T0, { reads: false, commands: false }],
    ["who works on it", key("bob"), worked, LATER, { reads: true, commands: false }],
    ["its worker's key to another repository", key("bob", ELSEWHERE), worked, T0, { reads: false, commands: false }],
    ["who holds it", key("bob"), held, held.updated_at, { reads: true, commands: false }],
    ["who held it until just now", key("bob"), held, LATER, { reads: false, commands: false }],
    ["somebody else", key("eve"), worked, T0, { reads: false, commands: false }],
  ])("is for %s to read and command, or not", (_, principal, job, now, { reads, commands }) => {
    expect({ reads: canRead(principal, job, now), commands: canCommand(principal, job) }).toEqual({ reads, commands });
  });

  it("is worked on by the agent of the account that holds or took it", () => {
    expect(claimingAgent(key("bob"), held)).toBe("a1");
    expect(claimingAgent(key("bob"), worked)).toBe("a1");
    expect(claimingAgent(key("ada"), worked)).toBeNull();
  });

  it("stands in the lists of its account, and of admins", () => {
    expect(readableJobs(key("ada"))).toEqual({ accounts: ["ada"] });
    expect(readableJobs(key("ada", HERE))).toEqual({ accounts: ["ada", "repository@7"], repository: "octo/demo" });
    expect(readableJobs(admin())).toEqual({});
    expect(readableJobs(admin(HERE))).toEqual({ repository: "octo/demo" });
  });
});

describe("a subscription", () => {
  const of = (account: string, repository: string | null, repository_id: number | null) => ({
    ...{ account, repository, repository_id },
  });
  it.each<[string, Principal, ReturnType<typeof of>, boolean]>([
    ["its account", key("ada"), of("ada", null, null), true],
    ["another account", key("bob"), of("ada", null, null), false],
    ["an admin", admin(), of("ada", "octo/demo", 7), true],
    ["a key to its repository", key("ada", HERE), of("ada", "octo/demo", 7), true],
    ["a key to its repository under its old name", key("ada", HERE), of("ada", "octo/old", 7), true],
    ["a key to another repository", key("ada", ELSEWHERE), of("ada", "octo/demo", 7), false],
    ["a key to one repository where it is for all", key("ada", HERE), of("ada", null, null), false],
  ])("is within reach of %s, or not", (_, principal, subscription, reaches) => {
    expect(canReachSubscription(principal, subscription)).toBe(reaches);
  });
});

it("shows the addresses of others in the audit log to admins alone", () => {
  expect(canReadAddress(key("ada"), { account: "ada" })).toBe(true);
  expect(canReadAddress(key("ada"), { account: "bob" })).toBe(false);
  expect(canReadAddress(key("ada"), { account: null })).toBe(false);
  expect(canReadAddress(admin(), { account: "bob" })).toBe(true);
});

it.each([
  ["admin", true, true],
  ["write", true, false],
  ["read", false, false],
  ["none", false, false],
])("commands with the permission %s where write is asked for: %s; where admin is: %s", (permission, write, all) => {
  expect([canCommandWith(permission, "write"), canCommandWith(permission, "admin")]).toEqual([write, all]);
});
