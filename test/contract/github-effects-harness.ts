/**
 * A performer and a GitHub client on the local GitHub, with a job that the real core advances by the performer's
 * reports.
 */
import pino from "pino";
import { Probot } from "probot";
import { Secret } from "../../src/contracts/secret.ts";
import type { Command, Draft } from "../../src/domain/job/command.ts";
import { decide } from "../../src/domain/job/decide.ts";
import type { GitHubEffect } from "../../src/domain/job/effect.ts";
import type { Job } from "../../src/domain/job/job.ts";
import {
  newRepository,
  type ObservedRepository,
  type RepositoryState,
} from "../../src/domain/repository/repository.ts";
import type { GitHubClient } from "../../src/engine/ports/github.ts";
import type { Attempt, Performer, RepositoryPerformer } from "../../src/engine/ports/performer.ts";
import type { RepositoryStore } from "../../src/engine/ports/repositories.ts";
import { createAppIdentity } from "../../src/github/client/app-identity.ts";
import { createOctokits, type OctokitSource } from "../../src/github/client/octokit.ts";
import { createPerformer } from "../../src/github/effects/perform.ts";
import { createRepositoryPerformer } from "../../src/github/effects/perform-on-repository.ts";
import { createGitPushes } from "../../src/github/git/push.ts";
import { createGitHubClient } from "../../src/github/github-client.ts";
import { type FileMap, type SandboxGitHub, startGitHub } from "../sandbox/github/main.ts";
import { begin, draft } from "../unit/job-fixtures.ts";

export const REPO = "octo/demo";
export const PUBLIC_URL = "https://journeyman.example";
export const LLM = { provider: "anthropic", model: "claude-sonnet-5-5", max_tokens: 4096 };

export function sourceOf(at: {
  readonly appId: number;
  readonly privateKey: string;
  readonly apiUrl: string;
}): OctokitSource {
  const octokits = createOctokits();
  const probot = new Probot({
    appId: at.appId,
    privateKey: at.privateKey,
    secret: "s",
    baseUrl: at.apiUrl,
    log: pino({ level: "silent" }),
    Octokit: octokits.Octokit,
  });
  return octokits.source(probot);
}

/** What a performer may look up, and what the harness puts there. */
interface MemoryRepositories extends Pick<RepositoryStore, "get"> {
  put(repository: ObservedRepository): Promise<void>;
  remove(owner: string, name: string): Promise<void>;
}

export function memoryRepositories(): MemoryRepositories {
  const all = new Map<string, RepositoryState>();
  const key = (owner: string, name: string) => `${owner}/${name}`.toLowerCase();
  return {
    get: async (owner, name) => all.get(key(owner, name)) ?? null,
    put: async (repository) =>
      void all.set(key(repository.owner, repository.name), { ...newRepository(repository), ...repository }),
    remove: async (owner, name) => void all.delete(key(owner, name)),
  };
}

export interface Bench {
  readonly github: SandboxGitHub;
  readonly performer: Performer;
  readonly repositoryPerformer: RepositoryPerformer;
  readonly repositories: MemoryRepositories;
  readonly githubClient: GitHubClient;
  readonly installation: number;
  close(): Promise<void>;
}

export const FILES: FileMap = {
  "README.md": "# demo\n",
  ".github/workflows/run-job.yml": "on: push\njobs: {}\n",
  ".github/journeyman.yml": "auto_merge:\n  enabled: true\n  require_checks: false\nllm:\n  model: claude-haiku-4-5\n",
};

/** `now`: the clock by which it is remembered how the host takes pushes. */
export async function bench(files: FileMap = FILES, now: () => number = Date.now): Promise<Bench> {
  const github = await startGitHub();
  github.createRepository({ owner: "octo", name: "demo", files, autoMergeAllowed: true });
  const installation = github.install(REPO);
  const source = sourceOf(github);
  const repositories = memoryRepositories();
  const self = createAppIdentity(source);
  const performer = createPerformer({
    source,
    repositories,
    self,
    llm: LLM,
    public_url: PUBLIC_URL,
    web_url: github.url,
    pushes: createGitPushes(github.url, now, new Secret(github.privateKey)),
    wait: async () => {},
  });
  const githubClient = createGitHubClient({ source, self });
  const repositoryPerformer = createRepositoryPerformer({ source, self });
  return {
    github,
    performer,
    repositoryPerformer,
    repositories,
    githubClient,
    installation,
    close: () => github.close(),
  };
}

/** One job on the bench. */
export class Journey {
  job: Job;
  readonly #bench: Bench;

  constructor(on: Bench, change: Partial<Draft> = {}) {
    this.#bench = on;
    const repository = { owner: "octo", name: "demo", installation_id: on.installation };
    this.job = begin(draft({ repository, undiscussed: true, ...change }));
  }

  tell(command: Command): void {
    const decision = decide(this.job, command, { now: this.job.updated_at + 1_000, available_cents: 0 });
    if (decision.kind === "refused") throw new Error(decision.refusal.sentence);
    if (decision.kind === "decided") this.job = decision.job;
  }

  /** Performs and lets the core take note. */
  async perform(effect: GitHubEffect, again = false): Promise<Attempt> {
    const attempt = await this.#bench.performer.perform(effect, this.job, again);
    if (attempt.ended === "done") {
      if (attempt.repository) await this.#bench.repositories.put(attempt.repository);
      if (attempt.command) this.tell(attempt.command);
    }
    return attempt;
  }

  /** The calls of one effect, as GitHub saw them: method and route, or the name of the query. */
  async callsOf(effect: GitHubEffect, again = false): Promise<string[]> {
    await this.perform({ type: "react", comment_id: 1, content: "eyes" }); // the token is there
    this.#bench.github.resetCalls();
    await this.perform(effect, again);
    return this.#bench.github
      .calls()
      .map(({ method, route, graphql }) => (graphql === undefined ? `${method} ${route}` : `graphql ${graphql}`));
  }
}

export const command = (attempt: Attempt): Command => {
  if (attempt.ended === "later") throw new Error(`put off: ${attempt.reason}`);
  if (!attempt.command) throw new Error("nothing was reported");
  return attempt.command;
};
