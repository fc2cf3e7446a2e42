/** Pages of issues and pull requests, with comments, checks, diff and the comment form. */
import { type Html, html } from "./html.ts";
import { blockers, latestCheckRuns, latestStatuses, mergeableState } from "./mergeability.ts";
import type { Issue, Repository } from "./model.ts";
import type { Page } from "./pages.ts";
import { fullName } from "./payloads.ts";
import type { World } from "./world.ts";

export function issuePage(_world: World, repository: Repository, [number = ""]: readonly string[]): Page | undefined {
  const issue = repository.issues.get(Number(number));
  if (!issue) return undefined;
  return {
    title: `#${issue.number} ${issue.title}`,
    body: html`${conversation(issue)}${commentForm(repository, issue)}`,
  };
}

export async function pullPage(
  world: World,
  repository: Repository,
  [number = ""]: readonly string[],
): Promise<Page | undefined> {
  const issue = world.state.pull(repository, Number(number));
  if (!issue) return undefined;
  const { pull } = issue;
  const base = pull.merged ? pull.baseSha : (repository.git.branch(pull.baseRef) ?? pull.baseSha);
  const start = (await repository.git.mergeBase(base, pull.headSha)) ?? base;
  const files = await repository.git.patches(start, pull.headSha);
  const state = pull.merged ? "merged" : issue.state === "closed" ? "closed" : mergeableState(repository, issue);
  const wanted = issue.state === "open" ? blockers(repository, issue) : [];
  return {
    title: `#${issue.number} ${issue.title}`,
    body: html`<p><b>${state}</b> · ${pull.headRef} → ${pull.baseRef}${pull.autoMerge ? " · auto-merge is on" : ""}</p>
<ul>${wanted.map((sentence) => html`<li>${sentence}</li>`)}</ul>
${checks(repository, pull.headSha)}${conversation(issue)}<h2>Changes</h2>${files.map((file) => html`<h3>${file.filename} <small class="dim">+${file.additions} −${file.deletions}</small></h3>${diff(file.patch)}`)}
${commentForm(repository, issue)}`,
  };
}

export const diff = (patch: string): Html =>
  html`<pre>${patch.split("\n").map((line) => html`<span class="${line.startsWith("+") ? "add" : line.startsWith("-") ? "del" : ""}">${line}</span>\n`)}</pre>`;

function checks(repository: Repository, sha: string): Html {
  const runs = latestCheckRuns(repository, sha);
  const href = (suiteId: number, id: number) => {
    const run = repository.checkSuites.get(suiteId)?.runId;
    return run === undefined
      ? `/${fullName(repository)}/runs/${id}`
      : `/${fullName(repository)}/actions/runs/${run}/job/${id}`;
  };
  return html`<h2>Checks</h2><ul>${runs.map((run) => html`<li><a href="${href(run.suiteId, run.id)}">${run.name}</a> <span class="${run.conclusion ?? ""}">${run.conclusion ?? run.status}</span> ${run.output.title}</li>`)}
${latestStatuses(repository, sha).map((status) => html`<li>${status.context} <span class="${status.state}">${status.state}</span> ${status.description}</li>`)}</ul>`;
}

function conversation(issue: Issue): Html {
  const labels = issue.labels.length > 0 ? html` · ${issue.labels.join(", ")}` : "";
  const card = (login: string, at: number, body: string | null, more: string) =>
    html`<div class="card"><p class="dim"><b>${login}</b> · ${new Date(at).toISOString()}${more}</p><div class="text">${body}</div></div>`;
  return html`<p class="dim">${issue.state}${labels}</p>${card(issue.user.login, issue.createdAt, issue.body, "")}
${issue.comments.map((one) => card(one.user.login, one.createdAt, one.body, ` ${one.reactions.map((reaction) => `:${reaction.content}:`).join(" ")}${one.minimized ? ` (hidden: ${one.minimized.toLowerCase()})` : ""}`))}`;
}

const commentForm = (repository: Repository, issue: Issue): Html =>
  html`<form method="post" action="/${fullName(repository)}/issues/${issue.number}/comment"><p>Comment as <input name="by" value="${repository.owner.login}" required></p><textarea name="body" required placeholder="/job …"></textarea><p><button>Comment</button></p></form>`;
