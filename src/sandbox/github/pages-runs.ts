/** Pages of workflow runs, jobs and check runs, with log and summary. */
import { html } from "./html.ts";
import type { Repository, WorkflowRun } from "./model.ts";
import type { Page } from "./pages.ts";
import { fullName } from "./payloads.ts";
import type { World } from "./world.ts";

export function runPage(_world: World, repository: Repository, [id = ""]: readonly string[]): Page | undefined {
  const run = repository.runs.get(Number(id));
  return (
    run && {
      title: `${run.name} #${run.number}`,
      body: html`${head(run)}${jobs(
        repository,
        run,
        run.jobs.map((job) => job.id),
      )}`,
    }
  );
}

export function jobPage(world: World, repository: Repository, [id = ""]: readonly string[]): Page | undefined {
  const found = world.state.job(Number(id));
  if (found?.repository !== repository) return undefined;
  return {
    title: `${found.run.name} / ${found.job.name}`,
    body: html`${head(found.run)}${jobs(repository, found.run, [found.job.id])}`,
  };
}

const head = (run: WorkflowRun) =>
  html`<p>${run.displayTitle}</p><p class="dim">${run.event} on ${run.headBranch} at ${run.headSha.slice(0, 7)} by ${run.actor.login} · attempt ${run.attempt} · <b class="${run.conclusion ?? ""}">${run.conclusion ?? run.status}</b></p>`;

const jobs = (repository: Repository, run: WorkflowRun, ids: readonly number[]) =>
  run.jobs
    .filter((job) => ids.includes(job.id))
    .map(
      (
        job,
      ) => html`<h2><a href="/${fullName(repository)}/actions/runs/${run.id}/job/${job.id}">${job.name}</a> <span class="${job.conclusion ?? ""}">${job.conclusion ?? job.status}</span></h2>
<ol>${job.steps.map((step) => html`<li>${step.name}: ${step.conclusion ?? step.status}</li>`)}</ol>
${job.summary === "" ? "" : html`<div class="card text">${job.summary}</div>`}<pre>${job.log}</pre>`,
    );

export function checkPage(_world: World, repository: Repository, [id = ""]: readonly string[]): Page | undefined {
  const run = repository.checkRuns.get(Number(id));
  return (
    run && {
      title: run.name,
      body: html`<p><b class="${run.conclusion ?? ""}">${run.conclusion ?? run.status}</b> on ${run.headSha.slice(0, 7)}</p><h2>${run.output.title}</h2>
<div class="card text">${run.output.summary}</div>${run.output.text ? html`<pre>${run.output.text}</pre>` : ""}<ul>${run.actions.map((one) => html`<li>${one.label}: ${one.description}</li>`)}</ul>`,
    }
  );
}
