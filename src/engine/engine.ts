/**
 * The engine: the door with what hangs on it. Signals come in, commands are decided and committed, effects go out,
 * time wakes jobs, and what was lost on the way is found again at the start and every hour.
 */
import { accountNamed } from "../job/account.ts";
import type { Draft } from "../job/command.ts";
import type { JobId } from "../job/job.ts";
import type { Engine, Handled } from "./door.ts";
import { createEffectsRunner } from "./effects.ts";
import { createHandle } from "./handle.ts";
import { createInboxWorker } from "./inbox.ts";
import { createIntake } from "./intake.ts";
import type { Clock, Desk, Ids, Log, Performer, Store, StoredJob } from "./ports.ts";
import { createReconciler } from "./reconcile.ts";
import { createWaiters } from "./waiters.ts";
import { createWaker } from "./waker.ts";

export interface EngineParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly performer: Performer;
  readonly desk: Desk;
  readonly log: Log;
  /** 0 ≤ n < 1; spreads retries. */
  readonly random?: () => number;
}

/** 36^8 ids: a second collision in a row does not happen by chance. */
const MOST_DRAWS = 5;

export function createEngine({ store, clock, ids, performer, desk, log, random = Math.random }: EngineParts): Engine {
  const waiters = createWaiters(store.jobs, clock);
  let ready = false;

  const committed = (stored: StoredJob): void => {
    waiters.committed(stored);
    waker.committed(stored.job);
    if (stored.effects.length > 0) effects.kick(stored.job.id);
  };
  const handle = createHandle({ jobs: store.jobs, clock, committed });
  const effects = createEffectsRunner({ store, clock, performer, handle, log, random });
  const waker = createWaker({ jobs: store.jobs, clock, handle, log });

  const drawId = async (): Promise<JobId> => {
    for (let draws = 0; draws < MOST_DRAWS; draws++) {
      const id = ids.jobId();
      if ((await store.jobs.load(id)) === null) return id;
    }
    throw new Error("Could not draw a free job id");
  };

  const create = async (draft: Omit<Draft, "id">, noted?: JobId): Promise<Handled> => {
    const stored = noted === undefined ? null : await store.jobs.load(noted);
    if (stored !== null) {
      const { job } = stored;
      const same = job.account === accountNamed(draft.account) && job.task === draft.task;
      if (same) return { ok: true, job, stored };
      throw new Error(`Job ${job.id} is not the one that was to be made under this id`);
    }
    const id = noted ?? (await drawId());
    return handle(id, { type: "create", draft: { ...draft, id } });
  };

  const inbox = createInboxWorker({
    inbox: store.inbox,
    intake: createIntake({ store, desk, handle, create }),
    clock,
    log,
  });
  const reconciler = createReconciler({ store, desk, clock, handle, log });

  return {
    handle: (id, command) => handle(id, command),
    drawId,
    create,
    receive: inbox.receive,
    waitFor: waiters.waitFor,
    follow: waiters.follow,
    health: () => ({ ready }),
    async start() {
      for (const id of await store.jobs.withEffects()) {
        const stored = await store.jobs.load(id);
        if (stored) effects.recover(stored);
      }
      await inbox.recover();
      await waker.start();
      reconciler.start();
      ready = true;
    },
    async stop() {
      ready = false;
      reconciler.stop();
      waker.stop();
      await inbox.stop();
      await effects.stop();
    },
  };
}
