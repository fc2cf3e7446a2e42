import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { memoryFolder } from "./test/memory-folder.ts";

const memory = memoryFolder();

interface Sharing {
  readonly testTimeout: number;
  readonly isolate: boolean;
  readonly exclude?: string[];
}

/** All tests of a folder. */
const allIn = (folder: string): string => `test/${folder}/**/*.test.ts`;

/**
 * Files of a project share the processes that they run in, and what those have loaded: loading the App costs more than
 * most tests. So folders are one project unless they would change a process for the others.
 */
const sharing = (name: string, include: string[], limits: Sharing) => ({
  test: {
    name,
    include,
    hookTimeout: limits.testTimeout,
    ...(memory === null ? {} : { env: { TMPDIR: memory } }),
    ...limits,
  },
});

/** How long a test may wait for a condition on a slow machine; one that holds earlier is seen at once. */
const PATIENCE_MS = 120_000;

/**
 * Tests of a job's side, which start programs by the hundred and never load the App: a process that holds little starts
 * one in half of the time.
 */
const JOB_SIDE = ["process/{agent,egress,gateway,log-uploader,run-action*}", "contract/sandbox-runner*"].map(
  (files) => `test/${files}.test.ts`,
);

/** Real containers; left out where no Docker engine answers. */
const containers = {
  test: {
    ...sharing("docker", [allIn("docker")], { testTimeout: PATIENCE_MS, isolate: false }).test,
    globalSetup: "test/docker/set-up.ts",
    // an engine may see no other folders of this machine than the usual ones
    env: {},
    // after all others, which they would slow down
    sequence: { groupOrder: 1 },
  },
};

/** A real browser; left out where there is none. Its one file is among the longest, and begins early by its name. */
const browser = {
  test: {
    ...sharing("browser", [allIn("browser")], { testTimeout: PATIENCE_MS, isolate: false }).test,
    globalSetup: "test/browser/set-up.ts",
  },
};

export default defineConfig({
  test: {
    // tests wait for programs about half of their time, so two for each processor keep it busy
    maxWorkers: availableParallelism() * 2,
    globalSetup: "test/build.ts",
    projects: [
      // projects begin in the order of their names, and this one has long files
      sharing("agent", JOB_SIDE, { testTimeout: PATIENCE_MS, isolate: false }),
      sharing("integration", ["contract", "flows", "process"].map(allIn), {
        ...{ testTimeout: PATIENCE_MS, isolate: false, exclude: JOB_SIDE },
      }),
      // nock changes what a whole process sees of the network
      sharing("replayed", [allIn("replayed")], { testTimeout: PATIENCE_MS, isolate: true }),
      sharing("unit", [allIn("unit")], { testTimeout: 30_000, isolate: false }),
      containers,
      browser,
    ],
  },
});
