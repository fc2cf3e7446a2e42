/**
 * The site behind the `html_url`s: finds the page or form for a path. Everything shown is escaped (`html.ts`,
 * `markdown.ts`); `forms.ts` performs the actions.
 */
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import * as z from "zod";
import { type Html, html } from "../../../../src/text/html.ts";
import type { Api } from "../api.ts";
import { Refusal } from "../errors.ts";
import type { Repository } from "../model.ts";
import { fullName } from "../model.ts";
import type { World } from "../world.ts";
import { actingCookie, actingPerson, type Person, peopleOf } from "./acting.ts";
import { checkPage } from "./checks.ts";
import { codePage, commitPage, repositoryPage } from "./code.ts";
import { submit } from "./forms.ts";
import { issueList, issuePage, newIssuePage, pullList } from "./issues.ts";
import { ASSETS, type Frame, page, policy } from "./layout.ts";
import { isForeign, pathHere } from "./own-site.ts";
import { PULLS, pullSearch } from "./pull-search.ts";
import { filesPage, pullPage } from "./pulls.ts";
import { jobPage, runList, runPage } from "./runs.ts";
import { newFilePage, newSecretPage, secretsPage } from "./setting-up.ts";
import type { Render } from "./visit.ts";

export interface PageRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const PAGES: readonly (readonly [RegExp, Render])[] = [
  [/^$/, repositoryPage],
  [/^issues$/, issueList],
  [/^issues\/new$/, newIssuePage],
  [/^issues\/(\d+)$/, issuePage],
  [/^pulls$/, pullList],
  [/^pull\/(\d+)$/, pullPage],
  [/^pull\/(\d+)\/files$/, filesPage],
  [/^actions$/, runList],
  [/^actions\/runs\/(\d+)$/, runPage],
  [/^actions\/runs\/\d+\/job\/(\d+)$/, jobPage],
  [/^runs\/(\d+)$/, checkPage],
  [/^commit\/([0-9a-f]{40})$/, commitPage],
  [/^(?:blob|tree|raw)\/(.+)$/, codePage],
  [/^new\/(.+)$/, newFilePage],
  [/^settings\/secrets\/actions$/, secretsPage],
  [/^settings\/secrets\/actions\/new$/, newSecretPage],
];

interface Place {
  readonly request: PageRequest;
  readonly response: ServerResponse;
  readonly repository: Repository | undefined;
  /** The path below the repository's own. */
  readonly below: string;
  readonly people: readonly Person[];
  readonly acting: Person | undefined;
}

export async function servePage(api: Api, request: PageRequest, response: ServerResponse): Promise<void> {
  const asset = ASSETS.get(request.url.pathname);
  if (asset !== undefined) {
    response.writeHead(200, { "content-type": asset.type, "cache-control": "no-cache" }).end(asset.text);
    return;
  }
  const [, owner = "", name = "", below = ""] =
    /^\/([^/]+)\/([^/]+)(?:\/(.*?))?\/?$/.exec(decoded(request.url.pathname)) ?? [];
  const repository = api.world.state.repository(owner, name);
  const people = peopleOf(api.world, repository);
  const acting = actingPerson(people, request.headers.cookie);
  const place = { request, response, repository, below, people, acting };
  const log = /^logs\/(\d+)\.txt$/.exec(below)?.[1];
  if (log !== undefined) sendLog(api.world, Number(log), response);
  else if (request.method === "POST") await post(api, place);
  else await show(api.world, place);
}

function decoded(pathname: string): string {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return "";
  }
}

function send(
  { request, response, repository, people, acting }: Place,
  status: number,
  frame: Frame,
  body: Html,
): void {
  const text = page({ repository, people, acting, path: request.url.pathname, ...frame }, body);
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": policy(),
    "cache-control": "no-store",
  });
  response.end(text);
}

const go = (response: ServerResponse, location: string, headers: Readonly<Record<string, string>> = {}): void => {
  response.writeHead(303, { location, ...headers }).end();
};

const absent = (place: Place): void =>
  send(place, 404, { title: "Not found" }, html`<h1>Not found</h1><p>There is nothing here.</p>`);

async function show(world: World, place: Place): Promise<void> {
  const { request, response, repository, below, acting } = place;
  if (request.url.pathname === "/") return send(place, 200, { title: "Local GitHub" }, homePage(world));
  if (request.url.pathname === PULLS) {
    const found = pullSearch(world, request.url.searchParams.get("q") ?? "", acting?.user);
    return send(place, 200, { title: "Pull requests" }, found);
  }
  if (repository === undefined || acting === undefined) return absent(place);
  for (const [pattern, render] of PAGES) {
    const caught = pattern.exec(below);
    if (caught === null) continue;
    const base = `/${fullName(repository)}`;
    const visit = { world, repository, base, acting, query: request.url.searchParams, rest: caught.slice(1) };
    const found = await render(visit);
    if (typeof found === "string") return go(response, found);
    if (found !== undefined)
      return send(place, 200, { title: `${found.title} · ${fullName(repository)}`, tab: found.tab }, found.body);
  }
  absent(place);
}

const homePage = (world: World): Html =>
  html`<h1>Repositories</h1><div class="box"><ul class="rows">${[...world.state.repositories.values()].map((one) => html`<li><a class="subject" href="/${fullName(one)}">${fullName(one)}</a></li>`)}</ul></div>`;

function sendLog(world: World, jobId: number, response: ServerResponse): void {
  const found = world.state.job(jobId);
  const ended = found?.job.status === "completed";
  response.writeHead(ended ? 200 : 404, { "content-type": "text/plain; charset=utf-8" });
  response.end(ended ? found.job.log : "There is no log yet.\n");
}

async function post(api: Api, place: Place): Promise<void> {
  const { request, response, repository, below, acting } = place;
  const form = new URLSearchParams(request.body.toString("utf8"));
  if (isForeign(request.headers, api.world.url)) return refuse(place, 403, ["Foreign origin."]);
  if (request.url.pathname === "/-/act-as") return actAs(api.world, place, form);
  if (repository === undefined || acting === undefined) return absent(place);
  try {
    const next = await submit({ world: api.world, routes: api.routes, repository, user: acting.user, form }, below);
    go(response, `/${fullName(repository)}/${next}`);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refuse(place, error.status, sentencesOf(error));
  }
}

function actAs(world: World, place: Place, form: URLSearchParams): void {
  const user = world.state.user(form.get("login") ?? "");
  if (user?.type !== "User") refuse(place, 422, ["There is nobody of that name."]);
  else go(place.response, pathHere(form.get("back")), { "set-cookie": actingCookie(user.login) });
}

const details = z.array(
  z.union([z.string(), z.looseObject({ message: z.string().optional(), field: z.string().optional() })]),
);

/** GitHub's message, with its details about each field. */
function sentencesOf({ message, body }: Refusal): string[] {
  const read = details.safeParse(body.errors);
  const more = (read.data ?? []).map((one) =>
    typeof one === "string" ? one : (one.message ?? `${one.field ?? "It"} is not valid`),
  );
  return [message, ...more];
}

function refuse(place: Place, status: number, sentences: readonly string[]): void {
  const path = pathHere(place.request.headers.referer);
  const body = html`<h1>That did not work</h1>${sentences.map((one) => html`<p class="bad">${one}</p>`)}<p><a class="button" href="${path}">Go back</a></p>`;
  send(place, status, { title: "That did not work", path }, body);
}
