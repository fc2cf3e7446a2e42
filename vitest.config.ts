import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { memoryFolder } from "./test/memory-folder.ts";

const memory = memoryFolder();

/**
 * Files of a project share the processes that they run in, and what those have loaded: loading the App costs more than
 * most tests. So folders are one project unless they would change a process for the others.
 */
const sharing = (name: string, folders: readonly string[], limits: { testTimeout: number; isolate: boolean }) => ({
  test: {
    name,
    include: folders.map((folder) => `test/${folder}/**/*.test.ts`),
    hookTimeout: limits.testTimeout,
    ...(memory === null ? {} : { env: { TMPDIR: memory } }),
    ...limits,
  },
});

/** How long a test may wait for a condition on a slow machine; one that holds earlier is seen at once. */
const PATIENCE_MS = 120_000;

/** Real containers; left out where no Docker engine answers. */
const containers = {
  test: {
    ...sharing("docker", ["docker"], { testTimeout: PATIENCE_MS, isolate: false }).test,
    globalSetup: "test/docker/set-up.ts",
    // an engine may see no other folders of this machine than the usual ones
    env: {},
    // after all others, which they would slow down
    sequence: { groupOrder: 1 },
  },
};

/** A real browser; left out where there is none. Its one file is the longest, and begins first by its name. */
const browser = {
  test: {
    ...sharing("browser", ["browser"], { testTimeout: PATIENCE_MS, isolate: false }).test,
    globalSetup: "test/browser/set-up.ts",
  },
};

export default defineConfig({
  test: {
    // tests wait for programs about half of their time, so two for each processor keep it busy
    maxWorkers: availableParallelism() * 2,
    globalSetup: "test/build.ts",
    projects: [
      sharing("integration", ["contract", "flows", "process"], { testTimeout: PATIENCE_MS, isolate: false }),
      // nock changes what a whole process sees of the network
      sharing("replayed", ["replayed"], { testTimeout: PATIENCE_MS, isolate: true }),
      sharing("unit", ["unit"], { testTimeout: 30_000, isolate: false }),
      containers,
      browser,
    ],
  },
});
