/**
 * The Probot app: one handler for every event, and the routes where there is a router. The same function loads in our
 * own composition, under Probot's Server and, without routes, under the Actions adapter.
 */
import type { Router } from "express";
import type { ApplicationFunction } from "probot";
import type { TranslatedEvent } from "./domain/job/github-event.ts";
import type { Log } from "./engine/ports/log.ts";
import type { JobService } from "./engine/ports/service.ts";

export interface AppParts {
  /** What a delivery means. No calls. */
  readonly hear: (event: string, payload: unknown) => TranslatedEvent;
  readonly service: Pick<JobService, "receive">;
  readonly log: Log;
  /** Puts the API's routes on the router; null where there is nobody to answer over HTTP. */
  readonly routes: ((router: Router) => void) | null;
}

/** What follows from a delivery that was heard. Resolves when the record is on disk; all else happens afterwards. */
export const acting =
  (parts: Pick<AppParts, "service" | "log">) =>
  async (id: string, event: string, heard: TranslatedEvent): Promise<void> => {
    if (heard.kind === "ignored") {
      parts.log.debug({ delivery: id, event, reason: heard.reason }, "a delivery was ignored");
      return;
    }
    const news = await recorded(parts, id, () => parts.service.receive(id, heard.signal));
    parts.log.debug({ delivery: id, event, signal: heard.signal.type, news }, "a delivery was recorded");
  };

export const createApp =
  (parts: AppParts): ApplicationFunction =>
  (app, { getRouter }) => {
    const act = acting(parts);
    app.onAny(({ id, name, payload }) => act(id, name, parts.hear(name, payload)));
    if (getRouter === undefined || parts.routes === null) return;
    parts.routes(getRouter("/"));
  };

/** What is thrown here is answered to GitHub word for word, so it says nothing of the inside. */
async function recorded<T>(parts: Pick<AppParts, "log">, id: string, record: () => Promise<T>): Promise<T> {
  try {
    return await record();
  } catch (error) {
    parts.log.error({ delivery: id, err: error }, "a delivery could not be recorded");
    throw new Error("The delivery could not be recorded; it may be sent again.");
  }
}
