/**
 * Writes entries of the audit log. An entry that cannot be written does not undo the action; the server's log reports
 * it instead. Entries never hold a task, a key or a secret.
 */

import { redact } from "../contracts/redact.ts";
import type { Actor, Command } from "../domain/job/command.ts";
import { fullName, type JobId, type Repository } from "../domain/job/job.ts";
import { requesterOf } from "../domain/job/requester.ts";
import type { AuditEntry, AuditLog, Recorder } from "./ports/audit.ts";
import type { Clock } from "./ports/clock.ts";
import type { Log } from "./ports/log.ts";

type Who = Pick<AuditEntry, "account" | "login" | "key_id" | "address" | "request_id">;

const whoIs = ({ account, login, via }: Actor): Who => ({
  account,
  login,
  key_id: via?.key_id ?? null,
  address: via?.address ?? null,
  // Callers choose the request id, which may hold anything.
  request_id: via?.request_id ? redact(via.request_id) : null,
});

export function createRecorder(parts: {
  readonly audit: Pick<AuditLog, "add">;
  readonly clock: Pick<Clock, "now">;
  readonly log: Log;
}): Recorder {
  return (by, { action, target, repository, outcome }) => {
    parts.audit
      .add({ at: parts.clock.now(), ...whoIs(by), action, target, repository, outcome })
      .catch((error: unknown) =>
        parts.log.error({ err: error, action, target, outcome }, "an entry of the audit log could not be written"),
      );
  };
}

/** What goes beyond a budget is an action of its own, so that it can be found. */
function actionOf(command: Command): string {
  const over = command.type === "create" ? command.draft.over_budget : command.type === "retry" && command.over_budget;
  return over === true ? `${command.type}-over-budget` : command.type;
}

/** Records the outcome of a command that somebody gave; reports of webhooks and effects have no author. */
export const recordCommand =
  (record: Recorder) =>
  (id: JobId, command: Command, repository: Repository | null, outcome: string): void => {
    const by = requesterOf(command);
    if (by === null) return;
    const at = repository === null ? null : fullName(repository);
    record(by, { action: actionOf(command), target: { type: "job", id }, repository: at, outcome });
  };
