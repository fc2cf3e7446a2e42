/** Sends events to the App and the runner; no other file does. */
import type { WorkflowTrigger } from "../ports.ts";
import { allows, type Need } from "./access.ts";
import type { Cause, Installation, Json, Repository } from "./model.ts";
import { repositoryJson, userJson } from "./payloads.ts";
import type { World } from "./world.ts";

/** The permissions of which an App needs one to receive an event. */
const EVENT_NEEDS: Readonly<Record<string, readonly Need[]>> = {
  workflow_run: ["actions:read"],
  workflow_job: ["actions:read"],
  workflow_dispatch: ["contents:read"],
  push: ["contents:read"],
  create: ["contents:read"],
  delete: ["contents:read"],
  check_run: ["checks:read"],
  check_suite: ["checks:read"],
  status: ["statuses:read"],
  pull_request: ["pull_requests:read"],
  pull_request_review: ["pull_requests:read"],
  pull_request_review_comment: ["pull_requests:read"],
  pull_request_review_thread: ["pull_requests:read"],
  issues: ["issues:read"],
  merge_group: ["merge_queues:read"],
  release: ["contents:read"],
  repository: ["metadata:read"],
  issue_comment: ["issues:read", "pull_requests:read"],
};

function receives(installation: Installation, event: string): boolean {
  const needs = EVENT_NEEDS[event];
  if (!needs) throw new Error(`no permission is known for the event ${event}`);
  if (!needs.some((need) => allows(installation.permissions, need))) return false;
  // Writing checks subscribes to their events in any case.
  const automatic = event.startsWith("check_") && allows(installation.permissions, "checks:write");
  return automatic || installation.events.includes(event);
}

/** Adds repository, sender and installation to a payload, and sends it if the App is installed. */
export function emit(world: World, repository: Repository, event: string, cause: Cause, payload: Json): Json {
  const installation = world.state.installationOf(repository);
  const whole = {
    ...payload,
    repository: repositoryJson(world, repository),
    sender: userJson(world, cause.user),
    ...(installation ? { installation: { id: installation.id, node_id: `MDIz_${installation.id}` } } : {}),
  };
  if (installation && receives(installation, event)) world.webhooks.emit(event, whole, installation.id, repository.id);
  return whole;
}

export function trigger(world: World, what: WorkflowTrigger): void {
  for (const listener of world.triggers) listener(what);
}
