/** What people and load balancers ask of the server itself: is it up, is it ready, what is it. Never a secret. */
import type { Router } from "express";
import helmet from "helmet";
import type { Health } from "../engine/door.ts";
import { nothingHere } from "./answer.ts";

const INDEX = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Journeyman</title>
<h1>Journeyman</h1>
<p>A GitHub App: comment <code>/job &lt;what you want&gt;</code> on an issue and get a merged pull request.</p>
<p>This is its server. GitHub sends webhooks here; the REST API begins at <code>/api/create-job</code>
and wants a key in <code>x-api-key</code>.</p>
`;

export function serviceRoutes(router: Router, health: () => Health): void {
  router.use(helmet());
  router.get("/ping", (_request, response) => {
    response.type("text/plain").send("PONG");
  });
  router.get("/health", (_request, response) => {
    response.json({ status: "ok" });
  });
  router.get("/ready", (_request, response) => {
    const { ready } = health();
    response.status(ready ? 200 : 503).json({ ready });
  });
  router.get("/", (_request, response) => {
    response.type("text/html").send(INDEX);
  });
  router.use(nothingHere);
}
