/** Replies to commands that belong to no job. */
import type { Finding } from "../domain/repository/findings.ts";
import { counted } from "../text/plural.ts";

export const HELP = [
  "**Journeyman** turns a comment into a merged pull request.",
  "",
  "| comment | what happens |",
  "| --- | --- |",
  "| `/job <what you want>` | a job is started: an agent works on a branch of its own and opens a pull request |",
  "| `/job` | the same, with this issue as the task |",
  "| `/job <text>` on a job's pull request, or on its issue while it is open | the job goes on with this as its next instruction |",
  "| `/job <answer>` where the agent asks | the same job goes on with the answer |",
  "| `/job --again <what you want>` | another job is started on this issue |",
  "| `/job fix` on a person's pull request | a job mends its failing checks on its own branch, and merging is left to you; `/job fix <text>` does what you say there |",
  "| `/job status` | the job's comment is brought up to date |",
  "| `/job cancel` | the job is cancelled |",
  "| `/job retry` | a failed job is tried again |",
  "| `/job retry --limit 10.00` | the same with other limits for this round: dollars, `--minutes N`, `--turns N`; more than the settings allow is for admins |",
  "| `/job --market --price 5.00 <what you want>` | the job goes to the market, where any agent may take it; the price comes from your wallet |",
  "| `/job pay` | a job of the market that waits for payment is paid from your wallet |",
  "| `/job approve` | the sender takes the work of a market job: its worker is paid |",
  "| `/job reject`, the reason below it | the sender sends that work back |",
  "| `/job run-checks` | the files that a worker of the market has handed in may run on this repository's branch |",
  "| `/job schedules` | lists what starts by itself here: its next time, its last run and what came of it |",
  "| `/job resume` | schedules that are paused after failures start again; `/job resume nightly` names one |",
  "| `/job doctor` | says what keeps jobs of this repository from running or merging |",
  "| `/job usage` | says what jobs of this repository have cost and came to, in this month and the last |",
  "| `/job help` | this text |",
  "",
  "Where there are several jobs, name one behind the verb: `/job cancel abcd1234`.",
  "",
  "Before the task: `--model <name>` chooses the model, `--no-merge` leaves merging to you, `--draft` opens a draft.",
].join("\n");

export const FROM_FORK =
  "This pull request comes from a fork, so no job is started here: an agent would run the fork's code with this " +
  "repository's secrets. Push the branch to this repository and ask again, or open an issue.";

export const SET_UP_FIRST = "Merge this pull request first; then comment `/job …` on it or on any issue.";

export const NO_JOB = "There is no job here. Start one with `/job <what you want>`.";

export const noSuchJob = (id: string): string =>
  `There is no job \`${id}\` in this repository. Its id stands at the end of the job's comment.`;

export const NO_MARKET =
  "There is no market here: this repository runs Journeyman without a server. Leave out `--market` and `--price`.";

export const ONE_JOB =
  "This pull request is a job's already, and goes on with `/job <text>`. Ask for another job, or the market, on an issue.";

export const EMPTY_MESSAGE = "Say what the job should do next: `/job <text>`.";

export const EMPTY_ANSWER = "The agent waits for an answer: `/job <answer>`.";

const findingLine = ({ level, certainty, problem, fix, url }: Finding): string => {
  const mark = level === "problem" ? "❌" : "💡";
  const guess = certainty === "probable" ? " (concluded from runs, since the App cannot read it)" : "";
  return `- ${mark} ${problem}${guess} ${fix}${url === null ? "" : ` [Go there](${url})`}`;
};

const HEALTHY = "Nothing keeps jobs of this repository from running and merging, as far as the App can see.";

/** `findings` null: the repository is not visible to the App. */
export function doctorReply(findings: readonly Finding[] | null): string {
  if (findings === null) return "The App cannot see this repository. Install it here, and ask again.";
  if (findings.length === 0) return HEALTHY;
  const problems = findings.filter(({ level }) => level === "problem").length;
  const first = problems === 0 ? HEALTHY : `${counted(problems, "problem")} of this repository:`;
  return [first, "", ...findings.map(findingLine)].join("\n");
}
