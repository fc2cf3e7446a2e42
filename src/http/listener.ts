/**
 * Our own server around the Probot app: deliveries first and without Express, then the routers that the app asks for.
 * Probot's Server would build a middleware per request and log twice (its stack costs more than Express itself).
 */
import type { RequestListener } from "node:http";
import express, { type Router } from "express";
import type { ApplicationFunction, Probot } from "probot";
import { webhookPath } from "./webhook-path.ts";

export async function createListener(
  probot: Probot,
  app: ApplicationFunction,
  { trust_proxy }: { readonly trust_proxy: number },
): Promise<RequestListener> {
  const server = express();
  server.disable("x-powered-by");
  // so many proxies in front say truly who came to them; what others say of themselves counts for nothing
  server.set("trust proxy", trust_proxy);
  const getRouter = (path = "/"): Router => {
    const router = express.Router();
    server.use(path, router);
    return router;
  };
  await probot.load(app, { getRouter });
  return webhookPath(probot.webhooks, server);
}
