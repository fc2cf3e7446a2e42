/**
 * The `docker` program on the PATH of played steps. `docker run` starts a program of the agent's image as a child
 * process with only what the command line passes; a few management commands are answered; the rest is refused.
 *
 * Called as: STATE_FOLDER PATH COUNT (NAME COUNT WORD{COUNT}){COUNT} DOCKER_ARGUMENT… (see docker-folder.ts).
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { DockerRefusal, NOT_FOUND, readRun } from "./docker-args.ts";
import { DockerNetworks } from "./docker-networks.ts";
import { mapPorts } from "./docker-ports.ts";

const STOP_WAIT_MS = 10_000;
const LOOK_EVERY_MS = 50;

interface Setup {
  readonly state: string;
  readonly path: string;
  /** Selected with `--entrypoint`; the image's own program has the empty name. */
  readonly programs: ReadonlyMap<string, readonly string[]>;
}

const networksOf = (setup: Setup): DockerNetworks =>
  new DockerNetworks(setup.state, (container) => signalContainer(setup, container, 0));

const recordOf = (setup: Setup, name: string): string => join(setup.state, name.replaceAll(/[^\w.-]/g, "_"));

async function run(setup: Setup, argv: readonly string[]): Promise<number> {
  const plan = readRun(argv, { env: process.env, readFile: (path) => readFileSync(path, "utf8") });
  const [file, ...args] = setup.programs.get(plan.entrypoint ?? "") ?? [];
  if (plan.entrypoint === "/bin/sh")
    throw new DockerRefusal("the sandbox has real images only when it is started with --containers docker", NOT_FOUND);
  if (file === undefined)
    throw new DockerRefusal(`exec: "${plan.entrypoint ?? ""}": executable file not found in $PATH`, NOT_FOUND);
  const id = randomBytes(6).toString("hex");
  const record = recordOf(setup, plan.name ?? id);
  if (existsSync(record))
    throw new DockerRefusal(`Conflict. The container name "/${plan.name ?? id}" is already in use`);
  mkdirSync(setup.state, { recursive: true });
  for (const network of plan.networks) networksOf(setup).join(network.name, plan.name ?? id);
  const env = await mapPorts(setup.state, plan);
  const home = mkdtempSync(join(setup.state, "home-"));
  const base = { PATH: setup.path, HOME: home, LANG: "C.UTF-8", HOSTNAME: id };
  return new Promise((resolve) => {
    // In its own process group, so that the container gets a signal once, through this process, as docker passes it on.
    const child = spawn(file, [...args, ...plan.args], {
      cwd: plan.folder ?? home,
      env: { ...base, ...env },
      detached: true,
      stdio: [plan.interactive ? "inherit" : "ignore", "inherit", "inherit"],
    });
    if (child.pid !== undefined) writeFileSync(record, `${child.pid} ${id}\n`);
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
    const done = (code: number) => {
      // A container ends with its first process; whatever that left running is killed.
      signalContainer(setup, plan.name ?? id, "SIGKILL");
      rmSync(record, { force: true });
      rmSync(home, { recursive: true, force: true });
      resolve(code);
    };
    child.once("error", (error) => {
      process.stderr.write(`docker: ${error.message}\n`);
      done(NOT_FOUND);
    });
    child.once("exit", (code, signal) => done(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}

/** `docker kill|stop|rm -f NAME…`: signals the container's process group; `stop` also waits for its end. */
async function end(setup: Setup, command: string, argv: readonly string[]): Promise<number> {
  let signal: NodeJS.Signals = command === "stop" ? "SIGTERM" : "SIGKILL";
  let waitMs = STOP_WAIT_MS;
  const names: string[] = [];
  const queue = argv.flatMap((word) => (word.startsWith("--") && word.includes("=") ? word.split("=") : [word]));
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (command === "kill" && (word === "-s" || word === "--signal")) signal = signalNamed(queue.shift());
    else if (command === "stop" && ["-t", "--time", "--timeout"].includes(word)) waitMs = Number(queue.shift()) * 1000;
    else if (command === "rm" && ["-f", "--force", "-v"].includes(word)) continue;
    else if (word.startsWith("-")) throw new DockerRefusal(`the sandbox does not play docker ${command} ${word}`);
    else names.push(word);
  }
  let code = 0;
  for (const name of names) {
    if (!signalContainer(setup, name, signal)) {
      process.stderr.write(`Error response from daemon: No such container: ${name}\n`);
      code = command === "rm" && argv.some((word) => word === "-f" || word === "--force") ? code : 1;
      continue;
    }
    if (command === "rm" && (await gone(setup, name, waitMs))) rmSync(recordOf(setup, name), { force: true });
    if (command === "stop" && !(await gone(setup, name, waitMs))) signalContainer(setup, name, "SIGKILL");
    process.stdout.write(`${name}\n`);
  }
  return code;
}

const isSignal = (name: string): name is NodeJS.Signals => name in constants.signals;

function signalNamed(text: string | undefined): NodeJS.Signals {
  const name = `SIG${(text ?? "").replace(/^SIG/, "")}`;
  if (!isSignal(name)) throw new DockerRefusal(`invalid signal: ${text ?? ""}`);
  return name;
}

function signalContainer(setup: Setup, name: string, signal: NodeJS.Signals | 0): boolean {
  const record = recordOf(setup, name);
  const pid = existsSync(record) ? Number.parseInt(readFileSync(record, "utf8"), 10) : Number.NaN;
  if (!(pid > 1)) return false;
  try {
    process.kill(signal === "SIGTERM" || signal === "SIGINT" ? pid : -pid, signal);
    return true;
  } catch {
    return false;
  }
}

async function gone(setup: Setup, name: string, waitMs: number): Promise<boolean> {
  const until = Date.now() + waitMs;
  while (Date.now() < until) {
    if (!signalContainer(setup, name, 0)) return true;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return false;
}

function answered(text: string): number {
  if (text !== "") process.stdout.write(`${text}\n`);
  return 0;
}

async function main(setup: Setup, argv: readonly string[]): Promise<number> {
  const [command, ...rest] = argv;
  switch (command) {
    case "run":
      return run(setup, rest);
    case "kill":
    case "stop":
    case "rm":
      return end(setup, command, rest);
    case "login":
      // Reads the password on stdin to the end, so that the writer of the pipe does not fail.
      if (rest.includes("--password-stdin")) for await (const _chunk of process.stdin);
      process.stdout.write("Login Succeeded (played by the sandbox)\n");
      return 0;
    case "network":
      return answered(networksOf(setup).command(rest));
    case "inspect":
      return answered(networksOf(setup).inspect(rest));
    case "pull":
    case "logout":
      process.stdout.write(`docker ${command}: played by the sandbox, nothing to do\n`);
      return 0;
    default:
      throw new DockerRefusal(`the sandbox does not play docker ${command ?? ""}`);
  }
}

function readPrograms(words: string[]): Map<string, readonly string[]> {
  const programs = new Map<string, readonly string[]>();
  for (let left = Number(words.shift()); left > 0; left -= 1) {
    const [name = "", count = "0"] = words.splice(0, 2);
    programs.set(name, words.splice(0, Number(count)));
  }
  return programs;
}

const [state = "", path = "", ...words] = process.argv.slice(2);
const programs = readPrograms(words);
try {
  process.exitCode = await main({ state, path, programs }, words);
} catch (error) {
  if (!(error instanceof DockerRefusal)) throw error;
  process.stderr.write(`docker: ${error.message}\n`);
  process.exitCode = error.code;
}
