import { expect, it } from "vitest";
import type { Pruned, Retention } from "../../src/engine/ports/jobs.ts";
import { ANY } from "../../src/engine/ports/work-queue.ts";
import { createPruning, FIRST_PRUNE_MS } from "../../src/engine/prune.ts";
import { DAY_MS } from "../../src/engine/sliding-limit.ts";
import { handClock } from "../flows/clock.ts";
import { until } from "../flows/harness.ts";
import { workedQueue } from "../worked-queue.ts";

const KEPT = { jobs: 30, logs: 0 };

async function world(answer: () => Pruned) {
  const clock = handClock();
  const asked: Retention[] = [];
  const told: unknown[] = [];
  const jobs = {
    prune: async (older: Retention) => {
      asked.push(older);
      return answer();
    },
  };
  const note = (fields: object) => void told.push(fields);
  const prune = createPruning({ jobs, kept: KEPT, clock, log: { info: note, warn: note } });
  const queue = await workedQueue(clock, { prune });
  await queue.schedule([{ kind: "prune", key: ANY, at: clock.now() + FIRST_PRUNE_MS }]);
  return { clock, asked, told, queue };
}

it("prunes soon after the start and then every day, in batches until nothing is left", async () => {
  let left = 3;
  const { clock, asked, told, queue } = await world(() => (left-- > 0 ? { jobs: 50, logs: 7 } : { jobs: 0, logs: 0 }));
  expect(asked).toEqual([]);
  clock.pass(FIRST_PRUNE_MS);
  await until("four batches", () => asked.length === 4);
  expect(asked[0]?.logs_before).toBeNull();
  expect(clock.now() - (asked[0]?.jobs_before ?? 0)).toBeGreaterThanOrEqual(30 * DAY_MS);
  expect(told).toEqual([{ jobs: 150, logs: 21 }]);
  await until("the next day to be asked for", () => {
    clock.pass(DAY_MS);
    return asked.length === 5;
  });
  await queue.stop();
});

it("tries again the next day when the disk refuses, and never after it was stopped", async () => {
  const { clock, asked, told, queue } = await world(() => {
    throw new Error("no space left");
  });
  clock.pass(FIRST_PRUNE_MS);
  await until("a warning", () => told.length === 1);
  await until("the next attempt", () => {
    clock.pass(DAY_MS);
    return told.length === 2;
  });
  await queue.stop();
  clock.pass(DAY_MS);
  expect(asked).toHaveLength(2);
});
