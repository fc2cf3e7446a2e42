/** Changed files as coloured lines. */

import { type Html, html } from "../../../../src/text/html.ts";
import type { PatchedFile } from "../git-store.ts";

const look = (line: string): string =>
  line.startsWith("@@") ? "hunk" : line.startsWith("+") ? "add" : line.startsWith("-") ? "del" : "";

const patch = (text: string): Html =>
  html`<pre class="diff">${text.split("\n").map((line) => html`<span class="${look(line)}">${line}\n</span>`)}</pre>`;

export const changedFiles = (files: readonly PatchedFile[]): Html =>
  html`${files.map(
    ({ filename, status, additions, deletions, patch: text }) =>
      html`<details class="card file" open><summary><b>${filename}</b> <span class="dim">${status}</span> <span class="good">+${additions}</span> <span class="bad">−${deletions}</span></summary>${patch(text)}</details>`,
  )}`;
