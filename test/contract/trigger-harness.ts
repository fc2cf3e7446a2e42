/** A repository whose triggers the server knows, with the secret of one of them. */
import type { Trigger } from "../../src/contracts/automation.ts";
import { triggersSchema } from "../../src/contracts/automation.ts";
import { DEFAULT_REPOSITORY_SETTINGS } from "../../src/contracts/settings.ts";
import { OPEN_MARKET, type TestServer } from "./http-server.ts";

export const REPOSITORY = { owner: "octocat", name: "hello-world", id: 1, installation_id: 1 } as const;
/** As the API's description has it. */
export const ERROR_REPORT = {
  name: "error-report",
  watch_path: "/errors",
  actions: [{ job: "Find out why {{body.service}} fails, and fix it." }],
};

/** As the default branch says from now on. */
export async function observeTriggers(
  { engine }: Pick<TestServer, "engine">,
  triggers: readonly unknown[] = [ERROR_REPORT],
  repository: {
    readonly owner: string;
    readonly name: string;
    readonly id: number;
    readonly installation_id: number;
  } = REPOSITORY,
): Promise<void> {
  const read: readonly Trigger[] = triggersSchema.parse(triggers);
  const automation = {
    schedules: [],
    triggers: read.map((one) => ({ ...one, from: "config/TRIGGERS.json" as const })),
    problems: [],
  };
  const settings = {
    base: null,
    settings: { ...DEFAULT_REPOSITORY_SETTINGS, market: OPEN_MARKET },
    settings_problem: null,
  };
  await engine.observe({ ...repository, ...settings, automation });
}

export const addressOf = (trigger: string, of = "octocat/hello-world"): string => `/api/triggers/${of}/${trigger}`;

export async function issueSecret(server: TestServer, trigger: string, body: object = {}): Promise<string> {
  const { status, body: issued } = await server.ask("POST", `${addressOf(trigger)}/secret`, { body });
  if (status !== 201) throw new Error(`no secret was issued: ${JSON.stringify(issued)}`);
  return String(Object(issued).secret);
}
