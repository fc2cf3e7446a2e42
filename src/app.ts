/**
 * The Probot app: one handler for every event, and the routes where there is a router. The same function loads in our
 * own composition, under Probot's Server and, without routes, under the Actions adapter.
 */
import type { Router } from "express";
import type { ApplicationFunction } from "probot";
import type { Door } from "./engine/door.ts";
import type { Log } from "./engine/ports.ts";
import type { Heard } from "./job/signal.ts";

export interface AppParts {
  /** What a delivery means. No calls. */
  readonly hear: (event: string, payload: unknown) => Heard;
  readonly door: Pick<Door, "receive">;
  readonly log: Log;
  /** Puts the API's routes on the router; null where there is nobody to answer over HTTP. */
  readonly routes: ((router: Router) => void) | null;
}

export const createApp =
  (parts: AppParts): ApplicationFunction =>
  (app, { getRouter }) => {
    app.onAny(async ({ id, name, payload }) => {
      const heard = parts.hear(name, payload);
      if (heard.kind === "ignored") {
        parts.log.debug({ delivery: id, event: name, reason: heard.reason }, "a delivery was ignored");
        return;
      }
      // GitHub is answered when the record is on disk; all else happens afterwards
      const news = await recorded(parts, id, () => parts.door.receive(id, heard.signal));
      parts.log.debug({ delivery: id, event: name, signal: heard.signal.type, news }, "a delivery was recorded");
    });
    if (getRouter === undefined || parts.routes === null) return;
    parts.routes(getRouter("/"));
  };

/** What is thrown here is answered to GitHub word for word, so it says nothing of the inside. */
async function recorded<T>(parts: AppParts, id: string, record: () => Promise<T>): Promise<T> {
  try {
    return await record();
  } catch (error) {
    parts.log.error({ delivery: id, err: error }, "a delivery could not be recorded");
    throw new Error("The delivery could not be recorded; it may be sent again.");
  }
}
