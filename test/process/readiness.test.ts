/** `/ready` of the real process: from start to stop, and while its disk accepts no writes. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { VERSION } from "../../src/contracts/version.ts";
import { builtProgram } from "../build.ts";
import { appKey } from "../contract/app-key.ts";
import { freePort } from "../sandbox/free-port.ts";

const API_KEY = "the-admin-key-of-this-test";
const DEADLINE = { timeout: 60_000, interval: 20 };

interface Server {
  readonly pid: number;
  readonly url: string;
  readonly port: number;
  readonly ended: Promise<number | null>;
  stop(): void;
}

async function start(): Promise<Server> {
  const dir = await mkdtemp(join(tmpdir(), "readiness-"));
  const port = await freePort();
  const [command = "", ...args] = builtProgram("src/main.ts");
  const child = spawn(command, args, {
    cwd: dir,
    env: {
      ...{ PATH: process.env.PATH ?? "", APP_ID: "1", PRIVATE_KEY: appKey, WEBHOOK_SECRET: "a secret of this test" },
      ...{ API_KEY, HOST: "127.0.0.1", PORT: String(port), GHE_HOST: "127.0.0.1:9", GHE_PROTOCOL: "http" },
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  child.stdout.resume();
  const ended = once(child, "exit").then(([code]) => (typeof code === "number" ? code : null));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
    await rm(dir, { recursive: true, force: true });
  });
  if (child.pid === undefined) throw new Error("the server was not started");
  return { pid: child.pid, port, url: `http://127.0.0.1:${port}`, ended, stop: () => child.kill("SIGTERM") };
}

const look = async (url: string) => {
  const answer = await fetch(url).catch(() => null);
  return answer === null ? null : `${answer.status} ${await answer.text()}`;
};
/** The GitHub of these tests is away, which keeps nobody from requests and deliveries. */
const READY = expect.stringMatching(/^200 \{"ready":true,"reason":"GitHub cannot be reached[^"]*"\}$/);
const UNWRITABLE = expect.stringMatching(
  /^503 \{"ready":false,"reason":"The data folder cannot be written to[^"]*"\}$/,
);
const ALIVE = `200 {"status":"ok","version":"${VERSION}"}`;

/** A request whose end has not been sent yet: the server waits for it, also while it stops. */
async function begun(port: number, path: string): Promise<{ finish(): Promise<string> }> {
  const socket: Socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  let output = "";
  socket.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n`);
  return {
    async finish() {
      socket.write("Connection: close\r\n\r\n");
      await once(socket, "close");
      return output;
    },
  };
}

it("is false from the first moment, true when everything is there, and false again while the server stops", async () => {
  const server = await start();
  const seen: (string | null)[] = [];
  await expect
    .poll(async () => {
      seen.push(await look(`${server.url}/ready`));
      return seen.at(-1);
    }, DEADLINE)
    .toEqual(READY);
  const answered = seen.filter((one) => one !== null);
  expect(answered.length).toBeGreaterThan(1);
  for (const one of answered.slice(0, -1)) expect(one).toMatch(/^503 \{"ready":false/);

  const [ready, health] = [await begun(server.port, "/ready"), await begun(server.port, "/health")];
  // both have arrived by then
  expect(await look(`${server.url}/ready`)).toEqual(READY);
  server.stop();
  await expect.poll(() => look(`${server.url}/ready`), DEADLINE).toBeNull();
  expect(await ready.finish()).toMatch(/^HTTP\/1\.1 503 [\s\S]*\{"ready":false\}/);
  expect(await health.finish()).toMatch(/^HTTP\/1\.1 200 /);
  expect(await server.ended).toBe(0);
});

/** No file may grow beyond this many bytes: what is written fails, as on a disk that is full. */
const allow = (pid: number, bytes: string): void => {
  execFileSync("prlimit", ["--pid", String(pid), `--fsize=${bytes}:`]);
};

it("is false while the disk takes nothing, however long nobody writes, and true when it takes something again", async () => {
  const server = await start();
  await expect.poll(() => look(`${server.url}/ready`), DEADLINE).toEqual(READY);
  const createKey = async () =>
    (
      await fetch(`${server.url}/api/keys`, {
        method: "POST",
        headers: { "x-api-key": API_KEY },
        body: JSON.stringify({ account: "ada", repository: "*" }),
      })
    ).status;

  expect(await createKey()).toBe(201);
  allow(server.pid, "0");
  expect(await createKey()).toBe(500);
  expect(await look(`${server.url}/ready`)).toEqual(UNWRITABLE);
  expect(await look(`${server.url}/health`)).toBe(ALIVE);
  allow(server.pid, "unlimited");
  // nobody sends a request to a server that is not ready, so it must find out by itself
  await expect.poll(() => look(`${server.url}/ready`), DEADLINE).toEqual(READY);
  expect(await createKey()).toBe(201);
});
