/** Pages of a pull request: conversation, changes, checks, and available actions. */

import { type Html, html, nothing } from "../../../../src/text/html.ts";
import { blockers, mergeableState } from "../mergeability.ts";
import type { MergeMethod } from "../model.ts";
import type { PullIssue } from "../state.ts";
import { checkList } from "./checks.ts";
import { commentForm, labelsPanel, stateButton, timeline } from "./conversation.ts";
import { changedFiles } from "./diff.ts";
import { issueHead } from "./issues.ts";
import { live } from "./layout.ts";
import { avatar, button, person, treeLink } from "./marks.ts";
import type { Page, Visit } from "./visit.ts";

function head({ base }: Visit, issue: PullIssue, current: "talk" | "files"): Html {
  const { pull, number, user } = issue;
  const path = `${base}/pull/${number}`;
  const branch = (name: string): Html => html`<a class="branch" href="${treeLink(base, name)}">${name}</a>`;
  const link = (name: typeof current, href: string, text: string): Html =>
    html`<a href="${href}"${name === current ? html` aria-current="page"` : nothing}>${text}</a>`;
  return html`${issueHead(issue, html`${person(user)} ${pull.merged ? "merged" : "wants to merge"} ${branch(pull.headRef)} into ${branch(pull.baseRef)}${pull.autoMerge ? " · auto-merge is on" : ""}`)}
<nav class="tabs inner" aria-label="Pull request">${link("talk", path, "Conversation")}${link("files", `${path}/files`, "Files changed")}</nav>`;
}

const STATES: Readonly<Record<ReturnType<typeof mergeableState>, string>> = {
  clean: "Nothing stands against merging.",
  unstable: "It can be merged, though not every check has passed.",
  blocked: "Merging is blocked.",
  behind: "The branch is out of date with its base.",
  dirty: "There are conflicts with the base branch.",
  draft: "This is a draft.",
  unknown: "Whether it can be merged is being worked out.",
};
const METHODS: Readonly<Record<MergeMethod, string>> = {
  squash: "Squash and merge",
  merge: "Merge pull request",
  rebase: "Rebase and merge",
};

function mergeButtons({ repository, base }: Visit, issue: PullIssue): Html {
  const path = `${base}/pull/${issue.number}`;
  if (issue.pull.draft) return button(`${path}/ready`, "Ready for review", {}, "primary");
  const methods = (["merge", "squash", "rebase"] as const).filter((method) => repository.mergeMethods[method]);
  const able = ["clean", "unstable"].includes(mergeableState(repository, issue));
  return html`${methods.map((method, at) => button(`${path}/merge`, METHODS[method], { method, sha: issue.pull.headSha }, at === 0 && able ? "primary" : "quiet"))}`;
}

function mergeBox(visit: Visit, issue: PullIssue): Html {
  const { repository } = visit;
  const open = issue.state === "open";
  const sentences = open ? [STATES[mergeableState(repository, issue)], ...blockers(repository, issue)] : [];
  const end = issue.pull.merged ? "The pull request is merged." : "The pull request is closed.";
  return live(
    "merge",
    html`<section class="card"><header><b>Checks</b></header><div class="card-body">${checkList(visit, issue.pull.headSha)}${open ? html`<ul class="plain">${sentences.map((one) => html`<li>${one}</li>`)}</ul><div class="buttons">${mergeButtons(visit, issue)}</div>` : html`<p>${end}</p>`}</div></section>`,
  );
}

const reviewForm = ({ base, acting }: Visit, issue: PullIssue): Html =>
  html`<form class="card write" method="post" action="${base}/pull/${issue.number}/reviews"><header>${avatar(acting.user)} Review as ${person(acting.user)}</header><div class="card-body"><label class="unseen" for="review">Review</label><textarea id="review" name="body" maxlength="65536" placeholder="What should change?"></textarea>
<div class="buttons"><button name="event" value="APPROVE" class="primary">Approve</button> <button name="event" value="REQUEST_CHANGES">Request changes</button> <button name="event" value="COMMENT" class="quiet">Comment only</button></div></div></form>`;

export function pullPage(visit: Visit): Page | undefined {
  const issue = visit.world.state.pull(visit.repository, Number(visit.rest[0]));
  if (issue === undefined) return undefined;
  const review = issue.state === "open" ? reviewForm(visit, issue) : nothing;
  return {
    title: `${issue.title} · Pull request #${issue.number}`,
    tab: "pulls",
    body: html`${head(visit, issue, "talk")}<div class="columns"><div>${timeline(visit, issue)}${mergeBox(visit, issue)}${commentForm(visit, issue)}${live("end", stateButton(visit, issue))}${review}</div><div class="side">${labelsPanel(visit, issue)}</div></div>`,
  };
}

export async function filesPage(visit: Visit): Promise<Page | undefined> {
  const { world, repository } = visit;
  const issue = world.state.pull(repository, Number(visit.rest[0]));
  if (issue === undefined) return undefined;
  const { git } = repository;
  const { pull } = issue;
  const base = pull.merged ? pull.baseSha : (git.branch(pull.baseRef) ?? pull.baseSha);
  const files = await git.patches((await git.mergeBase(base, pull.headSha)) ?? base, pull.headSha);
  const review = issue.state === "open" ? reviewForm(visit, issue) : nothing;
  return {
    title: `Files of ${issue.title} · Pull request #${issue.number}`,
    tab: "pulls",
    body: html`${head(visit, issue, "files")}${live("files", changedFiles(files))}${review}`,
  };
}
