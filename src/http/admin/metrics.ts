/**
 * The metrics of the server in Prometheus format. Counts are read from their owners when somebody asks, and never kept
 * twice. Labels are few and bounded: never a job, an account or a repository.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { VERSION } from "../../contracts/version.ts";
import { JOB_OUTCOMES } from "../../domain/job/outcome.ts";
import { dayOf } from "../../domain/usage/figures.ts";
import { type UsageRow, usageReport } from "../../domain/usage/report.ts";
import { monthOf } from "../../domain/usage/words.ts";
import type { BudgetLeft } from "../../engine/ports/github.ts";
import type { Inbox } from "../../engine/ports/inbox.ts";
import type { JobStore } from "../../engine/ports/jobs.ts";
import type { Meter } from "../../engine/ports/metrics.ts";
import type { SpendingStore } from "../../engine/ports/spending.ts";

/** Of one route; called for every request when it is over. Status null: it was aborted. */
export type Timer = (method: string, status: number | null, ms: number) => void;
export type Timed = (route: string) => Timer;

export interface Metrics {
  readonly meter: Meter;
  readonly timed: Timed;
  /** Counts a movement at Stripe that could not be booked. */
  readonly notBooked: () => void;
  /** All of them as they are now. */
  exposition(): Promise<{ readonly type: string; readonly content: string }>;
}

export interface MetricsParts {
  readonly jobs: Pick<JobStore, "counts">;
  readonly inbox: Pick<Inbox, "backlog">;
  readonly budget: () => readonly BudgetLeft[];
  readonly spending: Pick<SpendingStore, "usage">;
  readonly now: () => number;
}

/** From a status read to a create that waits for GitHub. */
const HTTP_SECONDS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 30];
/** From a delivery that is looked up and dropped to one whose work is tried again for an hour. */
const LAG_SECONDS = [0.01, 0.05, 0.25, 1, 5, 30, 300, 3_600];

/** Callers may invent methods; the label must not grow with them. */
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const CLASSES = ["aborted", "1xx", "2xx", "3xx", "4xx", "5xx"] as const;

type Make = { readonly registers: Registry[] };

function gaugesOf(registers: Make, { jobs, inbox, budget, now }: MetricsParts): () => Promise<void> {
  const gauge = <Label extends string = never>(name: string, help: string, ...labelNames: Label[]): Gauge<Label> =>
    new Gauge({ name: `journeyman_${name}`, help, labelNames, ...registers });
  const byStatus = gauge("jobs", "Jobs by status.", "status");
  const pending = gauge("effects_pending", "Effects that wait to be performed.");
  const failing = gauge("effects_failing", "Effects that wait to be tried again, since their last attempt failed.");
  const deliveries = gauge("deliveries_pending", "Deliveries of GitHub that are recorded and not worked on yet.");
  const age = gauge("delivery_oldest_age_seconds", "How long the oldest of them has waited.");
  const left = gauge("github_budget_left", "What is left of a window, of the installation with the least.", "window");
  const limit = gauge("github_budget_limit", "What the window allows.", "window");
  return async () => {
    const counts = await jobs.counts();
    for (const [status, count] of Object.entries(counts.statuses)) byStatus.set({ status }, count);
    pending.set(counts.pending);
    failing.set(counts.failing);
    const { count, oldest_at } = await inbox.backlog();
    deliveries.set(count);
    age.set(oldest_at === null ? 0 : Math.max(0, now() - oldest_at) / 1_000);
    for (const one of budget()) {
      left.set({ window: one.window }, one.left);
      limit.set({ window: one.window }, one.limit);
    }
  };
}

/** The same figures as those of the API, of all repositories: `by` them there. */
function usageGauges(registers: Make, { spending, now }: MetricsParts): () => Promise<void> {
  const gauge = <Label extends string>(name: string, help: string, ...labelNames: Label[]): Gauge<Label> =>
    new Gauge({ name: `journeyman_usage_${name}`, help, labelNames, ...registers });
  const cents = gauge(
    "cents",
    "US cents of attempts that ended in the period of UTC; told: by the run, or its limit.",
    "period",
    "told",
  );
  const jobs = gauge("jobs", "Jobs that were asked for in the period.", "period");
  const merged = gauge("merged_jobs", "Those of them whose pull request is merged.", "period");
  const attempts = gauge("attempts", "Attempts that ended in the period.", "period");
  const tell = (period: string, row: UsageRow): void => {
    cents.set({ period, told: "yes" }, row.cents);
    cents.set({ period, told: "no" }, row.estimated_cents);
    jobs.set({ period }, row.jobs);
    merged.set({ period }, row.merged);
    attempts.set({ period }, row.attempts);
  };
  return async () => {
    const at = now();
    const { from, to } = monthOf(at);
    const today = dayOf(at);
    tell("day", (await usageReport(spending.usage({ from: today, to: today }), "day")).total);
    tell("month", (await usageReport(spending.usage({ from, to }), "day")).total);
  };
}

function meterOf(registers: Make): Meter {
  const effects = new Counter({
    name: "journeyman_effect_tries_total",
    help: "Attempts of effects by how they ended; abandoned: the last of too many.",
    labelNames: ["ended"],
    ...registers,
  });
  const lag = new Histogram({
    name: "journeyman_webhook_lag_seconds",
    help: "From the record of a delivery to the end of its work; abandoned: after too many attempts.",
    labelNames: ["ended"],
    buckets: LAG_SECONDS,
    ...registers,
  });
  const outcomes = new Counter({
    name: "journeyman_job_outcomes_total",
    help: "What jobs came to; one that is merged after it was done counts as both.",
    labelNames: ["outcome"],
    ...registers,
  });
  for (const outcome of Object.keys(JOB_OUTCOMES)) outcomes.inc({ outcome }, 0);
  for (const ended of ["done", "later", "abandoned"]) effects.inc({ ended }, 0);
  return {
    effect: (ended) => effects.inc({ ended }),
    delivery: (ended, ms) => lag.observe({ ended }, ms / 1_000),
    outcome: (outcome) => outcomes.inc({ outcome }),
  };
}

/** Of each route, method and class of status the histogram is looked up once: this is the hot path. */
function timedOf(registers: Make): Timed {
  const seconds = new Histogram({
    name: "journeyman_http_request_duration_seconds",
    help: "Requests by route, method and class of status.",
    labelNames: ["route", "method", "status"],
    buckets: HTTP_SECONDS,
    ...registers,
  });
  type Child = ReturnType<typeof seconds.labels>;
  return (route) => {
    const byMethod = new Map<string, (Child | undefined)[]>();
    return (given, status, ms) => {
      const method = METHODS.has(given) ? given : "other";
      let byClass = byMethod.get(method);
      if (byClass === undefined) {
        byClass = [];
        byMethod.set(method, byClass);
      }
      const ended = status === null ? 0 : Math.floor(status / 100);
      byClass[ended] ??= seconds.labels(route, method, CLASSES[ended] ?? "5xx");
      byClass[ended].observe(ms / 1_000);
    };
  };
}

export function createMetrics(parts: MetricsParts): Metrics {
  const registry = new Registry();
  const registers = { registers: [registry] };
  const refresh = gaugesOf(registers, parts);
  const refreshUsage = usageGauges(registers, parts);
  const info = { name: "journeyman_info", help: "Which version runs, on which Node; always 1." };
  new Gauge({ ...info, labelNames: ["version", "node"], ...registers }).set(
    { version: VERSION, node: process.version },
    1,
  );
  const unbooked = new Counter({
    name: "journeyman_stripe_unbooked_total",
    help: "Movements of money at Stripe that are not booked here; the log names them.",
    ...registers,
  });
  let watching_process = false;
  return {
    meter: meterOf(registers),
    notBooked: () => unbooked.inc(),
    timed: timedOf(registers),
    async exposition() {
      // it samples the event loop for good, which a server that nobody watches need not bear
      if (!watching_process) collectDefaultMetrics({ register: registry });
      watching_process = true;
      await refresh();
      await refreshUsage();
      return { type: registry.contentType, content: await registry.metrics() };
    },
  };
}
