import { expect, it } from "vitest";
import { DEFAULT_REPOSITORY_SETTINGS } from "../../src/contracts/settings.ts";
import type { ObservedRepository } from "../../src/domain/repository/repository.ts";
import { createRepositoryByNumber } from "../../src/http/dialects/agent-v2/repository-by-number.ts";

const MINUTE = 60_000;

const repository = (id: number): ObservedRepository => ({
  ...{ owner: "octo", name: `r${id}`, id, installation_id: 1, base: null },
  ...{ settings: DEFAULT_REPOSITORY_SETTINGS, settings_problem: null },
});

/** On GitHub there are the repositories of an even number. */
function world() {
  const asked: number[] = [];
  const learnt = new Map<number, ObservedRepository>();
  const state = { now: 0, away: false };
  const find = createRepositoryByNumber({
    repositories: { byId: async () => null },
    githubClient: {
      repositoryById: async (id) => {
        asked.push(id);
        if (state.away) throw new Error("away");
        return id % 2 === 0 ? { owner: "octo", name: `r${id}`, id, installation_id: 1 } : null;
      },
      repository: async ({ id = 0 }) => repository(id),
    },
    service: { observe: async (seen) => void learnt.set(seen.id, seen) },
    clock: { now: () => state.now },
  });
  return { find, asked, state };
}

it("asks for a number that is unknown again after ten minutes", async () => {
  const { find, asked, state } = world();
  for (let nth = 0; nth < 3; nth++) expect(await find(7)).toBeNull();
  expect(asked).toEqual([7]);
  state.now += 10 * MINUTE;
  expect(await find(7)).toBeNull();
  expect(asked).toEqual([7, 7]);
});

it("asks GitHub for a hundred unknown numbers in ten minutes at most, also when they come at once", async () => {
  const { find, asked, state } = world();
  await Promise.all(Array.from({ length: 150 }, (_, nth) => find(2 * nth + 1)));
  expect(asked).toHaveLength(100);
  expect(await find(1_000)).toBeNull();
  state.now += 10 * MINUTE;
  expect(await find(1_000)).toMatchObject({ name: "r1000" });
});

it("finds any number of repositories that there are", async () => {
  const { find } = world();
  for (let id = 2; id <= 400; id += 2) expect(await find(id)).toMatchObject({ id });
});

it("asks again for a number while GitHub is away", async () => {
  const { find, asked, state } = world();
  state.away = true;
  await expect(find(2)).rejects.toThrow("away");
  state.away = false;
  expect(await find(2)).toMatchObject({ id: 2 });
  expect(asked).toEqual([2, 2]);
});
