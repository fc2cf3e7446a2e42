/** Says in an issue why a trigger started nothing for it: once for each issue and trigger in a day, and seldom in a repository. */
import type { Trigger } from "../contracts/automation.ts";
import type { IdentifiedRepository } from "../domain/repository/repository.ts";
import { triggerKey } from "../domain/repository/triggers.ts";
import { counted } from "../text/plural.ts";
import type { Clock } from "./ports/clock.ts";
import type { GitHubClient } from "./ports/github.ts";
import type { Fired } from "./ports/triggers.ts";
import type { UsageStore } from "./ports/usage.ts";
import { DAY_MS, HOUR_MS, slidingLimit } from "./sliding-limit.ts";

export const TRIGGER_REPLIES_PER_HOUR = 10;

interface Needs {
  readonly githubClient: Pick<GitHubClient, "reply">;
  readonly store: { readonly usage: UsageStore };
  readonly clock: Pick<Clock, "now">;
}

/** Null: it started something. */
function whyNot(fired: Fired, { jobs_per_hour }: Trigger): string | null {
  switch (fired.kind) {
    case "started":
      return null;
    case "missing":
      return `nothing came for \`${fired.placeholder}\`, which its task names`;
    case "full":
      return `it may start ${jobs_per_hour} in an hour (\`jobs_per_hour\`), and those have begun`;
    case "refused":
      return fired.refusal.sentence.replace(/\.$/, "");
    default:
      return fired satisfies never;
  }
}

function startedBy(fired: Fired, { actions }: Trigger): string {
  const begun = fired.kind === "refused" ? fired.jobs.length : 0;
  if (begun === 0) return "no job";
  const asked = actions.filter(({ type }) => type === "agent").length;
  return `${begun} of its ${counted(asked, "job")}`;
}

export async function sayWhyNot(
  { githubClient, store: { usage }, clock }: Needs,
  repository: IdentifiedRepository,
  { trigger, issue, fired }: { readonly trigger: Trigger; readonly issue: number; readonly fired: Fired },
): Promise<void> {
  const why = whyNot(fired, trigger);
  if (why === null || trigger.actions.every(({ type }) => type !== "agent")) return;
  const key = triggerKey(trigger.name);
  const once = slidingLimit(usage, clock.now, { kind: "trigger-reply", most: 1, ms: DAY_MS });
  const lately = slidingLimit(usage, clock.now, {
    ...{ kind: "trigger-reply-in-repository", most: TRIGGER_REPLIES_PER_HOUR, ms: HOUR_MS },
  });
  const [of, place] = [`${repository.id}/${issue}/${key}`, `${repository.id}`];
  if ((await once.full(of)) !== null || (await lately.take(place)) !== null) return;
  const named = trigger.name.replace(/[`\s]+/g, " ").trim();
  const body = `The trigger \`${named}\` started ${startedBy(fired, trigger)} for this issue: ${why}. \`/job\` starts one by hand.`;
  await githubClient.reply(repository, issue, `trigger:${key}:${issue}`, body, true);
  // one that GitHub did not take is said when the delivery is tried again
  await once.take(of);
}
