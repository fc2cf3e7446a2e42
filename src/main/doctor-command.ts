/**
 * What the `doctor` command does: asks the running server about a repository, or examines the server itself by its
 * settings, whether it runs or not.
 */
import * as z from "zod";
import { REPOSITORY_NAME } from "../contracts/repository-name.ts";
import { systemClock } from "../engine/clock.ts";
import { healthSchema } from "../http/repositories/health.ts";
import { WEBHOOK_PATH } from "../http/server/webhook-receiver.ts";
import { withKeptApp } from "./app-file.ts";
import { readKeysSettings } from "./command-settings.ts";
import { connectGitHub } from "./compose/github.ts";
import { environment } from "./environment.ts";
import { createLog } from "./log.ts";
import { examineServer } from "./server-doctor.ts";
import { readSettings } from "./settings.ts";

/** An answer to expect at the command line, to be printed as it stands. */
export class DoctorProblem extends Error {}

type Findings = z.output<typeof healthSchema>["findings"];

const REQUEST_TIMEOUT_MS = 60_000;
const errorSchema = z.object({ error: z.string() });

/** `cwd`: where the settings are. */
export async function findingsOnRepository(cwd: string, repository: string): Promise<Findings> {
  if (!REPOSITORY_NAME.test(repository)) throw new DoctorProblem("Name the repository as owner/name.");
  const reading = readKeysSettings(environment(cwd), cwd);
  if (reading.kind === "mistakes") throw new DoctorProblem(reading.mistakes.join("\n"));
  const { api_key, server_url } = reading.settings;
  if (api_key === null) throw new DoctorProblem("Set API_KEY to a key of the server (and PUBLIC_URL to its address).");
  const [owner = "", name = ""] = repository.split("/");
  const url = `${server_url}/api/repositories/${encodeURIComponent(owner)}/${encodeURIComponent(name)}/health`;
  const headers = { "x-api-key": api_key.reveal() };
  let response: Response;
  try {
    response = await fetch(url, { headers, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
  } catch {
    throw new DoctorProblem(`${server_url} cannot be reached; start the server, or set PUBLIC_URL to its address.`);
  }
  const answer: unknown = await response.json().catch(() => null);
  const read = healthSchema.safeParse(answer);
  if (response.ok && read.success) return read.data.findings;
  const parsed = errorSchema.safeParse(answer);
  throw new DoctorProblem(parsed.success ? parsed.data.error : `${server_url} answered ${response.status}.`);
}

export async function findingsOnServer(cwd: string): Promise<Findings> {
  const reading = readSettings(withKeptApp(environment(cwd), cwd), cwd);
  if (reading.kind === "mistakes") throw new DoctorProblem(reading.mistakes.join("\n"));
  if (reading.kind === "setup")
    throw new DoctorProblem("The server has no App yet; start it and open its set-up page.");
  const { settings } = reading;
  // what goes wrong is a finding, so nothing is logged beside it
  const log = await createLog({ ...settings.log, level: "fatal" });
  const { probot } = connectGitHub(settings, log, systemClock);
  const { app_id, public_url, webhook_proxy_url, data_dir } = settings;
  const octokit = await probot.auth();
  return [
    ...(await examineServer({
      ...{ octokit, app_id, public_url, webhook_proxy_url, data_dir },
      webhook_path: WEBHOOK_PATH,
      now: systemClock.wall ?? systemClock.now,
    })),
  ];
}

/** A finding in lines for a terminal. */
export function findingLines({ level, certainty, problem, fix, url }: Findings[number]): string {
  const mark = level === "problem" ? "problem" : "advice ";
  const guess = certainty === "probable" ? " (concluded from runs)" : "";
  return [`${mark}  ${problem}${guess}`, `         ${fix}`, ...(url === null ? [] : [`         ${url}`])].join("\n");
}
