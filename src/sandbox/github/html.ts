/** HTML by tagged template: every value is escaped unless it is itself made by `html`. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const escaped = (text: string) => text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character);

type Part = Html | string | number | null | undefined | readonly Part[];

const shown = (part: Part): string => {
  if (part === null || part === undefined) return "";
  if (part instanceof Html) return part.text;
  if (typeof part === "string" || typeof part === "number") return escaped(String(part));
  return part.map(shown).join("");
};

export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  return new Html(strings.reduce((text, piece, index) => text + piece + shown(parts[index]), ""));
}

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:62rem;padding:1rem}
header{border-bottom:1px solid #d0d7de;margin-bottom:1rem}a{color:#0969da;text-decoration:none}
pre{background:#f6f8fa;border-radius:6px;overflow:auto;padding:.75rem;font-size:13px}
.text{white-space:pre-wrap;overflow-wrap:anywhere}.card{border:1px solid #d0d7de;border-radius:6px;margin:1rem 0;padding:.5rem 1rem}
.add{background:#e6ffec}.del{background:#ffebe9}.dim{color:#59636e}.success{color:#1a7f37}.failure,.timed_out{color:#cf222e}
textarea{box-sizing:border-box;width:100%;min-height:6rem}
@media(prefers-color-scheme:dark){body{background:#0d1117;color:#f0f6fc}pre{background:#151b23}a{color:#4493f8}.add{background:#12261e}.del{background:#25171c}}`;

export const page = (title: string, crumbs: Html, body: Html): string =>
  `<!doctype html>${
    html`<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${new Html(STYLE)}</style></head><body><header><p>${crumbs}</p><h1>${title}</h1></header>${body}</body></html>`
      .text
  }`;
