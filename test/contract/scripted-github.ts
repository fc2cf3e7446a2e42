/**
 * A scripted GitHub for tests of the HTTP side: effects end as the test says, every repository exists, everybody may
 * write.
 */
import { type Options, Probot } from "probot";
import { DEFAULT_REPOSITORY_SETTINGS, type RepositorySettings } from "../../src/contracts/settings.ts";
import type { SetUpFacts } from "../../src/domain/repository/repository.ts";
import type { GitHubClient } from "../../src/engine/ports/github.ts";
import type { Performer } from "../../src/engine/ports/performer.ts";
import type { PushTokens } from "../../src/engine/ports/runs.ts";
import { createOctokits } from "../../src/github/client/octokit.ts";
import type { GitHub } from "../../src/main/compose/github.ts";
import { absentGitHub, idleRepositoryPerformer } from "./absent-github.ts";

export const OPEN_MARKET = { enabled: true, run_checks: "always" } as const;

/** What is done with effects from now on. */
export interface GitHubScript {
  push: () => string | Promise<string>;
  installed: boolean | Promise<boolean>;
  /** Pull requests are opened, each under the next number. */
  opens: boolean;
  busy_ms: number;
  /** What the repository's settings say of the market. */
  market: RepositorySettings["market"];
}

export interface ScriptedGitHub extends GitHub {
  readonly script: GitHubScript;
  /** What was answered in issues. */
  readonly said: string[];
}

function performerOf(script: GitHubScript): Performer {
  let pulls = 0;
  return {
    async perform(effect) {
      if (effect.type === "open-pull-request" && script.opens) {
        const opened = { round: effect.round, number: ++pulls, url: `https://github.com/pull/${pulls}` };
        return { ended: "done", command: { type: "pull-request-opened", ...opened, head_sha: "d".repeat(40) } };
      }
      if (effect.type !== "push-brief") return { ended: "done" };
      const outcome = await script.push();
      const at = { round: effect.round, attempt: effect.attempt };
      if (outcome === "later") return { ended: "later", reason: "GitHub is away", after_ms: 60_000 };
      if (outcome !== "done") return { ended: "done", command: { type: "brief-refused", ...at, sentence: outcome } };
      const pushed = { head_sha: "a".repeat(40), base: { branch: "main", sha: "b".repeat(40) } };
      const settings = { ...DEFAULT_REPOSITORY_SETTINGS, market: script.market };
      return { ended: "done", command: { type: "brief-pushed", ...at, ...pushed, settings } };
    },
  };
}

/** A repository whose settings merge in a way that it does not allow. */
export const readyFacts = (url: string): SetUpFacts => ({
  url,
  default_branch: "main",
  head: { sha: "a", tree: "b" },
  ...{ is_private: false, archived: false, fork: false, offered: null, pull_request: null },
  files: { settings: { problem: null }, workflow: { mistakes: [], outdated: false } },
  ci_on_pull_request: true,
  merge_methods: ["merge"],
  auto_merge_allowed: true,
  required_checks: ["test"],
});

const clientOf = (script: GitHubScript, said: string[]): GitHubClient => ({
  ...absentGitHub,
  permission: async (_repository, login) => ({ permission: "write", person: { id: 1, login } }),
  examine: async ({ owner, name }) => ({ facts: readyFacts(`https://github.com/${owner}/${name}`), missing: null }),
  repository: async ({ owner, name, installation_id }) => ({
    ...{ owner, name, id: 1, installation_id, base: null, settings_problem: null },
    settings: { ...DEFAULT_REPOSITORY_SETTINGS, market: script.market },
  }),
  reply: async (_repository, _issue, _marker, body) => void said.push(body),
  installation: async () => ((await script.installed) ? { id: 1 } : null),
  pushWait: () => script.busy_ms,
  isShortOfWrites: () => false,
});

const NO_TOKENS: PushTokens = { create: async () => Promise.reject(new Error("nobody makes tokens here")) };

/** `options`: of the Probot that verifies deliveries. */
export function scriptedGitHub(options: Options, pushTokens: PushTokens = NO_TOKENS): ScriptedGitHub {
  const script: GitHubScript = {
    push: () => "done",
    ...{ installed: true, opens: false, busy_ms: 0, market: OPEN_MARKET },
  };
  const said: string[] = [];
  const performer = performerOf(script);
  const identity = async () => ({ appId: 1, slug: "journeyman" });
  return {
    ...{ script, said, pushTokens, identity },
    checkCredentials: identity,
    probot: new Probot(options),
    client: clientOf(script, said),
    performer: () => performer,
    repositoryPerformer: idleRepositoryPerformer,
    budget: createOctokits().budget,
    ahead: () => 0,
  };
}
