/**
 * Actions mode, wired: the same app function as on the server, its door opening onto one turn. Owns the exit code,
 * since the adapter logs what a handler throws and ends well all the same (github-facts 12.2).
 */
import { randomUUID } from "node:crypto";
import { run } from "@probot/adapter-github-actions";
import type { Logger } from "probot";
import { z } from "zod";
import { createApp } from "../app.ts";
import { redact } from "../contracts/redact.ts";
import type { GitHubEvent } from "../domain/job/github-event.ts";
import { translateWebhook } from "../github/events/translate.ts";
import type { Environment } from "../main/environment.ts";
import { createLog } from "../main/log.ts";
import { type Ended, runInvocation } from "./invocation.ts";
import { type ActionSettings, readActionSettings } from "./settings.ts";
import { NO_INSTALLATION } from "./token.ts";

/** Events that are about no job in particular: every open one is looked at. */
const SWEEPS: ReadonlySet<string> = new Set(["schedule", "workflow_dispatch"]);

/**
 * Whoever comes by such an event is no App: no check and no comment is known for ours by an App's id, and our own
 * writes are recognised by the name of a bot, which is never heard.
 */
const NO_APP = { appId: 0, slug: "github-actions" } as const;

const UNHEARD = "The event could not be heard.";

/** Payloads of workflows name no installation. */
const payloadSchema = z.record(z.string(), z.unknown()).catch({});
const hearHere = (event: string, payload: unknown) =>
  translateWebhook(event, { ...payloadSchema.parse(payload), installation: { id: NO_INSTALLATION } }, NO_APP);

/** Lines of the log tell what others have written, so the runner obeys none of them until this word comes. */
const RESUME = randomUUID();
const command = (name: string, text = ""): void => void process.stdout.write(`::${name}::${text}\n`);
const hush = (): void => command("stop-commands", RESUME);

/** As an annotation of the run, where people look first. A line is all that the runner takes. */
function annotate(level: "error" | "warning", sentence: string): void {
  command(RESUME);
  const line = sentence.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
  command(`${level} title=Journeyman`, line);
  hush();
}

function complain(sentence: string): void {
  annotate("error", sentence);
  process.exitCode = 1;
}

async function guarded(log: Logger, turns: () => Promise<Ended>): Promise<void> {
  let ended: Ended;
  try {
    ended = await turns();
  } catch (error) {
    log.error({ err: error }, "the event could not be worked on");
    const why = error instanceof Error ? redact(error.message) : "an internal error occurred";
    ended = { ok: false, sentence: `The event could not be worked on: ${why}` };
  }
  if (!ended.ok) complain(ended.sentence);
}

async function listen(settings: ActionSettings, log: Logger): Promise<void> {
  const receive = async (_id: string, signal: GitHubEvent): Promise<"new"> => {
    await guarded(log, () => runInvocation(settings, log, { signal }));
    return "new";
  };
  let reached = false;
  const hearOnce = (event: string, payload: unknown) => {
    reached = true;
    return hearHere(event, payload);
  };
  const app = createApp({ hear: hearOnce, service: { receive }, log, routes: null });
  try {
    await run((probot, options) => {
      probot.onError(() => complain(UNHEARD));
      return app(probot, options);
    });
    // it ends well too where it finds nothing to hand over
    if (!reached) complain(UNHEARD);
  } catch (error) {
    log.error({ err: error }, "the event could not be read");
    complain("The file of the event could not be read.");
  }
}

export async function runAction(variables: Environment): Promise<void> {
  hush();
  const reading = readActionSettings(variables);
  if (!reading.ok) {
    for (const mistake of reading.mistakes) complain(mistake);
    return;
  }
  for (const note of reading.notes) annotate("warning", note);
  const { settings } = reading;
  const log = await createLog(settings.log);
  if (SWEEPS.has(settings.event)) await guarded(log, () => runInvocation(settings, log, { signal: null }));
  else await listen(settings, log);
}
