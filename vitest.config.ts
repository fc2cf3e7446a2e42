import { defineConfig } from "vitest/config";

const reach = (name: string, limits: { testTimeout: number; isolate: boolean; globalSetup?: string }) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], hookTimeout: limits.testTimeout, ...limits },
});

/**
 * One project per reach: what a test may touch, and how long it may wait for a condition on a slow machine. Files of a
 * project share a process and what it has loaded, unless they change it for each other.
 */
export default defineConfig({
  test: {
    maxWorkers: 4,
    projects: [
      reach("unit", { testTimeout: 30_000, isolate: false }),
      reach("contract", { testTimeout: 60_000, isolate: false, globalSetup: "test/build.ts" }),
      // nock changes what a whole process sees of the network
      reach("replayed", { testTimeout: 60_000, isolate: true }),
      reach("flows", { testTimeout: 90_000, isolate: false, globalSetup: "test/build.ts" }),
      reach("process", { testTimeout: 120_000, isolate: false, globalSetup: "test/build.ts" }),
    ],
  },
});
