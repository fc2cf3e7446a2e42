/**
 * The Probot app: one handler for all webhooks, and the API's routes if there is a router. Loaded by the server, by
 * Probot's own server and, without routes, by the Actions adapter.
 */
import type { Router } from "express";
import type { ApplicationFunction } from "probot";
import type { TranslatedEvent } from "./domain/job/github-event.ts";
import type { Log } from "./engine/ports/log.ts";
import type { JobService } from "./engine/ports/service.ts";

export interface AppParts {
  /** From a webhook to an event of the domain; makes no calls. */
  readonly translate: (name: string, payload: unknown) => TranslatedEvent;
  readonly service: Pick<JobService, "receive">;
  readonly log: Log;
  /** Puts the API's routes on the router; null: there is no HTTP here. */
  readonly routes: ((router: Router) => void) | null;
}

/** Records a translated delivery. Resolves when it is on disk; it is processed afterwards. */
export const deliveryRecorder =
  (parts: Pick<AppParts, "service" | "log">) =>
  async (id: string, name: string, translated: TranslatedEvent): Promise<void> => {
    if (translated.kind === "ignored") {
      parts.log.debug({ delivery: id, webhook: name, reason: translated.reason }, "a delivery was ignored");
      return;
    }
    const { event } = translated;
    const news = await recorded(parts, id, () => parts.service.receive(id, event));
    parts.log.debug({ delivery: id, webhook: name, github_event: event.type, news }, "a delivery was recorded");
  };

export const createApp =
  (parts: AppParts): ApplicationFunction =>
  (app, { getRouter }) => {
    const record = deliveryRecorder(parts);
    app.onAny(({ id, name, payload }) => record(id, name, parts.translate(name, payload)));
    if (getRouter === undefined || parts.routes === null) return;
    parts.routes(getRouter("/"));
  };

/** GitHub is answered with the words of what is thrown here, so they reveal nothing internal. */
async function recorded<T>(parts: Pick<AppParts, "log">, id: string, record: () => Promise<T>): Promise<T> {
  try {
    return await record();
  } catch (error) {
    parts.log.error({ delivery: id, err: error }, "a delivery could not be recorded");
    throw new Error("The delivery could not be recorded; it may be sent again.");
  }
}
