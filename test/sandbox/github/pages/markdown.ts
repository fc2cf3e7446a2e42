/**
 * Renders strangers' Markdown as GitHub does: of HTML only a few plain tags without attributes are kept; links lead to
 * http(s) or within the site; images become links, so that a page loads nothing from other hosts.
 */
import markdownIt, { type MarkdownIt } from "markdown-it";
import { escaped, Html } from "../../../../src/text/html.ts";

const TAG = /&lt;(\/?(?:sub|sup|kbd|b|i|em|strong|code|details|summary|br|hr)) ?\/?&gt;/g;
const COMMENT = /<!--[\s\S]*?-->/g;

const plainTags = (raw: string): string => escaped(raw.replace(COMMENT, "")).replace(TAG, "<$1>");

const isSafeLink = (address: string): boolean => /^(?:https?:\/\/|\/(?!\/)|#)/i.test(address);

/** `#12` links to that issue, as on the site. */
function linkIssues(reader: MarkdownIt, issues: string): void {
  reader.linkify.add("#", {
    validate: (text, at) => /^\d{1,9}(?![\w-])/.exec(text.slice(at, at + 10))?.[0].length ?? 0,
    normalize: (match) => {
      match.url = `${issues}/${match.raw.slice(1)}`;
    },
  });
}

/** Text with an empty address, as in `[x]()`, is no link: it would lead to the page itself. Links do not nest. */
function dropEmptyLinks(reader: MarkdownIt): void {
  reader.core.ruler.push("empty_links", ({ tokens }) => {
    for (const token of tokens) {
      let isEmpty = false;
      token.children = (token.children ?? []).filter((child) => {
        if (child.type === "link_open") isEmpty = child.attrGet("href") === "";
        return !(isEmpty && (child.type === "link_open" || child.type === "link_close"));
      });
    }
  });
}

const TASK = /<li>\[([ x])\] /g;
const checkbox = (_: string, mark: string): string =>
  `<li><input type="checkbox" disabled${mark === "x" ? " checked" : ""}> `;

/** `repository`: the path of the repository's pages, such as `/octo/demo`. */
export function markdown(text: string | null, repository: string): Html {
  const reader = markdownIt({ html: true, linkify: true, breaks: true }).disable("image");
  reader.validateLink = isSafeLink;
  reader.linkify.set({ fuzzyLink: false, fuzzyEmail: false });
  linkIssues(reader, `${repository}/issues`);
  dropEmptyLinks(reader);
  reader.renderer.rules.html_inline = (tokens, index) => plainTags(tokens[index]?.content ?? "");
  reader.renderer.rules.html_block = (tokens, index) => plainTags(tokens[index]?.content ?? "");
  return new Html(`<div class="markdown">${reader.render(text ?? "").replace(TASK, checkbox)}</div>`);
}
