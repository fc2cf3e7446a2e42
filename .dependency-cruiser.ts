/**
 * Who may import whom, for dependency-cruiser. `npm run lint` checks it and fails on an import that the table does not
 * allow, on an arrow of the table that no file uses, on a file without a row, and on a circle. Imports of types count. To
 * give a room another arrow, change the table, and say why.
 */
import type { IConfiguration, IForbiddenRuleType } from "dependency-cruiser";

/** What every room around the engine may import; `ports`: what the engine needs of them, and what it offers them. */
export const OUTER = ["src/text", "src/contracts", "src/domain", "src/engine/ports"];

/** What each room or file may import beside itself; the longest name that fits a file is its row. */
export const ARROWS: Readonly<Record<string, readonly string[]>> = {
  "src/text": [],
  "src/contracts": ["package.json", "src/text"],
  "src/domain": ["src/text", "src/contracts"],
  "src/engine": ["src/text", "src/contracts", "src/domain"],
  "src/store": OUTER,
  "src/github/events": ["src/text", "src/contracts", "src/domain"],
  "src/github/render": OUTER,
  "src/github/client": OUTER,
  "src/github/repository-settings": [...OUTER, "src/github/render"],
  // git over HTTP, on the client's budget
  "src/github/git": ["src/contracts", "src/github/client", "src/text"],
  "src/github/effects": [
    ...[...OUTER, "src/github/client", "src/github/git", "src/github/render", "src/github/repository-settings"],
    // what is a command and what is talk is one rule
    "src/github/events/find-command.ts",
  ],
  "src/github/github-client.ts": ["src/github", "src/contracts", "src/domain", "src/engine/ports"],
  "src/http": OUTER,
  "src/webhooks": OUTER,
  "src/job-log": OUTER,
  "src/llm": OUTER,
  "src/payments": OUTER,
  // Actions mode runs the same engine for one event and without a server.
  "src/actions-mode": [
    ...[
      "src/app.ts",
      "src/main/compose/engine.ts",
      "src/main/log.ts",
      "src/main/environment.ts",
      "src/main/settings.ts",
      "src/main/llm-settings.ts",
      "src/main/unknown-settings.ts",
    ],
    ...["src/engine", "src/store", "src/github", ...OUTER],
  ],

  // Files that belong to no room: the process and what wires it. Only the composition sees every room of the App.
  "src/main.ts": ["src/main/serve.ts"],
  "src/app.ts": ["src/domain", "src/engine/ports"],
  "src/main/cli.ts": [
    ...["src/main/serve.ts", "src/main/keys-command.ts", "src/main/doctor-command.ts", "src/main/prune-command.ts"],
    ...["src/main/environment.ts", "src/main/command-settings.ts", "src/contracts"],
  ],
  "src/main/serve.ts": [
    ...["src/main/compose.ts", "src/main/setup.ts", "src/main/environment.ts", "src/main/settings.ts"],
    ...["src/main/app-file.ts", "src/main/api-key.ts", "src/main/log.ts", "src/http/server/bootstrap.ts"],
  ],
  // a thread of its own, with what the main one does as well
  "src/main/body-thread.ts": ["src/github/events/translate.ts", "src/http"],
  "src/main/environment.ts": [],
  "src/main/llm-settings.ts": ["src/contracts"],
  "src/main/setup.ts": [
    ...["src/main/app-file.ts", "src/main/seal.ts", "src/main/settings.ts", "src/github", "src/http"],
    "src/contracts",
  ],
  "src/main/command-settings.ts": [
    ...["src/main/api-key.ts", "src/main/environment.ts", "src/main/settings.ts", "src/contracts"],
  ],
  "src/main/prune-command.ts": ["src/main/command-settings.ts", "src/engine", "src/store", "src/text"],
  "src/main/keys-command.ts": ["src/main/command-settings.ts", "src/http", "src/store", "src/engine/ports"],
  "src/main/server-doctor.ts": ["src/contracts", "src/domain", "src/text"],
  "src/main/doctor-command.ts": [
    ...["src/main/server-doctor.ts", "src/main/app-file.ts", "src/main/compose", "src/main/environment.ts"],
    ...[
      "src/main/command-settings.ts",
      "src/main/log.ts",
      "src/main/settings.ts",
      "src/contracts",
      "src/engine",
      "src/http",
    ],
  ],
  "src/main/compose.ts": [
    ...["src/main/compose", "src/main/log.ts", "src/main/seal.ts", "src/main/settings.ts", "src/engine", "src/store"],
    ...["src/github", "src/http", "src/webhooks", "src/job-log", "src/llm", "src/payments", "src/contracts"],
  ],
  "src/main/compose": [
    ...["src/app.ts", "src/main/log.ts", "src/main/settings.ts", "src/engine", "src/github", "src/http"],
    ...["src/contracts", "src/domain"],
  ],
  "src/main/settings.ts": [
    ...["src/main/environment.ts", "src/main/llm-settings.ts", "src/main/private-key.ts"],
    ...["src/main/unknown-settings.ts", "src/contracts", "src/domain"],
  ],
  "src/main/unknown-settings.ts": ["src/main/environment.ts", "src/text"],
  "src/main/private-key.ts": ["src/contracts"],
  "src/main/secret-file.ts": [],
  "src/main/api-key.ts": ["src/main/secret-file.ts", "src/contracts"],
  "src/main/seal.ts": ["src/main/secret-file.ts", "src/contracts", "src/engine/ports"],
  "src/main/app-file.ts": [
    ...["src/main/environment.ts", "src/main/seal.ts", "src/main/secret-file.ts", "src/main/settings.ts"],
    ...["src/contracts", "src/engine/ports"],
  ],
  "src/main/log.ts": ["src/main/settings.ts", "src/contracts"],

  agent: ["src/text", "src/contracts"],

  // What the provider says of its models is one list, for the product and for the endpoint that stands for the provider.
  "test/sandbox": ["src/contracts/first-task.ts", "src/contracts/models.ts", "src/text/html.ts"],
  "test/sandbox/cli.ts": [
    ...["test/sandbox", "src/contracts/version.ts", "src/main/environment.ts", "src/main/command-settings.ts"],
  ],
};

/** Packages that a pure room may use, none of which does any I/O; a room that is not named here may use any. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  "src/text": ["fastest-levenshtein", "yaml"],
  "src/contracts": ["zod", "croner", "ipaddr.js", "node:util"],
  // zod for the view, whose shape the API describes
  "src/domain": ["zod"],
  "src/github/events": ["zod"],
};

export const within = (place: string): string => `^${place.replaceAll(".", "\\.")}(?:/|$)`;
export const insidePackage = (name: string): string =>
  name.startsWith("node:") ? `^${name.slice(5)}$` : `^(?:node_modules/)?${name.replaceAll(".", "\\.")}(?:/|$)`;
/** The rows of files and rooms inside this one. */
const inside = (row: string): string[] => Object.keys(ARROWS).filter((other) => other.startsWith(`${row}/`));

const arrows = Object.entries(ARROWS).map(
  ([row, places]): IForbiddenRuleType => ({
    name: row,
    comment: `may import only: ${places.join(", ") || "nothing of ours"}`,
    severity: "error",
    from: { path: within(row), pathNot: inside(row).map(within) },
    to: { dependencyTypes: ["local"], pathNot: [row, ...places].map(within) },
  }),
);

const packages = Object.entries(PACKAGES).map(
  ([row, names]): IForbiddenRuleType => ({
    name: `packages of ${row}`,
    comment: `may use no package but: ${names.join(", ")}`,
    severity: "error",
    from: { path: within(row) },
    to: { dependencyTypesNot: ["local"], pathNot: names.map(insidePackage) },
  }),
);

const config: IConfiguration = {
  forbidden: [
    ...arrows,
    ...packages,
    {
      name: "circle",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "development",
      comment: "is part of the product, which runs without devDependencies",
      severity: "error",
      from: { path: "^(?:src|agent)/" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg"] },
    },
    {
      name: "empty name",
      comment: "is named by a word that says nothing of what is in it",
      severity: "error",
      from: {},
      to: { dependencyTypes: ["local"], path: "[/.-](?:utils?|helpers?|common|manager)[/.-]" },
    },
  ],
  options: {
    // the compiler's own parser is not open to it since TypeScript 7
    parser: "swc",
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["node", "import"] },
  },
};
export default config;
