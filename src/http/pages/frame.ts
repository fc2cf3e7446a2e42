/** The HTML frame of the App's own pages, with the one style that their content security policy allows. No scripts. */
import { hash } from "node:crypto";
import { Html, html } from "../../text/html.ts";

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:42rem;padding:1rem;color-scheme:light dark;overflow-wrap:anywhere}
pre{overflow-x:auto;border:1px solid;padding:.75rem}label,fieldset{display:block;margin:1rem 0}input,select,button{font:inherit;max-width:100%;box-sizing:border-box}`;

/** The one style that a page may have, as its content security policy names it. */
export const STYLE_SOURCE = `'sha256-${hash("sha256", STYLE, "base64")}'`;

export const pageOf = (title: string, body: Html): string =>
  `<!doctype html>\n${
    html`<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title><style>${new Html(STYLE)}</style></head><body><h1>${title}</h1>
${body}
</body></html>`.text
  }\n`;
