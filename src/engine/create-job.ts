/**
 * Creates jobs: draws a free id, checks what can be refused early, and returns the existing job for an id that was used
 * before.
 */
import { accountNamed } from "../domain/job/account.ts";
import type { Actor, Draft } from "../domain/job/command.ts";
import type { Job, JobId } from "../domain/job/job.ts";
import type { ModelDefaults } from "../domain/job/model-selection.ts";
import { refusal } from "../domain/job/refusal.ts";
import { sameSchedule } from "../domain/repository/schedules.ts";
import type { Handle } from "./handle-command.ts";
import type { MarketGate } from "./market-gate.ts";
import type { Clock } from "./ports/clock.ts";
import type { Ids } from "./ports/ids.ts";
import type { Handled } from "./ports/service.ts";
import type { Store } from "./ports/store.ts";
import { unknownModel } from "./unknown-model.ts";

/** Of 36^8 ids; two collisions in a row do not happen by chance. */
const MAX_DRAWS = 5;

interface Needs {
  readonly store: Pick<Store, "jobs" | "repositories">;
  readonly clock: Pick<Clock, "now">;
  readonly ids: Ids;
  readonly handle: Handle;
  readonly marketGate: MarketGate;
  readonly llm: ModelDefaults | undefined;
}

/** A schedule's words may have changed since, while the time that its job is for is the same. */
function isMade({ account, origin, task }: Job, draft: Omit<Draft, "id">): boolean {
  if (account !== accountNamed(draft.account)) return false;
  if (origin.kind === "schedule" && draft.origin.kind === "schedule")
    return origin.due_at === draft.origin.due_at && sameSchedule(origin.name, draft.origin.name);
  return task === draft.task;
}

export class JobCreator {
  readonly #needs: Needs;

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  async drawId(): Promise<JobId> {
    const { store, ids } = this.#needs;
    for (let draws = 0; draws < MAX_DRAWS; draws++) {
      const id = ids.jobId();
      if ((await store.jobs.load(id)) === null) return id;
    }
    throw new Error("Could not draw a free job id");
  }

  /** `noted`: the id for the new job, or of the job that an earlier call created. */
  async create(draft: Omit<Draft, "id">, noted?: JobId, by?: Actor): Promise<Handled> {
    const { store, clock, handle, marketGate, llm } = this.#needs;
    const before = noted === undefined ? null : await this.#made(draft, noted);
    if (before !== null) return before;
    const closed = draft.runner === "market" ? await marketGate(draft.repository) : null;
    if (closed !== null) return { ok: false, refusal: closed };
    const unknown = await unknownModel({ repositories: store.repositories, now: clock.now, llm }, draft);
    if (unknown !== null) return { ok: false, refusal: refusal("unknown_model", unknown) };
    const id = noted ?? (await this.drawId());
    const whose = by === undefined ? {} : { by };
    const created = await handle(id, { type: "create", draft: { ...draft, id }, ...whose });
    // Two orders with one id may both have found nothing.
    return created.ok || noted === undefined ? created : ((await this.#made(draft, noted)) ?? created);
  }

  /** The job that was created with this id before; null when there is none. */
  async #made(draft: Omit<Draft, "id">, id: JobId): Promise<Handled | null> {
    const stored = await this.#needs.store.jobs.load(id);
    if (stored === null) return null;
    const { job } = stored;
    if (isMade(job, draft)) return { ok: true, job, stored, changed: false };
    throw new Error(`Job ${job.id} is not the one that was to be made under this id`);
  }
}
