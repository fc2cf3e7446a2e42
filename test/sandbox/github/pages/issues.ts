/** Pages of issues: list, single issue, and the form for a new one. The list of pull requests uses the same page. */

import { type Html, html, nothing } from "../../../../src/text/html.ts";
import type { Issue } from "../model.ts";
import { hasPull } from "../state.ts";
import { rollup } from "./checks.ts";
import { commentForm, hint, labelsPanel, stateButton, timeline } from "./conversation.ts";
import { live } from "./layout.ts";
import { labels, person, state, time } from "./marks.ts";
import type { Page, Render, Visit } from "./visit.ts";

const pathOf = (base: string, issue: Issue): string => `${base}/${issue.pull ? "pull" : "issues"}/${issue.number}`;

function row({ repository, base }: Visit, issue: Issue): Html {
  const checks = issue.pull ? rollup(repository, base, issue.pull.headSha) : nothing;
  const talk = issue.comments.length === 0 ? nothing : html`<span class="dim">💬 ${issue.comments.length}</span>`;
  return html`<li>${state(issue)} <span class="grow"><a class="subject" href="${pathOf(base, issue)}">${issue.title}</a> ${checks} ${labels(issue.labels)}<br><small class="dim">#${issue.number} opened ${time(issue.createdAt)} by ${person(issue.user)}</small></span> ${talk}</li>`;
}

function list(visit: Visit, pulls: boolean): Page {
  const { repository, base, query } = visit;
  const path = `${base}/${pulls ? "pulls" : "issues"}`;
  const all = [...repository.issues.values()].filter((issue) => hasPull(issue) === pulls).reverse();
  const wanted = query.get("state") === "closed" ? "closed" : "open";
  const shown = all.filter((issue) => issue.state === wanted);
  const filter = (name: "open" | "closed"): Html =>
    html`<a href="${path}?state=${name}"${name === wanted ? html` aria-current="true"` : nothing}>${all.filter((one) => one.state === name).length} ${name}</a>`;
  const what = pulls ? "pull requests" : "issues";
  return {
    title: pulls ? "Pull requests" : "Issues",
    tab: pulls ? "pulls" : "issues",
    body: html`<div class="head"><h1>${pulls ? "Pull requests" : "Issues"}</h1>${pulls ? nothing : html`<a class="button primary" href="${base}/issues/new">New issue</a>`}</div>
${live("list", html`<div class="box"><p class="box-head">${filter("open")} ${filter("closed")}</p>${shown.length === 0 ? html`<p class="empty">There are no ${wanted} ${what}.</p>` : html`<ul class="rows">${shown.map((issue) => row(visit, issue))}</ul>`}</div>`)}`,
  };
}

export const issueList: Render = (visit) => list(visit, false);
export const pullList: Render = (visit) => list(visit, true);

/** Pull requests that mention this issue. */
function development({ world, repository, base }: Visit, issue: Issue): Html {
  const names = new RegExp(`#${issue.number}\\b`);
  const found = world.state.pulls(repository).filter(({ body }) => names.test(body ?? ""));
  const content = found.map(
    (pull) => html`<li>${state(pull)} <a href="${base}/pull/${pull.number}">#${pull.number} ${pull.title}</a></li>`,
  );
  return html`<section class="panel"><h2>Pull requests</h2>${live("development", found.length === 0 ? html`<p class="dim">None yet</p>` : html`<ul class="plain">${content}</ul>`)}</section>`;
}

export const issueHead = (issue: Issue, more: Html = nothing): Html =>
  live(
    "head",
    html`<div class="head"><h1>${issue.title} <span class="dim">#${issue.number}</span></h1></div><p>${state(issue)} ${labels(issue.labels)} ${more}</p>`,
  );

export const issuePage: Render = (visit) => {
  const issue = visit.repository.issues.get(Number(visit.rest[0]));
  if (issue?.pull) return pathOf(visit.base, issue);
  return (
    issue && {
      title: `${issue.title} · Issue #${issue.number}`,
      tab: "issues",
      body: html`${issueHead(issue)}<div class="columns"><div>${timeline(visit, issue)}${commentForm(visit, issue)}${live("end", stateButton(visit, issue))}${hint(visit)}</div><div class="side">${labelsPanel(visit, issue)}${development(visit, issue)}</div></div>`,
    }
  );
};

export const newIssuePage: Render = (visit) => ({
  title: "New issue",
  tab: "issues",
  body: html`<h1>New issue</h1><form class="card write" method="post" action="${visit.base}/issues"><div class="card-body">
<p><label for="title">Title</label><input id="title" name="title" required maxlength="256" autofocus></p>
<p><label for="body">Description</label><textarea id="body" name="body" maxlength="65536" placeholder="Markdown"></textarea></p>
<p><label for="label">Label</label><input id="label" name="label" maxlength="50" list="known-labels" autocomplete="off"><datalist id="known-labels">${[...visit.repository.labels.values()].map(({ name }) => html`<option value="${name}">`)}</datalist></p>
<div class="buttons"><button class="primary">Open issue</button></div></div></form>${hint(visit)}`,
});
