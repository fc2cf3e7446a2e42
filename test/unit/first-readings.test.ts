/** The pace at which files of repositories are read that nobody has read. */
import { expect, it, onTestFinished } from "vitest";
import { newRepository } from "../../src/domain/repository/repository.ts";
import { createFirstReadings, READING_EVERY_MS } from "../../src/engine/first-readings.ts";
import type { StoredRepository } from "../../src/engine/ports/repositories.ts";
import { ANY } from "../../src/engine/ports/work-queue.ts";
import { tasksOfRepository } from "../../src/store/tasks.ts";
import { stillClock } from "../flows/clock.ts";
import { workedQueue } from "../worked-queue.ts";

const MINUTE = 60_000;
const pause = () => new Promise((resolve) => setImmediate(resolve));
const stored = (id: number): StoredRepository => ({
  state: newRepository({ id, owner: "octo", name: `r${id}`, installation_id: 1 }),
  ...{ version: 1, effects: [] },
});

async function begun({ unread = [], isOn = true }: { unread?: number[]; isOn?: boolean } = {}) {
  const clock = stillClock();
  const read: { id: number; at: number }[] = [];
  const left = new Set(unread);
  const readings = createFirstReadings({
    repositories: { unread: async () => [...left] },
    ...{ clock, isOn, random: () => (read.length % 2) / 2 },
    async handle(id) {
      read.push({ id, at: clock.now() });
      left.delete(id);
      return null;
    },
  });
  const queue = await workedQueue(clock, { "first-reading": readings });
  onTestFinished(() => queue.stop());
  const look = () => queue.schedule([{ kind: "first-reading", key: ANY }]);
  const committed = async (one: StoredRepository) => {
    const tasks = tasksOfRepository(null, one);
    if (tasks.some(({ kind }) => kind === "first-reading")) left.add(one.state.id);
    await queue.schedule(tasks);
  };
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 500) {
      clock.pass(500);
      await pause();
    }
  };
  return { look, committed, read, pass };
}

it("spreads five hundred over a quarter of an hour, each once, the newest first", async () => {
  const { committed, read, pass } = await begun();
  for (let id = 1; id <= 500; id++) {
    await committed(stored(id));
    await committed(stored(id));
  }
  await pass(20 * MINUTE);
  expect(read.map(({ id }) => id)).toEqual(Array.from({ length: 500 }, (_, at) => 500 - at));
  for (const { at: from } of read) {
    const within = read.filter(({ at }) => at >= from && at < from + MINUTE).length;
    expect(within).toBeLessThanOrEqual((2 * MINUTE) / READING_EVERY_MS);
  }
  expect((read.at(-1)?.at ?? 0) - (read[0]?.at ?? 0)).toBeGreaterThan(10 * MINUTE);
});

it("leaves out what was read or is asked for already, and reads nothing where it is off", async () => {
  const { look, committed, read, pass } = await begun({ unread: [7] });
  await look();
  const one = stored(8);
  await committed({ ...one, state: { ...one.state, files_read: true } });
  await committed({
    ...one,
    effects: [
      {
        effect: { type: "read-settings" },
        urgency: "now",
        not_before: 0,
        key: "read-settings",
        serial: 1,
        attempts: 0,
      },
    ],
  });
  await pass(MINUTE);
  expect(read.map(({ id }) => id)).toEqual([7]);
  const off = await begun({ unread: [7], isOn: false });
  await off.look();
  await off.committed(one);
  await off.pass(MINUTE);
  expect(off.read).toEqual([]);
});
