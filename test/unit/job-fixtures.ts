/** Fixtures for tests of the core: jobs advanced by commands alone, and facts to judge. */

import { NO_USAGE } from "../../src/contracts/result.ts";
import { DEFAULT_REPOSITORY_SETTINGS, type RepositorySettings } from "../../src/contracts/settings.ts";
import type { Command, Draft } from "../../src/domain/job/command.ts";
import { decide } from "../../src/domain/job/decide.ts";
import type { Decided, Decision } from "../../src/domain/job/decision.ts";
import type { Check, Facts } from "../../src/domain/job/facts.ts";
import { type AgentResult, asJobId, type Job, type JobId, type Run } from "../../src/domain/job/job.ts";

export const T0 = 1_700_000_000_000;

export const jobId = (text: string): JobId => {
  const id = asJobId(text);
  if (id === null) throw new Error(`not a job id: ${text}`);
  return id;
};

export const ID = jobId("abcd1234");

export const draft = (change: Partial<Draft> = {}): Draft => ({
  id: ID,
  account: "ada",
  repository: { owner: "octo", name: "demo", installation_id: 1 },
  runner: "actions",
  origin: { kind: "comment", issue: 7, comment_id: 70 },
  requester: "ada",
  title: "Say hello",
  task: "Say hello in HELLO.md",
  choices: { provider: null, model: null, no_merge: false, draft: false },
  callback_url: null,
  base_branch: null,
  price_cents: 0,
  time_limit_seconds: 1_800,
  ...change,
});

export const settings = (auto_merge: Partial<RepositorySettings["auto_merge"]> = {}): RepositorySettings => ({
  ...DEFAULT_REPOSITORY_SETTINGS,
  market: { enabled: true, run_checks: "always" },
  auto_merge: { ...DEFAULT_REPOSITORY_SETTINGS.auto_merge, enabled: true, ...auto_merge },
});

export const run = (change: Partial<Run> = {}): Run => ({
  id: 500,
  attempt: 1,
  url: "https://github.example/octo/demo/actions/runs/500",
  status: "in_progress",
  conclusion: null,
  ...change,
});

export const work = (change: Partial<AgentResult> = {}): AgentResult => ({
  outcome: "done",
  title: "Say hello",
  body: "I wrote HELLO.md.",
  reason: null,
  model: "claude-sonnet-5-5",
  notes: [],
  usage: NO_USAGE,
  cost_cents: 1.5,
  changed_files: ["HELLO.md"],
  ...change,
});

export const check = (change: Partial<Check> = {}): Check => ({
  name: "ci",
  state: "success",
  required: false,
  app_id: null,
  ours: false,
  url: null,
  summary: null,
  ...change,
});

export const facts = (change: Partial<Facts> = {}): Facts => ({
  pull_request_id: "PR_1",
  head_sha: "finish",
  state: "open",
  merged_by: null,
  merged_by_id: null,
  merged_at: null,
  draft: false,
  base: "main",
  base_renamed: false,
  base_deleted: false,
  base_sha: "base",
  mergeable: "yes",
  merge_state: "CLEAN",
  review: "none",
  auto_merge_enabled: false,
  queue: { required: false, entry: null, left: null, failed: [] },
  checks: [check()],
  signatures: { required: false, unsigned: null },
  required: [],
  checks_complete: true,
  open_runs: [],
  complete_runs: [],
  ci_begun: true,
  changed_files: ["HELLO.md"],
  changed_files_complete: true,
  auto_merge_allowed: true,
  deletes_branch_on_merge: false,
  settings: settings(),
  settings_problem: null,
  ...change,
});

export const runChanged = (change: Partial<Run> = {}, head_sha = "brief"): Command => ({
  type: "run-changed",
  run: run(change),
  head_sha,
  commit_message: `Run job ${ID}: Say hello`,
});

export const briefPushed = (round = 1, attempt = 1, head_sha = "brief"): Command => ({
  type: "brief-pushed",
  round,
  attempt,
  head_sha,
  base: { branch: "main", sha: "base" },
  settings: settings(),
});

export const resultRead = (change: Partial<AgentResult> = {}, round = 1, attempt = 1): Command => ({
  type: "result-read",
  round,
  attempt,
  result: work(change),
  head_sha: "agent",
});

export const opened = (round = 1): Command => ({
  type: "pull-request-opened",
  round,
  number: 8,
  url: "https://github.example/octo/demo/pull/8",
  head_sha: "finish",
});

export const judged = (
  verdict: "pass" | "fail" | "unsure" | "none",
  reasons: readonly string[] = verdict === "none" ? [] : [`It is a ${verdict}.`],
  sha: string | null = "finish",
): Command => ({ type: "judged", round: 1, attempt: 1, sha, verdict, reasons });

export const ADA = { account: "ada", login: "ada" } as const;

/** A job of the market whose work an agent of bob's has handed in. */
export const onMarket = (price_cents = 500): Job =>
  led(
    begin({ runner: "market", origin: { kind: "rest", dialect: "market", key_id: "k" }, price_cents }, 10_000),
    { type: "pull", agent_id: "a1", account: "bob" },
    { type: "accept", agent_id: "a1" },
    briefPushed(),
    { type: "submit", agent_id: "a1", result: work() },
  );

/** Commands that bring a job to a stage, in the order in which they come. */
export const TO_PULL_REQUEST: readonly Command[] = [
  briefPushed(),
  runChanged({ status: "queued" }),
  runChanged(),
  runChanged({ status: "completed", conclusion: "success" }),
  resultRead(),
  opened(),
];

export const decided = (decision: Decision): Decided => {
  if (decision.kind !== "decided") throw new Error(`expected a decision, got ${JSON.stringify(decision)}`);
  return decision;
};

export const begin = (change: Partial<Draft> = {}, available_cents = 0): Job =>
  decided(decide(null, { type: "create", draft: draft(change) }, { now: T0, available_cents })).job;

/** GitHub's numbers of people, whose accounts have their names. */
export const PEOPLE: Readonly<Record<string, number>> = { ada: 1, bob: 2, carl: 3 };

/** As the engine finds it out: by the number, whatever name stands beside it. */
export function mergerIn(command: Command): string | null {
  const id = command.type === "merged" ? command.by_id : command.type === "observe" ? command.facts.merged_by_id : null;
  return Object.keys(PEOPLE).find((name) => PEOPLE[name] === id) ?? null;
}

/** `login` as GitHub shows it; a program's has no number. */
export const mergedBy = (login: string | null, at: number): Command => {
  const by_id = PEOPLE[login?.toLowerCase() ?? ""];
  return { type: "merged", pull_request: 8, by: login, ...(by_id === undefined ? {} : { by_id }), at };
};

/** The job after these commands, each of which must change it; one second apart. */
export const led = (job: Job, ...commands: readonly Command[]): Job =>
  commands.reduce(
    (current, command) =>
      decided(
        decide(current, command, {
          ...{ now: current.updated_at + 1_000, available_cents: 0, merger: mergerIn(command) },
        }),
      ).job,
    job,
  );

export const step = (job: Job, command: Command, now = job.updated_at + 1_000, available_cents = 0): Decision =>
  decide(job, command, { now, available_cents, merger: mergerIn(command) });

export const effectsOf = (decision: Decision): string[] =>
  decided(decision).effects.map((wanted) => wanted.effect.type);
