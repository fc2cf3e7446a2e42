/**
 * The steps of release.yml that are more than a line: `node .github/release/main.ts STEP VERSION`. A refusal is an error of the
 * workflow, in a sentence.
 */
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { registryOf } from "../../src/contracts/publisher.ts";
import { notesIn, problemsOf, readFacts } from "./facts.ts";
import { baseProblems, joinImages, pushImages } from "./images.ts";
import { isNewestStable, moveStable, publishedAs, tagVersion } from "./tags.ts";

const FOLDER = process.cwd();

/** Where the runner reads it. */
function tell(variable: "GITHUB_OUTPUT" | "GITHUB_STEP_SUMMARY", line: string): void {
  const path = process.env[variable];
  if (path) appendFileSync(path, `${line}\n`);
  else console.log(line);
}

function refuse(problems: readonly string[]): void {
  for (const problem of problems) console.error(`::error::${problem}`);
  if (problems.length > 0) process.exitCode = 1;
}

type Step = (version: string, publisher: string, rest: readonly string[]) => void;

const STEPS: Readonly<Record<string, Step>> = {
  check: (version, publisher) =>
    refuse(
      problemsOf(readFacts(FOLDER), { version, publisher, published: publishedAs(FOLDER, `v${version}`) !== null }),
    ),
  "base-image": () => refuse(baseProblems(FOLDER, readFileSync(join(FOLDER, "Dockerfile"), "utf8"))),
  push: (version, publisher, [processor = ""]) =>
    pushImages(FOLDER, { version, registry: registryOf(publisher) }, processor),
  join(version, publisher) {
    const release = { version, registry: registryOf(publisher) };
    for (const { target, name, digest } of joinImages(FOLDER, release, isNewestStable(FOLDER, version))) {
      tell("GITHUB_OUTPUT", `${target}-name=${name}`);
      tell("GITHUB_OUTPUT", `${target}-digest=${digest}`);
      tell("GITHUB_STEP_SUMMARY", `\`${name}@${digest}\`\n`);
    }
  },
  tag(version, publisher) {
    const commit = tagVersion(FOLDER, version);
    tell("GITHUB_STEP_SUMMARY", `\`uses: ${publisher}/.github/actions/run-job@${commit} # v${version}\`\n`);
  },
  notes: (version) => process.stdout.write(notesIn(readFacts(FOLDER).changelog, version) ?? ""),
  stable: (version) => (isNewestStable(FOLDER, version) ? moveStable(FOLDER, version) : undefined),
};

const [name = "", ...rest] = process.argv.slice(2);
const step = STEPS[name];
const { VERSION = "", GITHUB_REPOSITORY = "" } = process.env;
if (step === undefined) refuse([`There is no step “${name}”. There are: ${Object.keys(STEPS).join(", ")}.`]);
else {
  try {
    step(VERSION, GITHUB_REPOSITORY, rest);
  } catch (error) {
    refuse([error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error)]);
  }
}
