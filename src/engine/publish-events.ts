/**
 * Publishes what jobs and repositories have to tell. What a repository does by itself belongs to no account, so only those
 * may hear of it who may command there now: GitHub is asked again, and its answer counts for a while.
 */
import { LRUCache } from "lru-cache";
import type { PublishEvents } from "../domain/job/effect.ts";
import type { Job } from "../domain/job/job.ts";
import type { RepositoryEffect, ScheduleEffect } from "../domain/repository/effect.ts";
import type { RepositoryEvent } from "../domain/repository/events.ts";
import type { IdentifiedRepository, RepositoryState } from "../domain/repository/repository.ts";
import type { Admit } from "./command-permission.ts";
import type { AccountStore } from "./ports/accounts.ts";
import type { Clock } from "./ports/clock.ts";
import type { Attempt, RepositoryAttempt, RepositoryPerformer } from "./ports/performer.ts";
import type { EventPublisher, MayHear } from "./ports/webhooks.ts";

/** How long GitHub's answer counts. */
const HEARING_MS = 300_000;
const MAX_KEPT = 10_000;

interface HearingNeeds {
  readonly accounts: Pick<AccountStore, "holder">;
  readonly admit: Admit;
  readonly clock: Clock;
}

/** An account without a person was made by the operator, who bound its key to what it may reach. */
export function createMayHear({ accounts, admit, clock }: HearingNeeds): MayHear {
  const answers = new LRUCache<string, { readonly until: number; readonly may: boolean }>({ max: MAX_KEPT });
  return async (account, repository) => {
    const person = await accounts.holder(account);
    if (person === null) return true;
    const key = `${repository.id} ${account}`;
    const known = answers.get(key);
    if (known !== undefined && known.until > clock.now()) return known.may;
    const may = await admit(repository, person).then(
      (of) => of === account,
      () => null,
    );
    if (may !== null) answers.set(key, { until: clock.now() + HEARING_MS, may });
    return may;
  };
}

type Performed = Exclude<RepositoryEffect, ScheduleEffect>;

interface Needs extends HearingNeeds {
  readonly eventPublisher: Pick<EventPublisher, "perform" | "publish">;
  readonly repositoryPerformer: RepositoryPerformer;
}

export function createPublishing({ eventPublisher, repositoryPerformer, ...needs }: Needs): {
  readonly eventPublisher: { perform(effect: PublishEvents, job: Job, again: boolean): Promise<Attempt> };
  /** For what tells of a repository without a commit of its own. */
  readonly publish: (event: RepositoryEvent, repository: IdentifiedRepository) => ReturnType<EventPublisher["publish"]>;
  readonly repositoryPerformer: {
    perform(effect: Performed, repository: RepositoryState, again: boolean): Promise<RepositoryAttempt>;
  };
} {
  const mayHear = createMayHear(needs);
  const publish: ReturnType<typeof createPublishing>["publish"] = (event, repository) =>
    eventPublisher.publish(event, repository, mayHear);
  return {
    publish,
    eventPublisher: { perform: (effect, job, again) => eventPublisher.perform(effect, job, again, mayHear) },
    repositoryPerformer: {
      perform: (effect, repository, again) =>
        effect.type === "publish"
          ? publish(effect.event, repository)
          : repositoryPerformer.perform(effect, repository, again),
    },
  };
}
