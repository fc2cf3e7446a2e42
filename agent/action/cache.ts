/**
 * The repository's cache: a volume that is the home of the agent's shell. A job gets a copy, out of the archive that a run
 * on the default branch has saved; the archive is opened in a container of its own, without the network, as the agent's
 * user. Nothing that a job does to its copy is kept.
 */
import { createWriteStream } from "node:fs";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { belowHome, CACHE_HOME, type Cache } from "../../src/contracts/cache.ts";
import { tail } from "../../src/text/text.ts";
import { type CacheSource, cacheKeysOf } from "./cache-key.ts";
import { type CacheAccess, CacheFailure, downloadCache, findCache } from "./cache-service.ts";
import type { Names } from "./container-names.ts";
import type { Docker, Running } from "./docker.ts";
import type { Git } from "./git.ts";
import { AGENT_UID } from "./ownership.ts";
import { errorTail, succeeded } from "./run-command.ts";

/** Of an archive, compressed. */
export const MAX_CACHE_BYTES = 1024 ** 3;
/** Of what comes out of one. */
const MAX_OPENED_BYTES = 8 * 1024 ** 3;
const MOVE_LIMIT_MS = 5 * 60_000;
const MAKE_LIMIT_MS = 60_000;
const MAX_WORDS = 1_000;
const TOO_LARGE = 3;

export interface CachePorts {
  readonly docker: Docker;
  readonly names: Names;
  /** The agent's image, which has what opens archives. */
  readonly image: string;
}

const user = `${AGENT_UID}:${AGENT_UID}`;

export const cacheFlags = ({ cache }: Names): readonly string[] => ["-v", `${cache}:${CACHE_HOME}`];

export async function removeCache(docker: Docker, { cache, fill }: Names): Promise<void> {
  await docker.call(["rm", "-f", "-v", fill]);
  await docker.call(["volume", "rm", "-f", cache]);
}

/** A new volume belongs to whom the image's folder belongs to, which is the agent's user. */
export async function makeCacheVolume({ docker, names, image }: CachePorts): Promise<void> {
  await removeCache(docker, names);
  const flags = ["--network", "none", ...cacheFlags(names)];
  const made = await docker.finish({ image, user, entrypoint: "true", flags, env: {} }, MAKE_LIMIT_MS);
  if (!succeeded(made)) throw new CacheFailure(`its volume could not be made: ${errorTail(made)}`);
}

function startTar(ports: CachePorts, script: string, args: readonly string[] = []): Running {
  const { docker, names, image } = ports;
  return docker.start({
    name: names.fill,
    image,
    user,
    entrypoint: "/bin/bash",
    flags: ["--network", "none", "--pids-limit", "64", "--memory", "1g", ...cacheFlags(names)],
    env: {},
    args: ["-o", "pipefail", "-c", script, "tar", ...args],
    interactive: true,
  });
}

/** A stream that ends with a failure where more comes than this. */
const atMost = (bytes: number, failure: string): Transform => {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      seen += chunk.length;
      if (seen > bytes) done(new CacheFailure(failure));
      else done(null, chunk);
    },
  });
};

/** Waits for the program's end, within the limit for moving an archive. */
async function ended(running: Running, moving: Promise<unknown>): Promise<number | null> {
  let words = "";
  running.stderr.setEncoding("utf8").on("data", (text: string) => {
    words = tail(words + text, MAX_WORDS);
  });
  const clock = setTimeout(() => running.signal("SIGKILL"), MOVE_LIMIT_MS);
  try {
    const [moved, code] = await Promise.all([
      moving.then(
        () => null,
        (error: unknown) => error,
      ),
      running.ended,
    ]);
    if (moved instanceof CacheFailure) throw moved;
    if (code === 0 && moved === null) return 0;
    if (code === TOO_LARGE) return code;
    throw new CacheFailure(`its archive could not be read or written: ${errorTail({ stderr: words, limit: null })}`);
  } finally {
    clearTimeout(clock);
  }
}

/** Fills the volume from an archive. */
async function openArchive(ports: CachePorts, archive: NodeJS.ReadableStream): Promise<void> {
  const running = startTar(ports, `gzip -dc | head -c ${MAX_OPENED_BYTES} | tar -xf - -C ${CACHE_HOME}`);
  running.stdout.resume();
  const tooLarge = "the archive is larger than any that this action makes";
  await ended(running, pipeline(archive, atMost(MAX_CACHE_BYTES, tooLarge), running.stdin));
}

/** Writes those of the paths that are there to a file. */
export async function writeArchive(
  ports: CachePorts,
  { paths }: Cache,
  file: string,
  most = MAX_CACHE_BYTES,
): Promise<void> {
  const script = `cd ${CACHE_HOME} || exit 1
for path do shift; [ ! -e "./$path" ] || set -- "$@" "./$path"; done
[ "$#" -gt 0 ] || exit ${TOO_LARGE}
tar -cf - -- "$@" | gzip -1`;
  const running = startTar(ports, script, paths.map(belowHome));
  running.stdin.end();
  const tooLarge = `it is larger than ${most / 1024 ** 2} MB, compressed; keep fewer paths`;
  const code = await ended(running, pipeline(running.stdout, atMost(most, tooLarge), createWriteStream(file)));
  if (code !== 0) throw new CacheFailure("none of its paths is there after the fill commands");
}

export interface RestorePorts extends CachePorts {
  readonly git: Git;
  readonly access: CacheAccess | null;
  readonly source: CacheSource;
  readonly sha: string;
  readonly show: (text: string) => void;
}

/** Whether the volume holds a copy. A job goes on without one, and its log says why. */
export async function restoreCache(ports: RestorePorts): Promise<boolean> {
  const { git, access, source, sha, show, docker, names } = ports;
  try {
    if (access === null) throw new CacheFailure("this runner has no cache service");
    const { key, prefix } = await cacheKeysOf(git, sha, source);
    const found = await findCache(access, key, [prefix]);
    if (found === null) throw new CacheFailure("no run on the default branch has saved one yet");
    await makeCacheVolume(ports);
    await openArchive(ports, await downloadCache(found));
    show(found.key === key ? "The cache was restored." : "The cache was restored; it is of other lock files.");
    return true;
  } catch (error) {
    show(`The cache was not restored: ${sentence(error)}.`);
    await removeCache(docker, names);
    return false;
  }
}

export const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error));
