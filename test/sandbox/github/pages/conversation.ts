/** The conversation on an issue or pull request, and the forms to add to it. */

import { type Html, html, nothing } from "../../../../src/text/html.ts";
import type { Comment, Issue, Review, ReviewComment, User } from "../model.ts";
import { live } from "./layout.ts";
import { markdown } from "./markdown.ts";
import { avatar, button, labels, person, reactions, time } from "./marks.ts";
import type { Visit } from "./visit.ts";

interface Said {
  readonly at: number;
  readonly html: Html;
}

const card = (user: User, head: Html, body: Html, id = ""): Html =>
  html`<article class="card"${id === "" ? nothing : html` id="${id}"`}><header>${avatar(user)} ${person(user)} ${head}</header><div class="card-body">${body}</div></article>`;

function comment(base: string, one: Comment): Said {
  const edited =
    one.updatedAt > one.createdAt ? html` <span class="dim">· edited ${time(one.updatedAt)}</span>` : nothing;
  const body = html`${markdown(one.body, base)}${reactions(one.reactions)}`;
  const shown =
    one.minimized === undefined
      ? body
      : html`<details><summary class="dim">This comment is hidden (${one.minimized.toLowerCase()})</summary>${body}</details>`;
  return {
    at: one.createdAt,
    html: card(one.user, html`commented ${time(one.createdAt)}${edited}`, shown, `issuecomment-${one.id}`),
  };
}

const VERDICTS: Readonly<Record<Review["state"], string>> = {
  APPROVED: "approved these changes",
  CHANGES_REQUESTED: "requested changes",
  COMMENTED: "reviewed",
  DISMISSED: "had a review dismissed",
};

const onLine = (base: string, { path, line, replyTo, body, reactions: given }: ReviewComment): Html =>
  html`<p class="dim">${replyTo === undefined ? "" : "answers in the thread on "}${path}, line ${line}</p>${markdown(body, base)}${reactions(given)}`;

const review = (base: string, one: Review): Said => ({
  at: one.submittedAt,
  html: card(
    one.user,
    html`<span class="verdict ${one.state.toLowerCase()}">${VERDICTS[one.state]}</span> ${time(one.submittedAt)}`,
    html`${one.body === "" ? nothing : markdown(one.body, base)}${reactions(one.reactions)}${one.comments.map((of) => onLine(base, of))}`,
  ),
});

/** The latest events; GitHub shows more than the sandbox records. */
function ending({ pull, closedAt }: Issue): Html {
  if (closedAt === undefined) return nothing;
  if (pull?.merged)
    return html`<p class="event">${pull.mergedBy ? person(pull.mergedBy) : nothing} merged this ${time(pull.mergedAt ?? closedAt)}</p>`;
  return html`<p class="event">Closed ${time(closedAt)}</p>`;
}

export function timeline({ base }: Visit, issue: Issue): Html {
  const reviews = issue.pull?.reviews ?? [];
  const said = [...issue.comments.map((one) => comment(base, one)), ...reviews.map((one) => review(base, one))];
  const body =
    issue.body === null || issue.body === "" ? html`<p class="dim">No description.</p>` : markdown(issue.body, base);
  const first = card(
    issue.user,
    html`opened this ${time(issue.createdAt)}`,
    html`${body}${reactions(issue.reactions)}`,
  );
  const rest = said.sort((a, b) => a.at - b.at).map((one) => one.html);
  return live("timeline", html`${first}${rest}${ending(issue)}`);
}

/** A hint about possible tasks, if there is one. */
export const hint = ({ world, base }: Visit): Html =>
  world.hint === "" ? nothing : html`<aside class="hint">${markdown(world.hint, base)}</aside>`;

export const commentForm = (visit: Visit, issue: Issue): Html =>
  html`<form class="card write" method="post" action="${visit.base}/issues/${issue.number}/comments"><header>${avatar(visit.acting.user)} Comment as ${person(visit.acting.user)}</header><div class="card-body"><label class="unseen" for="body">Comment</label><textarea id="body" name="body" required maxlength="65536" placeholder="/job create HELLO.md that says hello"></textarea><div class="buttons"><button class="primary">Comment</button></div></div></form>`;

export const stateButton = ({ base }: Visit, issue: Issue): Html => {
  if (issue.pull?.merged) return nothing;
  const what = issue.pull ? "pull request" : "issue";
  const close = issue.state === "open";
  return button(
    `${base}/issues/${issue.number}/state`,
    close ? `Close ${what}` : `Reopen ${what}`,
    { state: close ? "closed" : "open" },
    close ? "quiet" : "",
  );
};

/** Forms that remove and add labels; the repository's label names are suggested. */
export function labelsPanel({ repository, base }: Visit, issue: Issue): Html {
  const path = `${base}/issues/${issue.number}/labels`;
  const others = [...repository.labels.values()].filter(({ name }) => !issue.labels.includes(name));
  const given = issue.labels.map(
    (name) =>
      html`<li>${labels([name])}${button(`${path}/remove`, "×", { name }, "bare", `Remove the label ${name}`)}</li>`,
  );
  return html`<section class="panel"><h2>Labels</h2>${live("labels", given.length === 0 ? html`<p class="dim">None</p>` : html`<ul class="plain">${given}</ul>`)}
<form class="row" method="post" action="${path}"><label class="unseen" for="label">Label</label><input id="label" name="name" list="known-labels" required maxlength="50" autocomplete="off" placeholder="job"><button>Add label</button></form>
<datalist id="known-labels">${others.map(({ name }) => html`<option value="${name}">`)}</datalist></section>`;
}
