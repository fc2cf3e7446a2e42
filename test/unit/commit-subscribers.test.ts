/** Who waits for a job, and what it costs to tell them. */
import { describe, expect, it } from "vitest";
import { createCommitSubscribers } from "../../src/engine/commit-subscribers.ts";
import type { StoredJob } from "../../src/engine/ports/jobs.ts";
import { InProcessSignals } from "../../src/store/in-process-signals.ts";
import { handClock } from "../flows/clock.ts";
import { begin } from "./job-fixtures.ts";

const job = begin();

/** Turns of the event loop in which everything that is told has arrived. */
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

function harness() {
  const clock = handClock();
  const signals = new InProcessSignals();
  const failures: object[] = [];
  let version = 1;
  let loads = 0;
  let broken = false;
  const load = async (): Promise<StoredJob | null> => {
    loads++;
    const stored = { job, version, history: [], postings: [], spending: [], effects: [], log_nth: 0 };
    await settled();
    if (broken) throw new Error("the store is closed");
    return stored;
  };
  const log = { error: (facts: object) => void failures.push(facts) };
  const subscribers = createCommitSubscribers({ jobs: { load }, signals, clock, log });
  return {
    ...{ clock, failures, subscribers },
    loads: () => loads,
    commit(): void {
      version++;
      signals.publish(job.id);
    },
    fail: () => {
      broken = true;
    },
  };
}

describe("who follows a job", () => {
  it("is told of it as it is, and last of its last state, one call at a time", async () => {
    const { subscribers, commit } = harness();
    const told: number[] = [];
    let inside = 0;
    const leave = subscribers.follow(job.id, async ({ version }) => {
      expect(++inside).toBe(1);
      await settled();
      told.push(version);
      inside--;
    });
    for (let count = 0; count < 5; count++) {
      commit();
      await settled();
    }
    while (told.at(-1) !== 6) await settled();
    leave();
    commit();
    await settled();
    expect(told).toEqual([...new Set(told)].toSorted((a, b) => a - b));
  });

  it("shares one reading with all others, and one for all commits that came during the last", async () => {
    const { subscribers, commit, loads } = harness();
    const told = [0, 0, 0];
    for (const index of told.keys())
      subscribers.follow(job.id, ({ version }) => {
        told[index] = version;
      });
    for (let count = 0; count < 20; count++) commit();
    while (told.some((version) => version !== 21)) await settled();
    expect(loads()).toBeLessThanOrEqual(2);
  });

  it("who fails takes nobody else along, and that is logged", async () => {
    const { subscribers, commit, failures } = harness();
    let told = 0;
    subscribers.follow(job.id, () => {
      throw new Error("mine");
    });
    subscribers.follow(job.id, () => void told++);
    while (told === 0) await settled();
    commit();
    while (told === 1) await settled();
    expect(failures).toEqual([expect.objectContaining({ job: job.id }), expect.objectContaining({ job: job.id })]);
  });
});

describe("who waits for a job", () => {
  it("has what was so already, or comes to be so", async () => {
    const { subscribers, commit } = harness();
    expect((await subscribers.waitFor(job.id, ({ version }) => version === 1, 1_000))?.version).toBe(1);
    const later = subscribers.waitFor(job.id, ({ version }) => version === 3, 1_000);
    commit();
    commit();
    expect((await later)?.version).toBe(3);
  });

  it("waits no longer than it said", async () => {
    const { subscribers, clock } = harness();
    const never = subscribers.waitFor(job.id, () => false, 1_000);
    clock.pass(1_000);
    expect(await never).toBeNull();
  });

  it("is told where the job cannot be read", async () => {
    const { subscribers, fail } = harness();
    fail();
    await expect(subscribers.waitFor(job.id, () => true, 1_000)).rejects.toThrow("the store is closed");
  });
});
