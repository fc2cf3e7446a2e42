/**
 * Starts what the actions of a trigger ask for, once for each piece of news: the job ids follow from the news, so that a
 * repetition finds the jobs that are there. Bounded by the hour.
 */
import { hash } from "node:crypto";
import { fillTemplate } from "../contracts/trigger-template.ts";
import { triggerKey } from "../domain/repository/triggers.ts";
import { head } from "../text/text.ts";
import type { HandleRepository } from "./handle-repository.ts";
import type { Clock } from "./ports/clock.ts";
import type { JobStore } from "./ports/jobs.ts";
import type { Fired, FireTrigger, IssueTriggerSecret, TriggerNews } from "./ports/triggers.ts";
import type { UsageStore } from "./ports/usage.ts";
import { HOUR_MS, slidingLimit } from "./sliding-limit.ts";
import { type AutomationTask, automationJobId, createStartAutomation } from "./start-automation.ts";

interface Needs {
  readonly jobs: Pick<JobStore, "load">;
  readonly usage: UsageStore;
  readonly clock: Pick<Clock, "now">;
  readonly create: Parameters<typeof createStartAutomation>[0];
  readonly handleRepository: HandleRepository;
}

/** Whatever the sender calls it, it is stored in so many characters. */
const EVENT_LENGTH = 32;

const eventOf = (news: string, index: number): string => `${head(hash("sha256", news), EVENT_LENGTH)}:${index}`;

/** The task of each action that starts a job; or the first placeholder for which nothing came. */
function tasksOf(fired: TriggerNews): AutomationTask[] | string {
  const { repository, trigger, news, values, roots, more = [], issue, target } = fired;
  const tasks: AutomationTask[] = [];
  for (const [index, action] of trigger.actions.entries()) {
    if (action.type !== "agent" || !action.job) continue;
    const filled = fillTemplate(action.job, values, roots);
    if (!filled.ok) return filled.missing;
    tasks.push({
      repository,
      origin: {
        ...{ kind: "trigger", name: trigger.name, event: eventOf(news, index) },
        ...(issue === undefined ? {} : { issue }),
      },
      ...(target === undefined ? {} : { target }),
      task: action.job,
      provider: action.llm_provider,
      model: action.llm_model,
      values: [...filled.values, ...more],
    });
  }
  return tasks;
}

export const createTriggers = (
  needs: Needs,
): { readonly fireTrigger: FireTrigger; readonly issueTriggerSecret: IssueTriggerSecret } => ({
  fireTrigger: createFireTrigger(needs),
  async issueTriggerSecret(id, name, sealed, overlap_ms) {
    await needs.handleRepository(id, { type: "trigger-secret-issued", name, sealed, overlap_ms });
  },
});

function createFireTrigger({ jobs, usage, clock, create, handleRepository }: Needs): FireTrigger {
  const start = createStartAutomation(create);
  /** Repetitions that arrive while the first is at work wait for what comes of it. */
  const underWay = new Map<string, Promise<Fired>>();

  const startAll = async ({ repository, trigger }: TriggerNews, tasks: readonly AutomationTask[]): Promise<Fired> => {
    const ids = tasks.map((task) => automationJobId(task.repository, task.origin));
    const known = await Promise.all(ids.map(async (id) => (await jobs.load(id)) !== null));
    const fresh = tasks.filter((_, at) => !known[at]);
    const of = `${repository.id}/${triggerKey(trigger.name)}`;
    // all of them fit, or none is begun
    const most = Math.max(1, trigger.jobs_per_hour - fresh.length + 1);
    const limit = slidingLimit(usage, clock.now, { kind: "trigger", most, ms: HOUR_MS });
    const after_ms = fresh.length === 0 ? null : limit.full(of);
    if (after_ms !== null) {
      await handleRepository(repository.id, { type: "trigger-refused", name: trigger.name });
      return { kind: "full", after_ms };
    }
    for (const _ of fresh) limit.add(of);
    for (const task of fresh) {
      const made = await start(task);
      if (!made.ok) return { kind: "refused", refusal: made.refusal };
    }
    return { kind: "started", jobs: ids, again: tasks.length > 0 && fresh.length === 0 };
  };

  return (news) => {
    const tasks = tasksOf(news);
    if (typeof tasks === "string") return Promise.resolve({ kind: "missing", placeholder: tasks });
    const key = JSON.stringify([news.repository.id, triggerKey(news.trigger.name), news.news]);
    const first = underWay.get(key);
    if (first !== undefined) return first;
    const firing = startAll(news, tasks).finally(() => underWay.delete(key));
    underWay.set(key, firing);
    return firing;
  };
}
