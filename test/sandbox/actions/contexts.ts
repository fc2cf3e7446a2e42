/** Builds the `github`, `inputs`, `secrets` and `vars` contexts of a run, and the GITHUB_* variables. */
import * as z from "zod";
import type { ActionsBackend, RunHandle, WorkflowTrigger } from "../ports.ts";
import type { ContextValues } from "./expressions.ts";
import { fullName } from "./git.ts";
import type { Permissions, Workflow } from "./workflow-file.ts";

/** Facts about a run that all of its attempts share. */
export interface RunSubject {
  readonly backend: ActionsBackend;
  readonly trigger: WorkflowTrigger;
  readonly path: string;
  readonly workflow: Workflow;
  readonly number: number;
}

const pulled = z.object({
  pull_request: z.object({
    head: z.object({ ref: z.string(), repo: z.object({ full_name: z.string() }).nullish() }),
    base: z.object({ ref: z.string() }),
  }),
});

export const workflowName = ({ workflow, path }: RunSubject): string => workflow.name ?? path;

/** Runs for pull requests from forks get no secrets and a read-only token. */
export function isFromFork({ trigger }: RunSubject): boolean {
  const pull = pulled.safeParse(trigger.payload);
  if (trigger.event !== "pull_request" || !pull.success) return false;
  return pull.data.pull_request.head.repo?.full_name !== fullName(trigger.repository);
}

export function githubContext(subject: RunSubject, handle: RunHandle | undefined): Record<string, unknown> {
  const { backend, trigger, path } = subject;
  const name = fullName(trigger.repository);
  const pull = pulled.safeParse(trigger.payload);
  return {
    event: trigger.payload,
    event_name: trigger.event,
    sha: trigger.sha,
    ref: trigger.ref,
    ref_name: trigger.ref.replace(/^refs\/(?:heads|tags|pull)\//, ""),
    ref_type: trigger.ref.startsWith("refs/tags/") ? "tag" : "branch",
    head_ref: pull.success ? pull.data.pull_request.head.ref : "",
    base_ref: pull.success ? pull.data.pull_request.base.ref : "",
    repository: name,
    repository_owner: trigger.repository.owner,
    run_number: String(subject.number),
    ...(handle && { run_id: String(handle.id), run_attempt: String(handle.attempt) }),
    workflow: workflowName(subject),
    workflow_ref: `${name}/${path}@${trigger.ref}`,
    workflow_sha: trigger.sha,
    actor: trigger.actor,
    triggering_actor: trigger.actor,
    server_url: backend.url,
    api_url: backend.apiUrl,
    graphql_url: backend.apiUrl.endsWith("/v3")
      ? backend.apiUrl.replace(/v3$/, "graphql")
      : `${backend.apiUrl}/graphql`,
  };
}

const ENV_KEYS = [
  "event_name",
  "sha",
  "ref",
  "ref_name",
  "ref_type",
  "head_ref",
  "base_ref",
  "repository",
  "repository_owner",
  "run_number",
  "run_id",
  "run_attempt",
  "workflow",
  "workflow_ref",
  "workflow_sha",
  "actor",
  "triggering_actor",
  "server_url",
  "api_url",
  "graphql_url",
  "job",
  "workspace",
  "event_path",
];

/** The GITHUB_* variables of steps: the context's values except the token, which a step must be given explicitly. */
export const githubEnv = (context: ContextValues): Record<string, string> =>
  Object.fromEntries(ENV_KEYS.map((key) => [`GITHUB_${key.toUpperCase()}`, String(context[key] ?? "")]));

/** The `workflow_dispatch` inputs with declared types and defaults, or why the dispatch is invalid. */
export function readInputs(workflow: Workflow, trigger: WorkflowTrigger): Record<string, unknown> | string {
  if (trigger.event !== "workflow_dispatch") return {};
  const declared = workflow.on.workflow_dispatch?.inputs ?? {};
  const given = trigger.inputs ?? {};
  const unexpected = Object.keys(given).filter((name) => !(name in declared));
  if (unexpected.length > 0) return `Unexpected inputs provided: ${unexpected.join(", ")}`;
  const values: Record<string, unknown> = {};
  for (const [name, input] of Object.entries(declared)) {
    const text = given[name] ?? input.default ?? (input.type === "boolean" ? "false" : "");
    if (input.required && text === "") return `Required input '${name}' not provided`;
    if (input.type === "choice" && !(input.options ?? []).includes(text))
      return `Provided value '${text}' for input '${name}' not in the list of allowed values`;
    values[name] = input.type === "boolean" ? text === "true" : input.type === "number" ? Number(text) : text;
  }
  return values;
}

/** The permissions of GITHUB_TOKEN in these modes; `id-token` is never part of "all". */
const SCOPES = [
  "actions",
  "checks",
  "contents",
  "deployments",
  "issues",
  "packages",
  "pages",
  "pull-requests",
  "statuses",
];

export function tokenPermissions(
  job: Permissions | undefined,
  workflow: Permissions | undefined,
  fork: boolean,
): Record<string, string> {
  const asked = job ?? workflow ?? { contents: "read", packages: "read" };
  const named =
    typeof asked === "string"
      ? Object.fromEntries(SCOPES.map((scope) => [scope, asked === "read-all" ? "read" : "write"]))
      : Object.fromEntries(Object.entries(asked).filter(([, level]) => level !== "none"));
  return fork ? Object.fromEntries(Object.keys(named).map((scope) => [scope, "read"])) : named;
}
