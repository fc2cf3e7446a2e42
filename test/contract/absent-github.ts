/** A GitHub client for tests and benches without GitHub: it finds nothing and does nothing. */
import type { GitHubClient } from "../../src/engine/ports/github.ts";
import type { RepositoryPerformer } from "../../src/engine/ports/performer.ts";

export const absentGitHub: GitHubClient = {
  permission: async () => ({ permission: "none", person: null }),
  repository: async () => null,
  installedRepositories: async () => [],
  examine: async () => ({ facts: null, missing: null }),
  failedCacheFill: async () => null,
  review: async () => null,
  pullRequest: async () => ({
    head_branch: "x",
    head_sha: "c".repeat(40),
    from_fork: false,
    merged: false,
    open: true,
  }),
  pullRequestToFix: async () => ({
    ...({ state: "open", url: "https://github.test/octo/demo/pull/7", head_branch: "x", from_fork: false } as const),
    ...{ is_default_branch: false, failing: ["ci"], cancelled: [], pending: 0 },
    ...{ title: "Bump", head_sha: "c".repeat(40), bot: null },
  }),
  react: async () => {},
  reply: async () => {},
  repositoryById: async () => null,
  installation: async () => null,
  pushWait: () => 0,
  isShortOfWrites: () => false,
  loginOf: async () => null,
  forgetAccess: () => {},
  failedDeliveries: async () => [],
  redeliver: async () => {},
};

/** Does nothing, and says so. */
export const idleRepositoryPerformer: RepositoryPerformer = { perform: async () => ({ ended: "done" }) };
