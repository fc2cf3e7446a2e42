/** Check runs and statuses of a commit, with the buttons that an App's check run shows when it is complete. */

import { type Html, html, nothing } from "../../../../src/text/html.ts";
import { ACTIONS_SLUG } from "../checks.ts";
import { latestCheckRuns, latestStatuses, rollupState } from "../mergeability.ts";
import type { CheckRun, Repository } from "../model.ts";
import { live } from "./layout.ts";
import { markdown } from "./markdown.ts";
import { button, mark, result } from "./marks.ts";
import type { Page, Visit } from "./visit.ts";

export function checkLink(repository: Repository, base: string, run: CheckRun): string {
  const workflow = repository.checkSuites.get(run.suiteId)?.runId;
  return workflow === undefined ? `${base}/runs/${run.id}` : `${base}/actions/runs/${workflow}/job/${run.id}`;
}

/** The buttons of one check run, which GitHub shows when it is complete. */
export function checkButtons(base: string, run: CheckRun): Html {
  if (run.status !== "completed" || run.appSlug === ACTIONS_SLUG) return nothing;
  const path = `${base}/runs/${run.id}`;
  return html`${run.actions.map(({ label, description, identifier }) => button(`${path}/action`, label, { identifier }, "", description))} ${button(`${path}/rerequest`, "Re-run", {}, "quiet", "Ask the App to run this check again")}`;
}

export function checkList({ repository, base }: Pick<Visit, "repository" | "base">, sha: string): Html {
  const runs = latestCheckRuns(repository, sha);
  const statuses = latestStatuses(repository, sha);
  if (runs.length + statuses.length === 0) return html`<p class="dim">No check has reported on this commit yet.</p>`;
  return html`<ul class="checks">${runs.map(
    (run) =>
      html`<li>${mark(result(run))} <a href="${checkLink(repository, base, run)}">${run.name}</a> <span class="dim">${run.output.title ?? result(run)}</span> <div class="buttons">${checkButtons(base, run)}</div></li>`,
  )}${statuses.map((one) => html`<li>${mark(one.state)} ${one.context} <span class="dim">${one.description ?? one.state}</span></li>`)}</ul>`;
}

/** One mark for all checks of a commit, with a link to them. */
export function rollup(repository: Repository, base: string, sha: string): Html {
  const state = rollupState(repository, sha);
  return state === undefined ? nothing : html`<a href="${base}/commit/${sha}">${mark(state.toLowerCase())}</a>`;
}

export function checkPage({ repository, base, query, rest: [id = ""] }: Visit): Page | undefined {
  const run = repository.checkRuns.get(Number(id));
  if (run === undefined) return undefined;
  const { title, summary, text } = run.output;
  return {
    title: `${run.name} on ${run.headSha.slice(0, 7)}`,
    tab: "actions",
    body: live(
      "check",
      html`<h1>${mark(result(run))} ${run.name} <span class="dim">${result(run)} on <a href="${base}/commit/${run.headSha}">${run.headSha.slice(0, 7)}</a></span></h1>
<div class="buttons">${checkButtons(base, run)}</div>${query.has("told") ? html`<p class="event">The App was told.</p>` : nothing}
<div class="card"><div class="card-body">${title === null ? nothing : html`<h2>${title}</h2>`}${markdown(summary, base)}${text === null ? nothing : markdown(text, base)}</div></div>`,
    ),
  };
}
