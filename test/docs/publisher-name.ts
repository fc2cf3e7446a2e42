/** The publisher's name in files that hold it as text: `npm run docs` writes there what package.json says. */
import { PUBLISHER, registryOf } from "../../src/contracts/publisher.ts";

/** Beside package.json, the only files with that name in them. */
export const NAMED_FILES: readonly string[] = [
  ".github/workflows/run-job.yml",
  "docs/install.md",
  "docs/operations.md",
  "docs/journeyman-action.yml",
  "compose.yaml",
];

/** Whose actions or images a text asks for: all others are pinned by a commit. An example has the owner `your-org`. */
const NAMES = /[\w.-]+\/[\w.-]+(?=\/\.github\/actions\/run-job@)|(?<=uses: )[\w.-]+\/[\w.-]+(?=@v1\b)/g;
const REGISTRIES = /\bghcr\.io\/[\w.-]+(?=\/(?:app|agent)\b)/g;
const EXAMPLE = /(?:^|\/)your-org(?:\/|$)/;

/** What stands there in place of the publisher's name and registry. */
export const otherNames = (text: string, publisher = PUBLISHER): string[] =>
  [...text.matchAll(NAMES), ...text.matchAll(REGISTRIES)]
    .map(([name]) => name)
    .filter((name) => name !== publisher && name !== registryOf(publisher) && !EXAMPLE.test(name));

export const withPublisher = (text: string, publisher = PUBLISHER): string =>
  text
    .replace(NAMES, (name) => (EXAMPLE.test(name) ? name : publisher))
    .replace(REGISTRIES, (name) => (EXAMPLE.test(name) ? name : registryOf(publisher)));
