/** Ends or continues a job when an effect has failed for the last time, with a sentence that says why. */
import type { Command } from "../command.ts";
import { atOnce, type Context, change, type Decision, showNow, unchanged } from "../decision.ts";
import type { Job } from "../job.ts";
import { isWanted } from "../wanted-effects.ts";
import { failRun } from "./conflict-round.ts";
import { endUnpaid } from "./end-attempt.ts";
import { judgeAway } from "./reviewing.ts";

/** An effect was tried as often as it may be: what hangs on it ends here rather than silently. */
export function effectAbandoned(
  job: Job,
  { effect, sentence }: Extract<Command, { type: "effect-abandoned" }>,
  context: Context,
): Decision {
  const { now } = context;
  if (!isWanted(effect, job)) return unchanged;
  switch (effect.type) {
    case "push-brief":
    case "show-files":
    case "deliver-files":
    case "open-pull-request":
    case "push-to-pull-request":
      return endUnpaid(job, now, "failed", { set: { failure: sentence }, note: sentence });
    case "read-result":
      return failRun(job, now, sentence);
    case "judge":
      return judgeAway(job, effect, context);
    case "merge":
      return change(job, now, { set: { merge: { state: "off", why: sentence } }, effects: showNow(job, now) });
    case "enable-auto-merge":
    case "enqueue":
      // one of the attempts may have done it, unheard
      return change(job, now, {
        set: { merge: { state: "off", why: sentence } },
        effects: [atOnce({ type: "disable-auto-merge" }), ...showNow(job, now)],
      });
    case "expire-pull-request":
      // it begins to wait anew
      return change(job, now, { set: { expiry: null } });
    default:
      return unchanged;
  }
}
