/** The pages as documents: generated parts are up to date, links work, each page has its table of contents. */
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { anchorsOf, GUIDES, PAGES, regionsOn, UNWRITTEN, written } from "../docs/pages.ts";
import { regions } from "../docs/regions.ts";
import { codeOf, fencesOf, pathOf, textOf } from "./read-markdown.ts";

const README_LINES = 200;

describe("what is made from the code", () => {
  test("is on the pages as `npm run docs` writes it, with prose wherever prose belongs", async () => {
    const all = await regions();
    for (const page of PAGES) {
      expect(written(textOf(page), all), `${page} is old: run npm run docs`).toBe(textOf(page));
      expect(textOf(page)).not.toContain(UNWRITTEN);
    }
    const shown = PAGES.flatMap((page) => regionsOn(textOf(page)));
    expect(shown.toSorted()).toEqual([...all.keys()].toSorted());
  });
});

/** Prose alone: what stands in code leads nowhere. */
const prose = (page: string): string =>
  textOf(page)
    .replace(/^ *```[\s\S]*?^ *```$/gm, "")
    .replace(/`[^`\n]*`/g, "``");

const linksOf = (page: string): string[] =>
  [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link).filter((link) => !/^https?:/.test(link));

/** Why this link of this page leads nowhere; null: it does lead somewhere. */
function brokenness(page: string, link: string): string | null {
  const [file = "", anchor] = link.split("#");
  const target = file === "" ? page : join(dirname(page), file);
  if (!existsSync(pathOf(target))) return `${page}: ${link} leads to no file`;
  if (anchor === undefined || anchorsOf(textOf(target)).includes(anchor)) return null;
  return `${page}: ${link} leads to no heading`;
}

it.each(PAGES)("%s explains every variable of its examples", (page) => {
  const examples = fencesOf(textOf(page)).filter(({ info }) => info.startsWith("sh"));
  const used = examples.flatMap(({ text }) => [...text.matchAll(/\$([A-Z_]+)\b/g)].map(([variable]) => variable));
  const explained = codeOf(textOf(page).replace(/^ *```[\s\S]*?^ *```$/gm, ""));
  expect([...new Set(used)].filter((variable) => variable !== "$PWD" && !explained.includes(variable))).toEqual([]);
});

describe("links", () => {
  it.each(PAGES)("of %s lead somewhere", (page) => {
    expect(linksOf(page).flatMap((link) => brokenness(page, link) ?? [])).toEqual([]);
  });

  it("lead from the README to every guide, and from llms.txt", () => {
    for (const page of GUIDES) {
      expect(linksOf("README.md")).toContain(page);
      expect(linksOf("llms.txt")).toContain(page);
    }
  });

  it("are the table of contents of each guide, in the order of its sections", () => {
    for (const page of GUIDES) {
      const sections = [...prose(page).matchAll(/^## .+$/gm)].length;
      const [, ...anchors] = anchorsOf(textOf(page).replace(/^###+ .+$/gm, ""));
      const contents = [...textOf(page).matchAll(/^(?:-|\d+\.) \[.+\]\(#(.+)\)$/gm)].map(([, anchor]) => anchor);
      expect([page, ...contents]).toEqual([page, ...anchors]);
      expect(anchors).toHaveLength(sections);
    }
  });

  const coded = ["CONTRIBUTING.md", "docs/architecture.md", "docs/glossary.md"]
    .flatMap((page) => codeOf(textOf(page).replace(/^ *```[\s\S]*?^ *```$/gm, "")))
    .map((code) => code.replace(/^npx vitest run /, ""));

  it("in code, paths of this project exist", () => {
    const paths = coded
      .filter((code) => /^(?:src|test|agent|docs|\.github|\.ci)\/[\w./-]+$/.test(code))
      // of the repositories that use Journeyman
      .filter((code) => code !== ".github/journeyman.yml");
    expect(paths.length).toBeGreaterThan(50);
    expect(paths.filter((path) => !existsSync(pathOf(path)))).toEqual([]);
  });

  it("in code, names of files exist in some folder", () => {
    const files = ["src", "agent", "test"].flatMap((folder) =>
      readdirSync(pathOf(folder), { recursive: true, encoding: "utf8" }).map((name) => `/${name}`),
    );
    const names = coded.filter((code) => /^[a-z][\w/-]*\.ts$/.test(code) && !existsSync(pathOf(code)));
    expect(names.length).toBeGreaterThan(50);
    expect(names.filter((name) => !files.some((file) => file.endsWith(`/${name}`)))).toEqual([]);
  });
});

it("keeps the README short", () => {
  expect(textOf("README.md").split("\n").length - 1).toBeLessThanOrEqual(README_LINES);
});
