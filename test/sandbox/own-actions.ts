/**
 * Provides the project's own actions to the sandbox's runner: a folder that stands for the project's repository at a
 * release, with each `action.yml` and, in place of the bundles, programs that start the sources. As a release's inputs
 * name by default what that publishes, so these name what is on this machine.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseDocument } from "yaml";
import * as z from "zod";

/** Under whose name workflows use them. */
const packageSchema = z.object({ repository: z.string().transform((text) => text.replace(/^github:/, "")) });

/** Each action's file, and its programs. */
const ACTIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "action.yml": { "dist/action/main.js": "src/actions-mode/main.ts" },
  ".github/actions/run-job/action.yml": {
    ".github/actions/run-job/dist/main.js": "agent/action/main.ts",
    ".github/actions/run-job/dist/post.js": "agent/action/post.ts",
  },
};

export interface OwnActions {
  /** For the runner: folders by repository name. */
  readonly folders: Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

/** What the run action's inputs are where a workflow gives none; null: as the project's own file says. */
export interface InputDefaults {
  readonly anthropic_base_url: string | null;
  readonly agent_image: string | null;
}

function withDefaults(action: string, defaults: InputDefaults): string {
  const document = parseDocument(action);
  for (const [name, value] of Object.entries(defaults))
    if (value !== null && document.hasIn(["inputs", name])) document.setIn(["inputs", name, "default"], value);
  return String(document);
}

/** `program`: the command that starts a program of the project, whose path is its last argument. */
export async function layOutActions(
  project: URL,
  program: (path: string) => string[],
  defaults: InputDefaults,
): Promise<OwnActions> {
  const root = await mkdtemp(join(tmpdir(), "sandbox-actions-"));
  await writeFile(join(root, "package.json"), '{ "type": "module" }\n');
  for (const [file, programs] of Object.entries(ACTIONS)) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), withDefaults(await readFile(new URL(file, project), "utf8"), defaults));
    for (const [name, source] of Object.entries(programs)) {
      await mkdir(dirname(join(root, name)), { recursive: true });
      const target = pathToFileURL(program(source).at(-1) ?? "").href;
      await writeFile(join(root, name), `await import(${JSON.stringify(target)});\n`);
    }
  }
  const { repository } = packageSchema.parse(JSON.parse(await readFile(new URL("package.json", project), "utf8")));
  return { folders: { [repository]: root }, remove: () => rm(root, { recursive: true, force: true }) };
}
