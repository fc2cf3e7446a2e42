/**
 * Forbids `slice`, `substring` and `substr` where words are cut at a limit: `src/text/text.ts` alone does that, between
 * characters. By types, so that lists are left alone. What is cut where a sign was found is no limit: a position is a
 * variable, a limit is a constant or a number. Run by `npm run lint`; prints every finding and exits with 1 when there is
 * one.
 */
import { fileURLToPath } from "node:url";
import type { Node } from "typescript/unstable/ast";
import {
  isCallExpression,
  isIdentifier,
  isNumericLiteral,
  isPropertyAccessExpression,
} from "typescript/unstable/ast/is";
import { API, type Project, TypeFlags } from "typescript/unstable/sync";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const CUTS = ["slice", "substring", "substr"];
/** Names of constants, and of what is handed on as a limit. */
const LIMIT = /^(?:[A-Z][A-Z\d_]+|(?:max|most|limit|half|room|longest)[A-Z]?\w*)$/;
/** A number as short as those of hashes, dates and keys, which are letters of ours. */
const SHORT = 32;
/** Not ours to lint: a stranger that imports nothing of ours, and what cuts. */
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

/** The places of one file, as `file:line: call`. */
function cutsIn(project: Project, path: string): string[] {
  const file = project.program.getSourceFile(path);
  if (file === undefined) throw new Error(`${path} is no file of the project`);
  return [...callsIn(file)].flatMap((call) => {
    if (!isCallExpression(call) || !isPropertyAccessExpression(call.expression)) return [];
    if (!CUTS.includes(call.expression.name.text) || !call.arguments.some(hasLimit)) return [];
    const type = project.checker.getTypeAtLocation(call.expression.expression);
    // `t?.slice(…)` is of words, too, where `t` may be missing
    const present = type && project.checker.getNonNullableType(type);
    const apparent = present && project.checker.getBaseTypeOfLiteralType(present);
    if (apparent === undefined || (apparent.flags & TypeFlags.StringLike) === 0) return [];
    const line = file.text.slice(0, call.expression.name.end).split("\n").length;
    return [`${path.slice(ROOT.length)}:${line}: ${call.expression.name.text}`];
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
    console.error(`${finding} cuts words at a limit. Use head, tail or cut of src/text/text.ts.`);
  if (ours.length === 0 || findings.length > 0) process.exitCode = 1;
} finally {
  api.close();
}
