import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { Shell } from "../../agent/tools/bash.ts";
import { MAX_ANSWER } from "../../agent/tools/tool-result.ts";

const never = new AbortController().signal;
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

function open(commandSeconds = 60) {
  const workspace = realpathSync(mkdtempSync(join(tmpdir(), "shell-test-")));
  const shell = new Shell({ workspace, environment: { PATH: process.env.PATH ?? "", GREETING: "hi" }, commandSeconds });
  closing.push(() => {
    shell.close();
    rmSync(workspace, { recursive: true, force: true });
  });
  const say = async (command: string) => (await shell.use({ command }, never)).text;
  return { workspace, shell, say };
}

/** Waits until the process is gone, or fails at the test's own time limit. */
const gone = (pid: number) =>
  vi.waitFor(
    () => {
      // A killed process stays a zombie until its parent looks; it runs no more.
      const state = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, "utf8") : "";
      if (state !== "" && !/\) Z /.test(state)) throw new Error(`${pid} still runs`);
    },
    { timeout: 10_000, interval: 20 },
  );

test("folder and exported variables carry over, a broken command does not break the session", async () => {
  const { say, workspace } = open();
  expect(await say("pwd")).toBe(workspace);
  await say("mkdir 'a b'; cd 'a b'; export NAME=\"it's\"; unset GREETING");
  expect(await say("if then")).toContain("syntax error");
  expect(await say("exit 3")).toBe("[exit code 3]");
  expect(await say('pwd; echo "$NAME-$GREETING"')).toBe(`${workspace}/a b\nit's-`);
});

test("restart brings the first state back", async () => {
  const { shell, say, workspace } = open();
  await say("cd /; export A=1");
  await shell.use({ restart: true }, never);
  expect(await say('pwd; echo "[$A]"')).toBe(`${workspace}\n[]`);
});

test("stdout and stderr come in order, with the exit code", async () => {
  const { say } = open();
  expect(await say("echo 1; echo 2 >&2; echo 3; false")).toBe("1\n2\n3\n[exit code 1]");
  expect(await say("true")).toBe("[no output]");
});

test("a command longer than an argument may be is run", async () => {
  const { say, workspace } = open();
  const text = "x".repeat(300_000);
  await say(`cat > big.txt <<'END'\n${text}\nEND`);
  expect(readFileSync(join(workspace, "big.txt"), "utf8")).toBe(`${text}\n`);
});

test("a command that reads its input gets none instead of waiting", async () => {
  const { say } = open();
  expect(await say("cat; read x; echo done")).toBe("done");
});

test("long output keeps head and tail, and the whole is in a file", async () => {
  const { say } = open();
  const text = await say("seq 1 100000");
  expect(text.length).toBeLessThan(MAX_ANSWER);
  expect(text).toMatch(/^1\n2\n/);
  expect(text).toMatch(/99999\n100000$/);
  const file = /the whole is in (\S+) …/.exec(text)?.[1] ?? "";
  expect(await say(`wc -l < ${file}`)).toBe("100000");
});

test("endless output stays bounded and ends at the time limit", async () => {
  const { shell } = open(1);
  const answer = await shell.use({ command: "yes" }, never);
  expect(answer.failed).toBe(true);
  expect(answer.text).toContain("killed after 1 s");
  expect(answer.text.length).toBeLessThan(MAX_ANSWER + 200);
});

test("at its time limit a command dies with everything it started, and what it said is kept", async () => {
  const { say } = open(1);
  const text = await say("sleep 600 & echo child $!; (sleep 600; true)");
  expect(text).toContain("killed after 1 s");
  await gone(Number(/child (\d+)/.exec(text)?.[1]));
  expect(await say("echo alive")).toBe("alive");
});

test("a server in the background outlives its command, is not waited for, and ends with the shell", async () => {
  const { shell, say } = open();
  const pid = Number(await say("sleep 600 & echo $!"));
  expect(await say(`kill -0 ${pid} && echo lives`)).toBe("lives");
  shell.close();
  await gone(pid);
});

test("output of a background process does not mix into later answers", async () => {
  const { say, workspace } = open();
  await say("(while [ ! -e go ]; do sleep 0.01; done; echo late; touch said) & echo started");
  await say("touch go");
  await vi.waitFor(() => expect(existsSync(join(workspace, "said"))).toBe(true), { timeout: 10_000 });
  expect(await say("echo clean")).toBe("clean");
});

test("the environment is an allow-list", async () => {
  const { say } = open();
  const names = (await say("env")).split("\n").map((line) => line.split("=")[0] ?? "");
  const own = [
    "HOME",
    "PATH",
    "GREETING",
    "PWD",
    "OLDPWD",
    "SHLVL",
    "_",
    "TERM",
    "NO_COLOR",
    "CI",
    "PAGER",
    "DEBIAN_FRONTEND",
  ];
  expect(names.filter((name) => !own.includes(name) && !name.startsWith("GIT_"))).toEqual([]);
});
