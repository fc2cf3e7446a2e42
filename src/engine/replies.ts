/** What is answered to a command that belongs to no job. */
export const HELP = [
  "**Journeyman** turns a comment into a merged pull request.",
  "",
  "| comment | what happens |",
  "| --- | --- |",
  "| `/job <what you want>` | a job is started: an agent works on a branch of its own and opens a pull request |",
  "| `/job` | the same, with this issue as the task |",
  "| `/job <text>` on a job's pull request | the job goes on with this as its next instruction |",
  "| `/job status` | the job's comment is brought up to date |",
  "| `/job cancel` | the job is cancelled |",
  "| `/job retry` | a failed job is tried again |",
  "| `/job help` | this text |",
  "",
  "Before the task: `--model <name>` chooses the model, `--no-merge` leaves merging to you, `--draft` opens a draft.",
].join("\n");

export const FROM_FORK =
  "This pull request comes from a fork, so no job is started here: an agent would run the fork's code with this " +
  "repository's secrets. Push the branch to this repository and ask again, or open an issue.";

export const NO_JOB = "There is no job here. Start one with `/job <what you want>`.";

export const EMPTY_MESSAGE = "Say what the job should do next: `/job <text>`.";
