/**
 * The pages on which an App is made from a manifest and installed. Whoever is at the browser acts as the account of the
 * site's switch.
 */
import type { ServerResponse } from "node:http";
import { html, nothing } from "../../../src/text/html.ts";
import type { Api } from "./api.ts";
import type { Manifest } from "./app-manifest.ts";
import { installOn } from "./installing.ts";
import { fullName, type Repository, type User } from "./model.ts";
import { type Shown, shown } from "./oauth-pages.ts";
import { actingPerson, peopleOf } from "./pages/acting.ts";
import { isForeign } from "./pages/own-site.ts";
import type { PageRequest } from "./pages/serve.ts";
import { makeApp, nameProblem } from "./registering.ts";
import type { World } from "./world.ts";

const NEW = /^(?:\/organizations\/([^/]+))?\/settings\/apps\/new$/;
const MAKE = /^(?:\/organizations\/([^/]+))?\/settings\/apps$/;
const INSTALL = /^\/apps\/([^/]+)\/installations\/new$/;

export const isAppPath = (pathname: string): boolean => [NEW, MAKE, INSTALL].some((one) => one.test(pathname));

interface Visit {
  readonly world: World;
  readonly request: PageRequest;
  readonly form: URLSearchParams;
  readonly user: User;
}

export function serveAppPages({ world }: Api, request: PageRequest, response: ServerResponse): void {
  const { status, headers, text } = answer(world, request);
  response.writeHead(status, headers).end(text);
}

function answer(world: World, request: PageRequest): Shown {
  const people = peopleOf(world, undefined);
  const acting = actingPerson(people, request.headers.cookie);
  const form = new URLSearchParams(request.body.toString("utf8"));
  if (acting === undefined) return shown(404, "Not found", html`<p>Nobody is here.</p>`);
  const visit = { world, request, form, user: acting.user };
  const { pathname } = request.url;
  const posts = request.method === "POST";
  const [asked, made, installed] = [NEW, MAKE, INSTALL].map((pattern) => pattern.exec(pathname));
  if (asked && posts) return confirm(visit, asked[1]);
  // only this form may come from elsewhere: it does nothing by itself
  if (posts && isForeign(request.headers, world.url)) return shown(403, "Refused", html`<p>Foreign origin.</p>`);
  if (made && posts) return make(visit, made[1]);
  if (installed && installed[1] === world.appSlug) return posts ? install(visit) : choose(visit);
  return shown(404, "Not found", html`<p>There is nothing here.</p>`);
}

function ownerOf({ world, user }: Visit, organization: string | undefined): User | undefined {
  if (organization === undefined) return user;
  const found = world.state.user(organization);
  return found?.type === "Organization" ? found : undefined;
}

function refuse(problems: readonly string[]): Shown {
  const body = html`<p>Invalid GitHub App configuration</p><ul>${problems.map((one) => html`<li class="bad">${one}</li>`)}</ul>`;
  return shown(422, "Create GitHub App", body);
}

/** What is posted from elsewhere: shown, with a button that makes it. */
function confirm(visit: Visit, organization: string | undefined): Shown {
  const { world, form, request } = visit;
  const owner = ownerOf(visit, organization);
  if (owner === undefined) return shown(404, "Not found", html`<p>There is no such organization.</p>`);
  const text = form.get("manifest") ?? "";
  const manifest = world.manifests.read(text);
  if ("length" in manifest) return refuse(manifest);
  return asking({
    owner,
    manifest,
    text,
    name: manifest.name ?? "",
    state: request.url.searchParams.get("state") ?? "",
  });
}

interface Asked {
  readonly owner: User;
  readonly manifest: Manifest;
  readonly text: string;
  readonly name: string;
  readonly state: string;
}

function asking({ owner, manifest, text, name, state }: Asked, problem?: string): Shown {
  const base = owner.type === "Organization" ? `/organizations/${owner.login}` : "";
  const body = html`${problem === undefined ? nothing : html`<p class="bad">${problem}</p>`}
<form method="post" action="${base}/settings/apps"><input type="hidden" name="manifest" value="${text}"><input type="hidden" name="state" value="${state}">
<p><label>GitHub App name <input name="name" value="${name}"></label></p>
<button>Create GitHub App for ${owner.login}</button></form>`;
  return shown(problem === undefined ? 200 : 422, "Create GitHub App", body, new URL(manifest.redirect_url).origin);
}

function make(visit: Visit, organization: string | undefined): Shown {
  const { world, form } = visit;
  const owner = ownerOf(visit, organization);
  const text = form.get("manifest") ?? "";
  const manifest = world.manifests.read(text);
  if (owner === undefined || "length" in manifest) return refuse("length" in manifest ? manifest : ["No owner"]);
  const [name, state] = [form.get("name") ?? "", form.get("state") ?? ""];
  const problem = nameProblem(world, name, owner);
  if (problem !== undefined) return asking({ owner, manifest, text, name, state }, problem);
  const back = new URL(manifest.redirect_url);
  back.searchParams.set("code", makeApp(world, { owner, name, manifest }));
  if (state !== "") back.searchParams.set("state", state);
  return go(back.href);
}

/** A private App is for its owner's repositories alone. */
const offered = ({ world }: Visit): Repository[] => {
  const { made } = world.manifests;
  const all = [...world.state.repositories.values()];
  return made === undefined || made.manifest.public ? all : all.filter(({ owner }) => owner.id === made.owner.id);
};

const setUpUrlOf = ({ manifests: { made }, setUpUrl }: World): string | undefined =>
  made === undefined ? setUpUrl : made.manifest.setup_url;

function choose(visit: Visit): Shown {
  const { world, request } = visit;
  const name = world.manifests.made?.name ?? world.appSlug;
  const boxes = offered(visit).map(
    (one) =>
      html`<p><label><input type="checkbox" name="repository" value="${fullName(one)}"> ${fullName(one)}</label></p>`,
  );
  const target = setUpUrlOf(world);
  // as on GitHub, all are chosen at first
  const body = html`<form method="post" action="${request.url.pathname}">
<p><label><input type="radio" name="choice" value="all" checked> All repositories</label></p>
<p><label><input type="radio" name="choice" value="some"> Only select repositories</label></p>
${boxes}<button>Install</button></form>`;
  return shown(200, `Install ${name}`, body, target === undefined ? "" : new URL(target).origin);
}

function install(visit: Visit): Shown {
  const { world, form } = visit;
  const wished = form.getAll("repository");
  const [one] = offered(visit);
  // an installation is for one owner
  const isChosen = (repository: Repository): boolean =>
    form.get("choice") === "all" ? repository.owner === one?.owner : wished.includes(fullName(repository));
  const chosen = offered(visit).filter(isChosen);
  const [first] = chosen;
  if (first === undefined) return shown(422, "Install", html`<p class="bad">Choose a repository.</p>`);
  const { made } = world.manifests;
  const asked = made?.manifest;
  const rights = asked === undefined ? {} : { permissions: asked.default_permissions, events: asked.default_events };
  const id = installOn(world, chosen, rights);
  const target = setUpUrlOf(world);
  const back = target === undefined ? undefined : new URL(target);
  back?.searchParams.set("installation_id", String(id));
  back?.searchParams.set("setup_action", "install");
  return go(back?.href ?? `/${fullName(first)}`);
}

const go = (location: string): Shown => ({ status: 302, headers: { location, "cache-control": "no-store" }, text: "" });
