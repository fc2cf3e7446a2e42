/** What finding a repository costs, by counting the records that are looked at. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newRepository } from "../../src/domain/repository/repository.ts";
import type { StoredRepository } from "../../src/engine/ports/repositories.ts";
import { RepositoryIndex } from "../../src/store/lowdb/repository-index.ts";

interface Given {
  readonly id: number;
  readonly name?: string;
  readonly installation_id?: number;
  readonly retry_at?: number | null;
}

function stored({ id, name = `r${id}`, installation_id = 1, retry_at = null }: Given): StoredRepository {
  const state = newRepository({ id, owner: "octo", name, installation_id });
  return { state: { ...state, set_up: { ...state.set_up, retry_at } }, version: 1, effects: [] };
}

/** Adds to `looks` each time that its record is read. */
function watched(given: Given, looks: { count: number }): StoredRepository {
  const { state, ...rest } = stored(given);
  return {
    ...rest,
    get state() {
      looks.count += 1;
      return state;
    },
  };
}

describe("the index of repositories", () => {
  /** Records that are looked at by all questions, where three repositories have timers and so many rest. */
  function looks(resting: number): number {
    const index = new RepositoryIndex();
    const looked = { count: 0 };
    for (let id = 1; id <= resting; id++) index.put(watched({ id }, looked));
    for (const id of [1, 2, 3]) index.put(watched({ id: resting + id, installation_id: 2, retry_at: id }, looked));
    looked.count = 0;
    expect(index.get(resting + 1)?.version).toBe(1);
    expect(index.named("octo", `r${resting + 2}`)?.version).toBe(1);
    expect(index.withEffects()).toEqual([]);
    expect(index.ofInstallation(2)).toHaveLength(3);
    index.put(watched({ id: resting + 1, installation_id: 2 }, looked));
    return looked.count;
  }

  it("looks at as many records beside ten resting repositories as beside ten thousand", () => {
    expect(looks(10_000)).toBe(looks(10));
    expect(looks(10)).toBeLessThan(10);
  });

  it("answers as a list that is searched through would, whatever comes and goes", () => {
    const record = fc.record({
      id: fc.integer({ min: 1, max: 6 }),
      name: fc.constantFrom("a", "b", "C", "c", "d"),
      installation_id: fc.constantFrom(1, 2),
      retry_at: fc.constantFrom(null, 5, 6, 7),
      gone: fc.boolean(),
    });
    const agree = (steps: readonly (Given & { readonly gone: boolean })[]): void => {
      const index = new RepositoryIndex();
      let plain: StoredRepository[] = [];
      for (const step of steps) {
        const one = stored(step);
        const nameOf = ({ state }: StoredRepository) => state.name.toLowerCase();
        const known = index.get(step.id);
        if (step.gone && known !== undefined) index.remove(known);
        plain = plain.filter(({ state }) => state.id !== step.id);
        if (!step.gone) {
          plain = [...plain.filter((other) => nameOf(other) !== nameOf(one)), one];
          index.put(one);
        }
      }
      const timers = plain.flatMap(({ state: { id, set_up } }) =>
        set_up.retry_at === null ? [] : [{ id, at: set_up.retry_at }],
      );
      expect([...index.timers()].toSorted((a, b) => a.id - b.id)).toEqual(timers.toSorted((a, b) => a.id - b.id));
      for (const installation of [1, 2]) {
        const here = plain.filter(({ state }) => state.installation_id === installation);
        expect(new Set(index.ofInstallation(installation))).toEqual(new Set(here));
      }
      for (const name of ["a", "b", "c", "d"])
        expect(index.named("OCTO", name)).toBe(plain.find(({ state }) => state.name.toLowerCase() === name));
    };
    fc.assert(fc.property(fc.array(record, { maxLength: 30 }), agree), { numRuns: 200 });
  });
});
