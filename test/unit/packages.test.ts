/** The packages of an installation, read from the lock file. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parse } from "yaml";
import * as z from "zod";

const file = (name: string): unknown => JSON.parse(readFileSync(join(import.meta.dirname, "../..", name), "utf8"));

const versions = z.record(z.string(), z.string());
const project = z
  .object({ dependencies: versions, devDependencies: versions, overrides: versions })
  .parse(file("package.json"));
const packages = z
  .object({
    packages: z.record(z.string(), z.looseObject({ name: z.string().optional(), dev: z.boolean().optional() })),
  })
  .transform(({ packages }) =>
    Object.entries(packages).flatMap(([folder, { name, dev = false }]) =>
      // a package may be installed in the place of another
      folder === "" ? [] : [{ name: name ?? folder.slice(folder.lastIndexOf("node_modules/") + 13), dev }],
    ),
  )
  .parse(file("package-lock.json"));

it("pins every package to one version", () => {
  for (const version of Object.values({ ...project.dependencies, ...project.devDependencies }))
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
});

it("brings nothing that reports to Sentry, and of OpenTelemetry the interface alone", () => {
  const told = packages.filter(({ name }) => /^@(?:sentry|opentelemetry|prisma)\//.test(name));
  // the provider's client and the metrics import it; it does nothing without the rest
  expect([...new Set(told.map(({ name }) => name))]).toEqual(["@opentelemetry/api"]);
});

it("brings one copy of what runs in the server in several places", () => {
  for (const name of ["pino", "undici", "express", "@octokit/webhooks", "zod"])
    expect(packages.filter((one) => one.name === name && !one.dev)).toHaveLength(1);
});

it("describes itself without angle brackets, which GitHub's form takes for HTML", () => {
  const described = z.object({ description: z.string().min(20) });
  const manifest = parse(readFileSync(join(import.meta.dirname, "../../app.yml"), "utf8"));
  for (const text of [file("package.json"), manifest]) expect(described.parse(text).description).not.toMatch(/[<>]/);
});
