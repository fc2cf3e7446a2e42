/**
 * `npm run docs`: writes the tables of the documents that follow from the code. `npm run docs -- pictures` takes the
 * README's pictures of a job in the sandbox, which needs a Chromium.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { pathOf } from "../process/read-markdown.ts";
import { PAGES, written } from "./pages.ts";
import { regions } from "./regions.ts";

async function writeTables(): Promise<void> {
  const all = await regions();
  for (const page of PAGES) {
    const now = readFileSync(pathOf(page), "utf8");
    const next = written(now, all);
    if (next === now) continue;
    writeFileSync(pathOf(page), next);
    console.log(`${page} is written.`);
  }
}

const [what = "tables"] = process.argv.slice(2);
if (what === "tables") await writeTables();
else if (what === "pictures") await (await import("./pictures.ts")).takePictures();
else {
  console.error(`There is no “${what}”. Use: npm run docs, or: npm run docs -- pictures`);
  process.exitCode = 1;
}
