/** Guards that were let go of for want of room never seem not to have moved. */
import { expect, it } from "vitest";
import { LowdbGuards } from "../../src/store/lowdb/guards.ts";

it("what a decision has seen counts as moved, also once there was no room to remember that it has", () => {
  const guards = new LowdbGuards(2);
  const seen = guards.read(["a"]);
  expect(guards.holds(seen)).toBe(true);
  guards.move(seen);
  for (const key of ["b", "c", "d"]) guards.move(guards.read([key]));
  expect(guards.holds(seen)).toBe(false);
  const again = guards.read(["a", "d"]);
  expect(guards.holds(again)).toBe(true);
});
