import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, expect, test } from "vitest";
import { runTask } from "../eval/run-task.ts";
import { TASKS } from "../eval/tasks.ts";
import { finish, scriptedModel } from "../unit/scripted-model.ts";

const run = promisify(execFile);
const program = join(import.meta.dirname, "../eval/main.ts");
const evaluate = (args: string[], env: Record<string, string> = {}) =>
  run(process.execPath, [program, ...args], {
    env: { PATH: process.env.PATH ?? "", ...env },
  }).then(
    ({ stdout }) => ({ code: 0, output: stdout }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      output: error.stdout + error.stderr,
    }),
  );

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

test("the whole set runs with scripted answers, solves everything, and says that this proves the harness alone", async () => {
  const { code, output } = await evaluate(["--scripted"]);
  expect(output).toMatch(/^Scripted answers: this proves the harness, not a model\.\n/);
  expect(output).not.toContain("FAILED");
  expect(output).toMatch(
    new RegExp(`\\n${TASKS.length}/${TASKS.length} solved, \\d+ turns, [\\d.]+ cents, all of it scripted\\n$`),
  );
  expect(code).toBe(0);
});

test("a model that only claims to be done solves none of it", async () => {
  expect(TASKS.length).toBeGreaterThanOrEqual(12);
  const claims = await scriptedModel([finish("done", "Done", "All done.")]);
  closing.push(claims.close);
  const endpoint = { environment: { ANTHROPIC_BASE_URL: claims.url }, model: "m", max_tokens: 1_000 };
  const solved: string[] = [];
  for (const task of TASKS) if ((await runTask(task, endpoint)).wrong === null) solved.push(task.name);
  expect(solved).toEqual([]);
});

test("any compatible endpoint will do, and what failed is told with the exit code", async () => {
  const claims = await scriptedModel([finish("done", "Done", "All done.")]);
  closing.push(claims.close);
  const { code, output } = await evaluate(["fix a bug"], { ANTHROPIC_BASE_URL: claims.url, LLM_MODEL: "local" });
  expect(output).toContain("FAILED  fix a bug  (1 turns, cost unknown): its hidden tests fail");
  expect(output).toContain("0/1 solved, 1 turns, cost unknown");
  expect(code).toBe(1);
});

test("without a key or an endpoint it says what to set", async () => {
  expect(await evaluate([])).toEqual({ code: 2, output: expect.stringContaining("Set ANTHROPIC_API_KEY") });
  expect(await evaluate(["no such task"])).toMatchObject({ code: 2 });
});
