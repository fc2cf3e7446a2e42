import { expect, it } from "vitest";
import { DEFAULT_REPOSITORY_SETTINGS } from "../../src/contracts/settings.ts";
import { newRepository, type ObservedRepository } from "../../src/domain/repository/repository.ts";
import { createRepositoryByNumber } from "../../src/http/dialects/agent-v2/repository-by-number.ts";

const MINUTE = 60_000;

const repository = (id: number): ObservedRepository => ({
  ...{ owner: "octo", name: `r${id}`, id, installation_id: 1, base: null },
  ...{ settings: DEFAULT_REPOSITORY_SETTINGS, settings_problem: null },
});

/** On GitHub there are the repositories of an even number. */
function world() {
  const asked: (number | string)[] = [];
  const learnt = new Map<number, ObservedRepository>();
  const state = { now: 0, away: false };
  const find = createRepositoryByNumber({
    repositories: {
      byId: async (id) => (learnt.has(id) ? newRepository(repository(id)) : null),
      get: async () => null,
    },
    githubClient: {
      repositoryById: async (id) => {
        asked.push(id);
        if (state.away) throw new Error("away");
        return id % 2 === 0 ? { owner: "octo", name: `r${id}`, id, installation_id: 1 } : null;
      },
      installation: async (_owner, name) => {
        asked.push(name);
        return name === "gone" ? null : { id: 1 };
      },
      repository: async ({ name }) => repository(Number(name.slice(1))),
    },
    service: { observe: async (seen) => void learnt.set(seen.id, seen) },
    clock: { now: () => state.now },
  });
  const by = (account: string, id: number) => find(id, { account, repository: null, repository_id: null });
  return { find, by, ask: (id: number) => by("a", id), asked, state };
}

const UNKNOWN = { kind: "unknown" };

it("asks for a number that is unknown again after ten minutes", async () => {
  const { ask, asked, state } = world();
  for (let nth = 0; nth < 3; nth++) expect(await ask(7)).toEqual(UNKNOWN);
  expect(asked).toEqual([7]);
  state.now += 10 * MINUTE;
  expect(await ask(7)).toEqual(UNKNOWN);
  expect(asked).toEqual([7, 7]);
});

it("asks once when many ask for one number at the same moment, and answers all of them alike", async () => {
  const { ask, asked } = world();
  for (const answer of await Promise.all([ask(2), ask(2), ask(2)]))
    expect(answer).toMatchObject({ kind: "found", repository: { name: "r2" } });
  expect(asked).toEqual([2]);
});

it("asks GitHub for twenty unknown numbers of an account in ten minutes at most, also when they come at once", async () => {
  const { by, asked, state } = world();
  const answers = await Promise.all(Array.from({ length: 150 }, (_, nth) => by("a", 2 * nth + 1)));
  expect(asked).toHaveLength(20);
  expect(answers.filter(({ kind }) => kind === "limited")).toHaveLength(130);
  expect(await by("a", 1)).toEqual(UNKNOWN);
  state.now += MINUTE;
  expect(await by("a", 1_000)).toEqual({ kind: "limited", wait_ms: 9 * MINUTE });
  expect(await by("b", 1_000)).toMatchObject({ repository: { name: "r1000" } });
  expect(await by("a", 1_000)).toMatchObject({ repository: { name: "r1000" } });
  state.now += 9 * MINUTE;
  expect(await by("a", 1_002)).toMatchObject({ repository: { name: "r1002" } });
});

it("asks GitHub for a hundred unknown numbers in ten minutes at most, however many accounts ask", async () => {
  const { by, asked } = world();
  for (let nth = 0; nth < 150; nth++) await by(`account-${nth}`, 2 * nth + 1);
  expect(asked).toHaveLength(100);
  expect(await by("another", 1_000)).toEqual({ kind: "limited", wait_ms: 10 * MINUTE });
});

it("finds any number of repositories that there are", async () => {
  const { ask } = world();
  for (let id = 2; id <= 400; id += 2) expect(await ask(id)).toMatchObject({ repository: { id } });
});

it("asks again for a number while GitHub is away, as often as for unknown ones", async () => {
  const { ask, asked, state } = world();
  state.away = true;
  for (let nth = 0; nth < 19; nth++) await expect(ask(2)).rejects.toThrow("away");
  state.away = false;
  expect(await ask(2)).toMatchObject({ repository: { id: 2 } });
  state.away = true;
  await expect(ask(4)).rejects.toThrow("away");
  expect(await ask(4)).toMatchObject({ kind: "limited" });
  expect(asked).toHaveLength(21);
});

it("asks by name alone for whoever is bound to a repository, and tells of no other number", async () => {
  const { find, asked } = world();
  const bound = (name: string, id: number) =>
    find(id, { account: "a", repository: `octo/${name}`, repository_id: null });
  expect(await bound("r8", 8)).toMatchObject({ repository: { name: "r8" } });
  for (let id = 10; id < 20; id++) expect(await bound("gone", id)).toEqual(UNKNOWN);
  expect(asked).toEqual(["r8", "gone"]);
  expect(await find(22, { account: "a", repository: "octo/r8", repository_id: 8 })).toEqual(UNKNOWN);
  expect(asked).toHaveLength(2);
});
