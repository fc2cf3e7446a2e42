import fc from "fast-check";
import { expect, it } from "vitest";
import { SortedList } from "../../src/store/lowdb/sorted-list.ts";

interface Item {
  readonly key: number;
}

const byKey = (a: Item, b: Item): number => a.key - b.key;

/** What a plain array does, a call at a time. */
function agree(steps: readonly { readonly key: number; readonly add: boolean }[]): void {
  const list = new SortedList<Item>(byKey);
  const plain: Item[] = [];
  for (const { key, add } of steps) {
    const known = plain.find((item) => item.key === key);
    if (add && known === undefined) {
      const item = { key };
      list.add(item);
      plain.push(item);
      plain.sort(byKey);
    } else if (!add && known !== undefined) {
      list.remove(known);
      plain.splice(plain.indexOf(known), 1);
    }
    list.remove({ key });
    expect(list.length).toBe(plain.length);
    expect(list.positionOf({ key })).toBe(plain.filter((item) => item.key < key).length);
    expect(list.at(list.positionOf({ key }))).toBe(plain.find((item) => item.key >= key));
  }
  expect(Array.from({ length: plain.length + 1 }, (_, at) => list.at(at))).toEqual([...plain, undefined]);
  list.keep(({ key }) => key % 3 === 0);
  const kept = plain.filter(({ key }) => key % 3 === 0);
  expect(Array.from({ length: list.length }, (_, at) => list.at(at))).toEqual(kept);
}

it("is in order, whatever comes and goes", () => {
  const step = fc.record({ key: fc.nat({ max: 60 }), add: fc.boolean() });
  fc.assert(fc.property(fc.array(step, { maxLength: 200, size: "max" }), agree), { numRuns: 100 });
});

it("is in order when it is longer than one block, filled from behind, from the front and between", () => {
  const order = Array.from({ length: 1_500 }, (_, index) => index);
  const scattered = order.map((index) => (index * 7_919) % 1_500);
  for (const keys of [order, order.toReversed(), scattered]) {
    const list = new SortedList<Item>(byKey);
    const items = keys.map((key) => ({ key }));
    for (const item of items) list.add(item);
    expect(order.map((at) => list.at(at)?.key)).toEqual(order);
    for (const item of items.filter(({ key }) => key % 2 === 0)) list.remove(item);
    const odd = order.filter((key) => key % 2 === 1);
    expect(odd.map((_, at) => list.at(at)?.key)).toEqual(odd);
    expect([list.length, list.positionOf({ key: 1_000 })]).toEqual([750, 500]);
  }
});
