/** What the App asks of an installation. `app.yml` registers it with the same; a test holds the two equal. */

export const APP_PERMISSIONS: Readonly<Record<string, "read" | "write">> = {
  actions: "write",
  checks: "write",
  contents: "write",
  issues: "write",
  merge_queues: "read",
  metadata: "read",
  pull_requests: "write",
  statuses: "read",
};

/** `merge_queues: read`, say. Without it an installation loses something to see, and nothing else. */
export const isDispensable = (permission: string): boolean => permission.startsWith("merge_queues:");

/** Events of installations come without being asked for. */
export const APP_EVENTS: readonly string[] = [
  "check_run",
  "check_suite",
  "delete",
  "issue_comment",
  "issues",
  "merge_group",
  "pull_request",
  "pull_request_review",
  "pull_request_review_comment",
  "pull_request_review_thread",
  "push",
  "release",
  "repository",
  "status",
  "workflow_run",
];

const RANK: Readonly<Record<string, number>> = { read: 1, write: 2, admin: 3 };

/** The permissions of ours that are not granted, or not far enough, such as `contents: write`. */
export const permissionsLacking = (granted: Readonly<Record<string, string | undefined>>): string[] =>
  Object.entries(APP_PERMISSIONS)
    .filter(([name, needed]) => (RANK[granted[name] ?? ""] ?? 0) < (RANK[needed] ?? 0))
    .map(([name, needed]) => `${name}: ${needed}`);

export const eventsLacking = (subscribed: readonly string[]): string[] =>
  APP_EVENTS.filter((name) => !subscribed.includes(name));
