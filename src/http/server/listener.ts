/**
 * The HTTP server around the Probot app: deliveries first and without Express, then the routers that the app asks for.
 * Probot's own server would build a middleware per request and log twice, which costs more than Express itself.
 */
import type { RequestListener } from "node:http";
import express, { type Router } from "express";
import type { ApplicationFunction, Probot } from "probot";
import type { Timed } from "../admin/metrics.ts";
import { adopt, type MessageClasses } from "./message-classes.ts";
import { type Deliveries, webhookPath } from "./webhook-receiver.ts";

export interface ListenerParts {
  readonly timed: Timed;
  readonly trust_proxy: number;
  readonly deliveries: Deliveries;
  /** Of the server that is to listen. */
  readonly messages: MessageClasses;
}

export async function createListener(
  probot: Probot,
  app: ApplicationFunction,
  { timed, trust_proxy, deliveries, messages }: ListenerParts,
): Promise<RequestListener> {
  const server = express();
  adopt(server, messages);
  server.disable("x-powered-by");
  // so many proxies in front say truly who came to them; what others say of themselves counts for nothing
  server.set("trust proxy", trust_proxy);
  const getRouter = (path = "/"): Router => {
    // one below the root would cost each request another match
    if (path === "/") return server.router;
    const router = express.Router();
    server.use(path, router);
    return router;
  };
  await probot.load(app, { getRouter });
  return webhookPath(probot.webhooks, server, timed, deliveries);
}
