/** What a release is checked against before anything is published. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";

const packageSchema = z.object({ version: z.string(), repository: z.string() });

export interface ReleaseFacts {
  /** As package.json says. */
  readonly version: string;
  /** As package.json says: `github:owner/name`. */
  readonly repository: string;
  readonly changelog: string;
}

export function readFacts(folder: string): ReleaseFacts {
  const text = (name: string): string => readFileSync(join(folder, name), "utf8");
  return { ...packageSchema.parse(JSON.parse(text("package.json"))), changelog: text("CHANGELOG.md") };
}

export interface Asked {
  /** Such as `1.2.3`. */
  readonly version: string;
  /** `owner/name` of the repository that publishes. */
  readonly publisher: string;
  /** Whether it has the version's tag. */
  readonly published: boolean;
}

/** `1.2.3`, or `1.2.3-rc.1`. */
const VERSION = /^(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}(-[0-9A-Za-z.-]+)?$/;

/** What stable names such as `v1` do not move to. */
export const isPreview = (version: string): boolean => VERSION.exec(version)?.[1] !== undefined;

/** Sentences, none if the version can be published. */
export function problemsOf({ version, repository, changelog }: ReleaseFacts, asked: Asked): string[] {
  const found: string[] = [];
  if (!VERSION.test(asked.version)) found.push(`“${asked.version}” is not a version such as 1.2.3.`);
  if (version !== asked.version)
    found.push(`package.json names the version ${version} and not ${asked.version}; change it there.`);
  if (repository.toLowerCase() !== `github:${asked.publisher}`.toLowerCase())
    found.push(
      `package.json names ${repository} as its repository, and this one is ${asked.publisher}: write ` +
        `"repository": "github:${asked.publisher}" there, run \`npm run docs\`, and commit both.`,
    );
  if (notesIn(changelog, asked.version) === null)
    found.push(`CHANGELOG.md has no section “## ${asked.version}”: make one of what is unreleased.`);
  if (asked.published) found.push(`v${asked.version} is published already; a version never changes.`);
  return found;
}

/** The text below the version's heading; null when there is none. */
export function notesIn(changelog: string, version: string): string | null {
  const lines = changelog.split("\n");
  const isHeading = (line: string): boolean => line.startsWith("## ");
  const start = lines.findIndex((line) => isHeading(line) && line.slice(3).trim().split(/\s/)[0] === version);
  if (start < 0) return null;
  const after = lines.slice(start + 1);
  const end = after.findIndex(isHeading);
  const text = after
    .slice(0, end < 0 ? undefined : end)
    .join("\n")
    .trim();
  return text === "" ? null : `${text}\n`;
}
