/** What reviews of a job's pull request ask for: one round for the whole review, however many events tell of it. */
import { type RepositorySettings, reviewsOf } from "../contracts/settings.ts";
import type { Command } from "../domain/job/command.ts";
import type { EventRepository, GitHubEvent } from "../domain/job/github-event.ts";
import type { JobId } from "../domain/job/job-id.ts";
import type { ReviewRef } from "../domain/job/review-schema.ts";
import type { Requester } from "./commands-of-people.ts";
import type { GitHubClient } from "./ports/github.ts";
import type { Handled } from "./ports/service.ts";
import type { Store } from "./ports/store.ts";

interface Needs {
  readonly store: Pick<Store, "jobs" | "repositories">;
  readonly githubClient: Pick<GitHubClient, "pullRequest" | "repository" | "review" | "reply">;
  /** An earlier process may have processed the delivery already. */
  readonly again: boolean;
  /** Null: there is no such job here. */
  readonly tell: (repository: EventRepository, id: JobId, command: Command) => Promise<Handled | null>;
}

interface Asked {
  readonly job: JobId;
  readonly pull_request: number;
  readonly review: ReviewRef;
  readonly by: Requester;
}

export class ReviewRequests {
  readonly #needs: Needs;

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  async ask(repository: EventRepository, { job, ...asked }: Asked): Promise<void> {
    const { githubClient, tell, again } = this.#needs;
    if (await this.#isClosed(repository, job, asked.pull_request)) return;
    const heeded = (await this.#setting(repository)) === "respond";
    const comment_id = `review:${asked.review.node_id}` as const;
    const handled = await tell(repository, job, { type: "review", ...asked, comment_id, heeded });
    if (handled === null || handled.ok) return;
    await githubClient.reply(repository, asked.pull_request, `reply:${comment_id}`, handled.refusal.sentence, again);
  }

  /**
   * The review that a command stands in. If the review asks for changes and the command is in one of its comments, the
   * review itself is the request, whichever event comes first.
   */
  async around(
    { repository, issue, review, author }: Extract<GitHubEvent, { type: "slash" }>,
    job: JobId,
    by: Requester,
  ): Promise<{ readonly review?: ReviewRef }> {
    if (review === undefined) return {};
    const { id, node_id } = review;
    if (node_id !== undefined) return { review: { id, node_id, by: author } };
    const read = await this.#needs.githubClient.review(repository, issue.number, id);
    if (read === null) return {};
    const found = { id, node_id: read.node_id, by: author };
    if (read.asks_for_changes) await this.ask(repository, { job, pull_request: issue.number, review: found, by });
    return { review: found };
  }

  /** News of the end of a pull request may be quicker than a review before it. Jobs of earlier versions do not know. */
  async #isClosed(repository: EventRepository, id: JobId, number: number): Promise<boolean> {
    const { store, githubClient } = this.#needs;
    const stored = await store.jobs.load(id);
    if (stored === null || stored.job.pull_request_open) return false;
    return !(await githubClient.pullRequest(repository, number)).open;
  }

  /** On the default branch, as pushes have told it; read where that is not known. */
  async #setting(repository: EventRepository): Promise<RepositorySettings["reviews"]> {
    const { store, githubClient } = this.#needs;
    const kept = await store.repositories.get(repository.owner, repository.name);
    const known = kept?.base ? kept : await githubClient.repository(repository, kept);
    return reviewsOf((known ?? kept)?.settings ?? null);
  }
}
