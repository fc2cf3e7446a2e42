/**
 * Keeps a second process off the folder. The lock is a listening socket in it, because the kernel itself drops that
 * with the process, however it dies: a killed server's folder can be taken over at once. A lock file with a time-out
 * (proper-lockfile) makes the next start wait, and lets a second server in when the first was only suspended; a lock
 * file with a process id cannot tell two containers apart, which both run as process 1. Must not know what is kept.
 */
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface FolderLock {
  release(): Promise<void>;
}

const PREFIX = "lock-";
const ENDING = ".sock";

/** The kernel takes no longer socket path: 104 bytes on macOS, 108 on Linux, the closing zero counted. */
const MAX_SOCKET_PATH_BYTES = 100;

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";

/** Runs `use` with a path to the folder that is short enough for a socket in it. */
async function withShortPath<T>(folder: string, name: string, use: (path: string) => Promise<T>): Promise<T> {
  const path = join(folder, name);
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return use(path);
  const detour = fs.mkdtempSync(join(tmpdir(), "jm-"));
  try {
    fs.symlinkSync(folder, join(detour, "d"));
    return await use(join(detour, "d", name));
  } finally {
    fs.rmSync(detour, { recursive: true, force: true });
  }
}

function listen(path: string): Promise<net.Server> {
  return new Promise((resolve, reject) => {
    const server = net.createServer((socket) => socket.destroy());
    server.once("error", reject);
    server.listen(path, () => resolve(server.unref()));
  });
}

const close = (server: net.Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

/** Only a refused connection proves that the owner is gone; every doubt counts as alive. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(path);
    const answer = (alive: boolean) => {
      socket.destroy();
      resolve(alive);
    };
    socket.once("connect", () => answer(true));
    socket.once("error", (error) => answer(!["ECONNREFUSED", "ENOENT"].includes(codeOf(error))));
  });
}

/** The sockets of others, dead ones removed. No name is used twice, so a dead one cannot come alive meanwhile. */
async function othersAlive(folder: string, mine: string): Promise<boolean> {
  let alive = false;
  for (const name of fs.readdirSync(folder)) {
    if (!name.startsWith(PREFIX) || !name.endsWith(ENDING) || name === mine) continue;
    if (await withShortPath(folder, name, isAlive)) alive = true;
    else fs.rmSync(join(folder, name), { force: true });
  }
  return alive;
}

/**
 * Each comer first shows its own socket and then looks for others, so of two that come at once at least one sees the
 * other. It is shown by a rename once it listens: one that is bound but does not listen yet would look dead.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const id = randomBytes(6).toString("hex");
  const name = `${PREFIX}${id}${ENDING}`;
  const hidden = `.${name}`;
  let server: net.Server;
  try {
    server = await withShortPath(folder, hidden, listen);
    fs.renameSync(join(folder, hidden), join(folder, name));
  } catch (cause) {
    throw new Error(
      `Cannot lock ${folder} (${codeOf(cause) || "unknown error"}). It must be writable and on a local disk.`,
      { cause },
    );
  }
  const release = async () => {
    fs.rmSync(join(folder, name), { force: true });
    await close(server);
  };
  if (await othersAlive(folder, name)) {
    await release();
    throw new Error(`${folder} is in use by another server. Stop that one, or give this one a folder of its own.`);
  }
  return { release };
}
