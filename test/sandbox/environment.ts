/**
 * Starts everything around the App: a local GitHub with a demo repository, a runner and a model. The App itself is
 * started separately and pointed here by its settings, as it would be at github.com.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { DockerShim } from "./actions/docker-folder.ts";
import type { PlayJob } from "./actions/job-input.ts";
import { type RunnerOptions, startRunner } from "./actions/runner.ts";
import { type ContainerWishes, chooseContainers } from "./containers.ts";
import { demoFiles } from "./demo/demo-files.ts";
import { type GitHubOptions, type SandboxGitHub, startGitHub } from "./github/main.ts";
import { ISSUER_PATH } from "./github/oidc.ts";
import type { FederationRule, FederationSetup } from "./model/federation.ts";
import type { Script } from "./model/protocol.ts";
import { type Model, startModel } from "./model/server.ts";
import { KNOWN_TASKS } from "./model/task.ts";
import { layOutActions } from "./own-actions.ts";

const PROJECT = new URL("../../", import.meta.url);

/** The command that runs a program of this project from its sources. */
export const programOf = (path: string): string[] => [process.execPath, fileURLToPath(new URL(path, PROJECT))];

/** Merges once checks are green; market work runs without asking, since the repository has no secrets. */
export const DEMO_SETTINGS = "auto_merge:\n  enabled: true\nmarket:\n  enabled: true\n  run_checks: always\n";

export const OWNER = "octo";
export const DEMO = `${OWNER}/demo`;
/** A repository that lacks Journeyman's files, on which the App is not installed; {@link ADMIN} alone may change it. */
export const FRESH = `${OWNER}/fresh`;
/** Owns the repository together with {@link OWNER}, which is an organization and cannot act. */
export const ADMIN = "olga";
/** Has write access; {@link READER} can only read. */
export const WRITER = "ada";
export const READER = "rex";
/** The label that starts a job; the repository defines it. */
const JOB_LABEL = "job";

/** The hint next to the site's forms when the scripted model does the work. */
const KNOWN = `Comment \`/job\` and a task, or put the label \`${JOB_LABEL}\` on an issue that says one. The model here follows a script and knows these, joined by “then”; on others it fails:

${KNOWN_TASKS.map((task) => `- \`/job ${task}\``).join("\n")}
`;

export interface SandboxSetup {
  readonly github?: GitHubOptions;
  /** Text of `.github/journeyman.yml`; null for none. */
  readonly settings?: string | null;
  /** False when the repository lacks `run-job.yml`. */
  readonly workflow?: boolean;
  /** Files that replace or extend those of the demo repository; null removes one. */
  readonly files?: Readonly<Record<string, string | null>>;
  readonly empty?: boolean;
  /** True when there is {@link FRESH} too. */
  readonly fresh?: boolean;
  readonly script?: Script;
  /** A real model instead of the scripted one. */
  readonly anthropic?: { readonly api_key: string; readonly base_url: string | null } | null;
  /**
   * True when the repository has no key and its runs sign in to the scripted model by this rule, parts of which may be
   * changed.
   */
  readonly keyless?: boolean | Partial<FederationRule>;
  /** The command that starts a program of this project; by default {@link programOf}. */
  readonly program?: (path: string) => string[];
  /** Where the jobs' containers run; by default as processes. */
  readonly containers?: ContainerWishes | null;
  /** False: pushes start no workflow, as when Actions are disabled. */
  readonly actions?: boolean;
  /** Folders that replace repositories of actions, by `owner/name`, besides this project. */
  readonly actionFolders?: Readonly<Record<string, string>>;
  /** The runner's time limits after a cancel; by default GitHub's. */
  readonly cancelLimits?: Pick<RunnerOptions, "grace" | "afterCancelMs">;
  /** Runs one job of a workflow; by default as GitHub's runner does. */
  readonly playJob?: (github: SandboxGitHub) => PlayJob;
  /** Receives what workflows print, and the runner's problems. */
  readonly onLog?: (text: string) => void;
}

export interface Sandbox {
  readonly github: SandboxGitHub;
  /** The scripted model; it also exists, unused, beside a real one. */
  readonly model: Model;
  readonly installation: number;
  /** How to reach the model, scripted or real, for agent and App. */
  readonly modelAccess: { readonly api_key: string; readonly base_url: string | null };
  /** Where the jobs' containers run and why, as a sentence. */
  readonly containers: string;
  /** Resolves when no workflow runs and no webhook is in flight. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/** The federation ids of a repository without a key; none is secret. */
export const FEDERATION = {
  anthropic_federation_rule_id: "fdrl_demo",
  anthropic_organization_id: "00000000-0000-4000-8000-000000000001",
  anthropic_service_account_id: "svac_demo",
};

const withoutKey = (workflow: string): string =>
  workflow.replace(/^( +)anthropic_api_key: .*\n/m, (_line, indent: string) =>
    Object.entries(FEDERATION)
      .map(([name, id]) => `${indent}${name}: ${id}\n`)
      .join(""),
  );

/** The provider's federation rules for the demo repository. */
function federationFor({ url }: SandboxGitHub, rule: Partial<FederationRule>): FederationSetup {
  return {
    rules: [
      {
        ...{ id: FEDERATION.anthropic_federation_rule_id, organization: FEDERATION.anthropic_organization_id },
        ...{
          serviceAccount: FEDERATION.anthropic_service_account_id,
          issuer: `${url}${ISSUER_PATH}`,
          subject: "repo:*",
        },
        ...{ audience: "https://api.anthropic.com", claims: { repository: DEMO }, lifetimeSeconds: 600, ...rule },
      },
    ],
    keys: async (issuer) => (await fetch(`${issuer}/.well-known/jwks`)).json(),
  };
}

async function filesOf(options: SandboxSetup): Promise<Record<string, string>> {
  const workflow = await readFile(new URL(".github/workflows/run-job.yml", PROJECT), "utf8");
  const settings = options.settings === undefined ? DEMO_SETTINGS : options.settings;
  const files = demoFiles({
    ...(options.workflow === false ? {} : { runJobWorkflow: options.keyless ? withoutKey(workflow) : workflow }),
    ...(settings === null ? {} : { settings }),
  });
  const all = Object.entries({ ...files, ...options.files });
  return Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== null));
}

/** Commands of this machine for the programs of the agent's image. */
const shimOf = (program: (path: string) => string[]): DockerShim => ({
  agentCommand: program("agent/main.ts"),
  entrypoints: {
    gateway: program("agent/gateway/main.ts"),
    courier: program("agent/uploader/main.ts"),
    egress: program("agent/egress/main.ts"),
    // played containers share their user, so files need no new owner
    chown: ["true"],
  },
  command: program("test/sandbox/actions/docker-shim.ts"),
});

export async function startSandbox(options: SandboxSetup = {}): Promise<Sandbox> {
  const { program = programOf, containers = null } = options;
  const chosen = await chooseContainers(containers, shimOf(program));
  const github = await startGitHub({ ...(options.anthropic ? {} : { hint: KNOWN }), ...options.github });
  const { keyless } = options;
  const model = await startModel({
    ...(options.script ? { script: options.script } : {}),
    ...(keyless ? { federation: federationFor(github, keyless === true ? {} : keyless) } : {}),
    host: chosen.host,
  });
  const modelAccess = options.anthropic ?? { api_key: "sandbox-model-key", base_url: model.url };
  const { base_url } = modelAccess;
  const own = await layOutActions(PROJECT, program, { anthropic_base_url: base_url, agent_image: chosen.image });
  const backend = {
    ...github.actions,
    appendLog(jobId: number, text: string): void {
      github.actions.appendLog(jobId, text);
      options.onLog?.(text);
    },
  };
  const runner =
    options.actions === false
      ? null
      : startRunner({
          backend,
          ...options.cancelLimits,
          ...(options.playJob ? { playJob: options.playJob(github) } : {}),
          containers: chosen.containers,
          actions: { ...own.folders, ...options.actionFolders },
          report: (sentence) => options.onLog?.(`${sentence}\n`),
        });

  github.createUser(OWNER, "Organization");
  github.createRepository({
    owner: OWNER,
    name: "demo",
    deleteBranchOnMerge: true,
    autoMergeAllowed: true,
    ...(options.empty ? { empty: true } : { files: await filesOf(options) }),
  });
  github.setCollaborator(DEMO, WRITER, "write");
  github.setCollaborator(DEMO, ADMIN, "admin");
  github.createLabel(DEMO, JOB_LABEL, "1f883d");
  github.setCollaborator(DEMO, READER, "read");
  if (!keyless) github.setSecret(DEMO, "ANTHROPIC_API_KEY", modelAccess.api_key);
  // for runs that are played without the run action
  if (base_url !== null) github.setVariable(DEMO, "ANTHROPIC_BASE_URL", base_url);
  if (options.fresh) {
    github.createRepository({ owner: OWNER, name: "fresh", autoMergeAllowed: true, files: demoFiles() });
    github.setCollaborator(FRESH, ADMIN, "admin");
  }
  const installation = github.install(DEMO);

  return {
    github,
    model,
    installation,
    modelAccess,
    containers: chosen.sentence,
    async idle() {
      do {
        await runner?.idle();
        await github.idle();
      } while (github.runs(DEMO).some((run) => run.status !== "completed") && runner !== null);
    },
    async close() {
      await runner?.close();
      await model.close();
      await github.close();
      await own.remove();
    },
  };
}
