/**
 * Ensures that only one process uses the data directory. The lock is a listening socket in it, which the kernel closes
 * with the process, so a killed server can be replaced at once. A lock file with a time-out (proper-lockfile) delays
 * the next start and admits a second server while the first is suspended; one with a process id cannot tell two
 * containers apart, which both run as process 1.
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

/** The kernel's limit for socket paths: 104 bytes on macOS, 108 on Linux, including the terminating zero. */
const MAX_SOCKET_PATH_BYTES = 100;

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";

/** Calls `use` with a path to the folder that is short enough for a socket. */
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

/** Only a refused connection proves that the owner is gone; anything else counts as alive. */
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

/** Whether other owners are alive; removes dead sockets. Names are never reused, so a dead socket stays dead. */
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
 * Each process publishes its own socket and then looks for others, so of two simultaneous ones at least one sees the
 * other. The socket is renamed into place once it listens; before that it would look dead.
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
