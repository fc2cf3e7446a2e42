/**
 * Checks every import of the project against `.dependency-cruiser.ts`. Run by `npm run lint`; prints every finding and
 * exits with 1 when there is one.
 */
import { fileURLToPath } from "node:url";
import { cruise, type ICruiseResult } from "dependency-cruiser";
import config, { ARROWS, insidePackage, OUTER, PACKAGES, within } from "../.dependency-cruiser.ts";

export async function readImports(root: string): Promise<ICruiseResult> {
  const { output } = await cruise(
    ["src", "agent", "test"],
    { ...config.options, baseDir: root, validate: true, ruleSet: { forbidden: config.forbidden ?? [] } },
    config.options?.enhancedResolveOptions,
  );
  if (typeof output === "string") throw new Error("dependency-cruiser wrote a report instead of a result");
  return output;
}

export function forbiddenImports({ summary }: ICruiseResult): string[] {
  const comments = new Map(config.forbidden?.map(({ name, comment }) => [name, comment]));
  return summary.violations.map(({ from, to, rule, cycle }) =>
    cycle
      ? `${from} imports itself through ${cycle.map(({ name }) => name).join(", ")}`
      : `${from} imports ${to}, but ${comments.get(rule.name)}`,
  );
}

const rowOf = (file: string): string | undefined =>
  Object.keys(ARROWS)
    .filter((row) => new RegExp(within(row)).test(file))
    .sort((a, b) => b.length - a.length)[0];

/** Files without a row, rows without a file, and what a row allows in vain. */
export function deadRows({ modules }: ICruiseResult): string[] {
  const files = modules
    .filter(({ source }) => /^(?:src|agent|test\/sandbox)\//.test(source))
    .map(({ source, dependencies }) => ({
      source,
      row: rowOf(source),
      imports: dependencies.map((to) => to.resolved),
    }));
  const unused = (row: string, allowed: readonly string[], patternOf: (name: string) => string) => {
    const imports = files.filter((file) => file.row === row).flatMap((file) => file.imports);
    return allowed
      .filter((name) => !imports.some((path) => new RegExp(patternOf(name)).test(path)))
      .map((name) => `${row} imports nothing of ${name}`);
  };
  const arrows = Object.entries(ARROWS).flatMap(([row, places]) => {
    const isOuter = OUTER.every((place) => places.includes(place));
    return unused(row, isOuter ? places.filter((place) => !OUTER.includes(place)) : places, within);
  });
  return [
    ...files.filter(({ row }) => row === undefined).map(({ source }) => `${source} has no row`),
    ...Object.keys(ARROWS)
      .filter((row) => !files.some((file) => file.row === row))
      .map((row) => `${row} is no file`),
    ...arrows,
    ...Object.entries(PACKAGES).flatMap(([row, names]) => unused(row, names, insidePackage)),
  ];
}

if (import.meta.main) {
  const imports = await readImports(fileURLToPath(new URL("../", import.meta.url)));
  const findings = [...forbiddenImports(imports), ...deadRows(imports)];
  for (const finding of findings) console.error(finding);
  if (findings.length > 0) console.error("The table of what may be imported is in .dependency-cruiser.ts.");
  process.exitCode = findings.length > 0 || imports.summary.totalCruised === 0 ? 1 : 0;
}
