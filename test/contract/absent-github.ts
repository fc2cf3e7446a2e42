/** A GitHub client for tests and benches without GitHub: it finds nothing and does nothing. */
import type { GitHubClient } from "../../src/engine/ports/github.ts";
import type { RepositoryPerformer } from "../../src/engine/ports/performer.ts";

export const absentGitHub: GitHubClient = {
  permission: async () => ({ permission: "none", person: null }),
  repository: async () => null,
  installedRepositories: async () => [],
  examine: async () => ({ facts: null, missing: null }),
  review: async () => null,
  pullRequest: async () => ({
    head_branch: "x",
    head_sha: "c".repeat(40),
    from_fork: false,
    merged: false,
    open: true,
  }),
  react: async () => {},
  reply: async () => {},
  repositoryById: async () => null,
  installation: async () => null,
  pushWait: () => 0,
  loginOf: async () => null,
  forgetAccess: () => {},
  failedDeliveries: async () => [],
  redeliver: async () => {},
};

/** Does nothing, and says so. */
export const idleRepositoryPerformer: RepositoryPerformer = { perform: async () => ({ ended: "done" }) };
