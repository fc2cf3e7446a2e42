/**
 * The process around the server: listens, reads the settings, says what is wrong with them, starts the App or Probot's
 * set-up page, and stops on a signal. Owns the exit code. What takes its time to load is loaded after listening.
 */

import { listenEarly } from "../http/server/bootstrap.ts";
import { addressIn, environment, isRunByNpm } from "./environment.ts";

type Stop = (reason: string) => Promise<void>;

/** So that connections that are open already are answered before the next large part blocks the process. */
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

async function start(): Promise<Stop> {
  const cwd = process.cwd();
  const variables = environment(cwd);
  const address = addressIn(variables);
  // a port that is taken is told after mistakes in the settings, which may be why it is
  const [opened] = await Promise.allSettled([address === null ? null : listenEarly(address)]);
  await turn();
  const { readSettings } = await import("./settings.ts");
  const reading = readSettings(variables, cwd);
  if (reading.kind === "mistakes") throw new Error(wordsOf(reading.mistakes));
  if (reading.kind === "setup") {
    const { setUp } = await import("./setup.ts");
    return setUp(reading);
  }
  const { settings, notes } = reading;
  if (opened.status === "rejected") throw opened.reason;
  const earlyListener = opened.value ?? (await listenEarly(settings));
  await turn();
  const { createLog } = await import("./log.ts");
  const log = await createLog(settings.log);
  for (const note of notes) log.warn({}, note);
  await turn();
  const { compose } = await import("./compose.ts");
  const { stop } = await compose(settings, { log, earlyListener });
  return stop;
}

const wordsOf = (mistakes: readonly string[]): string =>
  ["correct these settings (environment or .env):", ...mistakes.map((mistake) => `  - ${mistake}`)].join("\n");

/** A closed terminal ends the server as in order as whoever keeps processes does. */
const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/** A start may wait for others, such as the service that passes webhooks on: whoever ends it does not. */
const BEGIN_LIMIT_MS = 5_000;
const begunInTime = (): Promise<null> => new Promise((resolve) => void setTimeout(resolve, BEGIN_LIMIT_MS, null));

/** Every signal ends in the same clean stop; a second one exits at once. */
function stopOnSignals(starting: Promise<Stop>): void {
  let stopping = false;
  const end = (reason: string): void => {
    if (stopping) process.exit(130);
    stopping = true;
    Promise.race([starting, begunInTime()])
      .then((stop) => stop?.(reason))
      .then(
        () => process.exit(0),
        (error: unknown) => {
          process.stderr.write(`Journeyman did not stop cleanly: ${messageOf(error)}\n`);
          process.exit(1);
        },
      );
  };
  for (const signal of SIGNALS) process.on(signal, () => end(signal));
  followNpm(() => stopping || end("npm is gone"));
}

const LOOK_EVERY_MS = 500;

/** npm passes signals on; where it is killed itself, nobody would know of its child any more. */
function followNpm(end: () => void): void {
  if (!isRunByNpm()) return;
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) end();
  }, LOOK_EVERY_MS).unref();
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export async function serve(): Promise<void> {
  const starting = start();
  stopOnSignals(starting);
  try {
    await starting;
  } catch (error) {
    process.stderr.write(`Journeyman cannot start: ${messageOf(error)}\n`);
    process.exit(1);
  }
}
