/**
 * triage-pull-request: adds the labels, the assignee and the reviewers that the settings name to a new pull request, one
 * write for each of the three. What GitHub does not take stops nothing: it is named once.
 */
import { LOGIN } from "../../contracts/repository-name.ts";
import { pullRequestOf } from "../../contracts/settings.ts";
import type { Attempt } from "../../engine/ports/performer.ts";
import { attempted, type CallOutcome, type GitHubError } from "../client/errors.ts";
import { laterOf } from "./one-call.ts";
import { done, reported, type Task } from "./task.ts";

const isLater = (answer: CallOutcome<unknown>): answer is Extract<CallOutcome<unknown>, { ok: false }> =>
  !answer.ok && answer.githubError.kind === "later";

function addLabels({ octokit, at, now }: Task, issue_number: number, labels: readonly string[]) {
  return attempted(now, () =>
    octokit.request("POST /repos/{owner}/{repo}/issues/{issue_number}/labels", {
      ...{ ...at, issue_number, labels: [...labels] },
    }),
  );
}

/** GitHub ignores people who may not push, without a word. */
function assign({ octokit, at, now }: Task, issue_number: number, login: string) {
  return attempted(now, () =>
    octokit.request("POST /repos/{owner}/{repo}/issues/{issue_number}/assignees", {
      ...{ ...at, issue_number, assignees: [login] },
    }),
  );
}

interface Reviewers {
  readonly people: readonly string[];
  readonly teams: readonly string[];
}

function request({ octokit, at, now }: Task, pull_number: number, { people, teams }: Reviewers) {
  return attempted(now, () =>
    octokit.request("POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers", {
      ...{ ...at, pull_number, reviewers: [...people] },
      team_reviewers: teams.map((team) => team.slice(team.indexOf("/") + 1)),
    }),
  );
}

async function isCollaborator({ octokit, at, now }: Task, username: string): Promise<boolean> {
  const route = "GET /repos/{owner}/{repo}/collaborators/{username}";
  return (await attempted(now, () => octokit.request(route, { ...at, username }))).ok;
}

/** GitHub refuses all of them for the sake of one. Answers those whom it does not take, or an outage. */
async function askReviewers(task: Task, number: number, all: Reviewers): Promise<readonly string[] | GitHubError> {
  const first = await request(task, number, all);
  if (first.ok) return [];
  if (isLater(first)) return first.githubError;
  const known = await Promise.all(all.people.map((login) => isCollaborator(task, login)));
  const people = all.people.filter((_, index) => known[index]);
  const others = all.people.filter((login) => !people.includes(login));
  const attempts: readonly Reviewers[] = [
    ...(others.length > 0 && people.length + all.teams.length > 0 ? [{ people, teams: all.teams }] : []),
    ...(all.teams.length > 0 && people.length > 0 ? [{ people, teams: [] }] : []),
  ];
  for (const asked of attempts) {
    const answer = await request(task, number, asked);
    if (answer.ok) return [...others, ...all.teams.filter((team) => !asked.teams.includes(team))];
    if (isLater(answer)) return answer.githubError;
  }
  return [...all.people, ...all.teams];
}

export async function triagePullRequest(task: Task): Promise<Attempt> {
  const { job } = task;
  const number = job.pull_request?.number ?? null;
  if (number === null) return done;
  const { reviewers, labels, assign_requester } = pullRequestOf(job.settings);
  const problems: string[] = [];
  if (labels.length > 0) {
    const answer = await addLabels(task, number, labels);
    if (isLater(answer)) return { ended: "later", ...laterOf(answer.githubError) };
    if (!answer.ok) problems.push("The labels of the settings could not be added to the pull request.");
  }
  if (assign_requester && job.requester !== null && LOGIN.test(job.requester)) {
    const answer = await assign(task, number, job.requester);
    if (isLater(answer)) return { ended: "later", ...laterOf(answer.githubError) };
  }
  if (reviewers.length > 0) {
    const isTeam = (name: string): boolean => name.includes("/");
    const all = { people: reviewers.filter((name) => !isTeam(name)), teams: reviewers.filter(isTeam) };
    const refused = await askReviewers(task, number, all);
    if ("kind" in refused) return { ended: "later", ...laterOf(refused) };
    if (refused.length > 0)
      problems.push(
        `GitHub does not let these be asked for a review here: ${refused.join(", ")}. Give them access, or correct \`pull_request.reviewers\` in .github/journeyman.yml.`,
      );
  }
  return problems.length === 0 ? done : reported({ type: "pull-request-triaged", sentence: problems.join(" ") });
}
