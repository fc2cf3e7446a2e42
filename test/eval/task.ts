/**
 * The shape of an evaluation task: a repository, the request to the agent, and a judgement that the agent never sees.
 */
import type { Brief } from "../../src/contracts/brief.ts";
import type { Result } from "../../src/contracts/result.ts";
import type { Checkout, Files } from "../unit/agent-job.ts";
import { bash, finish, type Turn, use } from "../unit/scripted-model.ts";

export interface Done {
  readonly checkout: Checkout;
  readonly result: Result;
  /** Changed, new and deleted files, the job's own folder aside. */
  readonly changed: readonly string[];
}

export interface EvalTask {
  readonly name: string;
  /** The base branch. */
  readonly files: Files;
  /** What the job's branch adds to it before the agent begins. */
  readonly later?: Files;
  readonly brief?: Partial<Brief>;
  readonly task: string;
  /** Tests that are put into the checkout once the agent has ended, and run by `node --test`. */
  readonly hidden?: Readonly<Record<string, string>>;
  /** What must hold beside them: the sentence that says what is wrong, or null. */
  readonly judge: (done: Done) => string | null;
  /** Answers of a model that solves it, for runs that prove the harness. */
  readonly scripted: readonly Turn[];
}

const EDITOR = "str_replace_based_edit_tool";

export const write = (path: string, file_text: string): Turn => ({
  content: [use(EDITOR, { command: "create", path, file_text })],
});
export const replace = (path: string, old_str: string, new_str: string): Turn => ({
  content: [use(EDITOR, { command: "str_replace", path, old_str, new_str })],
});
export { bash, finish };

export const ending =
  (outcome: Result["outcome"]) =>
  ({ result }: Done): string | null =>
    result.outcome === outcome ? null : `it ended as ${result.outcome}, not as ${outcome}`;

export const changingOnly =
  (...paths: string[]) =>
  ({ changed }: Done): string | null =>
    changed.join() === [...paths].sort().join() ? null : `it changed ${changed.join(", ") || "nothing"}`;

/** The first thing that is wrong. */
export const all =
  (...judges: EvalTask["judge"][]): EvalTask["judge"] =>
  (done) => {
    for (const judge of judges) {
      const wrong = judge(done);
      if (wrong !== null) return wrong;
    }
    return null;
  };

export const MODULE = `${JSON.stringify({ name: "shop", type: "module", scripts: { test: "node --test" } }, null, 2)}\n`;

/** A hidden test of one function of a module of the checkout. */
export const testOf = (module: string, names: string, body: string): string =>
  `import assert from "node:assert/strict";\nimport { test } from "node:test";\nimport { ${names} } from "./${module}";\ntest("hidden", () => {\n${body}\n});\n`;
