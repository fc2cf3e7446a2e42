/** Settings of an owner: people, repositories, installations, protection, secrets. */

import { join } from "node:path";
import { GitStore } from "./git-store.ts";
import { type AppPermissions, installOn, uninstall } from "./installing.ts";
import { ensureLabel } from "./issues.ts";
import {
  type CollaboratorRole,
  fullName,
  type Json,
  type MergeMethod,
  type Protection,
  type PushWay,
  type Repository,
  type User,
} from "./model.ts";
import { rename, transfer } from "./moving.ts";
import { userJson } from "./payloads.ts";
import { SandboxPeople } from "./sandbox-people.ts";
import type { FileMap, RepoName } from "./sandbox-records.ts";
import type { World } from "./world.ts";

export interface RepositorySetup {
  readonly owner: string;
  readonly name: string;
  readonly files?: FileMap;
  readonly private?: boolean;
  readonly autoMergeAllowed?: boolean;
  readonly deleteBranchOnMerge?: boolean;
  readonly mergeMethods?: Partial<Record<MergeMethod, boolean>>;
  readonly defaultBranch?: string;
  /** A repository without any commit. */
  readonly empty?: boolean;
}

export class SandboxSettings extends SandboxPeople {
  readonly #root: string;

  constructor(world: World, root: string) {
    super(world);
    this.#root = root;
  }

  createUser(login: string, type: User["type"] = "User"): Json {
    return userJson(this.world, this.world.state.ensureUser(login, type));
  }

  /** A personal token, e.g. for curl. */
  userToken(login: string): string {
    return this.world.tokens.userToken(this.world.state.ensureUser(login));
  }

  createRepository(setup: RepositorySetup): { id: number; name: RepoName } {
    const { state, now } = this.world;
    const there = state.repository(setup.owner, setup.name);
    // one that has moved away frees its name
    if (there && fullName(there).toLowerCase() === `${setup.owner}/${setup.name}`.toLowerCase())
      throw new Error(`${fullName(there)} exists already`);
    const defaultBranch = setup.defaultBranch ?? "main";
    const id = state.nextId();
    const repository: Repository = {
      id,
      owner: state.ensureUser(setup.owner),
      name: setup.name,
      private: setup.private ?? false,
      git: new GitStore(join(this.#root, `${id}.git`), defaultBranch),
      createdAt: now(),
      pushedAt: now(),
      defaultBranch,
      autoMergeAllowed: setup.autoMergeAllowed ?? false,
      deleteBranchOnMerge: setup.deleteBranchOnMerge ?? false,
      mergeMethods: { merge: true, squash: true, rebase: true, ...setup.mergeMethods },
      collaborators: new Map(),
      protections: new Map(),
      mergeQueues: new Map(),
      queueFaults: { swallowed: 0 },
      secrets: {},
      variables: {},
      labels: new Map(),
      issues: new Map(),
      checkRuns: new Map(),
      checkSuites: new Map(),
      runs: new Map(),
      workflowIds: new Map(),
      statuses: [],
      verifiedCommits: new Set(),
      signedBranches: new Set(),
      refRules: [],
      teams: new Set(),
    };
    state.addRepository(repository);
    const name = `${setup.owner}/${setup.name}`;
    if (!setup.empty)
      this.pushCommit(
        name,
        defaultBranch,
        setup.files ?? { "README.md": `# ${setup.name}\n` },
        setup.owner,
        "Initial commit",
      );
    return { id, name };
  }

  /** Installs the App on repositories; sends `installation` or `installation_repositories`. Returns the installation's id. */
  install(
    names: RepoName | readonly RepoName[],
    options: { permissions?: AppPermissions; events?: readonly string[] } = {},
  ): number {
    const list = typeof names === "string" ? [names] : names;
    return installOn(
      this.world,
      list.map((name) => this.repositoryOf(name)),
      options,
    );
  }

  uninstall(installationId: number): void {
    uninstall(this.world, installationId);
  }

  /** Answers the new name. */
  renameRepository(name: RepoName, to: string, by: string): RepoName {
    const repository = this.repositoryOf(name);
    rename(this.world, repository, to, this.causedBy(by));
    return fullName(repository);
  }

  /** Answers the new name. */
  transferRepository(name: RepoName, to: string, by: string): RepoName {
    const repository = this.repositoryOf(name);
    transfer(this.world, repository, this.world.state.ensureUser(to), this.causedBy(by));
    return fullName(repository);
  }

  setCollaborator(name: RepoName, login: string, permission: CollaboratorRole): void {
    this.world.state.ensureUser(login);
    this.repositoryOf(name).collaborators.set(login.toLowerCase(), permission);
  }

  createLabel(name: RepoName, label: string, color: string): void {
    ensureLabel(this.world, this.repositoryOf(name), label, color);
  }

  protect(name: RepoName, branch: string, rules: Partial<Protection>): void {
    this.repositoryOf(name).protections.set(branch, {
      requiredChecks: [],
      checkApps: {},
      requiredReviews: 0,
      strict: false,
      ...rules,
    });
  }

  unprotect(name: RepoName, branch: string): void {
    this.repositoryOf(name).protections.delete(branch);
  }

  /** A team of the owner with access to the repository. */
  addTeam(name: RepoName, slug: string): void {
    this.repositoryOf(name).teams.add(slug);
  }

  /** A ruleset that wants signed commits; a branch, or all below a folder as `job/**`. */
  requireSignatures(name: RepoName, ...branches: readonly string[]): void {
    for (const branch of branches) this.repositoryOf(name).signedBranches.add(branch);
  }

  /** From now on nothing may be pushed to such branches. */
  forbidPushes(name: RepoName, branches: RegExp, ...words: string[]): void {
    this.repositoryOf(name).refRules.push({ branches, words });
  }

  /** How the host takes pushes of programs that are no git. */
  takePushes(way: PushWay): void {
    this.world.pushes.way = way;
  }

  setRepository(
    name: RepoName,
    change: { autoMergeAllowed?: boolean; deleteBranchOnMerge?: boolean; appsUpdateWorkflows?: boolean },
  ): void {
    Object.assign(this.repositoryOf(name), change);
  }

  /** Renames the default branch and retargets open pull requests; the sandbox sends no event for it. */
  renameDefaultBranch(name: RepoName, to: string): void {
    const repository = this.repositoryOf(name);
    const from = repository.defaultBranch;
    const sha = repository.git.branch(from);
    if (sha === undefined) throw new Error(`${from} has no commit`);
    repository.git.refs.set(`refs/heads/${to}`, sha);
    repository.git.refs.delete(`refs/heads/${from}`);
    repository.defaultBranch = to;
    for (const { pull } of this.world.state.pulls(repository)) if (pull.baseRef === from) pull.baseRef = to;
  }

  /** Commits of the App are no longer signed: GitHub Enterprise Server signs them only when configured to. */
  forgetSignatures(name: RepoName): void {
    this.repositoryOf(name).verifiedCommits.clear();
  }

  setSecret(name: RepoName, key: string, value: string): void {
    this.repositoryOf(name).secrets[key] = value;
  }

  secrets(name: RepoName): Readonly<Record<string, string>> {
    return this.repositoryOf(name).secrets;
  }

  setVariable(name: RepoName, key: string, value: string): void {
    this.repositoryOf(name).variables[key] = value;
  }
}
