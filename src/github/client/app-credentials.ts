/**
 * Checks regularly whether GitHub accepts the App's credentials, and more often while it does not. A server with a
 * wrong key reports not ready, says why, and recovers by itself once the key is right.
 */

import type { Clock } from "../../engine/ports/clock.ts";
import type { Log } from "../../engine/ports/log.ts";
import type { GitHubCredentialState } from "../../engine/ports/service.ts";
import type { AppIdentity } from "./app-identity.ts";
import { gitHubErrorOf, isUnauthorized } from "./errors.ts";

/** Interval while the credentials are valid. */
export const RECHECK_MS = 5 * 60_000;
/** Interval while they are not. */
export const RETRY_MS = 15_000;

const NOT_ASKED: GitHubCredentialState = {
  usable: false,
  sentence: "The App's credentials have not been checked with GitHub yet.",
};
const WELL: GitHubCredentialState = { usable: true, sentence: null };
const UNREACHABLE: GitHubCredentialState = {
  usable: true,
  sentence: "GitHub cannot be reached, so jobs wait; requests and webhooks are still accepted.",
};

const wrongKey = (app_id: number): GitHubCredentialState => ({
  usable: false,
  sentence: `GitHub rejected the App's credentials; check that PRIVATE_KEY belongs to APP_ID ${app_id} on the App's settings page on GitHub.`,
});

/** A 404 means that there is no such App. */
function statusAfter(thrown: unknown, app_id: number, now: number): GitHubCredentialState {
  const githubError = gitHubErrorOf(thrown, now);
  if (githubError === null) return wrongKey(app_id);
  if (githubError.kind === "gone") return wrongKey(app_id);
  if (githubError.kind !== "later" || !isUnauthorized(thrown)) return UNREACHABLE;
  return githubError.reason.includes("clock") ? { usable: false, sentence: githubError.reason } : wrongKey(app_id);
}

export interface CredentialWatch {
  readonly credentialStatus: () => GitHubCredentialState;
  start(): void;
  stop(): void;
}

export function watchCredentials(parts: {
  /** Cached after the first success. */
  readonly self: () => Promise<AppIdentity>;
  readonly ask: () => Promise<AppIdentity>;
  readonly app_id: number;
  readonly clock: Clock;
  readonly log: Pick<Log, "info" | "warn" | "error">;
}): CredentialWatch {
  const { app_id, clock, log } = parts;
  let ask = parts.self;
  let credentialStatus = NOT_ASKED;
  let stopped = false;
  let cancel = (): void => {};

  const tell = (next: GitHubCredentialState, thrown: unknown): void => {
    if (next.sentence === credentialStatus.sentence) return;
    if (next.sentence === null) log.info({}, "GitHub accepts the App's credentials");
    else if (next.usable) log.warn({ err: thrown }, next.sentence);
    else log.error({}, next.sentence);
  };

  const look = async (): Promise<void> => {
    let [next, problem]: [GitHubCredentialState, unknown] = [WELL, null];
    try {
      await ask();
      ask = parts.ask;
    } catch (thrown) {
      [next, problem] = [statusAfter(thrown, app_id, clock.now()), thrown];
    }
    if (stopped) return;
    tell(next, problem);
    credentialStatus = next;
    cancel = clock.at(clock.now() + (next.sentence === null ? RECHECK_MS : RETRY_MS), () => void look());
  };

  return {
    credentialStatus: () => credentialStatus,
    start: () => void look(),
    stop() {
      stopped = true;
      cancel();
    },
  };
}
