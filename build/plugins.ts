/** What the bundles need of esbuild beyond its options. */
import { readFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import { join } from "node:path";
import type { Plugin } from "esbuild";

/**
 * Node's own modules without Node's wrapper for `import`, which reads every export once: of `node:http`, that loads a
 * whole HTTP client that nobody asked for.
 */
export const builtins: Plugin = {
  name: "builtins",
  setup({ onResolve, onLoad }) {
    const filter = new RegExp(`^(node:.*|(${builtinModules.filter((name) => !name.startsWith("_")).join("|")}))$`);
    onResolve({ filter }, ({ path }) => ({ path, namespace: "builtin" }));
    onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};

const REQUIRED = /^(?:const|var) (\w+_js_1|ioredis_1|pino_\d) = require\(("[^"]+")\);$/gm;
const LAZY =
  "const lazy = (load) => { let loaded; return new Proxy({}, { get: (_, name) => (loaded ??= load())[name] }); };\n";

/**
 * The parts of Probot are loaded when they are first used: its own server, set-up page and Redis client, each with many
 * packages, are of no use to an App that serves itself.
 */
export const lazyRequires: Plugin = {
  name: "lazy-requires",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]node_modules[\\/]probot[\\/]lib[\\/].*\.js$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const lazily = source.replace(REQUIRED, (_, name: string, from: string) => {
        return `const ${name} = lazy(() => require(${from}));`;
      });
      return { contents: lazily === source ? source : LAZY + lazily, loader: "js" };
    });
  },
};

/** The sandbox starts programs from their sources, so it stays with them. */
export const withoutSandbox: Plugin = {
  name: "without-sandbox",
  setup({ onResolve }) {
    const absent = join(import.meta.dirname, "..", "src", "sandbox-absent.ts");
    onResolve({ filter: /\/sandbox\/main\.ts$/ }, () => ({ path: absent }));
  },
};
