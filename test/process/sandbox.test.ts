/** What `npm run sandbox` prints is correct: addresses answer, commands work as printed, and Ctrl-C ends it. */

import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";
import * as z from "zod";
import { KNOWN_TASKS } from "../sandbox/model/task.ts";
import { type SandboxProgram, startSandboxProgram } from "./sandbox-program.ts";

let sandbox: SandboxProgram;
let code: number | null = null;
beforeAll(async () => {
  sandbox = await startSandboxProgram();
});
afterAll(async () => {
  code ??= await sandbox.stop();
});

it("prints where everything is", async () => {
  for (const place of ["GitHub", "App", "Keys", "Install"]) {
    const answer = await fetch(sandbox.told(place));
    expect([place, answer.status]).toEqual([place, 200]);
  }
});

it("prints a command for a job over the App's API and one over GitHub's, and both work", async () => {
  const answers = [];
  for (const command of sandbox.commands) answers.push(JSON.parse((await execa("bash", ["-c", command])).stdout));
  expect(answers).toHaveLength(2);
  expect(z.looseObject({ job_id: z.string() }).safeParse(answers[0]).error).toBeUndefined();
  expect(answers[1]).toMatchObject({ number: 1, user: { login: "ada" }, labels: [{ name: "job" }] });
});

it("prints the tasks that its model knows", () => {
  for (const task of KNOWN_TASKS) expect(sandbox.printed()).toContain(`\n  /job ${task}\n`);
});

it("ends on SIGTERM with 0", async () => {
  code = await sandbox.stop();
  expect(code).toBe(0);
});
