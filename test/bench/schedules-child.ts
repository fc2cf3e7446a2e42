/** Opens a store of repositories as a server does; prints how long it took and how much heap it holds. */
import { openLowdbStore } from "../../src/store/lowdb/open.ts";

const [, , dir = ""] = process.argv;
globalThis.gc?.();
const before = process.memoryUsage().heapUsed;
const begun = performance.now();
const store = await openLowdbStore({ dir, now: Date.now });
const ms = performance.now() - begun;
globalThis.gc?.();
process.stdout.write(JSON.stringify({ ms, bytes: process.memoryUsage().heapUsed - before }));
await store.close();
