/**
 * Locates an action's files: a local folder that stands for its repository, a repository of the sandbox's GitHub at a
 * ref, or a folder of the workspace.
 */
import { mkdir, readFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import type { ActionsBackend } from "../ports.ts";
import { type ActionFile, readActionFile } from "./action-file.ts";
import { cloneUrl, type GitCall, git } from "./git.ts";

/** The parts of `uses: owner/name/path@ref`. */
export interface ActionName {
  readonly repository: string;
  readonly path: string;
  readonly ref: string;
}

export interface FoundAction {
  readonly file: ActionFile;
  readonly folder: string;
  /** Undefined for an action of the workspace. */
  readonly name: ActionName | undefined;
}

export type Finding =
  | { readonly ok: true; readonly action: FoundAction }
  | { readonly ok: false; readonly problem: string };

const USES = /^(?<repository>[\w.-]+\/[\w.-]+)(?<path>(?:\/[^/@]+)*)@(?<ref>[A-Za-z0-9][\w./-]*)$/;

export function actionName(uses: string): ActionName | undefined {
  const { repository, path = "", ref } = USES.exec(uses)?.groups ?? {};
  if (repository === undefined || ref === undefined || path.split("/").includes("..")) return undefined;
  return { repository, path: path.slice(1), ref };
}

export const isLocal = (uses: string): boolean => uses.startsWith("./") || uses.startsWith("../");

async function readIn(folder: string, shown: string, name: ActionName | undefined): Promise<Finding> {
  for (const file of ["action.yml", "action.yaml"]) {
    const text = await readFile(join(folder, file), "utf8").catch(() => undefined);
    if (text === undefined) continue;
    const read = readActionFile(text);
    if (read.ok) return { ok: true, action: { file: read.action, folder, name } };
    return { ok: false, problem: `${shown}: ${read.problem}` };
  }
  return { ok: false, problem: `Can't find 'action.yml' or 'action.yaml' under '${shown}'` };
}

export async function findInWorkspace(uses: string, workspace: string): Promise<Finding> {
  const folder = resolve(workspace, uses);
  const inside = !relative(workspace, folder).startsWith("..");
  const found: Finding = inside
    ? await readIn(folder, uses, undefined)
    : { ok: false, problem: `'${uses}' is outside of the workspace` };
  if (found.ok) return found;
  return { ok: false, problem: `${found.problem}. Did you forget to run actions/checkout before running it?` };
}

export interface ActionSource {
  readonly backend: ActionsBackend;
  /** Local folders that replace repositories, at every ref, by repository name. */
  readonly folders: Readonly<Record<string, string>>;
  /** Where repositories of the local GitHub are cloned to. */
  readonly downloads: string;
  readonly home: string;
  readonly path: string;
  readonly signal: AbortSignal;
}

export async function findAction(uses: string, source: ActionSource): Promise<Finding> {
  const name = actionName(uses);
  if (name === undefined) return { ok: false, problem: `the sandbox does not play ${uses}` };
  const folder = source.folders[name.repository] ?? (await download(name, source));
  if (folder === undefined)
    return { ok: false, problem: `Unable to resolve action ${uses}: the sandbox has no such repository or ref` };
  return readIn(join(folder, name.path), uses, name);
}

/** The repository's files at the ref; undefined when there are none. */
async function download({ repository, ref }: ActionName, source: ActionSource): Promise<string | undefined> {
  const { backend, downloads, home, path, signal } = source;
  const folder = join(downloads, repository, ref);
  const [owner = "", name = ""] = repository.split("/");
  let token: string;
  try {
    token = backend.workflowToken({ owner, name }, { contents: "read" });
  } catch {
    // the local GitHub's answer for a repository that does not exist
    return undefined;
  }
  await mkdir(folder, { recursive: true });
  const auth = { server: backend.url, token };
  const call: GitCall = { cwd: folder, home, path, auth, signal, onLine: () => {} };
  try {
    const fetched =
      (await git(call, ["init", "--quiet", "."])) &&
      (await git(call, ["fetch", "--quiet", "--no-tags", "--depth=1", cloneUrl(backend, repository), ref])) &&
      (await git(call, ["checkout", "--quiet", "--detach", "FETCH_HEAD"]));
    return fetched ? folder : undefined;
  } finally {
    backend.revokeToken(token);
  }
}
