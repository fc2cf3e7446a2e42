/**
 * `npm run docs`: writes the generated tables of the documents. `npm run docs -- pictures` takes the README's pictures
 * of a job in the sandbox, which needs a Chromium.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { pathOf } from "../process/read-markdown.ts";
import { PAGES, written } from "./pages.ts";
import { NAMED_FILES, withPublisher } from "./publisher-name.ts";
import { regions } from "./regions.ts";

async function writeTables(): Promise<void> {
  const all = await regions();
  for (const page of PAGES) rewrite(page, (now) => written(now, all));
  for (const file of NAMED_FILES.filter((name) => existsSync(pathOf(name)))) rewrite(file, (now) => withPublisher(now));
}

function rewrite(file: string, next: (now: string) => string): void {
  const now = readFileSync(pathOf(file), "utf8");
  const text = next(now);
  if (text === now) return;
  writeFileSync(pathOf(file), text);
  console.log(`${file} is written.`);
}

const [what = "tables"] = process.argv.slice(2);
if (what === "tables") await writeTables();
else if (what === "pictures") await (await import("./pictures.ts")).takePictures();
else {
  console.error(`There is no “${what}”. Use: npm run docs, or: npm run docs -- pictures`);
  process.exitCode = 1;
}
