/** The effects runner on a manual clock: how long it retries, and in which order. */
import { expect, it } from "vitest";
import type { Command } from "../../src/domain/job/command.ts";
import { type Effect, isOnGitHub } from "../../src/domain/job/effect.ts";
import { jobEffects } from "../../src/engine/job-effects.ts";
import type { JobStore, StoredJob } from "../../src/engine/ports/jobs.ts";
import type { Attempt } from "../../src/engine/ports/performer.ts";
import type { Store } from "../../src/engine/ports/store.ts";
import { EffectsRunner, MAX_ATTEMPTS } from "../../src/engine/run-effects.ts";
import { acknowledged, rescheduled } from "../../src/store/next-effects.ts";
import { committed } from "../../src/store/next-record.ts";
import { ADA, begin, decided, facts, led, step, T0, TO_PULL_REQUEST } from "./job-fixtures.ts";

/** One stored job, a clock that goes on to whenever the runner wants to be called again, and a performer as given. */
function bench(first: StoredJob, perform: (effect: Effect, again: boolean) => Attempt) {
  let stored = first;
  let now = first.job.updated_at;
  const told: Command[] = [];
  const jobs = {
    load: async () => stored,
    reschedule: async (_id: unknown, effect: { key: string; serial: number }, not_before: number) => {
      stored = rescheduled(stored, effect, not_before) ?? stored;
      return true;
    },
    acknowledge: async (_id: unknown, effect: { key: string; serial: number }) => {
      stored = acknowledged(stored, effect) ?? stored;
      return true;
    },
  } satisfies Partial<JobStore>;
  const owner = jobEffects({
    store: { jobs: { ...jobs } } as unknown as Store,
    takes: isOnGitHub,
    performer: { perform: async (effect, _job, again) => perform(effect, again) },
    handle: async (id, command, extras) => {
      told.push(command);
      if (extras?.done) await jobs.acknowledge(id, extras.done);
      return { ok: true, job: stored.job, stored, changed: true };
    },
    observe: async () => {},
  });
  const runner = new EffectsRunner(owner, {
    clock: { now: () => now, at: () => () => {} },
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    meter: { effect: () => {} },
    random: () => 0,
  });
  return {
    told,
    /** `again`: a run of before never came to its end. */
    async runDry(again = false) {
      for (let runs = 0; runs < 100; runs++) {
        const answer = await runner.perform(first.job.id, { again: again && runs === 0 });
        if (answer === null) break;
        now = Math.max(now, answer.again_at);
      }
      return now - first.job.updated_at;
    },
  };
}

const storedOf = (decision: ReturnType<typeof step>): StoredJob => {
  const { job, effects } = decided(decision);
  const commit = { job, expected_version: 0, at: T0, history: [], postings: [], effects, done: null };
  return committed(null, commit);
};

const askedForMore = (): ReturnType<typeof step> => {
  const green = { type: "observe", facts: facts({ merge_state: "BLOCKED", review: "required" }) } as const;
  return step(led(begin(), ...TO_PULL_REQUEST, green), {
    type: "message",
    text: "more",
    by: ADA,
    comment_id: 9,
  });
};

it("does not use up its attempts within seconds where a short wait is asked for each time", async () => {
  let attempts = 0;
  const { told, runDry } = bench(
    storedOf(step(led(begin(), ...TO_PULL_REQUEST.slice(0, -2)), TO_PULL_REQUEST.at(-2) as Command)),
    () => {
      attempts++;
      return { ended: "later", reason: "The branch moved.", after_ms: 1_000 };
    },
  );
  expect(await runDry()).toBeGreaterThan(10 * 60_000);
  expect(attempts).toBe(MAX_ATTEMPTS);
  expect(told.map((command) => command.type)).toEqual(["effect-abandoned"]);
});

it("pushes no brief before GitHub's own auto-merge is off, however often that has to be tried", async () => {
  const asked = askedForMore();
  const done: string[] = [];
  let refusals = 3;
  const { runDry } = bench(storedOf(asked), (effect) => {
    if (effect.type === "disable-auto-merge" && refusals-- > 0) return { ended: "later", reason: "GitHub is away." };
    done.push(effect.type);
    return { ended: "done" };
  });
  await runDry();
  expect(done).toEqual(["react", "sync-comment", "disable-auto-merge", "push-brief"]);
});

it("puts nothing off that a clock which was hours ahead has put off", async () => {
  const stored = storedOf(step(led(begin(), ...TO_PULL_REQUEST.slice(0, -2)), TO_PULL_REQUEST.at(-2) as Command));
  const effects = stored.effects.map((effect) => ({ ...effect, not_before: stored.job.updated_at + 2 * 3_600_000 }));
  const { runDry } = bench({ ...stored, effects }, () => ({ ended: "done" }));
  expect(await runDry()).toBe(0);
});

it("looks first at whatever a run that never came to its end may have done, and at nothing else", async () => {
  const stored = storedOf(askedForMore());
  const seen = async (again: boolean): Promise<boolean[]> => {
    const looks: boolean[] = [];
    const { runDry } = bench(stored, (_effect, looked) => {
      looks.push(looked);
      return { ended: "done" };
    });
    await runDry(again);
    return looks;
  };
  const all = stored.effects.map(() => true);
  expect(all.length).toBeGreaterThan(1);
  expect(await seen(true)).toEqual(all);
  expect(await seen(false)).toEqual(all.map(() => false));
});
