/** What probes are answered while there is no App: the process lives, and it does not work yet. */
import type { Express } from "express";
import { VERSION } from "../../contracts/version.ts";
import { type HttpResult, send, success } from "../routing/answer.ts";
import type { LoggedRoute } from "../server/request-log.ts";

const NOT_SET_UP = { ready: false, reason: "The server has no GitHub App yet; open /setup." };
const ANSWERS: Readonly<Record<string, HttpResult>> = {
  "/health": success(200, { status: "ok", version: VERSION }),
  "/ping": { status: 200, text: { type: "text/plain; charset=utf-8", content: "PONG" } },
  "/ready": success(503, NOT_SET_UP),
};

export function probes(server: Express, logged: LoggedRoute): void {
  for (const [path, answer] of Object.entries(ANSWERS))
    server.get(path, logged(path, true), (request, response) => send(request, response, answer));
}
