/** All state of the local GitHub outside of git, and how records are found. Sends no events. */
import type {
  CheckRun,
  Installation,
  Issue,
  PullRequest,
  Repository,
  User,
  WorkflowJob,
  WorkflowRun,
} from "./model.ts";

export interface PullIssue extends Issue {
  pull: PullRequest;
}

/** GitHub's own bot behind GITHUB_TOKEN, with its real id. */
const ACTIONS_BOT: User = { id: 41898282, login: "github-actions[bot]", type: "Bot" };
/** Bots that everybody knows, with their real ids. */
const KNOWN_BOTS: Readonly<Record<string, number>> = { "dependabot[bot]": 49_699_333, "renovate[bot]": 29_139_614 };
/** The committer of merges and edits on the site. */
export const WEB_FLOW: User = { id: 19864447, login: "web-flow", type: "User" };

export const hasPull = (issue: Issue): issue is PullIssue => issue.pull !== undefined;

export class State {
  readonly users = new Map<string, User>();
  readonly repositories = new Map<number, Repository>();
  readonly installations = new Map<number, Installation>();
  bot: User;
  readonly actionsBot = ACTIONS_BOT;
  readonly #byName = new Map<string, Repository>();
  #lastId = 1000;

  constructor(appSlug: string) {
    this.bot = { id: 900_001, login: `${appSlug}[bot]`, type: "Bot" };
    for (const user of [this.bot, ACTIONS_BOT, WEB_FLOW]) this.users.set(user.login.toLowerCase(), user);
  }

  renameBot(slug: string): void {
    this.users.delete(this.bot.login.toLowerCase());
    this.bot = { ...this.bot, login: `${slug}[bot]` };
    this.users.set(this.bot.login.toLowerCase(), this.bot);
  }

  /** One counter for all kinds of records, so that an id identifies a record in tests and logs. */
  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  user(login: string): User | undefined {
    return this.users.get(login.toLowerCase());
  }

  ensureUser(login: string, type: User["type"] = "User"): User {
    const known = this.user(login);
    if (known) return known;
    const id = (type === "Bot" ? KNOWN_BOTS[login.toLowerCase()] : undefined) ?? this.nextId();
    const user: User = { id, login, type };
    this.users.set(login.toLowerCase(), user);
    return user;
  }

  addRepository(repository: Repository): void {
    this.repositories.set(repository.id, repository);
    this.#byName.set(`${repository.owner.login}/${repository.name}`.toLowerCase(), repository);
  }

  repository(owner: string, name: string): Repository | undefined {
    return this.#byName.get(`${owner}/${name}`.toLowerCase());
  }

  installationOf(repository: Repository): Installation | undefined {
    return [...this.installations.values()].find((installation) => installation.repositoryIds.has(repository.id));
  }

  pull(repository: Repository, number: number): PullIssue | undefined {
    const issue = repository.issues.get(number);
    return issue && hasPull(issue) ? issue : undefined;
  }

  pulls(repository: Repository): PullIssue[] {
    return [...repository.issues.values()].filter(hasPull);
  }

  run(id: number): { repository: Repository; run: WorkflowRun } | undefined {
    for (const repository of this.repositories.values()) {
      const run = repository.runs.get(id);
      if (run) return { repository, run };
    }
    return undefined;
  }

  job(id: number): { repository: Repository; run: WorkflowRun; job: WorkflowJob; check: CheckRun } | undefined {
    for (const repository of this.repositories.values()) {
      const check = repository.checkRuns.get(id);
      const runId = check ? repository.checkSuites.get(check.suiteId)?.runId : undefined;
      const run = runId === undefined ? undefined : repository.runs.get(runId);
      const job = run?.jobs.find((candidate) => candidate.id === id);
      if (check && run && job) return { repository, run, job, check };
    }
    return undefined;
  }
}
