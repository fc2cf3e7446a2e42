/** The log uploader: as a program where that is the point, otherwise in this process and on a clock that runs fast. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import * as z from "zod";
import { submitResult, uploadProgress } from "../../agent/uploader/uploader.ts";
import { type LogLine, MAX_LOG_LINES } from "../../src/contracts/log-line.ts";
import { handedInSchema, MAX_REPORTED_LINES } from "../../src/contracts/run-report.ts";
import { builtProgram } from "../build.ts";
import { FakeApp, type Fate } from "./fake-app.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const line = (seq: number, text = `line ${seq}`): LogLine => ({
  seq,
  at: "2030-01-31T12:00:00.000Z",
  level: "info",
  text,
});
const rows = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, at) => `${JSON.stringify(line(from + at))}\n`).join("");
const numbers = (lines: readonly LogLine[]): number[] => lines.map(({ seq }) => seq);
const upTo = (last: number): number[] => Array.from({ length: last }, (_, at) => at + 1);

/** How far the clock of the pauses goes in one step, and how often it takes one. */
const STEP_MS = 500;
const STEP_EVERY_MS = 5;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const ticks = setInterval(() => vi.advanceTimersByTime(STEP_MS), STEP_EVERY_MS);
  closing.push(
    () => void vi.useRealTimers(),
    () => clearInterval(ticks),
  );
});

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, signal.aborted ? 0 : ms);
    signal.addEventListener("abort", () => resolve(), { once: true });
  });

interface Uploader {
  readonly output: () => string;
  readonly ended: Promise<unknown>;
  write(text: string): void;
  end(): void;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** In this process. The flush has no limit: when that is over is no matter of the clock's speed. */
function start(environment: Environment, work: "progress" | "hand-in" = "progress"): Uploader {
  const input = new PassThrough();
  let text = "";
  const print = (row: string): void => {
    text += `${row}\n`;
  };
  const ports = { environment, input, print, now: Date.now, pause };
  return {
    output: () => text,
    ended: work === "hand-in" ? submitResult(ports) : uploadProgress({ ...ports, limitFlush: () => {} }),
    write: (more) => void input.write(more),
    end: () => void input.end(),
  };
}

function startProgram(environment: Environment, ...args: string[]) {
  const [command = "", ...words] = builtProgram("agent/uploader/main.ts");
  const child = spawn(command, [...words, ...args], { env: { PATH: process.env.PATH, ...environment } });
  closing.push(() => child.kill("SIGKILL"));
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += chunk));
  return {
    child,
    output: () => text,
    ended: once(child, "close").then(([code]) => (typeof code === "number" ? code : null)),
    write: (more: string) => void child.stdin.write(more),
    end: () => void child.stdin.end(),
  };
}

async function openApp(fates: readonly Fate[]): Promise<FakeApp> {
  const fakeApp = await FakeApp.open();
  closing.push(() => fakeApp.close());
  fakeApp.fates.push(...fates);
  return fakeApp;
}

async function open(...fates: Fate[]) {
  const fakeApp = await openApp(fates);
  return { fakeApp, uploader: start(fakeApp.environment) };
}

async function openProgram(...fates: Fate[]) {
  const fakeApp = await openApp(fates);
  return { fakeApp, uploader: startProgram(fakeApp.environment) };
}

const shown = (uploader: Pick<Uploader, "output">): string[] => uploader.output().split("\n").slice(0, -1);
const lastWord = (uploader: Pick<Uploader, "output">): string =>
  shown(uploader).find((row) => row.startsWith("courier | ")) ?? "";

describe("the agent's lines", () => {
  test("are shown, and arrive once, in order, in batches of one request at a time", async () => {
    const { fakeApp, uploader } = await openProgram();
    uploader.write(rows(1, 3));
    await fakeApp.until(() => fakeApp.received === 3);
    uploader.write(rows(4, 450));
    await vi.waitFor(() => expect(uploader.output()).toContain("agent | line 450\n"), { timeout: 60_000 });
    uploader.end();
    expect(await uploader.ended).toBe(0);
    expect(numbers(fakeApp.lines)).toEqual(upTo(450));
    expect(shown(uploader)).toEqual(upTo(450).map((seq) => `agent | line ${seq}`));
    expect(Math.max(...fakeApp.sizes)).toBe(MAX_REPORTED_LINES);
    expect(fakeApp.mostAtOnce).toBe(1);
    expect([fakeApp.asked, new Set(fakeApp.audiences)]).toEqual([1, new Set([fakeApp.url])]);
  });

  test("cannot speak to the runner, and what is no line of the log is shown and not sent", async () => {
    const { fakeApp, uploader } = await open();
    const said = [
      JSON.stringify(line(1, "::error::one\n  ::set-env name=a::b\r::x ##[group]")),
      "::add-mask::a",
      '{"seq": 2}',
      "{ broken",
      JSON.stringify(line(1, "again")),
      "x".repeat(200_000),
      JSON.stringify(line(2, "näher")),
    ];
    uploader.write(said.join("\n"));
    uploader.end();
    await uploader.ended;
    expect(fakeApp.lines.map(({ text }) => text)).toEqual([
      "::error::one\n  ::set-env name=a::b\r::x ##[group]",
      "näher",
    ]);
    for (const row of shown(uploader)) expect(row).not.toMatch(/^\s*::|##\[|\r/);
    expect(uploader.output()).toContain("> ::add-mask::a\n");
    expect(uploader.output().match(/x/g)?.length).toBeGreaterThanOrEqual(200_000);
  });

  test("beyond a log's limit are shown and not kept, and long ones make smaller batches", async () => {
    const { fakeApp, uploader } = await open();
    uploader.write(rows(1, MAX_LOG_LINES + 500));
    uploader.end();
    await uploader.ended;
    expect(numbers(fakeApp.lines)).toEqual(upTo(MAX_LOG_LINES));
    expect(shown(uploader)).toHaveLength(MAX_LOG_LINES + 500);
    const other = await open();
    for (const seq of upTo(200)) other.uploader.write(`${JSON.stringify(line(seq, "\u0001".repeat(4_000)))}\n`);
    other.uploader.end();
    await other.uploader.ended;
    expect(numbers(other.fakeApp.lines)).toEqual(upTo(200));
    expect(Math.max(...other.fakeApp.sizes)).toBeLessThan(20);
  });
});

describe("an App in trouble", () => {
  test("that stalls slows nothing: all is shown meanwhile, and the uploader ends by itself", async () => {
    const { fakeApp, uploader } = await openProgram(...Array.from({ length: 50 }, (): Fate => "stall"));
    uploader.write(rows(1, 1));
    await fakeApp.until(() => fakeApp.stalled > 0);
    uploader.write(rows(2, 60_000));
    await vi.waitFor(() => expect(uploader.output()).toContain("agent | line 60000\n"), { timeout: 60_000 });
    expect([fakeApp.starts, fakeApp.lines]).toEqual([[1], []]);
    uploader.end();
    expect(await uploader.ended).toBe(0);
    expect(lastWord(uploader)).toMatch(/^courier \| The App did not receive the whole log: .+/);
  });

  test("that cuts, fails and is busy gets every line once it is well", async () => {
    const busy = { status: 429, headers: { "retry-after": "1" } };
    const { fakeApp, uploader } = await open("cut", { status: 500 }, busy, "lose");
    uploader.write(rows(1, 5));
    await fakeApp.until(() => fakeApp.starts.length === 4);
    uploader.write(rows(6, 10));
    await fakeApp.until(() => fakeApp.received === 10);
    uploader.end();
    await uploader.ended;
    expect(numbers(fakeApp.lines)).toEqual(upTo(10));
    expect(fakeApp.mostAtOnce).toBe(1);
    expect(lastWord(uploader)).toBe("");
  });

  test("that does not know the run yet is waited for as it says", async () => {
    const soon = { status: 409, headers: { "retry-after": "1" } };
    const { fakeApp, uploader } = await open(soon, soon);
    uploader.write(rows(1, 2));
    uploader.end();
    await uploader.ended;
    expect(numbers(fakeApp.lines)).toEqual([1, 2]);
  });

  test("that was restarted gets what it has forgotten", async () => {
    const { fakeApp, uploader } = await open();
    uploader.write(rows(1, 10));
    await fakeApp.until(() => fakeApp.received === 10);
    fakeApp.received = 0;
    fakeApp.lines.length = 0;
    fakeApp.fates.push({ status: 200, body: { received: 4 } });
    uploader.write(rows(11, 12));
    await fakeApp.until(() => fakeApp.received === 12);
    uploader.end();
    await uploader.ended;
    expect(fakeApp.starts.slice(0, 3)).toEqual([1, 11, 5]);
    expect(numbers(fakeApp.lines)).toEqual([5, 6, 7, 8, 9, 10, 11, 12]);
  });

  test.each([
    ["409 without a pause", { status: 409 }],
    ["404", { status: 404 }],
    ["401 for a token that is new", { status: 401 }],
    ["413", { status: 413 }],
    ["a redirect", { status: 307, headers: { location: "/elsewhere" } }],
    ["an answer of another kind", { status: 200, body: { ok: true } }],
  ] as const)("that says %s is not asked again, and the agent is still shown", async (_, fate) => {
    const { fakeApp, uploader } = await open(fate);
    uploader.write(rows(1, 1));
    await vi.waitFor(() => expect(lastWord(uploader)).not.toBe(""), { timeout: 60_000 });
    uploader.write(rows(2, 5));
    uploader.end();
    await uploader.ended;
    expect([fakeApp.starts, fakeApp.deniedPeople]).toEqual([[1], []]);
    expect(uploader.output()).toContain("agent | line 5\n");
  });
});

describe("its identity", () => {
  test("is asked for anew before it ends, and when the App no longer takes it", async () => {
    const { fakeApp, uploader } = await open();
    fakeApp.tokenLifeS = 30;
    uploader.write(rows(1, 1));
    await fakeApp.until(() => fakeApp.received === 1);
    fakeApp.tokenLifeS = 300;
    uploader.write(rows(2, 2));
    await fakeApp.until(() => fakeApp.received === 2);
    expect(fakeApp.asked).toBe(2);
    uploader.write(rows(3, 3));
    await fakeApp.until(() => fakeApp.received === 3);
    expect(fakeApp.asked).toBe(2);
    fakeApp.forgetTokens();
    uploader.write(rows(4, 4));
    uploader.end();
    await uploader.ended;
    expect([numbers(fakeApp.lines), fakeApp.asked]).toEqual([[1, 2, 3, 4], 3]);
  });

  test.each([
    ["APP_URL is not set", { APP_URL: undefined }],
    ["APP_URL must begin with https://", { APP_URL: "http://journeyman.example.com" }],
    ["APP_URL must begin with https://", { APP_URL: "http://127.0.0.1.example.com" }],
    ["APP_URL must begin with https://", { APP_URL: "https://user:word@example.com" }],
    ["ACTIONS_ID_TOKEN_REQUEST_TOKEN is empty", { ACTIONS_ID_TOKEN_REQUEST_TOKEN: "" }],
    ["JOB_ID is not the id of a job", { JOB_ID: "../../etc" }],
  ])("%s: then it sends nothing, and says so beside the agent's lines", async (reason, change) => {
    const fakeApp = await openApp([]);
    const uploader = start({ ...fakeApp.environment, ...change });
    uploader.write(rows(1, 1));
    uploader.end();
    await uploader.ended;
    expect(lastWord(uploader)).toContain(reason);
    expect(uploader.output()).toContain("agent | line 1\n");
    expect([fakeApp.asked, fakeApp.starts]).toEqual([0, []]);
  });

  test("is never shown", async () => {
    const { fakeApp, uploader } = await openProgram({ status: 400, body: { error: "no" } });
    uploader.write(rows(1, 1));
    uploader.end();
    await uploader.ended;
    expect(uploader.output()).not.toMatch(/request-token|eyJ/);
    expect(fakeApp.asked).toBe(1);
  });
});

test("told to end together with the agent, it still carries the agent's last words", async () => {
  const { fakeApp, uploader } = await openProgram();
  uploader.write(rows(1, 1));
  await fakeApp.until(() => fakeApp.received === 1);
  uploader.child.kill("SIGTERM");
  uploader.child.kill("SIGINT");
  uploader.write(rows(2, 2));
  uploader.end();
  expect(await uploader.ended).toBe(0);
  expect(numbers(fakeApp.lines)).toEqual([1, 2]);
});

describe("the hand-in", () => {
  const result = { version: 1, outcome: "done", title: "Say hello", put_back: ["a"] };
  const INPUT = `${JSON.stringify(result)}\0${rows(1, 2)}\0a b.txt\0näher.txt\0`;

  async function hand(input: string, ...fates: Fate[]) {
    const fakeApp = await openApp(fates);
    const uploader = start(fakeApp.environment, "hand-in");
    uploader.write(input);
    uploader.end();
    await uploader.ended;
    return { fakeApp, answer: uploader.output() };
  }

  test("gives the App result, log and files, and prints the token alone", async () => {
    const fakeApp = await openApp([]);
    const uploader = startProgram(fakeApp.environment, "hand-in");
    uploader.write(INPUT);
    uploader.end();
    expect(await uploader.ended).toBe(0);
    expect(uploader.output()).toBe("token ghs_token.of-the_app\n");
    expect(fakeApp.handedIn).toEqual([{ result, log: [line(1), line(2)], changed_files: ["a b.txt", "näher.txt"] }]);
    expect(fakeApp.audiences).toEqual([fakeApp.url]);
  });

  test("is tried again while the App is in trouble or does not know the run yet", async () => {
    const soon = { status: 409, headers: { "retry-after": "1" } };
    const { answer } = await hand(INPUT, "cut", { status: 502 }, soon);
    expect(answer).toBe("token ghs_token.of-the_app\n");
  });

  test.each([
    [
      "a refusal, in the App's words",
      [{ status: 409, body: { error: "The job\nis ::over::" } }],
      /^no http:\S+ answers 409: The job is ::over::\n$/,
    ],
    [
      "no answer in all attempts",
      Array.from({ length: 9 }, (): Fate => "cut"),
      /^no http:\S+ cannot be reached: .+\n$/,
    ],
    [
      "no token in the answer",
      [{ status: 200, body: { token: "two words" } }],
      /^no the App's answer holds no token\n$/,
    ],
    ["a redirect", [{ status: 302, headers: { location: "/elsewhere" } }], /^no http:\S+ answers 302: as asked\n$/],
  ] as const)("says why there is no token: %s", async (_, fates, words) => {
    const { fakeApp, answer } = await hand(INPUT, ...fates);
    expect(answer).toMatch(words);
    expect(fakeApp.deniedPeople).toEqual([]);
  });

  test("of what is broken is still data: no result, the lines that can be read, no more files than allowed", async () => {
    const files = Array.from({ length: 3_100 }, (_, at) => `f${at}\0`).join("");
    const { fakeApp } = await hand(`{"version": 1, "out\0${rows(1, 1)}{ torn\0${files}`);
    expect(fakeApp.handedIn).toMatchObject([{ result: null, log: [{ seq: 1 }], changed_files: { length: 3_000 } }]);
  });

  test("of a log as long as it may be leaves out its first lines, so that a server takes it", async () => {
    const long = upTo(MAX_LOG_LINES).map((seq) => `${JSON.stringify(line(seq, "ä".repeat(4_000)))}\n`);
    const { fakeApp, answer } = await hand(`{}\0${long.join("")}\0`);
    expect(answer).toMatch(/^token /);
    const [{ log = [] } = {}] = z.array(handedInSchema).parse(fakeApp.handedIn);
    expect(log.at(-1)?.seq).toBe(MAX_LOG_LINES);
    expect(Buffer.byteLength(JSON.stringify(log))).toBeLessThan(6 * 1024 * 1024 + 1);
    expect(log.length).toBeGreaterThan(500);
  });

  test("of too much says so", async () => {
    const { answer, fakeApp } = await hand(`{}\0${"x".repeat(33 * 1024 * 1024)}\0`);
    expect(answer).toBe("no result and log are too large to submit\n");
    expect(fakeApp.handedIn).toEqual([]);
  });
});
