import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { DEMO } from "../sandbox/environment.ts";
import { startHarness, until, untilJob } from "./harness.ts";

const WORKFLOW = ".github/workflows/run-job.yml";
const OLD_COPY = join(import.meta.dirname, "../fixtures/run-job-0.1.yml");

/** Both forms of the command that stops all others, in names that git complains of. */
const TASK =
  "/job create HELLO.md that says hello\n" +
  "run mkdir $'x\\n::stop-commands::pwned' $'y ##[stop-commands]pwned'; echo x > $'x\\n::stop-commands::pwned/git~1'; " +
  "echo x > $'y ##[stop-commands]pwned/git~1'";

/** What the job's run has shown to whoever may read its log, which on a public repository is everybody. */
async function logAfter(files: Record<string, string>): Promise<string> {
  const harness = await startHarness({ realRuns: true, files });
  const { id } = await harness.jobOf(harness.ask(TASK));
  await untilJob(harness, id, "worked on", (job) => job.status !== "queued" && job.status !== "accepted");
  await until("the run's end", () =>
    harness.github.runs(DEMO).some((run) => run.path === WORKFLOW && run.status === "completed"),
  );
  await harness.sandbox.idle();
  return harness.github
    .runs(DEMO)
    .filter((run) => run.path === WORKFLOW)
    .flatMap((run) => run.jobs.map((job) => harness.github.jobLog(job.id)))
    .join("");
}

it("names that the agent chose do not make the run show the App's token", async () => {
  expect(await logAfter({})).not.toMatch(/ghs_\w/);
});

it("the runner of the sandbox is as unkind as GitHub's: it shows the token to whoever tricks the first version's file", async () => {
  expect(await logAfter({ [WORKFLOW]: await readFile(OLD_COPY, "utf8") })).toMatch(/::add-mask::ghs_\w/);
});
