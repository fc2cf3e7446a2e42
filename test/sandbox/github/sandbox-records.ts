/** Finds records by the names that tests and the demo use; the base of the handle on a local GitHub. */
import type { Cause, CheckRun, Issue, Repository, User } from "./model.ts";
import { emailOf } from "./payloads-commits.ts";
import { hasPull, type PullIssue } from "./state.ts";
import type { World } from "./world.ts";

/** `owner/name`. */
export type RepoName = string;
export type FileMap = Readonly<Record<string, string | null>>;

export class SandboxRecords {
  protected readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  protected repositoryOf(name: RepoName): Repository {
    const [owner = "", repo = ""] = name.split("/");
    const found = this.world.state.repository(owner, repo);
    if (!found) throw new Error(`there is no repository ${name}`);
    return found;
  }

  protected issueOf(repository: Repository, number: number): Issue {
    const issue = repository.issues.get(number);
    if (!issue) throw new Error(`there is no issue #${number}`);
    return issue;
  }

  protected pullOf(repository: Repository, number: number): PullIssue {
    const issue = this.issueOf(repository, number);
    if (!hasPull(issue)) throw new Error(`#${number} is no pull request`);
    return issue;
  }

  protected checkOf(name: RepoName, id: number): { repository: Repository; run: CheckRun } {
    const repository = this.repositoryOf(name);
    const run = repository.checkRuns.get(id);
    if (!run) throw new Error(`there is no check run ${id} in ${name}`);
    return { repository, run };
  }

  protected causedBy(login: string): Cause {
    return {
      user: this.world.state.ensureUser(login, login.endsWith("[bot]") ? "Bot" : "User"),
      byWorkflowToken: false,
    };
  }

  protected commitOf(
    repository: Repository,
    parent: string | undefined,
    files: FileMap,
    user: User,
    message: string,
    merged?: string,
  ): string {
    const who = { name: user.login, email: emailOf(user), at: this.world.now() };
    return repository.git.commitFiles(parent, files, { author: who, committer: who, message, merged });
  }
}
