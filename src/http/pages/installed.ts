/**
 * Where GitHub sends people who have installed the App: the way on to the pull requests that set repositories up, without a
 * stop where there is one alone. Anybody can name any installation in the address, so this page names public repositories
 * alone; the others are found in GitHub's own list, which shows everybody what they may see.
 */
import type { RequestHandler } from "express";
import type { RepositoryState } from "../../domain/repository/repository.ts";
import { BEGINNING, SET_UP_BRANCH } from "../../domain/repository/set-up.ts";
import type { Store } from "../../engine/ports/store.ts";
import { type Html, html, nothing } from "../../text/html.ts";

export interface InstalledParts {
  readonly repositories: Pick<Store["repositories"], "ofInstallation">;
  readonly github_web_url: string;
  /** Empty: GitHub was not reached yet. */
  readonly app_slug: () => string;
  readonly now: () => number;
}

/** The pull requests come some seconds after the installation; the page looks for them this often, for a minute. */
const LOOK_EVERY_S = 5;
const MOST_LOOKS = 12;
/** GitHub may send the person before the news of the installation; where the App is known already, that is not seen. */
const LOOKS_FOR_NEWS = 3;
/** Since a pull request's text was last written; what is known of who may see the repository grows old. */
const RECENT_MS = 3_600_000;
/** As many get theirs at once. */
const MOST_SHOWN = 20;

const ID = /^[1-9]\d{0,14}$/;

interface View {
  readonly id: string;
  readonly looks: number;
  readonly known: readonly RepositoryState[];
}

const isUnderWay = ({ set_up: { phase } }: RepositoryState): boolean => BEGINNING.has(phase) && phase !== "impossible";

/** The page reloads itself while pull requests are still to come. */
function reloading({ id, looks, known }: View, offered: readonly Offered[]): Html {
  const late = offered.length > 0 ? 0 : known.length > 0 ? LOOKS_FOR_NEWS : MOST_LOOKS;
  if (looks >= (known.some(isUnderWay) ? MOST_LOOKS : late)) return nothing;
  return html`<meta http-equiv="refresh" content="${LOOK_EVERY_S}; url=/installed?installation_id=${id}&amp;look=${looks + 1}">\n`;
}

interface Offered {
  readonly repository: string;
  /** Null: nobody is told. */
  readonly url: string | null;
}

/** Those that were opened just now. */
function offeredOf({ known }: View, now: number): Offered[] {
  return known.flatMap(({ owner, name, set_up: { phase, facts, pull_request, shown_at } }) => {
    if (phase !== "offered" || facts === null || pull_request === null) return [];
    if (shown_at === null || now - shown_at >= RECENT_MS) return [];
    return [{ repository: `${owner}/${name}`, url: facts.is_private ? null : `${facts.url}/pull/${pull_request}` }];
  });
}

function pullRequests(offered: readonly Offered[]): Html {
  const links = offered.flatMap(({ repository, url }) =>
    url === null ? [] : [html`<li><a href="${url}">Set up ${repository}</a></li>\n`],
  );
  return links.length === 0 ? nothing : html`<ul>\n${links.slice(0, MOST_SHOWN)}</ul>\n`;
}

/** GitHub's list of the set-up pull requests that whoever looks at it may see. */
function listUrl({ github_web_url, app_slug }: InstalledParts): string | null {
  const slug = app_slug();
  const query = `is:open is:pr author:app/${slug} head:${SET_UP_BRANCH}`;
  return slug === "" ? null : `${github_web_url}/pulls?q=${encodeURIComponent(query)}`;
}

const allOfThem = (url: string | null): Html =>
  url === null ? nothing : html`<p><a href="${url}">All set-up pull requests on GitHub</a></p>\n`;

const COMING: ReadonlySet<RepositoryState["set_up"]["phase"]> = new Set(["reading", "offering"]);

/** Where there is nothing to choose here; null: there is, or it is not known yet. */
function onwards({ known }: View, offered: readonly Offered[], list: string | null): string | null {
  if (offered.length === 0 || known.some(({ set_up }) => COMING.has(set_up.phase))) return null;
  const [first] = offered;
  if (offered.every(({ url }) => url === null)) return list;
  return offered.length === 1 ? (first?.url ?? null) : null;
}

const page = (refresh: Html, links: Html): string =>
  html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
${refresh}<title>Journeyman</title>
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/page.css">
<body class="plain">
<h1>Journeyman is set up</h1>
<p>This server has its GitHub App. A repository on which that is installed and that lacks Journeyman's workflow gets a pull
request that sets it up, some seconds after the installation: go on there. In one that has the workflow, comment
<code>/job &lt;what you want&gt;</code> on an issue.</p>
${links}</html>
`.text;

/** Of no installation in particular. */
export const INSTALLED = page(nothing, nothing);

export const installedPage =
  (parts: InstalledParts): RequestHandler =>
  async (request, response) => {
    const { searchParams } = new URL(request.originalUrl, "http://localhost");
    const id = searchParams.get("installation_id") ?? "";
    response.type("text/html").set("Cache-Control", "no-store");
    if (!ID.test(id)) {
      response.send(INSTALLED);
      return;
    }
    const looks = Number(ID.exec(searchParams.get("look") ?? "")?.[0] ?? 0);
    const view = { id, looks, known: await parts.repositories.ofInstallation(Number(id)) };
    const [offered, list] = [offeredOf(view, parts.now()), listUrl(parts)];
    const next = onwards(view, offered, list);
    if (next !== null) response.redirect(303, next);
    else response.send(page(reloading(view, offered), html`${pullRequests(offered)}${allOfThem(list)}`));
  };
