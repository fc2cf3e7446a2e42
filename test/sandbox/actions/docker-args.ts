/**
 * Parses a `docker run …` command line: what the played container gets, and what is refused. Pure, apart from reading
 * env files.
 *
 * Isolation flags are accepted without effect, because the container is a plain child process: read-only mounts are
 * writable, and the network is open even where `--network` names an internal one. Everything that decides *what the
 * program sees* is played.
 */
import { isAbsolute, relative } from "node:path";

/** Isolation and bookkeeping flags that take a value; see the header. */
const ISOLATION_WITH_VALUE = new Set(
  "user cap-add cap-drop security-opt pids-limit memory memory-swap memory-reservation cpus cpu-shares shm-size tmpfs ulimit hostname add-host dns pull platform label log-driver log-opt stop-signal stop-timeout ipc cgroupns userns group-add".split(
    " ",
  ),
);
const ISOLATION_ALONE = new Set("rm init read-only tty quiet no-healthcheck".split(" "));
const PLAYED = new Set("volume mount env env-file name workdir entrypoint network net network-alias".split(" "));
/** Supported flags without a value. */
const INTERACTIVE = "interactive";
const SHORT: Readonly<Record<string, string>> = {
  v: "volume",
  e: "env",
  w: "workdir",
  u: "user",
  m: "memory",
  h: "hostname",
  l: "label",
  i: "interactive",
  t: "tty",
  q: "quiet",
};

export interface JoinedNetwork {
  readonly name: string;
  /** Names by which other containers on the network find this one. */
  readonly aliases: readonly string[];
}

export interface Mount {
  readonly host: string;
  readonly container: string;
}

export interface ContainerPlan {
  readonly image: string;
  readonly args: readonly string[];
  readonly mounts: readonly Mount[];
  readonly env: Readonly<Record<string, string>>;
  readonly name: string | undefined;
  /** The program of the image to start instead of its own. */
  readonly entrypoint: string | undefined;
  /** Whether the container reads stdin; without `-i` it does not. */
  readonly interactive: boolean;
  readonly networks: readonly JoinedNetwork[];
  /**
   * The host folder to start in; undefined when nothing is mounted, so that no host folder belongs to the container.
   */
  readonly folder: string | undefined;
}

/** docker's exit codes for its own errors, and for a program that the image lacks. */
const REFUSED = 125;
export const NOT_FOUND = 127;

/**
 * An error of docker itself, or something that the sandbox does not support. Printed on stderr with docker's exit code.
 */
export class DockerRefusal extends Error {
  readonly code: number;

  constructor(message: string, code = REFUSED) {
    super(message);
    this.code = code;
  }
}

interface Source {
  readonly env: Readonly<Record<string, string | undefined>>;
  readFile(path: string): string;
}

interface Flag {
  readonly name: string;
  readonly value: string;
}

export function readRun(argv: readonly string[], source: Source): ContainerPlan {
  const { flags, rest } = splitFlags(argv);
  const [image, ...args] = rest;
  if (image === undefined) throw new DockerRefusal('"docker run" requires at least 1 argument: the image.');
  const all = (name: string) => flags.filter((flag) => flag.name === name).map((flag) => flag.value);
  const mounts = [...all("volume").map(volume), ...all("mount").flatMap(mountFlag)];
  checkMounts(mounts);
  const lines = [...all("env-file").flatMap((file) => envFile(source.readFile(file))), ...all("env")];
  const env: Record<string, string> = {};
  for (const line of lines) {
    const equals = line.indexOf("=");
    const name = equals < 0 ? line : line.slice(0, equals);
    const value = equals < 0 ? source.env[name] : line.slice(equals + 1);
    if (value !== undefined) env[name] = toHost(value, mounts);
  }
  const workdir = all("workdir").at(-1);
  const inside = workdir !== undefined && mounts.some((mount) => within(workdir, mount.container));
  if (workdir !== undefined && !inside && mounts.length > 0)
    throw new DockerRefusal(`the sandbox has no folder for --workdir ${workdir}: it is not in a mount`);
  const folder = workdir !== undefined && inside ? toHost(workdir, mounts) : mounts[0]?.host;
  return {
    image,
    args: args.map((arg) => toHost(arg, mounts)),
    mounts,
    env,
    name: all("name").at(-1),
    entrypoint: all("entrypoint").at(-1),
    networks: networksOf([...all("net"), ...all("network")], all("network-alias")),
    interactive: flags.some((flag) => flag.name === INTERACTIVE),
    folder,
  };
}

/** `N`, or `name=N,alias=A`. Aliases given separately apply to the first network. */
function networksOf(values: readonly string[], aliases: readonly string[]): JoinedNetwork[] {
  return values.map((value, index) => {
    const pairs = value.includes("=") ? value.split(",").map((pair) => pair.split("=")) : [["name", value]];
    const named = (key: string) => pairs.filter(([name]) => name === key).map(([, text = ""]) => text);
    const other = pairs.find(([key]) => key !== "name" && key !== "alias");
    if (other) throw new DockerRefusal(`the sandbox does not play ${other[0] ?? ""} of --network`);
    return { name: named("name").at(-1) ?? "", aliases: [...named("alias"), ...(index === 0 ? aliases : [])] };
  });
}

function splitFlags(argv: readonly string[]): { flags: Flag[]; rest: string[] } {
  const flags: Flag[] = [];
  const queue = [...argv];
  while (queue[0]?.startsWith("-")) {
    const word = queue.shift() ?? "";
    if (word === "--") break;
    if (word.startsWith("--")) takeLong(word.slice(2), queue, flags);
    else takeShort(word.slice(1), queue, flags);
  }
  return { flags, rest: queue };
}

function takeLong(word: string, queue: string[], flags: Flag[]): void {
  const equals = word.indexOf("=");
  const name = equals < 0 ? word : word.slice(0, equals);
  if (ISOLATION_ALONE.has(name)) return;
  if (name === INTERACTIVE) return void flags.push({ name, value: "true" });
  if (!ISOLATION_WITH_VALUE.has(name) && !PLAYED.has(name))
    throw new DockerRefusal(`the sandbox does not play --${name}`);
  const value = equals < 0 ? queue.shift() : word.slice(equals + 1);
  if (value === undefined) throw new DockerRefusal(`flag needs an argument: --${name}`);
  flags.push({ name, value });
}

/** `-it`, `-e A=b`, `-eA=b`. */
function takeShort(word: string, queue: string[], flags: Flag[]): void {
  const name = SHORT[word[0] ?? ""];
  if (name === undefined) throw new DockerRefusal(`the sandbox does not play -${word[0] ?? ""}`);
  const rest = word.slice(1);
  const alone = ISOLATION_ALONE.has(name) || name === INTERACTIVE;
  takeLong(alone || rest === "" ? name : `${name}=${rest.replace(/^=/, "")}`, queue, flags);
  if (alone && rest !== "") takeShort(rest, queue, flags);
}

function volume(text: string): Mount {
  const [host, container, ...options] = text.split(":");
  if (host === undefined || container === undefined || options.length > 1)
    throw new DockerRefusal(`invalid volume: ${text}`);
  return { host, container };
}

function mountFlag(text: string): Mount[] {
  const parts = new Map(text.split(",").map((part) => [part.split("=")[0] ?? "", part.slice(part.indexOf("=") + 1)]));
  const type = parts.get("type") ?? "volume";
  if (type === "tmpfs") return [];
  const host = parts.get("source") ?? parts.get("src");
  const container = parts.get("target") ?? parts.get("destination") ?? parts.get("dst");
  if (type !== "bind") throw new DockerRefusal(`the sandbox does not play mounts of type ${type}`);
  if (host === undefined || container === undefined) throw new DockerRefusal(`invalid mount: ${text}`);
  return [{ host, container }];
}

const within = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(`${folder.replace(/\/$/, "")}/`);

const SOCKET = "docker.sock";

function checkMounts(mounts: readonly Mount[]): void {
  for (const { host, container } of mounts) {
    if (!isAbsolute(host)) throw new DockerRefusal(`the sandbox does not play named volumes: ${host}`);
    if (!isAbsolute(container)) throw new DockerRefusal(`invalid mount path: '${container}' must be absolute`);
    const holdsSocket = ["/", "/run", "/var", "/var/run"].includes(host.replace(/(.)\/+$/, "$1"));
    if (host.endsWith(SOCKET) || container.endsWith(SOCKET) || holdsSocket)
      throw new DockerRefusal(`the sandbox refuses to mount ${host}: it gives the container the docker socket`);
    const outer = mounts.find((other) => other.container !== container && within(container, other.container));
    if (outer && relative(outer.container, container) !== relative(outer.host, host))
      throw new DockerRefusal(`the sandbox does not play a mount inside another one: ${container}`);
  }
}

/** Converts a container path to the path of the host mounted there; other text is unchanged. */
function toHost(text: string, mounts: readonly Mount[]): string {
  const inner = [...mounts].sort((a, b) => b.container.length - a.container.length);
  const mount = inner.find(({ container }) => within(text, container));
  return mount ? mount.host.replace(/\/$/, "") + text.slice(mount.container.replace(/\/$/, "").length) : text;
}

const envFile = (text: string): string[] =>
  text.split(/\r?\n/).filter((line) => line.trim() !== "" && !line.trimStart().startsWith("#"));
