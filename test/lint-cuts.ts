/**
 * Forbids `slice`, `substring` and `substr` where text is cut at a limit: only `src/text/text.ts` does that, between
 * characters. Uses types, so that lists are left alone. A cut at a position that was searched for is allowed: a position is a
 * variable, a limit is a constant, a number, or a variable of one letter. Run by `npm run lint`, or with a project's folder as
 * its argument; prints every finding and exits with 1 when there is one.
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Node } from "typescript/unstable/ast";
import {
  isCallExpression,
  isElementAccessExpression,
  isIdentifier,
  isNumericLiteral,
  isPropertyAccessExpression,
  isStringLiteral,
} from "typescript/unstable/ast/is";
import { API, type Project, TypeFlags } from "typescript/unstable/sync";

const ROOT = `${resolve(process.argv[2] ?? fileURLToPath(new URL("../", import.meta.url)))}/`;
const CUTS = ["slice", "substring", "substr"];
/** Names of constants and of limits that are passed on. One letter tells nothing, so it counts as a limit. */
const LIMIT = /^(?:[A-Z][A-Z\d_]+|[a-z]|(?:max|most|limit|half|room|longest)[A-Z]?\w*)$/;
/** Numbers up to this cut hashes, dates and keys, which have no characters of several units. */
const SHORT = 32;
/** Not linted: the sandbox, which imports nothing of the product, and the file that cuts. */
const LEFT_OUT = ["test/sandbox/", "src/text/text.ts"];

/** A limit anywhere in an argument; `PREFIX.length` is a position. */
function hasLimit(node: Node): boolean {
  if (isPropertyAccessExpression(node)) return node.name.text !== "length" && hasLimit(node.name);
  if (isNumericLiteral(node)) return Number(node.text) > SHORT;
  if (isIdentifier(node)) return LIMIT.test(node.text);
  let found = false;
  node.forEachChild((child) => {
    found ||= hasLimit(child);
    return undefined;
  });
  return found;
}

function* callsIn(node: Node): Generator<Node> {
  if (isCallExpression(node)) yield node;
  const children: Node[] = [];
  node.forEachChild((child) => {
    children.push(child);
    return undefined;
  });
  for (const child of children) yield* callsIn(child);
}

/** The object and the name of `text.slice` and `text["slice"]`. */
function memberIn(node: Node): { readonly of: Node; readonly name: string; readonly end: number } | null {
  if (isPropertyAccessExpression(node)) return { of: node.expression, name: node.name.text, end: node.name.end };
  if (!isElementAccessExpression(node) || !isStringLiteral(node.argumentExpression)) return null;
  return { of: node.expression, name: node.argumentExpression.text, end: node.argumentExpression.end };
}

/** The places of one file, as `file:line: call`. */
function cutsIn(project: Project, path: string): string[] {
  const file = project.program.getSourceFile(path);
  if (file === undefined) throw new Error(`${path} is no file of the project`);
  return [...callsIn(file)].flatMap((call) => {
    const member = isCallExpression(call) ? memberIn(call.expression) : null;
    if (!isCallExpression(call) || member === null) return [];
    if (!CUTS.includes(member.name) || !call.arguments.some(hasLimit)) return [];
    const type = project.checker.getTypeAtLocation(member.of);
    // `t?.slice(…)` cuts text as well if `t` may be missing
    const present = type && project.checker.getNonNullableType(type);
    const apparent = present && project.checker.getBaseTypeOfLiteralType(present);
    if (apparent === undefined || (apparent.flags & TypeFlags.StringLike) === 0) return [];
    const line = file.text.slice(0, member.end).split("\n").length;
    return [`${path.slice(ROOT.length)}:${line}: ${member.name}`];
  });
}

const api = new API({ cwd: ROOT });
try {
  const snapshot = api.updateSnapshot({ openProject: `${ROOT}tsconfig.json` });
  const project = snapshot.getProject(`${ROOT}tsconfig.json`);
  if (project === undefined) throw new Error("tsconfig.json could not be opened");
  const ours = project.program
    .getSourceFileNames()
    .filter((path) => ["src/", "agent/"].some((folder) => path.startsWith(ROOT + folder)))
    .filter((path) => !LEFT_OUT.some((place) => path.startsWith(ROOT + place)));
  const findings = ours.flatMap((path) => cutsIn(project, path));
  for (const finding of findings)
    console.error(`${finding} cuts text at a limit. Use head, tail or cut of src/text/text.ts.`);
  if (ours.length === 0 || findings.length > 0) process.exitCode = 1;
} finally {
  api.close();
}
