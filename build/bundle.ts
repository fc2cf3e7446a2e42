/**
 * Bundles the programs that are shipped, so that they start quickly and need no package beside them:
 * `node build/bundle.ts [name …]`, all of them without a name. The same sources give the same bytes.
 */
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { build, type Metafile } from "esbuild";
import { builtins, lazyRequires, withoutSandbox } from "./plugins.ts";

const PROJECT = join(import.meta.dirname, "..");

interface Bundle {
  /** Sources by the name of the program. */
  readonly programs: Readonly<Record<string, string>>;
  readonly folder: string;
  /** Files of packages that are read when the program runs: from a path of `node_modules`, to one of the folder. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Found by Node's own rules, like the package itself. */
const SWAGGER_UI = Object.fromEntries(
  ["package.json", "swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"].map((name) => [
    `swagger-ui-dist/${name}`,
    `node_modules/swagger-ui-dist/${name}`,
  ]),
);

export const BUNDLES = {
  agent: {
    programs: {
      main: "agent/main.ts",
      gateway: "agent/gateway.ts",
      egress: "agent/egress.ts",
      courier: "agent/courier.ts",
    },
    folder: "dist/agent",
  },
  server: {
    programs: { main: "src/main.ts", cli: "src/cli.ts" },
    folder: "dist/server",
    // Probot looks for these two folders above its own file
    files: { ...SWAGGER_UI, "probot/static": "static" },
  },
  "run-action": {
    programs: { main: "agent/action/main.ts", post: "agent/action/post.ts" },
    folder: ".github/actions/run-job/dist",
  },
  "action-mode": { programs: { main: "src/action.ts" }, folder: "dist/action" },
} as const satisfies Record<string, Bundle>;

export type BundleName = keyof typeof BUNDLES;

/** CommonJS inside of an ES module has neither. */
const BANNER =
  'import{createRequire as $createRequire}from"node:module";' +
  "const require=$createRequire(import.meta.url),__dirname=import.meta.dirname,__filename=import.meta.filename;";

export const bundleFolder = (name: BundleName): string => join(PROJECT, BUNDLES[name].folder);

/** The folder then holds the programs and nothing else. Answers the files that they are made of. */
export async function bundle(name: BundleName, folder: string = bundleFolder(name)): Promise<readonly string[]> {
  const { programs, files = {} }: Bundle = BUNDLES[name];
  await rm(folder, { recursive: true, force: true });
  const { metafile } = await build({
    ...{ absWorkingDir: PROJECT, entryPoints: { ...programs }, outdir: folder, metafile: true, logLevel: "warning" },
    ...{ bundle: true, platform: "node", target: "node24", format: "esm", splitting: true },
    // two folders deep, since a chunk with Probot in it looks for Probot's files there
    chunkNames: "chunks/[name]/[hash]",
    // names stay, for the stacks in a log
    ...{ minifySyntax: true, minifyWhitespace: true, legalComments: "none", banner: { js: BANNER } },
    plugins: [builtins, lazyRequires, withoutSandbox],
  });
  // the sources' `package.json` is not beside every bundle
  await writeFile(join(folder, "package.json"), '{ "type": "module" }\n');
  await writeFile(join(folder, "LICENSES.txt"), await licensesOf(metafile));
  for (const [from, to] of Object.entries(files)) {
    await mkdir(dirname(join(folder, to)), { recursive: true });
    await cp(join(PROJECT, "node_modules", from), join(folder, to), { recursive: true });
  }
  return Object.keys(metafile.inputs);
}

/** The folder of a file's package; null: ours. */
const packageOf = (path: string): string | null =>
  /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0] ?? null;

/** The licences of all packages of which something is in the bundle: they ask to be kept with it. */
async function licensesOf({ inputs }: Metafile): Promise<string> {
  const folders = new Set(Object.keys(inputs).map(packageOf));
  folders.delete(null);
  const texts: string[] = [];
  for (const folder of [...folders].sort()) {
    if (folder === null) continue;
    const root = join(PROJECT, folder);
    const { name, version, license } = createRequire(import.meta.url)(join(root, "package.json"));
    const file = (await readdir(root)).sort().find((name) => /^licen[cs]e/i.test(name));
    const text = file === undefined ? `License: ${license}` : await readFile(join(root, file), "utf8");
    texts.push(`${name} ${version}\n\n${text.trim()}\n`);
  }
  return texts.join(`\n${"-".repeat(80)}\n\n`);
}

export const isBundleName = (name: string): name is BundleName => name in BUNDLES;

if (import.meta.main) {
  const names = process.argv.slice(2);
  const unknown = names.filter((name) => !isBundleName(name));
  if (unknown.length > 0) {
    process.stderr.write(`No such bundle: ${unknown.join(", ")}. There are: ${Object.keys(BUNDLES).join(", ")}.\n`);
    process.exit(2);
  }
  for (const name of names.length > 0 ? names : Object.keys(BUNDLES)) {
    if (!isBundleName(name)) continue;
    await bundle(name);
    process.stdout.write(`${BUNDLES[name].folder}\n`);
  }
}
