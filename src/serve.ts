/**
 * The process around the server: reads the settings, says what is wrong with them, starts the App or Probot's set-up
 * page, and stops on a signal. Owns the exit code.
 */
import { environment, readSettings, type Settings } from "./settings.ts";

type Stop = () => Promise<void>;

function reportMistakes(mistakes: readonly string[]): void {
  const lines = [
    "Journeyman cannot start. Correct these settings (environment or .env):",
    ...mistakes.map((m) => `  - ${m}`),
  ];
  process.stderr.write(`${lines.join("\n")}\n`);
  process.exitCode = 1;
}

async function start(settings: Settings, notes: readonly string[]): Promise<Stop> {
  const { openGate } = await import("./http/gate.ts");
  // the socket first: everything else takes seconds to load, and early requests are held meanwhile
  const gate = await openGate(settings);
  const { createLog } = await import("./log.ts");
  const log = await createLog(settings.log);
  for (const note of notes) log.warn({}, note);
  const { compose } = await import("./compose.ts");
  const composition = await compose({ settings, log, gate });
  return composition.stop;
}

/** Every signal ends in the same clean stop; a second one of an impatient person does not wait for it. */
function stopOnSignals(starting: Promise<Stop>): void {
  let stopping = false;
  const end = (): void => {
    if (stopping) process.exit(130);
    stopping = true;
    starting
      .then((stop) => stop())
      .then(
        () => process.exit(0),
        (error: unknown) => {
          process.stderr.write(`Journeyman did not stop cleanly: ${messageOf(error)}\n`);
          process.exit(1);
        },
      );
  };
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export async function serve(): Promise<void> {
  const cwd = process.cwd();
  const reading = readSettings(environment(cwd), cwd);
  if (reading.kind === "mistakes") return reportMistakes(reading.mistakes);
  const starting =
    reading.kind === "setup"
      ? import("./setup.ts").then(({ setUp }) => setUp(reading))
      : start(reading.settings, reading.notes);
  stopOnSignals(starting);
  try {
    await starting;
  } catch (error) {
    process.stderr.write(`Journeyman cannot start: ${messageOf(error)}\n`);
    process.exit(1);
  }
}
