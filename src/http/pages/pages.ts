/**
 * The pages for people: what this server is, and the API's description to read and try. All files are served from here,
 * so that no visit is reported to another host; no page contains an inline script.
 */
import { createRequire } from "node:module";
import { dirname } from "node:path";
import type { RequestHandler, Response, Router } from "express";
import helmet from "helmet";
import * as z from "zod";
import { inTurn } from "../server/in-turn.ts";
import { identify, type LoggedRoute } from "../server/request-log.ts";
import { INSTALLED, type InstalledParts, installedPage } from "./installed.ts";

const INDEX = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Journeyman</title>
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/page.css">
<body class="plain">
<h1>Journeyman</h1>
<p>A GitHub App: comment <code>/job &lt;what you want&gt;</code> on an issue and get a merged pull request.</p>
<p>This is its server. GitHub sends webhooks here; the REST API begins at <code>/api/create-job</code>
and wants a key in <code>x-api-key</code>. <a href="/docs">All calls, to read and to try</a>,
are described at <a href="/api/openapi.json"><code>/api/openapi.json</code></a>.</p>
</html>
`;

const DOCS = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>The API of Journeyman</title>
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="stylesheet" href="/docs/page.css">
<div id="docs"><p class="plain">This page needs JavaScript; the same is told to programs at
<a href="/api/openapi.json">/api/openapi.json</a>.</p></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/page.js"></script>
</html>
`;

/** `validatorUrl` null: the badge would send the document's address to another host. */
const SCRIPT = `SwaggerUIBundle({
  url: "/api/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  validatorUrl: null,
  tryItOutEnabled: false,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  docExpansion: "list",
  presets: [SwaggerUIBundle.presets.apis],
});
`;

const STYLE = `body { margin: 0; background: #fff; }
.plain { max-width: 40rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; }
.plain code { background: #f2f2f2; padding: 0.1em 0.3em; border-radius: 3px; white-space: nowrap; }
.swagger-ui .info { margin: 2rem 0; }
.swagger-ui .scheme-container { margin: 0 0 1rem; padding: 1rem 0; box-shadow: none; border-bottom: 1px solid #ddd; }
`;

const FROM_PACKAGE = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"];
const KEPT_MS = 3_600_000;

/** No foreign host in any of them. Swagger UI draws with data: images, and sets styles on what it draws. */
const POLICY = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", "data:"],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
  },
};

/** What the caller wants only under a condition that does not hold, or a part that is not there. */
const unmet = z.object({ status: z.literal([412, 416]) });
/** Whoever it was for has left. */
const left = z.union([z.object({ code: z.literal("ECONNABORTED") }), z.object({ syscall: z.literal("write") })]);

const say = (type: string, text: string) => (_request: unknown, response: Response) => {
  response.type(type).set("Cache-Control", "no-cache").send(text);
};

/** Wherever the package was installed to, whether this runs from the sources or bundled. */
const packageFolder = (): string => dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));

export function pages(router: Router, logged: LoggedRoute, installed: InstalledParts): void {
  const guard = helmet({ contentSecurityPolicy: POLICY, xFrameOptions: { action: "deny" } });
  const page = (path: string, ...handlers: RequestHandler[]): void => {
    router.get(path, inTurn(logged(path, true), identify, guard, ...handlers));
  };

  page("/", say("text/html", INDEX));
  page("/installed", installedPage(installed));
  for (const path of ["/setup", "/setup/callback"]) page(path, say("text/html", INSTALLED));
  page("/docs", say("text/html", DOCS));
  page("/docs/page.js", say("text/javascript", SCRIPT));
  page("/docs/page.css", say("text/css", STYLE));
  const folder = packageFolder();
  for (const name of FROM_PACKAGE) {
    page(`/docs/${name}`, (_request, response, next) => {
      response.sendFile(name, { root: folder, maxAge: KEPT_MS }, (error: unknown) => {
        const asked = unmet.safeParse(error);
        if (asked.success) response.status(asked.data.status).end();
        else if (error && !left.safeParse(error).success) next(error);
      });
    });
  }
}
