/**
 * The server process: listens, reads the settings, reports mistakes in them, starts the App, after the set-up page if
 * there is none yet, and stops on a signal. Sets the exit code. Modules that load slowly are loaded after listening.
 */

import type { Logger } from "probot";
import { type EarlyListener, listenEarly } from "../http/server/bootstrap.ts";
import { addressIn, type Environment, environment, isRunByNpm } from "./environment.ts";
import type { Reading, Settings } from "./settings.ts";

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
  const { reading, readAgain } = await read(variables, cwd);
  if (opened.status === "rejected") throw opened.reason;
  const earlyListener = opened.value ?? (await listenEarly(reading.settings));
  await turn();
  const { createLog } = await import("./log.ts");
  const log = await createLog(reading.settings.log);
  if (reading.kind === "settings") return startApp(reading, log, earlyListener);
  const { openSetUp } = await import("./setup.ts");
  const { listener, made, invitation } = openSetUp(reading.settings, earlyListener.url, log);
  earlyListener.open(listener);
  process.stdout.write(invitation);
  return appFollows(made, earlyListener, async () => {
    const next = readAgain();
    if (next.kind === "setup") throw new Error("the App is gone from the data folder; start the server again");
    return startApp(next, log, earlyListener);
  });
}

type Ready = Exclude<Reading, { readonly kind: "mistakes" }>;

/** The settings over what the data folder holds of them; read again, what was put there since. */
async function read(
  variables: Environment,
  cwd: string,
): Promise<{ readonly reading: Ready; readonly readAgain: () => Ready }> {
  const [{ readSettings }, { withKeptApp }] = await Promise.all([import("./settings.ts"), import("./app-file.ts")]);
  const readAgain = (): Ready => {
    const reading = readSettings(withKeptApp(variables, cwd), cwd);
    if (reading.kind === "mistakes") throw new Error(wordsOf(reading.mistakes));
    return reading;
  };
  return { reading: readAgain(), readAgain };
}

/** Whoever stops the server while there is no App does not wait for one. */
function appFollows(made: Promise<void>, page: EarlyListener, startIt: () => Promise<Stop>): Stop {
  let started: Promise<Stop> | null = null;
  made
    .then(() => {
      started = startIt();
      return started;
    })
    .catch(giveUp);
  return async (reason) => (started === null ? page.close() : (await started)(reason));
}

async function startApp(
  { settings: given, notes }: Extract<Reading, { readonly kind: "settings" }>,
  log: Logger,
  earlyListener: EarlyListener,
): Promise<Stop> {
  for (const note of notes) log.warn({}, note);
  const settings = await withApiKey(given, log);
  await turn();
  const { compose } = await import("./compose.ts");
  const { stop } = await compose(settings, { log, earlyListener });
  return stop;
}

/** Where the settings name no admin key, the data folder has one. The key itself is never logged. */
async function withApiKey(settings: Settings, log: Logger): Promise<Settings> {
  if (settings.api_key !== null) return settings;
  const { apiKeyIn } = await import("./api-key.ts");
  const { key, made_at } = apiKeyIn(settings.data_dir);
  if (made_at !== null) log.info({}, `no API_KEY is set, so an admin key was made: it is in the file ${made_at}`);
  return { ...settings, api_key: key };
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

function giveUp(error: unknown): never {
  process.stderr.write(`Journeyman cannot start: ${messageOf(error)}\n`);
  process.exit(1);
}

export async function serve(): Promise<void> {
  const starting = start();
  stopOnSignals(starting);
  try {
    await starting;
  } catch (error) {
    giveUp(error);
  }
}
