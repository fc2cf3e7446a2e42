/** The cache service, asked by the run action's own client. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type CacheAccess, downloadCache, findCache, saveCache } from "../../../agent/action/cache-service.ts";
import { Secret } from "../../../src/contracts/secret.ts";
import { type World, world } from "./kit.ts";

let w: World;
const folder = mkdtempSync(join(tmpdir(), "caches-test-"));
const file = join(folder, "archive");
beforeAll(async () => {
  w = await world();
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await w.close();
});

/** A run on this branch. */
function access(branch: string): CacheAccess & { token: string } {
  const { actions } = w.github;
  const run = actions.createRun({
    ...{ repository: { owner: "octo", name: "demo" }, path: ".github/workflows/run-job.yml", name: "Run job" },
    ...{ event: "push", displayTitle: "t", headBranch: branch, headSha: "0".repeat(40), actor: "octo" },
  });
  const identity = { runId: run.id, ref: `refs/heads/${branch}`, sha: "0".repeat(40), headRef: "", baseRef: "" };
  const token = actions.openCaches(identity);
  return { url: w.github.url, bearer: new Secret(token), token };
}

async function save(branch: string, key: string, words: string): Promise<boolean> {
  writeFileSync(file, words);
  return saveCache(access(branch), key, file);
}

async function read(branch: string, key: string, ...prefixes: string[]): Promise<string | null> {
  const found = await findCache(access(branch), key, prefixes);
  return found === null ? null : text(await downloadCache(found));
}

it("shows a run the caches of its own branch and of the default branch, and no sibling's", async () => {
  expect(await save("main", "k-1", "main's")).toBe(true);
  expect(await save("job/aaaaaaaa", "k-2", "a's")).toBe(true);
  expect(await read("job/aaaaaaaa", "k-1")).toBe("main's");
  expect(await read("job/aaaaaaaa", "k-2")).toBe("a's");
  expect(await read("job/bbbbbbbb", "k-2")).toBeNull();
  expect(await read("main", "k-2")).toBeNull();
  expect(await read("job/bbbbbbbb", "k-3", "k-")).toBe("main's");
});

it("keeps the first of a key, and gives the newest of a prefix", async () => {
  expect(await save("main", "p-1", "old")).toBe(true);
  expect(await save("main", "p-1", "other")).toBe(false);
  expect(await save("main", "p-2", "new")).toBe(true);
  expect(await read("main", "p-1")).toBe("old");
  expect(await read("main", "p-9", "p-")).toBe("new");
});

it("opens to a job's own token alone, while the job runs", async () => {
  const mine = access("main");
  w.github.actions.closeCaches(mine.token);
  await expect(findCache(mine, "k-1", [])).rejects.toThrow("answered 401");
  writeFileSync(file, "x");
  await expect(saveCache({ ...mine, bearer: new Secret("x") }, "k-9", file)).rejects.toThrow(
    "refused a new cache (401)",
  );
});
