/**
 * Small web pages behind the `html_url`s, so that a person can look. The comment form posts as whoever it is told to:
 * this GitHub is a toy on the own machine. Everything shown is escaped (`html.ts`); nothing is decided here.
 */
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { z } from "zod";
import { type Html, html, page } from "./html.ts";
import { addComment } from "./issues.ts";
import type { Repository } from "./model.ts";
import { codePage, commitPage } from "./pages-code.ts";
import { issuePage, pullPage } from "./pages-issues.ts";
import { checkPage, jobPage, runPage } from "./pages-runs.ts";
import { fullName, repoHtml } from "./payloads.ts";
import { hasPull } from "./state.ts";
import type { World } from "./world.ts";

export interface PageRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Page {
  readonly title: string;
  readonly body: Html;
}

type Render = (
  world: World,
  repository: Repository,
  rest: readonly string[],
) => Page | undefined | Promise<Page | undefined>;

const PAGES: readonly (readonly [RegExp, Render])[] = [
  [/^$/, repositoryPage],
  [/^issues\/(\d+)$/, issuePage],
  [/^pull\/(\d+)$/, pullPage],
  [/^actions\/runs\/(\d+)$/, runPage],
  [/^actions\/runs\/\d+\/job\/(\d+)$/, jobPage],
  [/^runs\/(\d+)$/, checkPage],
  [/^commit\/([0-9a-f]{40})$/, commitPage],
  [/^(?:blob|tree|raw)\/(.+)$/, codePage],
];

export async function servePage(world: World, request: PageRequest, response: ServerResponse): Promise<void> {
  const [, owner = "", name = "", rest = ""] =
    /^\/([^/]+)\/([^/]+)(?:\/(.*?))?\/?$/.exec(decoded(request.url.pathname)) ?? [];
  const repository = world.state.repository(owner, name);
  if (request.url.pathname === "/") return send(response, 200, page("Local GitHub", html`local`, homePage(world)));
  if (!repository)
    return send(response, 404, page("Not found", html`<a href="/">local</a>`, html`<p>There is nothing here.</p>`));
  const log = /^logs\/(\d+)\.txt$/.exec(rest)?.[1];
  if (log) return sendLog(world, Number(log), response);
  const commented = /^(?:issues|pull)\/(\d+)\/comment$/.exec(rest)?.[1];
  if (request.method === "POST" && commented) return comment(world, repository, Number(commented), request, response);
  for (const [pattern, render] of PAGES) {
    const match = pattern.exec(rest);
    const found = match && (await render(world, repository, match.slice(1)));
    if (found) return send(response, 200, page(found.title, crumbs(repository), found.body));
  }
  send(response, 404, page("Not found", crumbs(repository), html`<p>There is nothing here.</p>`));
}

function decoded(pathname: string): string {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return "";
  }
}

const crumbs = (repository: Repository) =>
  html`<a href="/">local</a> / <a href="/${fullName(repository)}">${fullName(repository)}</a>`;

function send(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'",
  });
  response.end(text);
}

function sendLog(world: World, jobId: number, response: ServerResponse): void {
  const found = world.state.job(jobId);
  const ended = found?.job.status === "completed";
  response.writeHead(ended ? 200 : 404, { "content-type": "text/plain; charset=utf-8" });
  response.end(ended ? found.job.log : "There is no log yet.\n");
}

function homePage(world: World): Html {
  const all = [...world.state.repositories.values()];
  return html`<ul>${all.map((one) => html`<li><a href="/${fullName(one)}">${fullName(one)}</a></li>`)}</ul>`;
}

function repositoryPage(world: World, repository: Repository): Page {
  const base = `/${fullName(repository)}`;
  const issues = [...repository.issues.values()].reverse();
  const runs = [...repository.runs.values()].reverse();
  const branches = [...repository.git.refs.list("refs/heads/")];
  return {
    title: fullName(repository),
    body: html`<p class="dim">git clone ${repoHtml(world, repository)}.git</p>
<h2>Issues and pull requests</h2><ul>${issues.map((one) => html`<li><a href="${base}/${hasPull(one) ? "pull" : "issues"}/${one.number}">#${one.number} ${one.title}</a> <span class="dim">${one.pull?.merged ? "merged" : one.state}</span></li>`)}</ul>
<h2>Runs</h2><ul>${runs.map((one) => html`<li><a href="${base}/actions/runs/${one.id}">${one.name}: ${one.displayTitle}</a> <span class="${one.conclusion ?? ""}">${one.conclusion ?? one.status}</span></li>`)}</ul>
<h2>Branches</h2><ul>${branches.map(([ref, sha]) => html`<li><a href="${base}/tree/${ref.slice(11)}">${ref.slice(11)}</a> <a class="dim" href="${base}/commit/${sha}">${sha.slice(0, 7)}</a></li>`)}</ul>`,
  };
}

const form = z.object({ by: z.string().regex(/^[A-Za-z0-9-]{1,39}$/), body: z.string().trim().min(1).max(65_536) });

function comment(
  world: World,
  repository: Repository,
  number: number,
  request: PageRequest,
  response: ServerResponse,
): void {
  const issue = repository.issues.get(number);
  const given = form.safeParse(Object.fromEntries(new URLSearchParams(request.body.toString("utf8"))));
  const refuse = (status: number, why: string) =>
    send(response, status, page("Refused", crumbs(repository), html`<p>${why}</p>`));
  const { origin } = request.headers;
  // A page of another site must not be able to comment here.
  if (origin !== undefined && origin !== world.url) {
    refuse(403, "Foreign origin.");
    return;
  }
  if (!issue || !given.success) {
    refuse(422, "Name a user and write something.");
    return;
  }
  const user = world.state.ensureUser(given.data.by);
  // Browsers send \r\n.
  addComment(world, repository, issue, given.data.body.replaceAll("\r\n", "\n"), { user, byWorkflowToken: false });
  response.writeHead(303, { location: `/${fullName(repository)}/${issue.pull ? "pull" : "issues"}/${number}` }).end();
}
