/**
 * Starts what the actions of a trigger ask for, once for each piece of news, and bounded by the hour. Job ids follow from
 * the news, so that a repetition finds the jobs that are there; the commit that sends events remembers their news.
 */
import { hash } from "node:crypto";
import { boundedValue, type FilledTemplate, fillTemplate, type ValueBounds } from "../contracts/trigger-template.ts";
import type { Told } from "../domain/repository/publish.ts";
import { wasTold } from "../domain/repository/trigger-events.ts";
import { triggerKey } from "../domain/repository/triggers.ts";
import { head } from "../text/text.ts";
import type { HandleRepository } from "./handle-repository.ts";
import type { Clock } from "./ports/clock.ts";
import type { JobStore } from "./ports/jobs.ts";
import type { RepositoryStore } from "./ports/repositories.ts";
import type { Fired, FireTrigger, IssueTriggerSecret, TriggerNews } from "./ports/triggers.ts";
import type { UsageStore } from "./ports/usage.ts";
import { HOUR_MS } from "./sliding-limit.ts";
import { type AutomationTask, automationJobId, createStartAutomation } from "./start-automation.ts";

interface Needs {
  readonly jobs: Pick<JobStore, "load">;
  readonly repositories: Pick<RepositoryStore, "byId">;
  readonly usage: UsageStore;
  readonly clock: Pick<Clock, "now">;
  readonly create: Parameters<typeof createStartAutomation>[0];
  readonly handleRepository: HandleRepository;
}

/** Whatever the sender calls it, it is stored in so many characters. */
const EVENT_LENGTH = 32;

const keyOf = (news: string): string => head(hash("sha256", news), EVENT_LENGTH);

/** Until they are sent, events are stored with their repository. */
export const EVENT_VALUES: ValueBounds = { one: 4_000, together: 12_000 };

/** What is to be done for one piece of news. */
interface Work {
  readonly tasks: readonly AutomationTask[];
  readonly events: readonly Told[];
}

type Action = TriggerNews["trigger"]["actions"][number];

function taskOf(
  { repository, trigger, more = [], issue, target }: TriggerNews,
  { job: task = "", llm_provider: provider, llm_model: model }: Action,
  event: string,
  { values }: Extract<FilledTemplate, { ok: true }>,
): AutomationTask {
  const whole = more.map(({ name, text }) => ({ name, text: boundedValue(text) }));
  return {
    ...{ repository, task, provider, model, values: [...values, ...whole] },
    origin: {
      ...{ kind: "trigger", name: trigger.name, event },
      ...(issue === undefined ? {} : { issue }),
    },
    ...(target === undefined ? {} : { target }),
  };
}

function eventOf(
  { trigger: { name }, more = [] }: TriggerNews,
  { job: text = "", llm_provider, llm_model }: Action,
  id: string,
  { values: filled }: Extract<FilledTemplate, { ok: true }>,
): Told {
  const whole = more.map((one) => ({ name: one.name, text: boundedValue(one.text, EVENT_VALUES) }));
  const values = Object.fromEntries([...filled, ...whole].map((one) => [one.name, one.text]));
  const model = {
    ...(llm_provider === undefined ? {} : { llm_provider }),
    ...(llm_model === undefined ? {} : { llm_model }),
  };
  return { subject: name, text, id, more: { trigger: name, ...model, values } };
}

/** What each action asks for; or the first placeholder for which nothing came. */
function workOf(fired: TriggerNews): Work | string {
  const { trigger, news, values, roots } = fired;
  const tasks: AutomationTask[] = [];
  const events: Told[] = [];
  for (const [index, action] of trigger.actions.entries()) {
    if (action.type === "command") continue;
    const isJob = action.type === "agent";
    if (isJob && !action.job) continue;
    const filled = fillTemplate(action.job ?? "", values, roots, isJob ? undefined : EVENT_VALUES);
    if (!filled.ok) return filled.missing;
    const id = `${keyOf(news)}:${index}`;
    if (isJob) tasks.push(taskOf(fired, action, id, filled));
    else events.push(eventOf(fired, action, id, filled));
  }
  return { tasks, events };
}

export const createTriggers = (
  needs: Needs,
): { readonly fireTrigger: FireTrigger; readonly issueTriggerSecret: IssueTriggerSecret } => ({
  fireTrigger: createFireTrigger(needs),
  async issueTriggerSecret(id, name, sealed, overlap_ms) {
    await needs.handleRepository(id, { type: "trigger-secret-issued", name, sealed, overlap_ms });
  },
});

function createFireTrigger({ jobs, repositories, usage, clock, create, handleRepository }: Needs): FireTrigger {
  const start = createStartAutomation(create);
  /** Repetitions that arrive while the first is at work wait for what comes of it. */
  const underWay = new Map<string, Promise<Fired>>();

  /** All of it fits, and counts, or none is begun; null: it fits. */
  const countIn = ({ repository, trigger }: TriggerNews, count: number): Promise<number | null> => {
    const of = `${repository.id}/${triggerKey(trigger.name)}`;
    return usage.take({ kind: "trigger", of }, { most: trigger.jobs_per_hour, ms: HOUR_MS, at: clock.now(), count });
  };

  const startAll = async (fired: TriggerNews, { tasks, events }: Work): Promise<Fired> => {
    const { repository, trigger } = fired;
    const [id, name, news] = [repository.id, trigger.name, keyOf(fired.news)];
    const ids = tasks.map((task) => automationJobId(task.repository, task.origin));
    const known = await Promise.all(ids.map(async (job) => (await jobs.load(job)) !== null));
    const state = events.length === 0 ? null : await repositories.byId(id);
    const tells = events.length > 0 && (state === null || !wasTold(state, name, news));
    const fresh = tasks.filter((_, at) => !known[at]);
    const rest = fresh.length + (tells ? events.length : 0);
    const all = tasks.length + events.length;
    // what an earlier repetition has begun was counted then
    const after_ms = rest === all && all > 0 ? await countIn(fired, all) : null;
    if (after_ms !== null) {
      await handleRepository(id, { type: "trigger-refused", name });
      return { kind: "full", after_ms };
    }
    if (tells) await handleRepository(id, { type: "trigger-fired", name, news, events });
    const begun = ids.filter((_, at) => known[at]);
    for (const task of fresh) {
      const made = await start(task);
      if (!made.ok) return { kind: "refused", refusal: made.refusal, jobs: begun };
      begun.push(automationJobId(task.repository, task.origin));
    }
    const sent = events.map((event) => event.id ?? "");
    return { kind: "started", jobs: ids, events: sent, again: all > 0 && rest === 0 };
  };

  return (fired) => {
    const work = workOf(fired);
    if (typeof work === "string") return Promise.resolve({ kind: "missing", placeholder: work });
    const key = JSON.stringify([fired.repository.id, triggerKey(fired.trigger.name), fired.news]);
    const first = underWay.get(key);
    if (first !== undefined) return first;
    const firing = startAll(fired, work).finally(() => underWay.delete(key));
    underWay.set(key, firing);
    return firing;
  };
}
