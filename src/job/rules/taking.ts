/**
 * Work that was turned down and is merged after all: who takes it pays for it, from the escrow where that still holds the
 * price, else from the sender's wallet, as far as that goes.
 */
import { accountOf, isAccount, isProgram } from "../account.ts";
import type { Command } from "../command.ts";
import { type Context, type Decided, change, showComment } from "../decision.ts";
import { type Job, type TurnedDown, isFinal } from "../job.ts";
import { charge, payout } from "../ledger.ts";
import { cancelRun, verify } from "./ends.ts";
import { counted } from "../../wire/plural.ts";

type Merged = Extract<Command, { type: "merged" }>;

/** Whose work it was, where this merge takes it; a worker, a program and nobody take nothing. Null: it does not. */
export function takenWork({ turned_down, account, status }: Job, { pull_request, by }: Merged): TurnedDown | null {
  if (!turned_down || turned_down.pull_request !== pull_request || isAccount(turned_down.account, account)) return null;
  // of the try that is being looked at: that is for its own rules
  if (status === "submitted" || status === "verified") return null;
  const merger = by === null ? null : accountOf(by);
  return merger === null || isProgram(merger) || isAccount(merger, turned_down.account) ? null : turned_down;
}

export function payTaken(job: Job, work: TurnedDown, report: Merged, { now, available_cents }: Context): Decided {
  const over = isFinal(job.status);
  const cents = over ? Math.min(job.price_cents, available_cents) : job.price_cents;
  const postings = [...(over ? charge(job.account, job.id, cents) : []), ...payout(work.account, job.id, cents)];
  const short = cents < job.price_cents ? " The sender's wallet held no more." : "";
  const taken = verify({ ...job, worker: { agent_id: work.agent_id, account: work.account } }, now, {
    set: { merged_at: report.at, turned_down: null, notice: null, hold: null, waiting_messages: [] },
    by: report.by,
    note: `Merged after it was turned down, so ${counted(cents, "cent is", "cents are")} paid for it.${short}`,
    effects: [...cancelRun(job), showComment(job, now, "now")],
  });
  const merged = change(taken.job, now, { event: "merged", by: report.by });
  return { ...taken, job: merged.job, postings, history: [...taken.history, ...merged.history] };
}
