/** The project's documents, and their regions that `npm run docs` writes. */
import { readdirSync } from "node:fs";
import { pathOf } from "../process/read-markdown.ts";

export const GUIDES: readonly string[] = readdirSync(pathOf("docs"))
  .filter((name) => name.endsWith(".md"))
  .map((name) => `docs/${name}`);

export const PAGES: readonly string[] = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "llms.txt", ...GUIDES];

export type Rows = readonly (readonly string[])[];

/** A region's new text. `old`: the rows of the table that stands there now. */
export type Region = (old: Rows) => string;

const REGION = /(<!-- generated: ([^>]+?) -->\n)([\s\S]*?)(<!-- end -->)/g;

const cellsOf = (line: string): string[] =>
  line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll("\\|", "|"));

/** The rows of the one table of a text. */
export const rowsOf = (text: string): Rows =>
  text
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .slice(2)
    .map(cellsOf);

/** The page with every region written anew. Throws on a region that nobody writes. */
export const written = (page: string, regions: ReadonlyMap<string, Region>): string =>
  page.replace(REGION, (_, start: string, name: string, old: string, end: string) => {
    const region = regions.get(name);
    if (region === undefined) throw new Error(`Nothing writes the region “${name}”.`);
    return `${start}\n${region(rowsOf(old))}\n\n${end}`;
  });

export const regionsOn = (page: string): string[] => [...page.matchAll(REGION)].map(([, , name = ""]) => name);

const line = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;

export const table = (head: readonly string[], rows: Rows): string =>
  [head, head.map(() => "---"), ...rows].map(line).join("\n");

/**
 * A table whose first columns come from the code and whose last one is prose that stands on the page alone. A row
 * without prose says so, which a test refuses.
 */
export const annotated =
  (head: readonly string[], rows: Rows): Region =>
  (old) => {
    const prose = new Map(old.map((cells) => [cells[0], cells.at(-1) ?? ""]));
    return table(
      head,
      rows.map((cells) => [...cells, prose.get(cells[0]) ?? UNWRITTEN]),
    );
  };

export const UNWRITTEN = "(write this)";

/** GitHub's anchors of a page's headings, in order. */
export function anchorsOf(markdown: string): string[] {
  const seen = new Map<string, number>();
  const prose = markdown.replace(/^```[\s\S]*?^```$/gm, "");
  return [...prose.matchAll(/^#{1,6} (.+)$/gm)].map(([, title = ""]) => {
    const anchor = title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, "")
      .replaceAll(" ", "-");
    const times = seen.get(anchor) ?? 0;
    seen.set(anchor, times + 1);
    return times === 0 ? anchor : `${anchor}-${times}`;
  });
}
