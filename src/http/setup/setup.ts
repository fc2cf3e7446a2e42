/**
 * What a server without an App answers: `/setup`, where whoever has the token of its start has GitHub make the App, the
 * root, which leads there, and nothing else but probes. What has to be known between two requests travels in sealed cookies, so that a restart in
 * between loses nothing.
 */
import type { RequestListener } from "node:http";
import express from "express";
import { nothingHere } from "../routing/answer.ts";
import { NO_ROUTE, requestLog } from "../server/request-log.ts";
import { type FormParts, formRoutes } from "./app-form.ts";
import type { OneTimeToken } from "./one-time-token.ts";
import { pageOn } from "./page.ts";
import { probes } from "./probes.ts";
import { sessions, tokenRoutes } from "./session.ts";
import { createProgress, type ReturnParts, returnRoutes } from "./way-back.ts";

export interface SetUpParts extends FormParts, ReturnParts {
  readonly token: OneTimeToken;
  readonly trust_proxy: number;
}

export interface SetUp {
  readonly listener: RequestListener;
  /** Resolves when the App is kept. */
  readonly made: Promise<void>;
}

export function createSetUp(parts: SetUpParts): SetUp {
  const server = express();
  server.disable("x-powered-by");
  server.set("trust proxy", parts.trust_proxy);
  const logged = requestLog(parts.log, () => () => {});
  probes(server, logged);
  const made = new Promise<void>((resolve) => {
    const page = pageOn(server, parts, logged);
    const session = sessions(parts);
    tokenRoutes(page, parts, session);
    const progress = createProgress(parts, resolve);
    page("get", "/", (_request, response) => response.redirect(303, "/setup"));
    formRoutes(page, parts, session);
    returnRoutes(page, parts, session, progress);
  });
  server.use(logged(NO_ROUTE), nothingHere);
  return { listener: server, made };
}
