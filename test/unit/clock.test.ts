/** The machine's clock is set while the server runs: nothing is delayed, and nothing happens twice. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { steadyTime } from "../../src/engine/clock.ts";
import { Throttle } from "../../src/github/client/throttle.ts";
import { LIMITS } from "../../src/github/client/write-budget.ts";

const HOUR = 3_600_000;

/** A machine: its clock, and the time that has truly passed. */
function machine(start = 1_900_000_000_000) {
  let set = start;
  let elapsed = 0;
  return {
    wall: () => set + elapsed,
    elapsed: () => elapsed,
    pass(ms: number) {
      elapsed += ms;
    },
    setBy(ms: number) {
      set += ms;
    },
  };
}

describe("the time", () => {
  it("is the machine's, and goes on as before where that is set back", () => {
    const { wall, elapsed, pass, setBy } = machine();
    const now = steadyTime(wall, elapsed);
    expect(now()).toBe(wall());
    pass(5_000);
    expect(now()).toBe(wall());
    const before = now();
    setBy(-2 * HOUR);
    expect(now()).toBe(before);
    pass(10_000);
    expect(now()).toBe(before + 10_000);
    setBy(3 * HOUR);
    expect(now()).toBe(wall());
  });

  it("never goes back and is never slower than what has passed, however the clock is set", () => {
    const step = fc.record({ pass: fc.nat(100_000), setBy: fc.integer({ min: -2 * HOUR, max: 2 * HOUR }) });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const { wall, elapsed, pass, setBy } = machine();
        const now = steadyTime(wall, elapsed);
        for (const one of steps) {
          const before = now();
          pass(one.pass);
          setBy(one.setBy);
          const after = now();
          // a clock that is brought closer to the true time may take up to a second for that
          expect(after).toBeGreaterThanOrEqual(Math.max(before, before + one.pass - 1_000));
        }
      }),
    );
  });

  it("lets writes leave again within the minute where the clock went back two hours", async () => {
    const { wall, elapsed, pass, setBy } = machine();
    const throttle = new Throttle({ now: steadyTime(wall, elapsed), wait: async (ms) => pass(ms) });
    await throttle.work("first", LIMITS.writes_per_minute - 10, async (reservation) => {
      while (reservation.left > 0) await throttle.call("rest-write", async () => {}, reservation);
    });
    setBy(-2 * HOUR);
    expect(throttle.wait(20)).toBeLessThan(70_000);
    pass(70_000);
    expect(throttle.wait(20)).toBe(0);
  });
});

/** Files that ask the machine itself what time it is, and why they may. Everybody else is handed the time. */
const WALL_READERS: Readonly<Record<string, string>> = {
  "src/engine/clock.ts": "makes the steady time of it",
  "src/github/client/octokit.ts": "holds it against times that GitHub names",
  "src/github/effects/perform.ts": "holds it against times that GitHub names",
  "src/github/effects/perform-on-repository.ts": "holds it against times that GitHub names",
  "src/github/github-client.ts": "holds it against times that GitHub names",
  "src/main/settings.ts": "a process reads it once, at its start",
  "src/main/setup.ts": "hands it to the set-up page, as the composition does to the server",
  "src/actions-mode/settings.ts": "a process reads it once, at its start",
  "src/main/prune-command.ts": "a command line that ends at once",
  "src/main/keys-command.ts": "a command line that ends at once",
};

it("is read from the machine where it must be the machine's, and nowhere else", () => {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .map((name) => `src/${name}`)
    .filter((name) => name.endsWith(".ts"));
  const readers = files.filter((name) => /Date\.now|new Date\(\)/.test(readFileSync(join(root, name), "utf8")));
  expect(readers.sort()).toEqual(Object.keys(WALL_READERS).sort());
});
