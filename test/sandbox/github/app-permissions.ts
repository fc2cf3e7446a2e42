/** Permissions and events of the App, and of the installations that grant what it asks for. */
import type { PermissionMap } from "./model.ts";

/** What the App's manifest asks for. */
export const PERMISSIONS: PermissionMap = {
  contents: "write",
  pull_requests: "write",
  issues: "write",
  checks: "write",
  actions: "write",
  statuses: "read",
  merge_queues: "read",
};
export const EVENTS = [
  "issue_comment",
  "issues",
  "push",
  "delete",
  "pull_request",
  "pull_request_review",
  "pull_request_review_comment",
  "pull_request_review_thread",
  "repository",
  "workflow_run",
  "workflow_job",
  "check_run",
  "check_suite",
  "status",
  "merge_group",
  "release",
];
