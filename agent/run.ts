/** Runs a job from brief to result. However the loop ends, the shell is closed and result and log are written. */
import { join } from "node:path";
import { type Brief, jobFolder, LOG_FILE } from "../src/contracts/brief.ts";
import { dayOf, fitToModel, type ModelChoice } from "../src/contracts/model-choice.ts";
import { describeSource } from "../src/contracts/model-source.ts";
import { costCents, findModel, MODELS_AS_OF } from "../src/contracts/models.ts";
import { blanker, redactor } from "../src/contracts/redact.ts";
import { NO_USAGE, type Result } from "../src/contracts/result.ts";
import { counted } from "../src/text/plural.ts";
import { newerLibrary } from "./c-library.ts";
import { type Checkout, changedFiles } from "./git.ts";
import { type Assignment, readAssignment, readBrief } from "./loop/assignment.ts";
import type { Cancellation } from "./loop/cancellation.ts";
import { Conversation, roomIn } from "./loop/conversation.ts";
import { runLoop } from "./loop/loop.ts";
import { firstContent, SYSTEM_PROMPT } from "./loop/prompt.ts";
import type { Stop } from "./loop/stop-reasons.ts";
import { GatewayClient } from "./provider/gateway-client.ts";
import { RefusalClient } from "./provider/http-agent.ts";
import { type ListModels, openProvider } from "./provider/provider.ts";
import { UsageCounter } from "./provider/usage.ts";
import { redactFiles } from "./redact-files.ts";
import { exitCodeOf, type RunEnd, resultOf, writeResult } from "./result.ts";
import type { Settings } from "./settings.ts";
import { Shell } from "./tools/bash.ts";
import { ConflictDesk } from "./tools/conflict-desk.ts";
import { ReplyDesk } from "./tools/reply-desk.ts";
import { Log } from "./transcript/log.ts";

export interface RunPorts {
  readonly cancellation: Cancellation;
  readonly now: () => Date;
  readonly print: (row: string) => void;
  /** Waits; an aborted signal ends the wait early. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

interface Work extends RunPorts {
  readonly settings: Settings;
  readonly log: Log;
  usageCounter: UsageCounter;
  readonly startedAt: number;
  taskTitle: string;
  /** The model in use. */
  model: string;
  modelNotes: readonly string[];
  lastText: string;
  readonly notes: string[];
}

/** Returns the exit code: 0 for every regular end, including limits; 1 for a failure. */
export async function runJob(settings: Settings, ports: RunPorts): Promise<0 | 1> {
  const redact = redactor(settings.secrets);
  const path = join(settings.workspace, jobFolder(settings.jobId), LOG_FILE);
  const log = new Log({ path, redact, now: ports.now, print: ports.print, format: settings.logFormat });
  const startedAt = ports.now().getTime();
  const work: Work = {
    ...ports,
    settings,
    log,
    usageCounter: new UsageCounter("unknown"),
    startedAt,
    taskTitle: "",
    model: "unknown",
    modelNotes: [],
    lastText: "",
    notes: [],
  };
  const stop = await attempt(work).catch((error: unknown): Stop => ({ kind: "crashed", reason: messageOf(error) }));
  const result = resultOf(
    {
      stop,
      model: work.model,
      modelNotes: work.modelNotes,
      ...(await spentBy(work)),
      taskTitle: work.taskTitle,
      lastText: work.lastText,
      notes: work.notes,
    },
    redact,
  );
  logEnd(log, result);
  const written = writeResult(settings.workspace, settings.jobId, result);
  if (written !== result) log.error(written.reason ?? "");
  log.close();
  return exitCodeOf(written);
}

/** The gateway also counts what commands spent; without a gateway, nothing does. */
async function spentBy({ settings, usageCounter, log }: Work): Promise<Pick<RunEnd, "usage" | "cents">> {
  const own = { usage: usageCounter.usage, cents: usageCounter.cents };
  if (settings.gateway === null) return own;
  const spent = await new GatewayClient(settings.gateway).spent();
  if (spent === null) log.warn("The gateway did not report the run's cost, so only the agent's own calls are counted.");
  return spent === null ? own : { usage: { ...spent.usage, turns: usageCounter.usage.turns }, cents: spent.cents };
}

/** An old run-job.yml does not know `egress` and starts an open network. */
const OPEN_NETWORK =
  "The repository's settings restrict the network (`egress`), but .github/workflows/run-job.yml started the " +
  "agent on an open network. Copy that file again from Journeyman, or remove `egress` from .github/journeyman.yml.";

const unread = ({ base }: Brief): string =>
  `The commit ${base.sha} of ${base.branch} could not be read, so AGENTS.md and CLAUDE.md were not used.`;

/** The gateway enforces the limit, and only it knows which address it calls. */
function unpriced(model: string, { gateway }: Settings): string {
  const counted = `${model} has no price in the table of ${MODELS_AS_OF}: tokens are counted, the cost is unknown.`;
  if (gateway === null) return `${counted} Only turns and time limit the run.`;
  const bound = "The cost limit uses the highest price of that table";
  return `${counted} ${bound}${findModel(model) === null ? ", unless a gateway of your own at ANTHROPIC_BASE_URL serves it" : ""}.`;
}

async function attempt(work: Work): Promise<Stop> {
  const { settings, log, cancellation } = work;
  const read = await readBrief(settings);
  if (!read.ok) return { kind: "misconfigured", permanent: null, reason: read.reason };
  const { brief } = read;
  work.taskTitle = brief.title;
  work.model = brief.llm.model;
  work.modelNotes = brief.llm.notes;
  work.usageCounter = new UsageCounter(brief.llm.model);
  if (brief.egress !== null && settings.proxy === null)
    return { kind: "misconfigured", permanent: "misconfigured", reason: OPEN_NETWORK };
  const library = newerLibrary(settings.toolchain.c_library);
  if (library !== null) return { kind: "misconfigured", permanent: "misconfigured", reason: library };
  const elapsedMs = () => work.now().getTime() - work.startedAt;
  // Git looks for it while the provider's client is loaded.
  const reading = readAssignment(settings, read);
  const absent = await gatewayAbsent(work, elapsedMs);
  if (absent !== null) return cancellation.stop ?? { kind: "provider_down", reason: absent };
  const opened = await openProvider({ ...settings, provider: brief.llm.provider });
  if (!opened.ok) return opened.stop;
  const choice = await fitModel(work, brief.llm, opened.listModels);
  const assignment = await reading;
  const { limits } = brief;
  const by = describeSource(brief.llm, settings.llm);
  log.info(
    `Job ${brief.id}, round ${brief.round}, attempt ${brief.attempt}, with ${choice.model}${by === "" ? "" : `, ${by}`}: ` +
      `at most ${counted(limits.turns, "turn")}, ${counted(limits.minutes, "minute")}, ${counted(limits.cost_cents, "cent")}.`,
  );
  if (!assignment.base_known) log.warn(unread(brief));
  if (costCents(choice.model, NO_USAGE) === null) log.warn(unpriced(choice.model, settings));
  const outOfTime = () => cancellation.interrupt({ kind: "out_of_time", minutes: limits.minutes });
  const clock = setTimeout(outOfTime, Math.max(0, limits.minutes * 60_000 - elapsedMs()));
  const shell = new Shell({ workspace: settings.workspace, environment: settings.shellEnvironment });
  const checkout = { workspace: settings.workspace, environment: shell.environment };
  const refused = new RefusalClient(settings.gateway ?? settings.proxy);
  try {
    const stop = await runLoop(
      {
        system: SYSTEM_PROMPT,
        model: choice.model,
        maxTokens: choice.max_tokens,
        room: roomIn(choice.window, choice.max_tokens),
        limits,
        conversation: new Conversation(),
        ask: opened.ask,
        box: { workspace: settings.workspace, shell, ...desksOf(assignment) },
        usageCounter: work.usageCounter,
        log,
        cancellation,
        elapsedMs,
        pause: work.pause,
        refused: () => refused.newRefusals(),
        onText: (words) => {
          work.lastText = words;
        },
      },
      firstContent(assignment),
    );
    // The model's processes must not write any more when the files are checked for secrets.
    shell.close();
    await redactChangedFiles(work, checkout, assignment.start);
    return stop;
  } finally {
    clearTimeout(clock);
    shell.close();
  }
}

const desksOf = ({ brief, conflicts = [] }: Assignment) => ({
  replyDesk: new ReplyDesk(brief.reviews),
  conflictDesk: new ConflictDesk(conflicts),
});

/** The brief may be older than its model's retirement. Whether an unknown model exists shows in the first call. */
async function fitModel(work: Work, wanted: Brief["llm"], list: ListModels): Promise<ModelChoice> {
  const listed = await list(work.cancellation.signal);
  const choice = fitToModel(wanted, dayOf(work.now().getTime()), listed);
  work.model = choice.model;
  work.usageCounter = new UsageCounter(choice.model);
  work.modelNotes = [...new Set([...wanted.notes, ...choice.notes])];
  for (const note of work.modelNotes) work.log.warn(note);
  return choice;
}

async function gatewayAbsent({ settings, cancellation, pause }: Work, elapsedMs: () => number): Promise<string | null> {
  if (settings.gateway === null) return null;
  return new GatewayClient(settings.gateway).waitFor({ elapsedMs, pause, signal: cancellation.signal });
}

const MAX_NAMED = 10;

async function redactChangedFiles({ settings, log, notes }: Work, checkout: Checkout, start: string | null) {
  const changed = start === null ? null : await changedFiles(checkout, start);
  if (changed === null) return log.warn("Git did not list the changed files, so they were not checked for secrets.");
  log.info(changed.length === 0 ? "No file changed." : `Changed: ${changed.join(", ")}`);
  const held = await redactFiles(settings.workspace, changed, blanker(settings.secrets));
  if (held.length === 0) return;
  const names = held.slice(0, MAX_NAMED).map((path) => `\`${path}\``);
  const note = `A secret of this run was removed from ${names.join(", ")}${held.length > MAX_NAMED ? " and others" : ""}.`;
  log.warn(note);
  notes.push(note);
}

function logEnd(log: Log, result: Result): void {
  const { usage, cost_cents: cost } = result;
  const price = cost === null ? `cost unknown, ${result.model} has no known price` : `${cost.toFixed(1)} cents`;
  const read = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens;
  const text = `Ended: ${result.outcome}. ${counted(usage.turns, "turn")}, ${counted(read, "token")} in, ${usage.output_tokens} out, ${price}.`;
  const whole = result.reason === undefined ? text : `${text} ${result.reason}`;
  if (result.outcome === "failed") log.error(whole);
  else log.info(whole);
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);
