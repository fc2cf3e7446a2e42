/** Pages of workflow runs and their jobs, with logs and summaries. */

import { type Html, html, nothing } from "../../../../src/text/html.ts";
import type { WorkflowJob, WorkflowRun } from "../model.ts";
import { live } from "./layout.ts";
import { markdown } from "./markdown.ts";
import { button, mark, result, time, treeLink } from "./marks.ts";
import type { Page, Render, Visit } from "./visit.ts";

/** All runs, or those of one branch: `?query=branch:…`, as on GitHub. */
export const runList: Render = ({ repository, base, query }) => {
  const branch = /^branch:(.+)$/.exec(query.get("query") ?? "")?.[1];
  const runs = [...repository.runs.values()]
    .filter(({ headBranch }) => branch === undefined || headBranch === branch)
    .reverse();
  const row = (run: WorkflowRun): Html =>
    html`<li>${mark(result(run))} <span class="grow"><a class="subject" href="${base}/actions/runs/${run.id}">${run.displayTitle}</a><br><small class="dim">${run.name} #${run.number} · ${run.event} on <span class="branch">${run.headBranch}</span> by ${run.actor.login}</small></span> <span class="dim">${time(run.createdAt)}</span></li>`;
  return {
    title: "Actions",
    tab: "actions",
    body: html`<div class="head"><h1>Workflow runs</h1></div>${live("runs", html`<div class="box">${runs.length === 0 ? html`<p class="empty">Nothing has run yet.</p>` : html`<ul class="rows">${runs.map(row)}</ul>`}</div>`)}`,
  };
};

function head({ base }: Visit, run: WorkflowRun): Html {
  const path = `${base}/actions/runs/${run.id}`;
  const does =
    run.status === "completed" ? button(`${path}/rerun`, "Re-run all jobs") : button(`${path}/cancel`, "Cancel run");
  return html`<div class="head"><h1>${mark(result(run))} <a href="${path}">${run.displayTitle}</a></h1>${does}</div><p class="dim">${run.name} #${run.number} · ${run.event} on <a class="branch" href="${treeLink(base, run.headBranch)}">${run.headBranch}</a> at <a href="${base}/commit/${run.headSha}">${run.headSha.slice(0, 7)}</a> by ${run.actor.login} · attempt ${run.attempt} · ${result(run)}</p>`;
}

function jobCard({ base }: Visit, run: WorkflowRun, job: WorkflowJob): Html {
  const steps = job.steps.map((step) => html`<li>${mark(result(step))} ${step.name}</li>`);
  const log =
    job.log === "" ? nothing : html`<details open><summary>Log</summary><pre class="log">${job.log}</pre></details>`;
  return html`<section class="card"><header>${mark(result(job))} <a href="${base}/actions/runs/${run.id}/job/${job.id}"><b>${job.name}</b></a> <span class="dim">${result(job)}</span></header><div class="card-body"><ul class="checks">${steps}</ul>${job.summary === "" ? nothing : markdown(job.summary, base)}${log}</div></section>`;
}

const pageOf = (visit: Visit, run: WorkflowRun, jobs: readonly WorkflowJob[]): Page => ({
  title: `${run.displayTitle} · ${run.name} #${run.number}`,
  tab: "actions",
  body: live("run", html`${head(visit, run)}${jobs.map((job) => jobCard(visit, run, job))}`),
});

export const runPage: Render = (visit) => {
  const run = visit.repository.runs.get(Number(visit.rest[0]));
  return run && pageOf(visit, run, run.jobs);
};

export const jobPage: Render = (visit) => {
  const found = visit.world.state.job(Number(visit.rest[0]));
  return found?.repository === visit.repository ? pageOf(visit, found.run, [found.job]) : undefined;
};
