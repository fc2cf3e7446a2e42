/** The frame of every page: head, tabs, and the switch of the acting user. Assets are files next to this one. */
import { readFileSync } from "node:fs";
import { type Html, html, nothing } from "../../../../src/text/html.ts";
import type { Repository } from "../model.ts";
import { fullName } from "../model.ts";
import type { Person } from "./acting.ts";

const file = (name: string): string => readFileSync(new URL(name, import.meta.url), "utf8");

/** Assets by path; each is read once. */
export const ASSETS: ReadonlyMap<string, { readonly type: string; readonly text: string }> = new Map([
  ["/-/style.css", { type: "text/css; charset=utf-8", text: file("style.css") }],
  ["/-/live.js", { type: "text/javascript; charset=utf-8", text: file("live.js") }],
]);

/** `target`: an address outside of this site to which a form may lead. */
export const policy = (target = ""): string =>
  [
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:",
    `base-uri 'none'; frame-ancestors 'none'; form-action 'self' ${target}`,
  ].join("; ");

export type Tab = "code" | "issues" | "pulls" | "actions";

export interface Frame {
  readonly title: string;
  readonly repository?: Repository | undefined;
  readonly tab?: Tab | undefined;
  readonly people?: readonly Person[];
  readonly acting?: Person | undefined;
  /** The page's address, to return to. */
  readonly path?: string;
}

/** A part that updates itself; the rest of the page, including typed text, stays. */
export const live = (name: string, content: Html): Html => html`<div data-live="${name}">${content}</div>`;

function tabs(repository: Repository, current: Tab | undefined): Html {
  const base = `/${fullName(repository)}`;
  const open = [...repository.issues.values()].filter(({ state }) => state === "open");
  const count = (pulls: boolean): number => open.filter(({ pull }) => (pull !== undefined) === pulls).length;
  const all: readonly (readonly [Tab, string, string, number | null])[] = [
    ["code", "Code", base, null],
    ["issues", "Issues", `${base}/issues`, count(false)],
    ["pulls", "Pull requests", `${base}/pulls`, count(true)],
    ["actions", "Actions", `${base}/actions`, null],
  ];
  const link = ([tab, name, href, number]: (typeof all)[number]): Html =>
    html`<a href="${href}"${tab === current ? html` aria-current="page"` : nothing}>${name}${number === null ? nothing : html` <span class="count">${number}</span>`}</a>`;
  return live("tabs", html`<nav class="tabs" aria-label="Repository">${all.map(link)}</nav>`);
}

function actAs({ people = [], acting, path = "/" }: Frame): Html {
  if (people.length === 0 || acting === undefined) return nothing;
  const option = ({ user, role }: Person): Html =>
    html`<option value="${user.login}"${user.id === acting.user.id ? html` selected` : nothing}>${user.login}${role === "" ? "" : ` (${role})`}</option>`;
  return html`<form class="act-as" method="post" action="/-/act-as"><input type="hidden" name="back" value="${path}"><label>You are <select name="login" data-submits>${people.map(option)}</select></label><button>Switch</button></form>`;
}

export function page(frame: Frame, body: Html): string {
  const { title, repository } = frame;
  const name =
    repository === undefined
      ? nothing
      : html` <span class="dim">/</span> <a href="/${fullName(repository)}">${fullName(repository)}</a>`;
  const whole = html`<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/-/style.css"><script src="/-/live.js" defer></script></head>
<body><header class="top"><p class="where"><a href="/"><b>Local GitHub</b></a>${name}</p>${actAs(frame)}</header>
${repository === undefined ? nothing : tabs(repository, frame.tab)}
<main>${body}</main></body></html>`;
  return `<!doctype html>${whole.text}`;
}
