/** Small shared parts of pages: states, labels, people, times, check marks. */

import { type Html, html, nothing } from "../../../../src/text/html.ts";
import type { CheckRun, Issue, Reaction, User } from "../model.ts";

export const time = (at: number): Html => {
  const iso = new Date(at).toISOString();
  return html`<time datetime="${iso}" title="${iso}">${iso.slice(11, 19)}</time>`;
};

/** The address of a branch, folder or file, escaping characters such as `?` and `#`. */
export const treeLink = (base: string, ref: string, path = ""): string =>
  [base, "tree", ...`${ref}/${path}`.split("/").map(encodeURIComponent)].join("/").replace(/\/$/, "");

export const person = (user: User): Html =>
  html`<b>${user.login}</b>${user.type === "Bot" ? html` <span class="pill">bot</span>` : nothing}`;

const HUES = 360;
export const avatar = (user: User): Html =>
  html`<span class="avatar h${Math.floor(((user.id * 47) % HUES) / 60)}" aria-hidden="true">${user.login.slice(0, 1).toUpperCase()}</span>`;

export type Shape = "open" | "closed" | "merged" | "draft";

export function shapeOf(issue: Issue): Shape {
  if (issue.pull?.merged) return "merged";
  if (issue.state === "closed") return "closed";
  return issue.pull?.draft ? "draft" : "open";
}

const SHAPES: Readonly<Record<Shape, string>> = { open: "Open", closed: "Closed", merged: "Merged", draft: "Draft" };

export const state = (issue: Issue): Html => {
  const shape = shapeOf(issue);
  return html`<span class="state ${shape}${issue.pull ? "" : " issue"}">${SHAPES[shape]}</span>`;
};

export const labels = (names: readonly string[]): Html =>
  html`${names.map((name) => html`<span class="label">${name}</span> `)}`;

const EMOJI: Readonly<Record<string, string>> = {
  ...{ "+1": "👍", "-1": "👎", laugh: "😄", confused: "😕", heart: "❤️", hooray: "🎉", rocket: "🚀", eyes: "👀" },
};

export function reactions(all: readonly Reaction[]): Html {
  if (all.length === 0) return nothing;
  const kinds = [...new Set(all.map(({ content }) => content))];
  const who = (kind: string): string[] => all.filter(({ content }) => content === kind).map(({ user }) => user.login);
  return html`<p class="reactions">${kinds.map((kind) => html`<span class="pill" title="${kind} by ${who(kind).join(", ")}">${EMOJI[kind] ?? kind} ${who(kind).length}</span> `)}</p>`;
}

const GOOD = ["success", "neutral", "skipped"];

export const mark = (result: string): Html => {
  const [look, sign] = GOOD.includes(result)
    ? result === "success"
      ? ["good", "✓"]
      : ["dim", "⊘"]
    : ["queued", "in_progress", "pending", "requested", "waiting"].includes(result)
      ? ["moving", "●"]
      : ["bad", "✗"];
  return html`<span class="mark ${look}" role="img" aria-label="${result}" title="${result}">${sign}</span>`;
};

export const result = (run: Pick<CheckRun, "conclusion" | "status">): string => run.conclusion ?? run.status;

/** A button in its own form, since it changes something. */
export const button = (
  action: string,
  label: string,
  fields: Readonly<Record<string, string>> = {},
  look = "",
  hint = "",
): Html =>
  html`<form class="inline" method="post" action="${action}">${Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}<button class="${look}" title="${hint}">${label}</button></form>`;
