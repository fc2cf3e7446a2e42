/**
 * Measures Actions mode for all events of a job, from its comment to its merge: each starts a process on a runner that
 * is paid for. The action is bundled, its folder warm, GitHub the local one.
 */
import { join } from "node:path";
import { bundle, bundleFolder } from "../../esbuild.config.ts";
import { type Step, startActionPlayer } from "../process/action-player.ts";
import { DEMO, startSandbox, WRITER } from "../sandbox/environment.ts";
import { type Measured, median } from "./measured.ts";

const JOBS = 3;
const SECONDS = 3;

/** One job by GITHUB_TOKEN, with the click that it needs. */
async function playJob(): Promise<readonly Step[]> {
  const sandbox = await startSandbox();
  const { github } = sandbox;
  const player = await startActionPlayer(sandbox, {
    command: [process.execPath, join(bundleFolder("action-mode"), "main.js")],
  });
  try {
    const issue = github.openIssue(DEMO, { title: "Something to do", body: "As the comment says.", by: WRITER });
    github.comment(DEMO, issue, { body: "/job create HELLO.md that says hello", by: WRITER });
    const pull = await player.until("a pull request", () => github.pulls(DEMO)[0]);
    github.approveWorkflows(DEMO, pull.number, WRITER);
    await player.until("the merge", () => github.pulls(DEMO)[0]?.merged);
    const failed = player.steps.find(({ code }) => code !== 0);
    if (failed) throw new Error(`${failed.event} ended with ${failed.code}: ${failed.output}`);
    return player.steps;
  } finally {
    await sandbox.close();
    await player.close();
  }
}

export async function benchActionMode(): Promise<readonly Measured[]> {
  await bundle("action-mode");
  const steps: Step[] = [];
  for (let job = 0; job < JOBS; job++) steps.push(...(await playJob()));
  return [...new Set(steps.map(({ event }) => event))].map((event) => {
    const times = steps.filter((step) => step.event === event).map(({ ms }) => ms / 1_000);
    const each = times.map((time) => time.toFixed(1)).join(", ");
    return {
      what: `seconds from the event ${event} to the end of its process, median of ${times.length}`,
      value: median(times),
      limit: SECONDS,
      detail: [`each: ${each}`],
    };
  });
}
