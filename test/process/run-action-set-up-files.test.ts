/** What the set-up commands of a repository's own image see of the repository: what its settings name, of the default branch. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { Brief } from "../../src/contracts/brief.ts";
import { parseResult } from "../../src/contracts/result.ts";
import { JOB_ID } from "../unit/agent-job.ts";
import { Runner } from "./action-runner.ts";

const open: Runner[] = [];
afterEach(() => {
  for (const runner of open.splice(0)) runner.remove();
});

const RESULT = `.jobs/${JOB_ID}/result.json`;
const OWN = { version: 1, outcome: "done", title: "t", body: "", model: "m", usage: {}, cost_cents: 1 };
const WORK = `echo '${JSON.stringify(OWN)}' > ${RESULT}`;
/** Runs the set-up commands here, in the folder that would be mounted. */
const PLAYED = `
case "$*" in
"image inspect --format {{json .Config.Env}}"*) echo '[]'; exit 0;;
*"--entrypoint /bin/sh"*)
  echo "$(echo "$*" | tr '\\n' ' ')" >> "$TEST_TOP/commands"
  seen=$(echo "$*" | sed -n 's/.*type=bind,source=\\([^,]*\\),target=.workspace,readonly.*/\\1/p')
  while [ "$1" != -c ]; do shift; done
  mark=$3; shift 3
  cd "\${seen:-$TEST_TOP/nowhere}"
  for command do echo "$mark"; sh -e -c "$command" < /dev/null 2>&1 || exit "$?"; done
  exit 0;;
esac`;
const LOOK = "find . -type f | sort; cat package.json";
const FILES = {
  "package.json": '{"of":"main"}\n',
  "apps/web/package.json": "{}\n",
  "apps/web/index.js": "secret\n",
  "apps/requirements.txt": "flask\n",
};
const PATHS = ["package.json", "apps/**/{package.json,requirements.txt}"];

interface Given extends Omit<NonNullable<ConstructorParameters<typeof Runner>[1]>, "brief"> {
  readonly paths?: string[];
  readonly setup?: string[];
  readonly more?: Partial<Brief>;
}

function start({ paths = PATHS, setup = [LOOK], more = {}, ...rest }: Given = {}): Runner {
  const container = { image: "node:24", setup_minutes: 15, setup, setup_paths: paths };
  const runner = new Runner(FILES, { ...rest, brief: { container, ...more } });
  open.push(runner);
  return runner;
}

const seenBy = (output: string): string[] =>
  output
    .split("\n")
    .filter((row) => row.startsWith("set-up | ") && !row.includes("$ "))
    .map((row) => row.slice("set-up | ".length));
const ALL = ["./apps/requirements.txt", "./apps/web/package.json", "./package.json"];

describe("files for the set-up of an image", () => {
  test("are those that the settings name, read-only and without git, and nothing of them is left", async () => {
    const runner = start();
    const { main, post } = await runner.run(WORK, {}, PLAYED);
    expect([main.code, post.code], main.output + post.output).toEqual([0, 0]);
    expect(seenBy(main.output)).toEqual([...ALL, '{"of":"main"}']);
    const [setup = ""] = runner.commands().filter((line) => line.includes("--entrypoint /bin/sh"));
    expect(setup).toContain(",target=/workspace,readonly");
    expect(setup).not.toMatch(/ -v | -e [A-Z]/);
    expect(existsSync(join(runner.temp, "journeyman", "set-up-files"))).toBe(false);
  });

  test("are the default branch's, whatever an earlier attempt has written", async () => {
    const behind = { work: { "package.json": '{"of":"job"}\n' }, base: { "b.txt": "b\n" }, commits: 1 };
    const { main } = await start({ behind }).run(WORK, {}, PLAYED);
    expect(seenBy(main.output)).toEqual([...ALL, '{"of":"main"}']);
  });

  test("are the default branch's, also where the job is for another one", async () => {
    const runner = start({ more: { base: { branch: "release", sha: "0".repeat(40) } } });
    runner.commit("main", { "package.json": '{"of":"main now"}\n' }, "goes on");
    const { main } = await runner.run(WORK, {}, PLAYED);
    expect(seenBy(main.output)).toEqual([...ALL, '{"of":"main now"}']);
  });

  test("are fetched where only some folders are checked out", async () => {
    const runner = start({ partial: true, more: { checkout_paths: ["docs"] } });
    const { main } = await runner.run(WORK, {}, PLAYED);
    expect(seenBy(main.output), main.output).toEqual([...ALL, '{"of":"main"}']);
  });

  test("that are not there are none", async () => {
    const { main } = await start({ paths: ["nothing/**"], setup: ["find . -type f; echo end"] }).run(WORK, {}, PLAYED);
    expect(main.code, main.output).toBe(0);
    expect(seenBy(main.output)).toEqual(["end"]);
  });

  test("need the name of the default branch, without which the attempt ends with a sentence", async () => {
    const runner = start();
    await runner.run(WORK, { GITHUB_EVENT_PATH: join(runner.top, "nothing.json") }, PLAYED);
    expect(parseResult(runner.pushed(RESULT) ?? "")?.reason).toBe(
      "The agent was not started: its event does not name the default branch, which `setup_paths` needs.",
    );
  });
});
