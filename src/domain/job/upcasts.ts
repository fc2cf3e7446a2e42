/**
 * Converts jobs of earlier formats to the present one, format by format. Fills in every field that a later format
 * added, so that no other code handles old jobs.
 */
import * as z from "zod";
import { NO_USAGE } from "../../contracts/result.ts";
import { DEFAULT_REPOSITORY_SETTINGS } from "../../contracts/settings.ts";
import { NO_CATCH_UP } from "./catch-up.ts";

type Raw = Readonly<Record<string, unknown>>;

const ADDED_IN_2 = {
  callback_url: null,
  description: "",
  requirements: "",
  skills: [],
  enclosure: null,
  delivery: null,
  judgement: null,
  approval: null,
  sender_asked_at: null,
  handed_in: null,
  progress_at: null,
};

const ADDED_IN_3 = {
  settings_problem: null,
  llm: null,
  early_runs: [],
  former_pull_requests: [],
  turned_down: [],
  given_up: [],
  debts: [],
  other_tries: { tries: 0, usage: NO_USAGE, cost_cents: 0, complete: true },
  old_workflow: false,
};

/** One field a line, in the order of the alphabet. */
export const ADDED_IN_6 = {
  discussed_until: null,
  merge_queue: { exits: 0, rounds: 0, why: null, group_sha: null },
  question_asked_at: null,
  undiscussed: false,
  reviews: { now: [], alone: false, waiting: [], rounds: 0, answered: null },
  catch_up: NO_CATCH_UP,
  triage_problem: null,
  rerun_sha: null,
  target: { kind: "own" },
  expiry: null,
  mention: null,
  line: null,
  over_budget: false,
  pull_request_open: false,
  raised: null,
  trigger_values: [],
  reserved: null,
};

/** The same of the work of GitHub Actions. */
export const ADDED_TO_ACTIONS_IN_6 = {};

/** Since format 5 these stand in `work`, where only one kind of it has them. */
const OF_ACTIONS = new Set(["llm", "run", "early_runs", "past_runs", "handed_in", "progress_at", "old_workflow"]);
const OF_MARKET = new Set([
  ...["description", "requirements", "skills", "enclosure"],
  ...["hold", "worker", "presented_to_agents", "given_up", "turned_down", "debts"],
  ...["delivery", "judgement", "approval", "sender_asked_at"],
]);

/** As much of a job as has to be looked at. */
const before3 = z.looseObject({
  settings: z.looseObject({}).nullish(),
  work: z.looseObject({}).nullish(),
  base: z.looseObject({ branch: z.string().nullable() }),
});

/** There is a market. */
export const jobTo2 = (job: Raw): Raw => ({ ...ADDED_IN_2, ...job });

/**
 * A job holds all settings, whichever there were when its brief was pushed. Once a branch stood in it nobody could tell
 * any more whether it was named or the default one.
 */
export function jobTo3(job: Raw): Raw {
  const { settings, work, base } = before3.parse(job);
  return {
    ...ADDED_IN_3,
    ...job,
    settings: settings ? { ...DEFAULT_REPOSITORY_SETTINGS, ...settings } : null,
    work: work ? { run: null, ...work } : null,
    base: { is_default: base.branch === null, ...base },
  };
}

const pendingOf4 = z.array(z.looseObject({ effect: z.looseObject({}) }));

const effectTo5 = ({ try: attempt, ...effect }: Raw): Raw => (attempt === undefined ? effect : { ...effect, attempt });

const spentOf4 = z.looseObject({ tries: z.number() });

function spentTo5(spent: unknown): Raw {
  const { tries, ...others } = spentOf4.parse(spent);
  return { ...others, attempts: tries };
}

/** The only dialect whose callers waited for the branch; since format 5 the origin itself says whether they do. */
const AWAITING = z.looseObject({ kind: z.literal("rest"), dialect: z.literal("create-job") });

/**
 * What only one kind of work has stands in `work`, which held the agent's result before. An attempt is called so, and no
 * longer an attempt.
 */
export function jobTo5({ runner, work: result, tries, other_tries, ...before }: Raw): Raw {
  const [own, other] = runner === "market" ? [OF_MARKET, OF_ACTIONS] : [OF_ACTIONS, OF_MARKET];
  const work: Record<string, unknown> = { kind: runner };
  const job: Record<string, unknown> = {
    work,
    ...(result === undefined ? {} : { result }),
    ...(tries === undefined ? {} : { attempt: tries }),
    ...(other_tries === undefined ? {} : { other_attempts: spentTo5(other_tries) }),
  };
  for (const [name, value] of Object.entries(before)) {
    if (own.has(name)) work[name] = value;
    else if (name === "origin" && AWAITING.safeParse(value).success)
      job[name] = { ...Object(value), awaits_branch: true };
    else if (!other.has(name)) job[name] = value;
  }
  return job;
}

/** Effects say how urgent they are, and of which attempt. */
export const effectsTo5 = (effects: unknown): unknown =>
  pendingOf4
    .parse(effects)
    .map(({ effect, ...pending }) => ({ ...pending, effect: effectTo5(effect), urgency: "now" }));

const workOf5 = z.looseObject({
  work: z.looseObject({ kind: z.string() }),
  status: z.string(),
  pull_request: z.unknown(),
  merged_at: z.unknown(),
  merge: z.looseObject({ state: z.string() }),
});

/** Of a job that was over nobody knows what became of its pull request, so it counts as closed. */
const hadOpenPullRequest = ({ status, pull_request, merged_at, merge }: z.output<typeof workOf5>): boolean =>
  pull_request != null &&
  merged_at == null &&
  status !== "failed" &&
  status !== "cancelled" &&
  (status !== "verified" || merge.state !== "off");

/** A pull request comes home whatever the base and the reviewers do. */
export function jobTo6(before: Raw): Raw {
  const of5 = workOf5.parse(before);
  const { work, ...job } = of5;
  const pull_request_open = hadOpenPullRequest(of5);
  return {
    ...ADDED_IN_6,
    pull_request_open,
    ...job,
    work: work.kind === "actions" ? { ...ADDED_TO_ACTIONS_IN_6, ...work } : work,
  };
}

/** What finds a job, from the head of a record of an earlier format. */
export const foundTo6 = (job: Raw, format: number): Raw => jobTo6(format < 5 ? jobTo5({ ...ADDED_IN_3, ...job }) : job);
