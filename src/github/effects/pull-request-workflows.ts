/** Reads whether a workflow of the repository runs on pull requests, in one query at the most. */
import * as z from "zod";
import { ask, BLOB, blobSchema } from "../client/graphql.ts";
import { runsOnPullRequests, WORKFLOW_MAX_BYTES } from "../repository-settings/workflow-file.ts";
import { WORKFLOW_PATH } from "./branch-state.ts";
import type { Task } from "./task.ts";

export const WORKFLOWS_FOLDER = ".github/workflows";
/** Workflows whose text is read. */
const MAX_READ = 20;

/** `object(expression:)` of the folder: its files without their texts, which may be long and many. */
export const SIZES = "... on Tree { entries { name object { ... on Blob { byteSize } } } }";
/** A folder in it yields an empty object, a submodule none. */
const entrySchema = z.object({ name: z.string(), object: z.object({ byteSize: z.number().optional() }).nullable() });
export const sizesSchema = z
  .object({ entries: z.array(entrySchema).nullish() })
  .transform(({ entries }) =>
    (entries ?? []).flatMap(({ name, object }) =>
      object?.byteSize === undefined ? [] : [{ path: `${WORKFLOWS_FOLDER}/${name}`, bytes: object.byteSize }],
    ),
  )
  .nullable();

const textsSchema = z.object({ repository: z.record(z.string(), blobSchema).nullable() });

function queryOf(count: number): string {
  const all = Array.from({ length: count }, (_, at) => at);
  const names = all.map((at) => `, $e${at}: String!`).join("");
  const fields = all.map((at) => `w${at}: object(expression: $e${at}) { ${BLOB} }`).join("\n    ");
  return `
query Workflows($owner: String!, $repo: String!${names}) {
  repository(owner: $owner, name: $repo) {
    ${fields}
  }
}`;
}

/** The App's own workflow does not count. Null: none is found, but one that was not read may run on them. */
export async function readTriggers(
  { octokit, at }: Pick<Task, "octokit" | "at">,
  commit: string,
  files: z.output<typeof sizesSchema>,
): Promise<boolean | null> {
  const others = (files ?? []).filter(({ path }) => path !== WORKFLOW_PATH && /\.ya?ml$/.test(path));
  const read = others.filter(({ bytes }) => bytes <= WORKFLOW_MAX_BYTES).slice(0, MAX_READ);
  const unread = read.length < others.length ? null : false;
  if (read.length === 0) return unread;
  const expressions = Object.fromEntries(read.map(({ path }, nth) => [`e${nth}`, `${commit}:${path}`]));
  const { repository } = await ask(octokit, queryOf(read.length), { ...at, ...expressions }, textsSchema);
  const triggered = read.map((_, nth) => runsOnPullRequests(repository?.[`w${nth}`] ?? null));
  if (triggered.includes(true)) return true;
  return triggered.includes(null) ? null : unread;
}
