/**
 * Runs Actions mode: the same app function as on the server, with one invocation for the event. Sets the exit code,
 * since the adapter exits with 0 also when a handler has failed.
 */
import { randomUUID } from "node:crypto";
import { run } from "@probot/adapter-github-actions";
import type { Logger } from "probot";
import * as z from "zod";
import { createApp } from "../app.ts";
import { redact } from "../contracts/redact.ts";
import type { GitHubEvent } from "../domain/job/github-event.ts";
import { translateWebhook } from "../github/events/translate.ts";
import type { Environment } from "../main/environment.ts";
import { createLog } from "../main/log.ts";
import { type Ended, runInvocation } from "./invocation.ts";
import { type ActionSettings, readActionSettings } from "./settings.ts";
import { NO_INSTALLATION } from "./token.ts";

/** Events that are about no job in particular: every open job is looked at. */
const SWEEPS: ReadonlySet<string> = new Set(["schedule", "workflow_dispatch"]);

/**
 * There is no App here: checks and comments cannot be recognised by an App's id, and what we wrote ourselves is recognised
 * by the name of a bot, whose events are ignored.
 */
const NO_APP = { appId: 0, slug: "github-actions" } as const;

const UNREAD = "The event could not be read.";

/** Payloads of workflows name no installation. */
const payloadSchema = z.record(z.string(), z.unknown()).catch({});
const translateHere = (event: string, payload: unknown) =>
  translateWebhook(event, { ...payloadSchema.parse(payload), installation: { id: NO_INSTALLATION } }, NO_APP);

/** Log lines may hold what others have written, so the runner obeys no command in them until it reads this word. */
const RESUME = randomUUID();
const command = (name: string, text = ""): void => void process.stdout.write(`::${name}::${text}\n`);
const stopCommands = (): void => command("stop-commands", RESUME);

/** Annotates the run, where people look first. The runner takes one line. */
function annotate(level: "error" | "warning", sentence: string): void {
  command(RESUME);
  const line = sentence.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
  command(`${level} title=Journeyman`, line);
  stopCommands();
}

/** Fails the run. */
function fail(sentence: string): void {
  annotate("error", sentence);
  process.exitCode = 1;
}

async function guarded(log: Logger, invoke: () => Promise<Ended>): Promise<void> {
  let ended: Ended;
  try {
    ended = await invoke();
  } catch (error) {
    log.error({ err: error }, "the event could not be worked on");
    const why = error instanceof Error ? redact(error.message) : "an internal error occurred";
    ended = { ok: false, sentence: `The event could not be worked on: ${why}` };
  }
  if (!ended.ok) fail(ended.sentence);
}

async function listen(settings: ActionSettings, log: Logger): Promise<void> {
  const receive = async (_id: string, event: GitHubEvent): Promise<"new"> => {
    await guarded(log, () => runInvocation(settings, log, { event }));
    return "new";
  };
  let reached = false;
  const translate = (event: string, payload: unknown) => {
    reached = true;
    return translateHere(event, payload);
  };
  const app = createApp({ translate, service: { receive }, log, routes: null });
  try {
    await run((probot, options) => {
      probot.onError(() => fail(UNREAD));
      return app(probot, options);
    });
    // it ends well too where it finds nothing to hand over
    if (!reached) fail(UNREAD);
  } catch (error) {
    log.error({ err: error }, "the event could not be read");
    fail("The file of the event could not be read.");
  }
}

export async function runAction(variables: Environment): Promise<void> {
  stopCommands();
  const reading = readActionSettings(variables);
  if (!reading.ok) {
    for (const mistake of reading.mistakes) fail(mistake);
    return;
  }
  for (const note of reading.notes) annotate("warning", note);
  const { settings } = reading;
  const log = await createLog(settings.log);
  if (SWEEPS.has(settings.event)) await guarded(log, () => runInvocation(settings, log, { event: null }));
  else await listen(settings, log);
}
