/** Asks whether whoever wants a job beyond its repository's budget administers that repository. */
import type { Actor, Draft } from "../domain/job/command.ts";
import { fullName } from "../domain/job/job.ts";
import { type Refusal, refusal } from "../domain/job/refusal.ts";
import type { Admit } from "./command-permission.ts";
import type { Recorder } from "./ports/audit.ts";
import type { Handled } from "./ports/service.ts";

const DENIED =
  "Only somebody who administers this repository may go beyond its budget with `--over-budget`. Ask one of them, or raise " +
  "`budget` in `.github/journeyman.yml`.";
const OF_MARKET =
  "`--over-budget` is for jobs that this repository's own Actions run: a market job costs its price and nothing of the budget.";

type Create = (draft: Omit<Draft, "id">, by: Actor) => Promise<Handled>;

/** Makes those that may be made, and writes down who wanted the others. */
export const withinBudget =
  (admit: Admit, record: Recorder, create: Create): Create =>
  async (draft, by) => {
    const denied = await deniedOverBudget(admit, draft);
    if (denied === null) return create(draft, by);
    const repository = fullName(draft.repository);
    record(by, { action: "create-over-budget", target: null, repository, outcome: denied.code });
    return { ok: false, refusal: denied };
  };

/** Null: it may be made. */
async function deniedOverBudget(admit: Admit, draft: Omit<Draft, "id">): Promise<Refusal | null> {
  const { over_budget, requester, repository, runner } = draft;
  if (over_budget !== true) return null;
  if (runner === "market") return refusal("invalid", OF_MARKET);
  const { owner, name, id, installation_id } = repository;
  if (requester === null || id === undefined) return refusal("forbidden", DENIED);
  const admitted = await admit({ owner, name, id, installation_id }, { login: requester }, "admin");
  return admitted === null ? refusal("forbidden", DENIED) : null;
}
