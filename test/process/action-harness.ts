/** An environment in which the App is a workflow: {@link startActionPlayer} with the program as shipped. */
import { onTestFailed, onTestFinished } from "vitest";
import * as z from "zod";
import { builtProgram } from "../build.ts";
import { DEMO, type Sandbox, type SandboxSetup, startSandbox, WRITER } from "../sandbox/environment.ts";
import { type ActionPlayer, startActionPlayer } from "./action-player.ts";

export interface ActionHarness extends ActionPlayer {
  readonly sandbox: Sandbox;
  readonly github: Sandbox["github"];
  ask(body: string, by?: string): number;
}

export interface ActionHarnessOptions extends SandboxSetup {
  /** The token of an App instead of GITHUB_TOKEN. */
  readonly app?: boolean;
  readonly waitSeconds?: number;
}

export async function startActionHarness({
  app,
  waitSeconds,
  ...options
}: ActionHarnessOptions = {}): Promise<ActionHarness> {
  const workflows: string[] = [];
  const sandbox = await startSandbox({ program: builtProgram, ...options, onLog: (text) => workflows.push(text) });
  const { github } = sandbox;
  const player = await startActionPlayer(sandbox, {
    command: builtProgram("src/actions-mode/main.ts"),
    ...(app === undefined ? {} : { app }),
    ...(waitSeconds === undefined ? {} : { waitSeconds }),
  });
  onTestFailed(() => {
    const told = player.steps.map(({ event, code, output }) => `--- ${event} → ${code}\n${output.slice(-3_000)}`);
    process.stderr.write(`${told.join("\n")}\n${workflows.join("").slice(-3_000)}\n`);
  });
  onTestFinished(async () => {
    await sandbox.close();
    await player.close();
  });
  return {
    ...player,
    sandbox,
    github,
    ask(body, by = WRITER) {
      const issue = github.openIssue(DEMO, { title: "Something to do", body: "As the comment says.", by });
      github.comment(DEMO, issue, { body, by });
      return issue;
    },
  };
}

/** What this bot has written on an issue. */
export const said = (here: ActionHarness, issue: number, by = "github-actions[bot]"): string =>
  here.github
    .comments(DEMO, issue)
    .filter(({ user }) => user === by)
    .map(({ body }) => body)
    .join("\n\n");

export const SHELF = "refs/journeyman/jobs/";

/** Ids of the jobs whose state rests on GitHub. */
export const states = (here: ActionHarness): string[] =>
  here.github.refs(DEMO, SHELF).map((ref) => ref.slice(SHELF.length));

const stateSchema = z.object({
  job: z.object({ status: z.string(), round: z.number(), heard: z.array(z.number()) }),
});

export const stateOf = (here: ActionHarness, id: string) =>
  stateSchema.parse(JSON.parse(here.github.readFile(DEMO, `${SHELF}${id}`, "state.json") ?? "null")).job;

/** The runs of `run-job.yml` that were more than a skipped push. */
export const jobRuns = (here: ActionHarness) =>
  here.github.runs(DEMO).filter(({ path, conclusion }) => path.endsWith("run-job.yml") && conclusion !== "skipped");
