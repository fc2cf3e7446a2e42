/**
 * Finds a free port for programs that must be given one. It lies below those that the system gives to connections, so
 * that none of them takes it before the program does.
 */
import { once } from "node:events";
import { createServer } from "node:net";

const LOWEST = 15_000;
const HIGHEST = 32_000;
const TRIES = 100;

export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    const server = createServer().listen(port, "127.0.0.1");
    const isFree = await once(server, "listening").then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
  throw new Error("there is no free port");
}
