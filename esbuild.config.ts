/**
 * Bundles the programs that are shipped, so that they start quickly and need no package beside them:
 * `node esbuild.config.ts [name …]`, all of them without a name. The same sources give the same bytes.
 */
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { builtinModules, createRequire } from "node:module";
import { dirname, join } from "node:path";
import { build, type Metafile, type Plugin } from "esbuild";

const PROJECT = import.meta.dirname;

export interface Programs {
  /** Sources by the name of the program. */
  readonly programs: Readonly<Record<string, string>>;
  /** Files that are read when the program runs: from a path of the project, to one of the folder. */
  readonly files?: Readonly<Record<string, string>>;
}

interface Bundle extends Programs {
  readonly folder: string;
}

/** Found by Node's own rules, like the package itself. */
const SWAGGER_UI = Object.fromEntries(
  ["package.json", "swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"].map((name) => [
    `node_modules/swagger-ui-dist/${name}`,
    `node_modules/swagger-ui-dist/${name}`,
  ]),
);

export const BUNDLES = {
  agent: {
    programs: {
      main: "agent/main.ts",
      gateway: "agent/gateway/main.ts",
      egress: "agent/egress/main.ts",
      courier: "agent/uploader/main.ts",
    },
    folder: "dist/agent",
  },
  server: {
    programs: { main: "src/main.ts", cli: "src/main/cli.ts", "body-thread": "src/main/body-thread.ts" },
    folder: "dist/server",
    files: { ...SWAGGER_UI, "app.yml": "app.yml" },
  },
  "run-action": {
    programs: { main: "agent/action/main.ts", post: "agent/action/post.ts" },
    folder: ".github/actions/run-job/dist",
  },
  "action-mode": { programs: { main: "src/actions-mode/main.ts" }, folder: "dist/action" },
} as const satisfies Record<string, Bundle>;

export type BundleName = keyof typeof BUNDLES;

const NODE = 24;

/** Begins every file, since it is the innermost one that runs first. Only words that the oldest Node reads. */
const NODE_CHECK =
  `if(parseInt(process.versions.node)<${NODE}){process.stderr.write("Journeyman needs Node ${NODE} or newer; this is Node "+` +
  "process.versions.node+\". Install a newer one, or run `npm ci` and `npm start` in Journeyman's folder, which bring their " +
  'own.\\n");process.exit(1)}';

/** CommonJS inside of an ES module has neither `require` nor the path of its file. */
const BANNER =
  NODE_CHECK +
  'import{createRequire as $createRequire}from"node:module";' +
  "const require=$createRequire(import.meta.url),__dirname=import.meta.dirname,__filename=import.meta.filename;";

/**
 * Node's own modules without Node's wrapper for `import`, which reads every export once: of `node:http`, that loads a
 * whole HTTP client that nobody asked for.
 */
const builtins: Plugin = {
  name: "builtins",
  setup({ onResolve, onLoad }) {
    const filter = new RegExp(`^(node:.*|(${builtinModules.filter((name) => !name.startsWith("_")).join("|")}))$`);
    onResolve({ filter }, ({ path }) => ({ path, namespace: "builtin" }));
    onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};

const REQUIRED = /^(?:const|var) (\w+_js_1|ioredis_1|pino_\d|oidc_utils_1) = require\(("[^"]+")\);$/gm;
const LAZY =
  "const lazy = (load) => { let loaded; return new Proxy({}, { get: (_, name) => (loaded ??= load())[name] }); };\n";

/** What is changed: all of Probot, and of `@actions/core` the file that all others are reached by. */
const LAZILY = /[\\/]node_modules[\\/](?:probot[\\/]lib[\\/].*|@actions[\\/]core[\\/]lib[\\/]core)\.js$/;

/**
 * The parts of Probot are loaded when they are first used: its own server, set-up page and Redis client, each with many
 * packages, are of no use to an App that serves itself. So is the HTTP client by which an action learns who it is.
 */
const lazyRequires: Plugin = {
  name: "lazy-requires",
  setup({ onLoad }) {
    onLoad({ filter: LAZILY }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const lazily = source.replace(REQUIRED, (_, name: string, from: string) => {
        return `const ${name} = lazy(() => require(${from}));`;
      });
      return { contents: lazily === source ? source : LAZY + lazily, loader: "js" };
    });
  },
};

/** Of the project's own `package.json` what is used, so that another development tool makes no other bundle. */
const packageFields: Plugin = {
  name: "package-fields",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]package\.json$/ }, async ({ path }) => {
      if (path !== join(PROJECT, "package.json")) return null;
      const { version, repository } = JSON.parse(await readFile(path, "utf8"));
      return { contents: JSON.stringify({ version, repository }), loader: "json" };
    });
  },
};

export const bundleFolder = (name: BundleName): string => join(PROJECT, BUNDLES[name].folder);

export const bundle = (name: BundleName, folder: string = bundleFolder(name)): Promise<readonly string[]> =>
  bundlePrograms(BUNDLES[name], folder);

/** The folder then holds the programs and nothing else. Answers the files that they are made of. */
export async function bundlePrograms({ programs, files = {} }: Programs, folder: string): Promise<readonly string[]> {
  await rm(folder, { recursive: true, force: true });
  const { metafile } = await build({
    ...{ absWorkingDir: PROJECT, entryPoints: { ...programs }, outdir: folder, metafile: true, logLevel: "warning" },
    ...{ bundle: true, platform: "node", target: `node${NODE}`, format: "esm", splitting: true },
    // two folders deep, as the sources are: what reads a file of the folder finds it by the same path
    chunkNames: "chunks/[name]/[hash]",
    // names stay, for the stacks in a log
    ...{ minifySyntax: true, minifyWhitespace: true, legalComments: "none", banner: { js: BANNER } },
    plugins: [builtins, lazyRequires, packageFields],
  });
  // the sources' `package.json` is not beside every bundle
  await writeFile(join(folder, "package.json"), '{ "type": "module" }\n');
  await writeFile(join(folder, "LICENSES.txt"), await licensesOf(metafile));
  for (const [from, to] of Object.entries(files)) {
    await mkdir(dirname(join(folder, to)), { recursive: true });
    await cp(join(PROJECT, from), join(folder, to));
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
