import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { Git } from "../../agent/action/git.ts";
import { runCommand } from "../../agent/action/run-command.ts";
import { StageClock } from "../../agent/action/stage-clock.ts";
import { stageFiles } from "../../agent/action/stage-files.ts";

const top = mkdtempSync(join(tmpdir(), "run-action-limits-"));
afterEach(() => rmSync(top, { recursive: true, force: true }));

test("the time of many calls together is over once, and the next part has its own", () => {
  let now = 1_000;
  const clock = new StageClock(() => now, 100);
  expect([clock.within(30), clock.within(1_000)]).toEqual([30, 100]);
  now += 100;
  expect(() => clock.within(1)).toThrow("the time limit of the post step is reached");
  clock.until(150);
  expect(clock.within(1_000)).toBe(50);
});

test("a program whose children cannot be ended is waited for no longer than its limit", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const file = join(mkdtempSync(join(tmpdir(), "run-action-limits-")), "pid");
  onTestFinished(() => rmSync(dirname(file), { recursive: true }));
  const env = { PATH: process.env.PATH ?? "" };
  // named once it leads a session of its own, where the signals to the program's group do not reach it
  const command = `setsid bash -c 'echo $$ > "$0.new"; mv "$0.new" "$0"; exec sleep 600' "$0" & wait`;
  const running = runCommand("bash", ["-c", command, file], { env, limitMs: 300 });
  while (!existsSync(file)) await wait(5);
  vi.advanceTimersByTime(300);
  vi.advanceTimersByTime(2_000);
  expect(await running).toMatchObject({ code: null, limit: "time" });
  const child = Number(readFileSync(file, "utf8"));
  // zero would be this very process and all beside it
  expect(child).toBeGreaterThan(1);
  expect(process.kill(child, "SIGKILL")).toBe(true);
});

test("a large change has all the time that is left of its part to be added", async () => {
  execFileSync("git", ["init", "--quiet", top]);
  const environment = { PATH: process.env.PATH ?? "" };
  const repository = { folder: join(top, ".git"), workTree: top, serverUrl: "https://example.com", environment };
  const clock = new StageClock(() => 0, 140_000);
  const given: number[] = [];
  const git = new Git(repository, (ms) => {
    given.push(clock.within(ms));
    return clock.within(ms);
  });
  expect(await stageFiles(git)).toEqual([]);
  expect(given).toEqual([140_000]);
});

test("a git that takes too long leaves no lock, and says so", async () => {
  execFileSync("git", ["init", "--quiet", top]);
  execFileSync("mkfifo", [join(top, ".gitattributes")]);
  execFileSync("touch", [join(top, "a.txt")]);
  const environment = { PATH: process.env.PATH ?? "" };
  const repository = { folder: join(top, ".git"), workTree: top, serverUrl: "https://example.com", environment };
  await expect(stageFiles(new Git(repository, () => 500))).rejects.toThrow("git add failed: it took too long");
  expect(existsSync(join(top, ".git", "index.lock"))).toBe(false);
});
